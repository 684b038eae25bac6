//! Which device it is: model, serial number, worldwide name, from udev's database and sysfs. Any of it may take the
//! time of a driver or a hypervisor, so it is read by threads of their own, see [`lookup`](super::lookup).

use super::udev;
use door::{Buffer, Doors, Shape};
use schema::setting::UDEV_DATA;
use schema::{Settings, label};
use std::sync::Arc;

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

/// The directory of udev's database below the host's root. The setting may begin with that root, as people write it
/// for node_exporter in a container.
pub(super) fn udev_directory(doors: &Doors, settings: &Settings) -> Option<String> {
    let path = settings.text(&UDEV_DATA)?;
    let root = doors.rootfs.path("");
    let below = std::path::Path::new(&path).strip_prefix(root).ok().and_then(|below| below.to_str());
    match below {
        Some(below) => Some(below.to_owned()),
        None => Some(path.trim_start_matches('/').to_owned()),
    }
}

/// Reads, on a thread of the pool. Files are closed again: they are read every few minutes. What cannot be
/// read is not known; which disk it is, is no measurement.
#[derive(Debug)]
pub(super) struct Reader {
    doors: Arc<Doors>,
    udev: Option<String>,
    buffer: Buffer,
}

impl Reader {
    /// Opens nothing yet. `udev` is the directory of its database.
    pub(super) fn new(doors: &Arc<Doors>, udev: Option<String>) -> Reader {
        Reader { doors: Arc::clone(doors), udev, buffer: Buffer::default() }
    }

    /// What is known of the device of this name below `/sys/block`, with this major and minor number.
    pub(super) fn read(&mut self, name: &str, number: [u64; 2]) -> Description {
        let udev::Properties { mut model, mut serial, mut wwn } = self.properties(number);
        // udev's model of a SATA disk is whole, that of sysfs is cut to the 16 characters of SCSI.
        if model.is_empty() {
            // An SD card or eMMC has a product name, and no attribute "model".
            let attribute = if name.starts_with("mmcblk") { "device/name" } else { "device/model" };
            model = self.text(name, attribute);
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
