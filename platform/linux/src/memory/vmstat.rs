//! The counters of `/proc/vmstat` that say what memory pressure costs and where it comes from, as one table. The
//! file has some 150 more, of which most are only for who works on the kernel; they are not read here.
//!
//! Kernels before 4.8 count reclaim by zone (`pgscan_kswapd_normal`), and so do later ones stalls
//! (`allocstall_movable`, since 4.10): a name with a zone behind it is a part of the name's count.

use crate::scan::{Expected, lines, split_once, whole};
use schema::families::memory as family;
use schema::unit::{Bytes, Count};
use schema::{Batch, Family, Id};

/// A counter's name and what it says.
pub(super) struct Event {
    name: &'static [u8],
    says: Says,
}

/// What is counted behind a name.
#[derive(Clone, Copy)]
enum Says {
    /// What [`super::activity`] puts.
    Shared,
    /// Events, for a family of their own.
    Count(&'static Family<Count, 0>),
    /// Events, for a family that tells several of them apart by this value of its label.
    Kind(&'static Family<Count, 1>, &'static str),
    /// Kibibytes.
    Kib(&'static Family<Bytes, 0>),
}

const fn shared(name: &'static str) -> Event {
    Event { name: name.as_bytes(), says: Says::Shared }
}

const fn count(name: &'static str, family: &'static Family<Count, 0>) -> Event {
    Event { name: name.as_bytes(), says: Says::Count(family) }
}

const fn kind(name: &'static str, family: &'static Family<Count, 1>, kind: &'static str) -> Event {
    Event { name: name.as_bytes(), says: Says::Kind(family, kind) }
}

const fn kib(name: &'static str, family: &'static Family<Bytes, 0>) -> Event {
    Event { name: name.as_bytes(), says: Says::Kib(family) }
}

/// The table. The first five stand in this order in [`Events::shared`].
pub(super) const EVENTS: &[Event] = &[
    // Pages read back from swap, and written there.
    shared("pswpin"),
    shared("pswpout"),
    // Page faults, minor and major, and those that had to read.
    shared("pgfault"),
    shared("pgmajfault"),
    // Processes killed because memory ran out (since Linux 4.13).
    shared("oom_kill"),
    kib("pgpgin", &family::PAGED_IN),
    kib("pgpgout", &family::PAGED_OUT),
    kind("pgscan_kswapd", &family::RECLAIM_SCANNED, "kswapd"),
    kind("pgscan_direct", &family::RECLAIM_SCANNED, "direct"),
    kind("pgscan_khugepaged", &family::RECLAIM_SCANNED, "khugepaged"),
    kind("pgscan_proactive", &family::RECLAIM_SCANNED, "proactive"),
    kind("pgsteal_kswapd", &family::RECLAIM_STOLEN, "kswapd"),
    kind("pgsteal_direct", &family::RECLAIM_STOLEN, "direct"),
    kind("pgsteal_khugepaged", &family::RECLAIM_STOLEN, "khugepaged"),
    kind("pgsteal_proactive", &family::RECLAIM_STOLEN, "proactive"),
    count("allocstall", &family::ALLOCATION_STALLS),
    // Before Linux 5.9 only pages of files were followed, under the name without an ending.
    kind("workingset_refault", &family::REFAULTS, "file"),
    kind("workingset_refault_file", &family::REFAULTS, "file"),
    kind("workingset_refault_anon", &family::REFAULTS, "anon"),
    count("compact_stall", &family::COMPACTION_STALLS),
    count("thp_fault_fallback", &family::HUGE_PAGE_FAULT_FALLBACKS),
    kind("drop_pagecache", &family::DROP_CACHES, "page_cache"),
    kind("drop_slab", &family::DROP_CACHES, "slab"),
];

/// The families that the table fills alone.
pub(super) const FAMILIES: [Id; 9] = [
    family::PAGED_IN.id(),
    family::PAGED_OUT.id(),
    family::RECLAIM_SCANNED.id(),
    family::RECLAIM_STOLEN.id(),
    family::ALLOCATION_STALLS.id(),
    family::REFAULTS.id(),
    family::COMPACTION_STALLS.id(),
    family::HUGE_PAGE_FAULT_FALLBACKS.id(),
    family::DROP_CACHES.id(),
];

/// The zones of mm/vmstat.c, as the end of a name.
const ZONES: [&[u8]; 6] = [b"_dma", b"_dma32", b"_normal", b"_high", b"_movable", b"_device"];

/// Events since boot: a count for each row of [`EVENTS`] that this kernel counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Events {
    counts: [Option<u64>; EVENTS.len()],
}

impl Events {
    /// Pages from and to swap, all faults, major faults, kills.
    pub(super) fn shared(&self) -> [Option<u64>; 5] {
        let mut shared = [None; 5];
        for (shared, count) in shared.iter_mut().zip(self.counts) {
            *shared = count;
        }
        shared
    }

