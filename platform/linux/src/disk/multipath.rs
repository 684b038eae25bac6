//! The paths of NVMe multipath: `nvme3c33n1` is the path to namespace 1 of subsystem 3 by controller 33, and the disk
//! that one reads and writes is `nvme3n1`, the head.
//!
//! `/proc/diskstats` has both. Since Linux 6.4 the head counts what its paths count too, and to show both is to count
//! twice; before, the head counted nothing, and what it did is the sum of its paths. A path that goes then takes its
//! counts along, and a device that is busy by two paths is busy twice.

use super::diskstats::{Line, Stats};
use crate::scan::{lines, split_once, whole};

/// True for the name of a path.
pub(super) fn is_path(name: &[u8]) -> bool {
    matches!(parts(name), Some((_, Some(_), _)))
}

/// What the device of this line has done: its own counts or, where it has none and has paths, theirs. `diskstats` is
/// all of the file, whose lines are in no order that helps.
pub(super) fn counts(line: &Line<'_>, diskstats: &[u8]) -> Stats {
    let mut counts = line.stats;
    if let Some((subsystem, None, namespace)) = parts(line.name)
        && line.stats.is_idle()
    {
        for path in lines(diskstats).filter_map(|(_, text)| Line::parse(text)) {
            if matches!(parts(path.name), Some((of, Some(_), to)) if (of, to) == (subsystem, namespace)) {
                counts.add(&path.stats);
            }
        }
    }
    counts
}

/// Subsystem, controller (of a path) and namespace; None for all other names.
fn parts(name: &[u8]) -> Option<(u64, Option<u64>, u64)> {
    let (before, namespace) = split_once(name.strip_prefix(b"nvme")?, b'n')?;
    let namespace = whole(namespace)?;
    match split_once(before, b'c') {
        Some((subsystem, controller)) => Some((whole(subsystem)?, Some(whole(controller)?), namespace)),
        None => Some((whole(before)?, None, namespace)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_is_named_after_its_subsystem_controller_and_namespace() {
        assert_eq!(parts(b"nvme3c33n1"), Some((3, Some(33), 1)));
        assert_eq!(parts(b"nvme3n1"), Some((3, None, 1)));
        for other in
            [&b"nvme3n1p1"[..], b"nvme", b"nvme0", b"nvmen1", b"nvmec1n1", b"nvme1cn1", b"sdn1", b"", b"\xff"]
        {
            assert_eq!(parts(other), None);
        }
        assert!(is_path(b"nvme0c0n1") && !is_path(b"nvme0n1"));
    }

    #[test]
    fn counts_are_the_heads_or_those_of_all_its_paths() {
        let idle = "259 3 nvme3n1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0";
        let paths = "259 2 nvme3c33n1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n\
            259 4 nvme3c34n1 100 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1\n\
            259 5 nvme3c34n2 7 0 0 0 0 0 0 0 0 0 0\ntorn\n";
        let sum = "0 0 x 101 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 18";
        let line = Line::parse(idle.as_bytes()).unwrap();
        assert_eq!(counts(&line, paths.as_bytes()), Line::parse(sum.as_bytes()).unwrap().stats);
        let line = Line::parse(b"259 3 nvme3n1 1 0 0 0 0 0 0 0 0 0 0").unwrap();
        assert_eq!(counts(&line, paths.as_bytes()), line.stats);
        let other = Line::parse(b"259 3 nvme0n1 0 0 0 0 0 0 0 0 0 0 0").unwrap();
        assert_eq!(counts(&other, paths.as_bytes()), other.stats);
    }

    proptest! {
        #[test]
        fn any_bytes_have_parts_or_none(bytes: Vec<u8>) {
            let _ = (parts(&bytes), parts(&[b"nvme", &bytes[..]].concat()));
        }
    }
}
