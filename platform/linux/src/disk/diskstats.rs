//! The lines of `/proc/diskstats` (the kernel's admin-guide/iostats, block/genhd.c).

use crate::scan::{whole, words};

/// Counts of a line: since 2.6, with discards since 4.18, with flushes since 5.5. Later ones may follow.
const OLDEST: usize = 11;
const WITH_DISCARDS: usize = 15;
const WITH_FLUSHES: usize = 17;

/// BLOCK_EXT_MAJOR: devices of this number get minors as they come.
const EXTENDED: u64 = 259;

/// One device's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Major and minor number.
    pub(super) number: [u64; 2],
    /// As it is called in `/dev`.
    pub(super) name: &'a [u8],
    pub(super) stats: Stats,
}

/// What the kernel counts of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stats {
    pub(super) reads: Done,
    pub(super) writes: Done,
    pub(super) in_flight: u64,
    pub(super) io_milliseconds: u64,
    pub(super) weighted_milliseconds: u64,
    pub(super) discards: Option<Done>,
    /// Completed, and milliseconds.
    pub(super) flushes: Option<[u64; 2]>,
}

/// Requests of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) completed: u64,
    pub(super) merged: u64,
    /// Of 512 bytes.
    pub(super) sectors: u64,
    pub(super) milliseconds: u64,
}

impl<'a> Line<'a> {
    /// None for what is not a whole line: a number of counts that no kernel writes is a torn one.
    pub(super) fn parse(text: &'a [u8]) -> Option<Line<'a>> {
        let mut words = words(text);
        let number = [whole(words.next()?)?, whole(words.next()?)?];
        let name = words.next()?;
        let mut counts = [0; WITH_FLUSHES];
        let mut there = 0;
        for (count, word) in counts.iter_mut().zip(words) {
            *count = whole(word)?;
            there += 1;
        }
        if !matches!(there, OLDEST | WITH_DISCARDS | WITH_FLUSHES) {
            return None;
        }
        let [reads @ .., _, _, _, _, _, _, _, _, _, _, _, _, _] = counts;
        let [_, _, _, _, writes @ .., _, _, _, _, _, _, _, _, _] = counts;
        let [.., in_flight, io, weighted, d0, d1, d2, d3, f0, f1] = counts;
        let stats = Stats {
            reads: Done::of(reads),
            writes: Done::of(writes),
            in_flight,
            io_milliseconds: io,
            weighted_milliseconds: weighted,
            discards: (there >= WITH_DISCARDS).then(|| Done::of([d0, d1, d2, d3])),
            flushes: (there >= WITH_FLUSHES).then_some([f0, f1]),
        };
        Some(Line { number, name, stats })
    }

    /// True for a partition of this device, which is the last one before it that is not a partition. The kernel
    /// writes a device's partitions right behind it, names them after it (`sda1`, `nvme0n1p1`: a `p` where the name
    /// ends in a digit), and numbers them after it or from the common pool.
    pub(super) fn is_partition_of(&self, device: &Line<'_>) -> bool {
        let ends_in_digit = device.name.last().is_some_and(u8::is_ascii_digit);
        let behind = self.name.strip_prefix(device.name);
        let digits = behind.and_then(|rest| if ends_in_digit { rest.strip_prefix(b"p") } else { Some(rest) });
        let Some(place) = digits.and_then(whole) else {
            return false;
        };
        let ([major, minor], [of_major, of_minor]) = (self.number, device.number);
        major == EXTENDED || major == of_major && of_minor.checked_add(place) == Some(minor)
    }
}

impl Stats {
    /// True of a device that has done nothing yet.
    pub(super) fn is_idle(&self) -> bool {
        let [discards, flushes] =
            [self.discards.map(|discards| discards.completed), self.flushes.map(|[completed, _]| completed)];
        [Some(self.reads.completed), Some(self.writes.completed), discards, flushes]
            .into_iter()
            .flatten()
            .all(|completed| completed == 0)
    }

    /// Adds what another device has done.
    pub(super) fn add(&mut self, other: &Stats) {
        self.reads.add(&other.reads);
        self.writes.add(&other.writes);
        self.in_flight = self.in_flight.saturating_add(other.in_flight);
        self.io_milliseconds = self.io_milliseconds.saturating_add(other.io_milliseconds);
        self.weighted_milliseconds = self.weighted_milliseconds.saturating_add(other.weighted_milliseconds);
        if let (Some(discards), Some(others)) = (&mut self.discards, &other.discards) {
            discards.add(others);
        }
        if let (Some([completed, time]), Some([others, others_time])) = (&mut self.flushes, other.flushes) {
            *completed = completed.saturating_add(others);
            *time = time.saturating_add(others_time);
        }
    }
}

impl Done {
    fn add(&mut self, other: &Done) {
        self.completed = self.completed.saturating_add(other.completed);
        self.merged = self.merged.saturating_add(other.merged);
        self.sectors = self.sectors.saturating_add(other.sectors);
        self.milliseconds = self.milliseconds.saturating_add(other.milliseconds);
    }

