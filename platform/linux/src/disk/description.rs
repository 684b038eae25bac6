//! Which devices there are: model, serial number, worldwide name. Asked when a device appears, and a minute later
//! once more, because udev may have been still at work; then not again.
//!
//! Threads of a [`Pool`] do the reading. An answer is waited for no longer than [`PATIENCE`] in the scrape that asks,
//! and is taken whenever it comes.

use super::table::{Stage, Table};
use super::udev;
use crate::pool::{Ask, Asked, Next, Pool};
use door::{Buffer, Doors, Shape};
use schema::setting::UDEV_DATA;
use schema::{Batch, Error, Settings, label};
use std::sync::Arc;
use std::time::Duration;

/// At most so many disks that hang hold a thread each.
const MOST_THREADS: usize = 2;
/// How long a scrape waits for new devices' answers. They take tens of microseconds each.
const PATIENCE: Duration = Duration::from_millis(50);
/// When to ask once more.
const ONCE_MORE: Duration = Duration::from_secs(60);

/// Which device it is; an empty text is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Description {
    pub(super) model: String,
    pub(super) serial: String,
    pub(super) wwn: String,
    pub(super) rotational: Option<bool>,
    /// The name under `/dev/mapper`.
    pub(super) mapper: String,
}

/// Who finds out which devices there are.
#[derive(Debug)]
pub(super) struct Descriptions {
    doors: Arc<Doors>,
    pool: Pool<Question>,
}

/// What a thread is asked.
#[derive(Debug, Default)]
struct Question {
    /// Below `/sys/block`.
    name: String,
    number: [u64; 2],
    answer: Description,
}

impl Descriptions {
    /// Asks nothing yet.
    pub(super) fn new(doors: &Arc<Doors>, settings: &Settings) -> Descriptions {
        let (of_threads, udev) = (Arc::clone(doors), udev_directory(doors, settings));
        let asker = move || -> Ask<Question> {
            let (doors, udev) = (Arc::clone(&of_threads), udev.clone());
            let mut reader = Reader { doors, udev, buffer: Buffer::default() };
            Box::new(move |question| question.answer = reader.read(&question.name, question.number))
        };
        let pool = Pool::new(doors.spawn, "disk", MOST_THREADS, asker);
        Descriptions { doors: Arc::clone(doors), pool }
    }

    /// Takes what has come, asks about who is new, and waits a little.
    pub(super) fn refresh(&mut self, table: &mut Table, now: Duration, out: &mut Batch) {
        self.pool.begin();
        while self.take(table, now, Duration::ZERO) {}
        if !self.ask(table, now) {
            return;
        }
        let clock = self.doors.clock.clone();
        let end = clock.now().saturating_add(clock.patience(PATIENCE));
        while self.take(table, now, clock.until(end)) {
            self.ask(table, now);
        }
        // Said once: in later scrapes nothing more is waited for.
        for device in table.shown().filter(|device| device.stage == Stage::Asked(now)) {
            out.fail(Error::Late(format!("which disk {} is", device.label()).into()));
        }
    }

    /// Asks about devices until no thread is free. True if any was asked.
    fn ask(&mut self, table: &mut Table, now: Duration) -> bool {
        let mut any = false;
        for device in table.shown_mut() {
            if !matches!(device.stage, Stage::Due(at) if at <= now) {
                continue;
            }
            let fill = |question: &mut Question| {
                question.name.clear();
                question.name.extend(device.sysfs_name());
                question.number = device.number;
            };
            if self.pool.ask(0, device.identity, fill) == Asked::Full {
                break;
            }
            device.stage = Stage::Asked(now);
            any = true;
        }
        any
    }

    /// Waits so long for an answer; false if none came.
    fn take(&mut self, table: &mut Table, now: Duration, wait: Duration) -> bool {
        let (Next::Answer { identity, question, .. } | Next::Late { identity, question }) =
            self.pool.next(wait)
        else {
            return false;
        };
        // Else it is gone, or another one now.
        if let Some(device) = table.device_mut(identity) {
            device.stage = match device.description {
                None => Stage::Due(now.saturating_add(ONCE_MORE)),
                Some(_) => Stage::Settled,
            };
            device.description = Some(question.answer.clone());
        }
        true
    }
}

/// The directory of udev's database below the host's root. The setting may begin with that root, as people write it
/// for node_exporter in a container.
fn udev_directory(doors: &Doors, settings: &Settings) -> Option<String> {
    let path = settings.text(&UDEV_DATA)?;
    let root = doors.rootfs.path("");
    let below = std::path::Path::new(&path).strip_prefix(root).ok().and_then(|below| below.to_str());
    match below {
        Some(below) => Some(below.to_owned()),
        None => Some(path.trim_start_matches('/').to_owned()),
    }
}

/// Reads, on a thread of the pool. Files are closed again: they are read once or twice in a device's life. What
/// cannot be read is not known; which disk it is, is no measurement.
struct Reader {
    doors: Arc<Doors>,
    udev: Option<String>,
    buffer: Buffer,
}

