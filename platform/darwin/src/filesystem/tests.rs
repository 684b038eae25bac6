//! The collector over recorded machines, and over a share that hangs.

use super::*;
use crate::replay::{Replay, entry, replay, second};
use door::{Call, Live, Paths};
use std::sync::{Condvar, Mutex};
use std::time::Instant;

/// A mount as the calls have it, with 4 KiB blocks, 9 files and 8 of them free.
#[derive(Clone, Copy)]
pub(super) struct Made {
    pub(super) number: u64,
    pub(super) fstype: &'static str,
    pub(super) path: &'static str,
    pub(super) source: &'static str,
    pub(super) flags: u32,
    pub(super) more_flags: u32,
    pub(super) blocks: u64,
    pub(super) free: u64,
}

/// The sealed root of a Mac, with the flags of a recorded one.
pub(super) const ROOT: Made = Made {
    number: 1,
    fstype: "apfs",
    path: "/",
    source: "/dev/disk3s1s1",
    flags: 0x4480_d001,
    more_flags: 0,
    blocks: 244_287_349,
    free: 53_231_716,
};
/// The volume that goes with it, whose room is the same.
pub(super) const DATA: Made = Made {
    number: 2,
    path: "/System/Volumes/Data",
    source: "/dev/disk3s5",
    flags: 0x0490_9080,
    more_flags: 1,
    ..ROOT
};
pub(super) const PREBOOT: Made = Made {
    number: 3,
    path: "/System/Volumes/Preboot",
    source: "/dev/disk3s2",
    flags: 0x0490_9080,
    more_flags: 0,
    ..ROOT
};
pub(super) const SHARE: Made = Made {
    number: 4,
    fstype: "smbfs",
    path: "/Volumes/share",
    source: "//jane@nas/share",
    flags: 0,
    more_flags: 0,
    blocks: 1000,
    free: 10,
};

pub(super) fn mount(made: &Made) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [4096_u32, 1 << 20] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    for word in [made.blocks, made.free, made.free, 9, 8, made.number] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    for word in [0, 0x1a, made.flags, 0, made.more_flags] {
        bytes.extend_from_slice(&u32::to_le_bytes(word));
    }
    for text in [made.fstype, made.path, made.source] {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
    bytes
}

fn list(mounts: &[Made]) -> Vec<u8> {
    mounts.iter().flat_map(mount).collect()
}

fn listed(mounts: &[Made]) -> String {
    entry("getfsstat", "", &list(mounts))
}

fn asked(made: &Made) -> String {
    entry("statfs", made.path, &mount(made))
}

#[test]
fn the_root_its_data_and_a_share_are_shown_and_a_container_is_one_pool() {
    let entries = [listed(&[ROOT, DATA, PREBOOT, SHARE]), asked(&ROOT), asked(&DATA), asked(&SHARE)].concat();
    let labels = |path, source, fstype, pool| {
        format!("{{device=\"{source}\",mountpoint=\"{path}\",fstype=\"{fstype}\",pool=\"{pool}\"}}")
    };
    let root = labels("/", "/dev/disk3s1s1", "apfs", "disk3");
    let data = labels("/System/Volumes/Data", "/dev/disk3s5", "apfs", "disk3");
    let share = labels("/Volumes/share", "//nas/share", "smbfs", "//nas/share");
    let expected = format!(
        "\
host_filesystem_size_bytes{root} 1000600981504
host_filesystem_free_bytes{root} 218037108736
host_filesystem_available_bytes{root} 218037108736
host_filesystem_readonly{root} 1
host_filesystem_size_bytes{data} 1000600981504
host_filesystem_free_bytes{data} 218037108736
host_filesystem_available_bytes{data} 218037108736
host_filesystem_readonly{data} 0
host_filesystem_size_bytes{share} 4096000
host_filesystem_free_bytes{share} 40960
host_filesystem_available_bytes{share} 40960
host_filesystem_files{share} 9
host_filesystem_files_free{share} 8
host_filesystem_readonly{share} 0
"
    );
    assert_eq!(replay(&SPEC, &entries), expected);
}

#[test]
fn the_room_is_what_the_filesystem_says_now_and_not_what_the_list_remembers() {
    let now = Made { free: 1, ..DATA };
    let shown = replay(&SPEC, &[listed(&[DATA]), asked(&now)].concat());
    assert!(shown.contains("free_bytes") && shown.contains("} 4096\n"), "{shown}");
}

#[test]
fn a_mount_that_another_one_covers_or_that_is_gone_is_not_shown() {
    let over = Made { source: "/dev/disk9s1", ..DATA };
    assert_eq!(replay(&SPEC, &[listed(&[DATA]), asked(&over)].concat()), "");
    let gone = "== 1 statfs /System/Volumes/Data 2\n";
    assert_eq!(replay(&SPEC, &[&listed(&[DATA]), gone].concat()), "");
}

