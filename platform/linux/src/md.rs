//! Arrays of disks that the kernel makes: `/proc/mdstat` (md(4)), and of each array `/sys/block/mdN/md/degraded` and
//! `raid_disks` (the kernel's admin-guide/md).
//!
//! It runs in a lane of its own, because mdstat is written under locks that an array's reconfiguration holds. It asks
//! no disk, starts and stops nothing.

mod mdstat;

use crate::scan::{Expected, whole, words};
use door::{Buffer, Doors, File, Filter, Shape};
use mdstat::Members;
use schema::families::md as family;
use schema::families::md::{Array, Doing};
use schema::setting::Kind;
use schema::unit::{Bytes, Count};
use schema::{Batch, Collector, Errno, Error, Lane, Scrape, Setting, Settings, Spec, label};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "md",
    about: "arrays of disks made by the kernel (/proc/mdstat)",
    families: &[
        family::STATE.id(),
        family::DISKS.id(),
        family::DISKS_REQUIRED.id(),
        family::DEGRADED.id(),
        family::SIZE.id(),
        family::SYNCED.id(),
        family::SYNC_SIZE.id(),
        family::INFO.id(),
    ],
    default_on: true,
    lane: Lane::Thread,
    settings: &[DEVICE_INCLUDE, DEVICE_EXCLUDE],
    open,
};

const DEVICE_INCLUDE: Setting = Setting {
    key: "collector.md.device-include",
    kind: Kind::Pattern,
    default: "",
    help: "Show only arrays whose whole name (md127) matches.",
};

const DEVICE_EXCLUDE: Setting = Setting {
    key: "collector.md.device-exclude",
    kind: Kind::Pattern,
    default: "",
    help: "Leave out arrays whose whole name matches.",
};

/// ENODEV: the array went while its file was open.
const GONE: Errno = Errno(19);

struct Md {
    doors: Arc<Doors>,
    filter: Filter,
    mdstat: File,
    buffer: Buffer,
    known: Vec<Known>,
    /// Room for the small files.
    small: Buffer,
}

/// An array that the last scrape met, with its files.
struct Known {
    name: Vec<u8>,
    /// The name as a label.
    label: String,
    degraded: File,
    raid_disks: File,
    met: bool,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let filter = Filter::of(settings, &DEVICE_INCLUDE, &DEVICE_EXCLUDE)?;
    let (mut mdstat, mut buffer) = (doors.procfs.file("mdstat", Shape::Table), Buffer::default());
    mdstat.read(&mut buffer).map_err(|error| error.absent_if_missing("no md driver"))?;
    let (doors, known, small) = (Arc::clone(doors), Vec::new(), Buffer::default());
    Ok(Box::new(Md { doors, filter, mdstat, buffer, known, small }))
}

impl Collector for Md {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Md { doors, filter, mdstat, buffer, known, small } = self;
        for array in known.iter_mut() {
            array.met = false;
        }
        let contents = mdstat.read(buffer).map_err(|error| error.absent_if_missing("no md driver"))?;
        mdstat::parse(contents, |array| match array {
            Err(expected) => out.fail(expected.of(mdstat)),
            Ok(array) => {
                // Its line comes twice where another array went while the file was read.
                let Some(known) = meet(known, array.name, doors) else { return };
                if filter.passes(&known.label) {
                    if let Some(wrong) = array.wrong {
                        out.fail(wrong.of(mdstat));
                    }
                    known.put(&array, small, out);
                }
            }
        });
        known.retain(|array| array.met);
        Ok(())
    }
}

/// The array of this name, if it was not met before in this scrape.
fn meet<'a>(known: &'a mut Vec<Known>, name: &[u8], doors: &Doors) -> Option<&'a mut Known> {
    let place = match known.iter().position(|known| known.name == name) {
        Some(place) => place,
        None => {
            known.push(Known::new(name, doors));
            known.len() - 1
        }
    };
    let array = known.get_mut(place).filter(|array| !array.met)?;
    array.met = true;
    Some(array)
}