    /// Puts every counter that has a family in the table.
    pub(super) fn put(&self, out: &mut Batch) {
        for (event, n) in EVENTS.iter().zip(self.counts) {
            let Some(n) = n else { continue };
            match event.says {
                Says::Shared => {}
                Says::Count(family) => out.put(family, [], Count(n)),
                Says::Kind(family, kind) => out.put(family, [kind], Count(n)),
                Says::Kib(family) => match Bytes::kib(n) {
                    Some(bytes) => out.put(family, [], bytes),
                    None => out.reject(),
                },
            }
        }
    }
}

/// A kernel built without event counters has lines of pages only (`nr_free_pages` ...), and that is no error.
pub(super) fn parse(contents: &[u8]) -> Result<Events, Expected> {
    let mut counts = [None; EVENTS.len()];
    for (line, text) in lines(contents) {
        let Some((name, number)) = split_once(text, b' ') else { continue };
        let Some((at, is_part)) = find(name) else { continue };
        let number = whole(number);
        if let Some(count) = counts.get_mut(at) {
            let sum = match *count {
                Some(others) if is_part => number.and_then(|part| part.checked_add(others)),
                _ => number,
            };
            *count = Some(sum.ok_or(Expected { line, what: "a count behind the event's name" })?);
        }
    }
    if counts == [None; EVENTS.len()] && !contents.starts_with(b"nr_") {
        return Err(Expected { line: 0, what: "lines of name and count" });
    }
    Ok(Events { counts })
}

/// The row of this name, and whether it is a zone's part of it.
fn find(name: &[u8]) -> Option<(usize, bool)> {
    // Most names are not of the table, and most differ in the first letter.
    let first = name.first()?;
    EVENTS.iter().enumerate().find_map(|(at, event)| {
        if event.name.first() != Some(first) {
            return None;
        }
        let rest = name.strip_prefix(event.name)?;
        let is_part = !rest.is_empty();
        (!is_part || ZONES.contains(&rest)).then_some((at, is_part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VMSTAT: &[u8] =
        b"nr_free_pages 5450000\npgfree 5\npswpin 3\npswpout 4\npgfault 100\npgmajfault 7\n\
        pgfault_x 1\noom_kill 2\nunevictable_pgs_culled 9\n";

    /// What the table says, in its order.
    fn said(contents: &[u8]) -> Vec<(&'static str, u64)> {
        let counts = parse(contents).unwrap().counts;
        let named = EVENTS.iter().zip(counts);
        named.filter_map(|(event, n)| Some((std::str::from_utf8(event.name).unwrap(), n?))).collect()
    }

    #[test]
    fn the_shared_events_are_read() {
        let events = parse(VMSTAT).unwrap();
        assert_eq!(events.shared(), [Some(3), Some(4), Some(100), Some(7), Some(2)]);
        assert_eq!(said(VMSTAT).len(), 5);
        let shared: Vec<_> = EVENTS.iter().map(|event| matches!(event.says, Says::Shared)).collect();
        assert_eq!(shared.iter().rposition(|shared| *shared), Some(4), "they stand first");
    }

    #[test]
    fn what_a_kernel_does_not_count_is_absent() {
        let events = parse(b"nr_free_pages 5\npgfault 100\npgmajfault 7\n").unwrap();
        assert_eq!(events.shared(), [None, None, Some(100), Some(7), None]);
        assert_eq!(said(b"nr_free_pages 5\n"), []);
    }

    #[test]
    fn a_new_kernel_counts_reclaim_by_who_does_it_and_stalls_by_zone() {
        let new = b"allocstall_dma 0\nallocstall_dma32 1\nallocstall_normal 20\nallocstall_movable 300\n\
            allocstall_device 0\npgsteal_kswapd 7\npgsteal_direct 6\npgscan_kswapd 9\npgscan_direct 8\n\
            pgscan_khugepaged 1\npgscan_proactive 2\npgscan_direct_throttle 5\npgscan_anon 4\n\
            pgsteal_file 4\nworkingset_refault_anon 11\nworkingset_refault_file 12\n\
            compact_stall 13\nthp_fault_fallback 14\nthp_fault_fallback_charge 15\ndrop_slab 16\n";
        assert_eq!(
            said(new),
            [
                ("pgscan_kswapd", 9),
                ("pgscan_direct", 8),
                ("pgscan_khugepaged", 1),
                ("pgscan_proactive", 2),
                ("pgsteal_kswapd", 7),
                ("pgsteal_direct", 6),
                ("allocstall", 321),
                ("workingset_refault_file", 12),
                ("workingset_refault_anon", 11),
                ("compact_stall", 13),
                ("thp_fault_fallback", 14),
                ("drop_slab", 16),
            ]
        );
    }

    #[test]
    fn an_old_kernel_counts_reclaim_by_zone_and_stalls_as_one() {
        let old = b"pgsteal_kswapd_dma 1\npgsteal_kswapd_normal 20\npgsteal_kswapd_high 300\n\
            pgscan_direct_normal 4\npgscan_direct_movable 50\npgscan_direct_throttle 7\nallocstall 8\n\
            workingset_refault 9\n";
        assert_eq!(
            said(old),
            [("pgscan_direct", 54), ("pgsteal_kswapd", 321), ("allocstall", 8), ("workingset_refault", 9)]
        );
    }

    #[test]
    fn every_family_of_the_table_is_named() {
        let named = |event: &Event| match event.says {
            Says::Shared => None,
            Says::Count(family) => Some(family.id()),
            Says::Kind(family, _) => Some(family.id()),
            Says::Kib(family) => Some(family.id()),
        };
        let mut ids: Vec<_> = EVENTS.iter().filter_map(named).collect();
        ids.dedup();
        assert_eq!(ids, FAMILIES);
    }

    #[test]
    fn a_file_that_says_nothing_is_an_error() {
        let long = vec![b'p'; 1 << 20];
        for empty in [&b""[..], b"\n", b"hello world\n", b"\0\0\0 1", b"pgfault", b"\xff 1\n", b" 1\n", &long]
        {
            assert_eq!(parse(empty), Err(Expected { line: 0, what: "lines of name and count" }));
        }
    }

    #[test]
    fn a_torn_line_is_an_error_that_names_it() {
        for torn in ["pgfault ", "pgfault -1", "pgfault 1 2", "pgfault x", "pgfault 18446744073709551616"] {
            let wanted = Expected { line: 2, what: "a count behind the event's name" };
            assert_eq!(parse(format!("pgfree 1\n{torn}\n").as_bytes()), Err(wanted), "{torn}");
        }
        let zones = b"allocstall_dma 18446744073709551615\nallocstall_normal 1\n";
        assert_eq!(parse(zones), Err(Expected { line: 2, what: "a count behind the event's name" }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_events_or_an_error(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = parse(&[b"pgfault ", &bytes[..]].concat());
        }
    }
}