    fn of([completed, merged, sectors, milliseconds]: [u64; 4]) -> Done {
        Done { completed, merged, sectors, milliseconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn done(completed: u64, merged: u64, sectors: u64, milliseconds: u64) -> Done {
        Done { completed, merged, sectors, milliseconds }
    }

    fn stats(text: &str) -> Stats {
        Line::parse(text.as_bytes()).unwrap().stats
    }

    #[test]
    fn a_line_of_today_has_discards_and_flushes() {
        let line = " 254       0 vda 167297 15336 13426850 248290 63578 113049 50712384 234220 3 39796 492129 51920 42 17578000 8877 5535 741";
        let line = Line::parse(line.as_bytes()).unwrap();
        assert_eq!((line.number, line.name), ([254, 0], &b"vda"[..]));
        let wanted = Stats {
            reads: done(167_297, 15_336, 13_426_850, 248_290),
            writes: done(63_578, 113_049, 50_712_384, 234_220),
            in_flight: 3,
            io_milliseconds: 39_796,
            weighted_milliseconds: 492_129,
            discards: Some(done(51_920, 42, 17_578_000, 8_877)),
            flushes: Some([5_535, 741]),
        };
        assert_eq!(line.stats, wanted);
    }

    #[test]
    fn what_an_old_kernel_does_not_count_is_absent() {
        let of_4_18 = stats("8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15");
        assert_eq!((of_4_18.discards, of_4_18.flushes), (Some(done(12, 13, 14, 15)), None));
        let of_2_6 = stats("8 0 sda 1 2 3 4 5 6 7 8 9 10 11");
        assert_eq!((of_2_6.discards, of_2_6.flushes), (None, None));
        assert_eq!((of_2_6.in_flight, of_2_6.io_milliseconds, of_2_6.weighted_milliseconds), (9, 10, 11));
    }

    #[test]
    fn what_a_later_kernel_adds_is_not_ours() {
        let line = "8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 nineteen";
        assert_eq!(stats(line).flushes, Some([16, 17]));
    }

    #[test]
    fn anything_else_is_no_line() {
        let long = vec![b'1'; 1 << 20];
        for wrong in [
            &b""[..],
            b"\n",
            b"8 0 sda",
            b"8 0 sda1 1 2 3 4",
            b"8 0 sda 1 2 3 4 5 6 7 8 9 10",
            b"8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12",
            b"8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
            b"8 0 sda 1 2 3 -4 5 6 7 8 9 10 11",
            b"8 0 sda 1 2 3 4 5 6 7 8 9 10 99999999999999999999",
            b"x 0 sda 1 2 3 4 5 6 7 8 9 10 11",
            b"\xff\xfe\0",
            &long,
        ] {
            assert_eq!(
                Line::parse(wrong),
                None,
                "{:?}",
                String::from_utf8_lossy(&wrong[..wrong.len().min(60)])
            );
        }
    }

    fn is_partition(device: (u64, u64, &str), of: (u64, u64, &str)) -> bool {
        let line = |(major, minor, name): (u64, u64, &'static str)| Line {
            number: [major, minor],
            name: name.as_bytes(),
            stats: Stats::default(),
        };
        let leak = |(major, minor, name): (u64, u64, &str)| (major, minor, &*name.to_owned().leak());
        line(leak(device)).is_partition_of(&line(leak(of)))
    }

    #[test]
    fn a_partition_is_named_and_numbered_after_its_device() {
        for (partition, device) in [
            ((8, 1, "sda1"), (8, 0, "sda")),
            ((259, 7, "sda16"), (8, 0, "sda")),
            ((8, 27, "sdb11"), (8, 16, "sdb")),
            ((259, 1, "nvme0n1p1"), (259, 0, "nvme0n1")),
            ((179, 2, "mmcblk0p2"), (179, 0, "mmcblk0")),
            ((259, 0, "md127p1"), (9, 127, "md127")),
            ((259, 3, "loop0p1"), (7, 0, "loop0")),
        ] {
            assert!(is_partition(partition, device), "{partition:?} {device:?}");
        }
        for (other, device) in [
            ((8, 16, "sdb"), (8, 0, "sda")),
            ((65, 160, "sdaa"), (8, 0, "sda")),
            ((253, 11, "dm-11"), (253, 1, "dm-1")),
            ((7, 10, "loop10"), (7, 1, "loop1")),
            ((179, 8, "mmcblk0boot0"), (179, 0, "mmcblk0")),
            ((259, 9, "nvme0n10"), (259, 0, "nvme0n1")),
            ((202, 1, "xvda1"), (202, 16, "xvdb")),
            ((259, 2, "pmem0.1"), (259, 1, "pmem0")),
            ((9, 126, "md_home1"), (9, 127, "md_home")),
            ((8, 0, "sda"), (8, 0, "sda")),
            ((8, 0, "sdap1"), (8, 0, "sda")),
        ] {
            assert!(!is_partition(other, device), "{other:?} {device:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_line_or_none(bytes: Vec<u8>) {
            let _ = Line::parse(&bytes);
        }

        #[test]
        fn any_words_are_a_line_or_none(line in "([0-9]{1,21} ){2}[a-z0-9-]{1,8}( [0-9a-z-]{1,21}){0,20}") {
            if let Some(line) = Line::parse(line.as_bytes()) {
                let _ = line.is_partition_of(&line);
            }
        }
    }
}