impl Known {
    fn new(name: &[u8], doors: &Doors) -> Known {
        let label = label::text(name).into_owned();
        let file = |attribute| {
            // Nothing is called so that it would lead elsewhere, and if it were it would not.
            doors.sysfs.file(&format!("block/{}/md/{attribute}", label.replace('/', "!")), Shape::Attr)
        };
        let (degraded, raid_disks) = (file("degraded"), file("raid_disks"));
        Known { name: name.to_vec(), label, degraded, raid_disks, met: false }
    }

    fn put(&mut self, array: &mdstat::Array<'_>, small: &mut Buffer, out: &mut Batch) {
        let degraded = out.keep(number(&mut self.degraded, small)).flatten();
        let required = match array.disks {
            Some([required, _]) => Some(required),
            // A nought is an array that the kernel does not know yet.
            None => out.keep(number(&mut self.raid_disks, small)).flatten().filter(|disks| *disks > 0),
        };
        let Members { working, failed, spare, .. } = array.members;
        let active = match (array.doing, array.disks) {
            (_, Some([_, active])) => active,
            // What does not run has nothing in sync.
            (Doing::Inactive, None) => 0,
            (_, None) => working,
        };
        let level = label::text(array.level);
        let row = Array {
            device: &self.label,
            level: &level,
            doing: array.doing,
            active: Count(active),
            failed: Count(failed),
            spare: Count(spare),
            required: required.map(Count),
            degraded: degraded.map(Count),
            size: array.blocks.and_then(Bytes::kib),
            synced: array.synced.and_then(|[done, all]| Bytes::kib(done).zip(Bytes::kib(all))),
        };
        row.put(out);
    }
}

