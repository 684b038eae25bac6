//! The few processes that hold the most memory, kept while all are looked at: a list that is full gives up its
//! least for one that holds more, so its cost does not grow with the number of processes.

use super::stat::Stat;
use schema::label::text;
use std::borrow::Cow;

/// A process's name has at most 15 bytes; only the kernel's own have more, and they hold no memory.
const NAME_BYTES: usize = 16;

/// What is kept of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) pid: u32,
    pub(super) ticks: u64,
    pub(super) threads: u64,
    pub(super) started: u64,
    pub(super) resident_pages: u64,
    name: [u8; NAME_BYTES],
    name_bytes: usize,
}

impl Holder {
    fn new(pid: u32, stat: &Stat<'_>) -> Holder {
        let mut name = [0; NAME_BYTES];
        let mut name_bytes = 0;
        for (room, byte) in name.iter_mut().zip(stat.name) {
            *room = *byte;
            name_bytes += 1;
        }
        let Stat { ticks, threads, started, resident_pages, .. } = *stat;
        Holder { pid, ticks, threads, started, resident_pages, name, name_bytes }
    }

    pub(super) fn name(&self) -> Cow<'_, str> {
        text(self.name.split_at(self.name_bytes.min(NAME_BYTES)).0)
    }
}

/// The list, most memory first.
#[derive(Debug)]
pub(super) struct Top {
    most: usize,
    holders: Vec<Holder>,
}

impl Top {
    pub(super) fn new(most: usize) -> Top {
        Top { most, holders: Vec::with_capacity(most) }
    }

    pub(super) fn clear(&mut self) {
        self.holders.clear();
    }

    /// Takes the process in if it holds memory, and more than the least of a full list. Of two that hold the same
    /// the one of the lower pid stands, which is seen first.
    pub(super) fn offer(&mut self, pid: u32, stat: &Stat<'_>) {
        let pages = stat.resident_pages;
        let place = self.holders.partition_point(|holder| holder.resident_pages >= pages);
        if pages == 0 || place >= self.most {
            return;
        }
        self.holders.truncate(self.most.saturating_sub(1));
        self.holders.insert(place, Holder::new(pid, stat));
    }

    pub(super) fn holders(&self) -> &[Holder] {
        &self.holders
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(most: usize, pages: &[u64]) -> Vec<(u32, u64)> {
        let mut top = Top::new(most);
        for (pid, pages) in (1..).zip(pages) {
            let stat = Stat {
                name: b"worker",
                state: b'S',
                ticks: 0,
                threads: 1,
                started: 0,
                virtual_bytes: 0,
                resident_pages: *pages,
            };
            top.offer(pid, &stat);
        }
        top.holders().iter().map(|holder| (holder.pid, holder.resident_pages)).collect()
    }

    #[test]
    fn the_largest_stand_in_order_and_those_without_memory_nowhere() {
        assert_eq!(of(3, &[5, 0, 9, 1, 7]), [(3, 9), (5, 7), (1, 5)]);
        assert_eq!(of(3, &[0, 4]), [(2, 4)]);
        assert_eq!(of(0, &[5]), []);
    }

    #[test]
    fn of_two_that_hold_the_same_the_lower_pid_stands() {
        assert_eq!(of(2, &[5, 5, 5]), [(1, 5), (2, 5)]);
    }

    proptest! {
        #[test]
        fn it_is_the_beginning_of_the_sorted_list(pages in proptest::collection::vec(0u64..50, 0..60), most in 0usize..12) {
            let mut sorted: Vec<_> = (1u32..).zip(pages.iter().copied()).filter(|(_, pages)| *pages > 0).collect();
            sorted.sort_by_key(|(pid, pages)| (std::cmp::Reverse(*pages), *pid));
            sorted.truncate(most);
            prop_assert_eq!(of(most, &pages), sorted);
        }
    }
}