impl Reader {
    fn read(&mut self, name: &str, number: [u64; 2]) -> Description {
        let udev::Properties { mut model, mut serial, mut wwn } = self.properties(number);
        // udev's model of a SATA disk is whole, that of sysfs is cut to the 16 characters of SCSI.
        if model.is_empty() {
            model = self.text(name, "device/model");
        }
        if serial.is_empty() {
            serial = self.text(name, "device/serial");
        }
        if serial.is_empty() {
            serial = self.attribute(name, "device/vpd_pg80", unit_serial);
        }
        // A virtio disk's hypervisor is asked for this, so it comes last.
        if serial.is_empty() {
            serial = self.text(name, "serial");
        }
        if wwn.is_empty() {
            wwn = self.attribute(name, "wwid", worldwide_name);
        }
        if wwn.is_empty() {
            wwn = self.attribute(name, "device/wwid", worldwide_name);
        }
        let rotational = match self.text(name, "queue/rotational").as_str() {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        };
        let mapper = if name.starts_with("dm-") { self.text(name, "dm/name") } else { String::new() };
        Description { model, serial, wwn, rotational, mapper }
    }

    fn properties(&mut self, [major, minor]: [u64; 2]) -> udev::Properties {
        let Some(directory) = &self.udev else {
            return udev::Properties::default();
        };
        let mut file = self.doors.rootfs.file(&format!("{directory}/b{major}:{minor}"), Shape::Table);
        match file.read(&mut self.buffer) {
            Ok(contents) => udev::parse(contents),
            Err(_) => udev::Properties::default(),
        }
    }

    /// A text of sysfs, empty where it is not there.
    fn text(&mut self, name: &str, attribute: &str) -> String {
        self.attribute(name, attribute, text)
    }

    fn attribute(&mut self, name: &str, attribute: &str, parse: fn(&[u8]) -> String) -> String {
        let mut file = self.doors.sysfs.file(&format!("block/{name}/{attribute}"), Shape::Attr);
        match file.read(&mut self.buffer) {
            Ok(contents) => parse(contents),
            Err(_) => String::new(),
        }
    }
}

/// Drivers pad with blanks, some with NULs.
fn text(contents: &[u8]) -> String {
    label::text(contents).trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned()
}

/// The unit serial number page of SCSI (SPC-4, 7.8.17), as the kernel keeps it since it met the device: a header with
/// the page's code and length, then the number.
fn unit_serial(page: &[u8]) -> String {
    let serial = match page.split_first_chunk() {
        Some(([_, 0x80, high, low], rest)) => rest.get(..usize::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    };
    serial.map(text).into_iter().collect()
}

/// As udev's ID_WWN has it: the first 64 bits of an NAA name, an EUI or UUID of NVMe as it is. Other names of SCSI
/// (`t10.ATA ...`) are made of model and serial number and are not worldwide ones.
fn worldwide_name(contents: &[u8]) -> String {
    let name = text(contents);
    match name.split_once('.') {
        Some(("naa", digits)) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            digits.get(..16).map(|digits| format!("0x{digits}")).into_iter().collect()
        }
        Some(("eui" | "nvme" | "uuid", _)) => name,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_lose_their_padding_and_are_repaired() {
        assert_eq!(text(b"Samsung SSD 860 \n"), "Samsung SSD 860");
        assert_eq!(text(b" S1\0\0\0"), "S1");
        assert_eq!(text(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(text(b" \n"), "");
    }

    #[test]
    fn a_unit_serial_is_as_long_as_its_header_says() {
        assert_eq!(unit_serial(b"\x00\x80\x00\x08 WD-WCC4rest"), "WD-WCC4");
        for wrong in [&b""[..], b"\x00\x80", b"\x00\x83\x00\x01a", b"\x00\x80\xff\xffa", b"\x00\x80\x00\x00"]
        {
            assert_eq!(unit_serial(wrong), "");
        }
    }

    #[test]
    fn a_worldwide_name_reads_as_udev_writes_it() {
        assert_eq!(worldwide_name(b"naa.5000c500a1b2c3d4\n"), "0x5000c500a1b2c3d4");
        assert_eq!(worldwide_name(b"naa.60014051234567890abcdef123456789\n"), "0x6001405123456789");
        assert_eq!(worldwide_name(b"eui.0025385b71b1f2a0\n"), "eui.0025385b71b1f2a0");
        assert_eq!(
            worldwide_name(b"uuid.6ba7b810-9dad-11d1-80b4-00c04fd430c8\n"),
            "uuid.6ba7b810-9dad-11d1-80b4-00c04fd430c8"
        );
        for other in [&b""[..], b"t10.ATA     WDC WD40EFRX-68N32N0\n", b"naa.xyz\n", b"naa\n"] {
            assert_eq!(worldwide_name(other), "");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_texts(bytes: Vec<u8>) {
            let _ = (text(&bytes), unit_serial(&bytes), worldwide_name(&bytes));
            let _ = (unit_serial(&[b"\0\x80", &bytes[..]].concat()), worldwide_name(&[b"naa.", &bytes[..]].concat()));
        }
    }
}