/// The first number of an attribute (`raid_disks` has the old one behind it while the form changes); None where the
/// array has no such attribute or it is empty.
fn number(file: &mut File, buffer: &mut Buffer) -> Result<Option<u64>, Error> {
    let contents = match file.read(buffer) {
        Ok(contents) => contents,
        Err(Error::Io { source: Errno::NOT_FOUND | GONE, .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    first_number(contents).map_err(|expected| expected.of(file))
}

fn first_number(contents: &[u8]) -> Result<Option<u64>, Expected> {
    match words(contents.trim_ascii()).next() {
        None => Ok(None),
        Some(word) => whole(word).map(Some).ok_or(Expected { line: 1, what: "a number of disks" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Replay, replay};
    use proptest::prelude::*;
    use schema::setting::Value;

    const MDSTAT: &str = "\
Personalities : [raid0] [raid1]
md0 : active raid0 sdc[0] sdd[1]
      2000 blocks super 1.2 512k chunks

md1 : active raid1 sda2[0] sdb2[2](F) sdc2[1](S)
      1000 blocks super 1.2 [2/1] [U_]
      [=>...................]  recovery =  8.5% (85/1000) finish=17.0min speed=259783K/sec

md127 : inactive sde[0](S)
      7932 blocks super external:imsm

unused devices: <none>
";
    const SYSFS: &str = "\
== 1 file sys/block/md0/md/degraded 2
== 1 file sys/block/md0/md/raid_disks ok text
2
== 1 file sys/block/md1/md/degraded ok text
1
== 1 file sys/block/md127/md/degraded 2
== 1 file sys/block/md127/md/raid_disks ok text
0
";

    fn shown(mdstat: &str, sysfs: &str) -> String {
        replay(&SPEC, &format!("== 1 file proc/mdstat ok text\n{mdstat}{sysfs}"))
    }

    #[test]
    fn an_array_can_be_left_out_by_name() {
        for (key, pattern) in [(DEVICE_INCLUDE.key, "md0|27"), (DEVICE_EXCLUDE.key, "md1.*")] {
            let mut settings = Settings::default();
            settings.set(key, Value::Text(pattern.into()));
            let machine = format!("== 1 file proc/mdstat ok text\n{MDSTAT}{SYSFS}");
            let shown = Replay::set(&SPEC, &machine, &settings).shown();
            assert!(shown.contains("md0") && !shown.contains("md1"), "{pattern}: {shown}");
        }
    }

    #[test]
    fn a_recorded_machine_gives_its_arrays() {
        let shown = shown(MDSTAT, SYSFS);
        let of = |device: &str| -> Vec<_> {
            let device = format!("{{device=\"{device}\"");
            let lines = shown
                .lines()
                .filter(|line| line.contains(&device) && !(line.contains("state{") && line.ends_with(" 0")));
            lines
                .map(|line| {
                    line.replacen(&format!("{device},"), "{", 1).replacen(&format!("{device}}}"), "", 1)
                })
                .collect()
        };
        let wanted = [
            "host_md_state{state=\"active\"} 1",
            "host_md_disks{state=\"active\"} 2",
            "host_md_disks{state=\"failed\"} 0",
            "host_md_disks{state=\"spare\"} 0",
            "host_md_disks_required 2",
            "host_md_size_bytes 2048000",
            "host_md_info{level=\"raid0\"} 1",
        ];
        assert_eq!(of("md0"), wanted);
        let wanted = [
            "host_md_state{state=\"recovering\"} 1",
            "host_md_disks{state=\"active\"} 1",
            "host_md_disks{state=\"failed\"} 1",
            "host_md_disks{state=\"spare\"} 1",
            "host_md_disks_required 2",
            "host_md_degraded 1",
            "host_md_size_bytes 1024000",
            "host_md_synced_bytes 87040",
            "host_md_sync_size_bytes 1024000",
            "host_md_info{level=\"raid1\"} 1",
        ];
        assert_eq!(of("md1"), wanted);
        let wanted = [
            "host_md_state{state=\"inactive\"} 1",
            "host_md_disks{state=\"active\"} 0",
            "host_md_disks{state=\"failed\"} 0",
            "host_md_disks{state=\"spare\"} 1",
            "host_md_size_bytes 8122368",
        ];
        assert_eq!(of("md127"), wanted);
        assert!(!shown.contains("failed:") && !shown.contains("not recorded"), "{shown}");
        assert_eq!(
            shown.lines().filter(|line| line.starts_with("host_md_state{")).count(),
            3 * Doing::ALL.len()
        );
    }

    #[test]
    fn a_line_that_comes_twice_counts_once() {
        let twice = "md1 : active raid1 sda2[0] sdb2[1]\n      1000 blocks [2/2] [UU]\n".repeat(2);
        let shown = shown(&twice, SYSFS);
        assert_eq!(shown.matches("host_md_size_bytes").count(), 1);
    }

    #[test]
    fn an_attribute_that_cannot_be_read_costs_itself() {
        let sysfs = SYSFS.replace("md1/md/degraded ok text\n1\n", "md1/md/degraded ok text\nmany\n");
        let text = shown(MDSTAT, &sysfs);
        assert!(
            text.contains("item failed: /sys/block/md1/md/degraded:1: expected a number of disks\n"),
            "{text}"
        );
        assert!(
            text.contains("host_md_disks_required{device=\"md1\"} 2") && !text.contains("host_md_degraded")
        );
        let sysfs = SYSFS.replace("md0/md/raid_disks ok text\n2\n", "md0/md/raid_disks 19\n");
        let text = shown(MDSTAT, &sysfs);
        assert!(!text.contains("failed:") && !text.contains("required{device=\"md0\""), "{text}");
    }

    #[test]
    fn a_machine_without_the_driver_has_no_collector_and_one_without_arrays_no_samples() {
        let refused = Replay::refused(&SPEC, "== 1 file proc/mdstat 2\n");
        assert_eq!(refused, Error::Unsupported("no md driver"));
        assert_eq!(shown("Personalities : \nunused devices: <none>\n", ""), "");
    }

    #[test]
    fn a_number_of_disks_is_the_first() {
        assert_eq!(first_number(b"5 (4)\n"), Ok(Some(5)));
        assert_eq!(first_number(b"\n"), Ok(None));
        assert!(first_number(b"-1\n").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_number_or_an_error(bytes: Vec<u8>) {
            let _ = first_number(&bytes);
        }
    }
}
