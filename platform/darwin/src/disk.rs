//! What disks do, and which they are: `Statistics` of each IOBlockStorageDriver of the I/O Registry, which counts for a
//! whole disk, and what its device tells of itself (the call `disks`; IOBlockStorageDriver.h,
//! IOStorageDeviceCharacteristics.h, IOStorageProtocolCharacteristics.h).
//!
//! Times are sums over requests, in nanoseconds; some drivers do not count them, and then they are absent. The time in
//! which a disk was busy, its queue and merged requests are counted by none, and not made up.
//!
//! A disk image is a file on a disk that counts what is read of it, so images are left out unless somebody says what to
//! include. So is nothing else: what APFS makes of a container has no driver and does not appear. Nothing here opens a
//! disk or asks it for its health, and none is woken. No disk tells its worldwide name here.

use crate::question::Question;
use crate::registry::{Property, Service, services};
use door::{Doors, Filter};
use schema::families::disk as family;
use schema::families::disk::{Description, Faults, Traffic};
use schema::setting::Kind;
use schema::unit::{Bytes, Count, Seconds};
use schema::{Batch, Collector, Error, Lane, Scrape, Setting, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "disk",
    about: "reads, writes, time and errors of disks, and which they are (IOBlockStorageDriver)",
    families: &[
        family::READS_COMPLETED.id(),
        family::WRITES_COMPLETED.id(),
        family::READ.id(),
        family::WRITTEN.id(),
        family::READ_SECONDS.id(),
        family::WRITE_SECONDS.id(),
        family::READ_ERRORS.id(),
        family::WRITE_ERRORS.id(),
        family::READ_RETRIES.id(),
        family::WRITE_RETRIES.id(),
        family::INFO.id(),
    ],
    default_on: true,
    // The registry is asked by messages to the kernel, which waits for drivers that come and go.
    lane: Lane::Thread,
    settings: &[DEVICE_INCLUDE, DEVICE_EXCLUDE],
    open,
};

const DEVICE_INCLUDE: Setting = Setting {
    key: "collector.disk.device-include",
    kind: Kind::Pattern,
    default: "",
    help: "Show only disks whose whole name matches, disk images among them.",
};

const DEVICE_EXCLUDE: Setting = Setting {
    key: "collector.disk.device-exclude",
    kind: Kind::Pattern,
    default: "",
    help: "Leave out disks whose whole name matches, beside disk images.",
};

struct Disk {
    question: Question,
    filter: Filter,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    Ok(Box::new(Disk {
        question: Question::new(doors, "disks", ""),
        filter: Filter::of(settings, &DEVICE_INCLUDE, &DEVICE_EXCLUDE)?,
    }))
}

impl Collector for Disk {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Disk { question, filter } = self;
        for disk in question.ask(services)? {
            // Media without a name are not there for anybody yet.
            let Some(device) = text(disk, "BSD Name") else { continue };
            if filter.passes(device) && (filter.selects() || !is_image(disk)) {
                traffic(disk).put(device, out);
                faults(disk).put(device, out);
                description(disk).put(device, out);
            }
        }
        Ok(())
    }
}

fn traffic(disk: Service<'_>) -> Traffic {
    Traffic {
        reads: count(disk, "Statistics/Operations (Read)"),
        writes: count(disk, "Statistics/Operations (Write)"),
        read: disk.count("Statistics/Bytes (Read)").map(Bytes),
        written: disk.count("Statistics/Bytes (Write)").map(Bytes),
        read_time: disk.count("Statistics/Total Time (Read)").map(Seconds::counted_nanos),
        write_time: disk.count("Statistics/Total Time (Write)").map(Seconds::counted_nanos),
    }
}

fn faults(disk: Service<'_>) -> Faults {
    Faults {
        read_errors: count(disk, "Statistics/Errors (Read)"),
        write_errors: count(disk, "Statistics/Errors (Write)"),
        read_retries: count(disk, "Statistics/Retries (Read)"),
        write_retries: count(disk, "Statistics/Retries (Write)"),
    }
}

fn description(disk: Service<'_>) -> Description<'_> {
    Description {
        model: told(disk, "Device Characteristics/Product Name"),
        serial: told(disk, "Device Characteristics/Serial Number"),
        wwn: "",
        rotational: match told(disk, "Device Characteristics/Medium Type") {
            "Rotational" => Some(true),
            "Solid State" => Some(false),
            // USB bridges mostly do not say.
            _ => None,
        },
    }
}

/// What a device tells; empty, which is an absent label, where it does not.
#[expect(clippy::disallowed_methods, reason = "an empty label is an absent one, not a reading")]
fn told<'a>(disk: Service<'a>, path: &str) -> &'a str {
    text(disk, path).unwrap_or_default()
}

fn is_image(disk: Service<'_>) -> bool {
    text(disk, "Protocol Characteristics/Physical Interconnect Location") == Some("File")
}

fn count(disk: Service<'_>, path: &str) -> Option<Count> {
    disk.count(path).map(Count)
}