#[test]
fn a_mount_that_cannot_be_asked_says_why() {
    for (errno, reason) in [(70, "stale"), (13, "permission"), (1, "permission"), (5, "io")] {
        let refused = format!("== 1 statfs /Volumes/share {errno}\n");
        let shown = replay(&SPEC, &[listed(&[SHARE]), refused].concat());
        assert!(shown.contains("host_filesystem_readonly{"), "{shown}");
        assert!(shown.contains(&format!("reason=\"{reason}\"}} 1\n")), "{shown}");
        assert!(shown.contains("item failed: statfs /Volumes/share: ") && !shown.contains("size"), "{shown}");
    }
    let torn = entry("statfs", "/Volumes/share", &mount(&SHARE)[..40]);
    let shown = replay(&SPEC, &[listed(&[SHARE]), torn].concat());
    assert!(shown.ends_with("item failed: statfs /Volumes/share: expected whole mounts\n"), "{shown}");
}

#[test]
fn a_mount_that_comes_goes_or_becomes_read_only_is_seen_at_once() {
    let frozen = Made { flags: SHARE.flags | 1, ..SHARE };
    let later = [listed(&[frozen, DATA]), asked(&frozen), asked(&DATA)].concat();
    let passes = [listed(&[SHARE, ROOT]), asked(&SHARE), asked(&ROOT), second(&later)].concat();
    let mut machine = Replay::open(&SPEC, &passes);
    let readonly = |shown: &str| -> Vec<String> {
        let lines = shown.lines().filter(|line| line.starts_with("host_filesystem_readonly"));
        lines.map(|line| line.split_once("mountpoint=").unwrap().1.to_owned()).collect()
    };
    let first = readonly(&machine.shown());
    assert!(first[0].starts_with("\"/Volumes/share\"") && first[0].ends_with('0') && first[1].ends_with('1'));
    machine.second_pass();
    let then = readonly(&machine.shown());
    assert!(then[0].starts_with("\"/Volumes/share\"") && then[0].ends_with('1'));
    assert!(then[1].starts_with("\"/System/Volumes/Data\"") && then.len() == 2);
}

#[test]
fn a_list_that_is_torn_or_empty_fails_the_collector() {
    let torn = entry("getfsstat", "", &list(&[ROOT])[..90]);
    assert_eq!(replay(&SPEC, &torn), "failed: getfsstat: expected whole mounts\n");
    assert_eq!(replay(&SPEC, "== 1 getfsstat \\x ok hex\n"), "failed: getfsstat: expected a mount\n");
}

/// A machine whose share does not answer until it is let go.
#[derive(Default)]
struct Kernel {
    let_go: Mutex<bool>,
    gate: Condvar,
    asked: Mutex<usize>,
}

struct Shared(Arc<Kernel>);

impl Call for Shared {
    fn call(&self, name: &str, argument: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
        match (name, argument) {
            ("getfsstat", _) => answer.extend(list(&[SHARE, DATA])),
            ("statfs", b"/Volumes/share") => {
                *self.0.asked.lock().unwrap() += 1;
                let mut open = self.0.let_go.lock().unwrap();
                while !*open {
                    open = self.0.gate.wait(open).unwrap();
                }
                answer.extend(mount(&SHARE));
            }
            _ => answer.extend(mount(&DATA)),
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's clock")]
fn now() -> Duration {
    static START: Mutex<Option<Instant>> = Mutex::new(None);
    START.lock().unwrap().get_or_insert_with(Instant::now).elapsed()
}

#[expect(clippy::disallowed_methods, reason = "a test's threads need no private file table")]
fn spawn(_: &str, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
    std::thread::spawn(work);
    Ok(())
}

/// The samples' families and mount points, with the patience of so many milliseconds.
fn collect(collector: &mut dyn Collector, patience: u64) -> String {
    let now = now();
    let deadline = now + Duration::from_millis(patience);
    let scrape = Scrape { number: 1, now, deadline, wall: Duration::from_secs(1000), held: false };
    let mut out = Batch::default();
    collector.collect(&scrape, &mut out).unwrap();
    let shown = out.rows().map(|row| {
        let label = |name| {
            let labels = row.named_labels().filter(|(its, _)| *its == name);
            labels.map(|(_, value)| value).collect::<String>()
        };
        let name = row.family().descriptor().name.trim_start_matches("host_filesystem_");
        format!("{name} {} {}\n", label("mountpoint"), label("reason"))
    });
    shown.collect()
}

#[test]
fn a_share_that_hangs_costs_its_own_sizes_and_one_thread() {
    let kernel = Arc::new(Kernel::default());
    let live = Live {
        call: Box::new(Shared(Arc::clone(&kernel))),
        boottime: now,
        spawn,
        numbers: |_, _| Ok(()),
        page_size: 16384,
        ticks_per_second: 100,
    };
    let nowhere = || "/nowhere".to_owned();
    let paths = Paths { procfs: nowhere(), sysfs: nowhere(), rootfs: nowhere() };
    let doors = Arc::new(Doors::live(live, &paths));
    let mut collector = open(&doors, &Settings::default()).unwrap();
    for _ in 0..3 {
        let shown = collect(&mut *collector, 50);
        assert!(shown.contains("available_bytes /System/Volumes/Data"), "{shown}");
        assert!(shown.contains("error /Volumes/share timeout") && !shown.contains("size_bytes /Volumes"));
    }
    assert_eq!(*kernel.asked.lock().unwrap(), 1, "it is not asked twice at once");
    *kernel.let_go.lock().unwrap() = true;
    kernel.gate.notify_all();
    let mut shown = String::new();
    while !shown.contains("size_bytes /Volumes/share") {
        shown = collect(&mut *collector, 60_000);
    }
    assert!(!shown.contains("error"), "{shown}");
}