/// A text that says something. Drives pad theirs with blanks.
fn text<'a>(disk: Service<'a>, path: &str) -> Option<&'a str> {
    match disk.property(path)? {
        Property::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// The answer of `disks` without what names a single one: what is not known to be harmless is left out.
pub fn masked_disks(text: &str) -> String {
    const HARMLESS: [&str; 6] = [
        "BSD Name",
        "Device Characteristics/Medium Type",
        "Device Characteristics/Product Name",
        "Device Characteristics/Vendor Name",
        "Protocol Characteristics/Physical Interconnect",
        "Protocol Characteristics/Physical Interconnect Location",
    ];
    let lines = text.lines().filter_map(|line| match line.split_once('=') {
        _ if line.starts_with("@ ") => Some(line),
        Some(("Device Characteristics/Serial Number", _)) => {
            Some("Device Characteristics/Serial Number=s:masked")
        }
        Some((path, _)) => (path.starts_with("Statistics/") || HARMLESS.contains(&path)).then_some(line),
        None => None,
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Replay, entry, replay};
    use schema::setting::Value;

    /// An internal SSD, with the numbers of a MacBook.
    const SSD: &str = "\
@ 4294968120 APPLE SSD AP0128Q Media
BSD Name=s:disk0
Statistics/Bytes (Read)=n:30948818944
Statistics/Bytes (Write)=n:14221045760
Statistics/Errors (Read)=n:0
Statistics/Errors (Write)=n:0
Statistics/Latency Time (Read)=n:0
Statistics/Latency Time (Write)=n:0
Statistics/Operations (Read)=n:2328858
Statistics/Operations (Write)=n:1006613
Statistics/Retries (Read)=n:0
Statistics/Retries (Write)=n:3
Statistics/Total Time (Read)=n:640948223045
Statistics/Total Time (Write)=n:64000000000
Device Characteristics/Medium Type=s:Solid State
Device Characteristics/Product Name=s:  APPLE SSD AP0128Q
Device Characteristics/Serial Number=s:0ba0123456789a1b
Protocol Characteristics/Physical Interconnect=s:Apple Fabric
Protocol Characteristics/Physical Interconnect Location=s:Internal
";

    /// Its driver does not count time.
    const TIMELESS: &str = "\
@ 4294968999 USB Media
BSD Name=s:disk4
Statistics/Bytes (Read)=n:1594539950080
Statistics/Bytes (Write)=n:2001819619328
Statistics/Operations (Read)=n:82290967
Statistics/Operations (Write)=n:199308717
";

    const IMAGE: &str = "\
@ 4294969100 Apple UDIF read-only compressed Media
BSD Name=s:disk5
Statistics/Bytes (Read)=n:4096
Protocol Characteristics/Physical Interconnect=s:Virtual Interface
Protocol Characteristics/Physical Interconnect Location=s:File
";

    fn machine(text: &str) -> String {
        entry("disks", "", text.as_bytes())
    }

    #[test]
    fn a_disk_is_all_that_its_driver_counts_and_its_device_tells() {
        assert_eq!(
            replay(&SPEC, &machine(SSD)),
            "\
host_disk_reads_completed_total{device=\"disk0\"} 2328858
host_disk_writes_completed_total{device=\"disk0\"} 1006613
host_disk_read_bytes_total{device=\"disk0\"} 30948818944
host_disk_written_bytes_total{device=\"disk0\"} 14221045760
host_disk_read_seconds_total{device=\"disk0\"} 640.948223045
host_disk_write_seconds_total{device=\"disk0\"} 64
host_disk_read_errors_total{device=\"disk0\"} 0
host_disk_write_errors_total{device=\"disk0\"} 0
host_disk_read_retries_total{device=\"disk0\"} 0
host_disk_write_retries_total{device=\"disk0\"} 3
host_disk_info{device=\"disk0\",model=\"APPLE SSD AP0128Q\",serial=\"0ba0123456789a1b\",rotational=\"0\"} 1
"
        );
    }

    #[test]
    fn what_a_driver_does_not_count_is_absent() {
        assert_eq!(
            replay(&SPEC, &machine(TIMELESS)),
            "\
host_disk_reads_completed_total{device=\"disk4\"} 82290967
host_disk_writes_completed_total{device=\"disk4\"} 199308717
host_disk_read_bytes_total{device=\"disk4\"} 1594539950080
host_disk_written_bytes_total{device=\"disk4\"} 2001819619328
"
        );
    }

    #[test]
    fn a_disk_image_is_shown_to_who_asks_for_it() {
        let all = machine(&[SSD, IMAGE].concat());
        assert!(!replay(&SPEC, &all).contains("disk5"));
        let mut settings = Settings::default();
        settings.set(DEVICE_INCLUDE.key, Value::Text("disk5".to_owned()));
        let shown = Replay::set(&SPEC, &all, &settings).shown();
        assert_eq!(shown, "host_disk_read_bytes_total{device=\"disk5\"} 4096\n");
    }

    #[test]
    fn a_disk_without_a_name_and_a_number_below_nothing_are_not_shown() {
        let nameless = SSD.replace("BSD Name=s:disk0\n", "");
        assert_eq!(replay(&SPEC, &machine(&nameless)), "");
        let negative = "@ 1 Media\nBSD Name=s:disk0\nStatistics/Bytes (Read)=n:-1\n\
                        Statistics/Bytes (Write)=s:7\nDevice Characteristics/Medium Type=s:Rotational\n";
        assert_eq!(
            replay(&SPEC, &machine(negative)),
            "host_disk_info{device=\"disk0\",rotational=\"1\"} 1\n"
        );
    }

    #[test]
    fn a_masked_disk_has_its_figures_and_no_number() {
        let odd = [SSD, "Device Characteristics/World Wide Name=d:0ba01234\nodd\n"].concat();
        assert_eq!(masked_disks(&odd), SSD.replace("0ba0123456789a1b", "masked"));
    }

    #[test]
    fn a_refusal_is_the_collectors_own_failure_and_no_disks_are_none() {
        let shown = replay(&SPEC, "== 1 disks \\x 5\n");
        assert_eq!(shown, "failed: disks: Input/output error (os error 5)\n");
        assert_eq!(replay(&SPEC, "== 1 disks \\x ok hex\n"), "");
    }
}
