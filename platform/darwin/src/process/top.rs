//! The few processes with the largest footprints, kept while all are looked at: a list that is full gives up its
//! least for one that is larger, so its cost does not grow with the number of processes.

use schema::families::processes::Usage;
use schema::unit::Bytes;

/// What is kept of a process.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) pid: u32,
    pub(super) name: String,
    pub(super) footprint: Bytes,
    pub(super) usage: Usage,
}

/// The list, largest first.
#[derive(Debug)]
pub(super) struct Top {
    most: usize,
    holders: Vec<Holder>,
    /// Given up by the list, for their names' rooms.
    spare: Vec<Holder>,
}

impl Top {
    pub(super) fn new(most: usize) -> Top {
        Top { most, holders: Vec::with_capacity(most), spare: Vec::with_capacity(most) }
    }

    pub(super) fn clear(&mut self) {
        self.spare.append(&mut self.holders);
    }

    /// Takes the process in if it holds memory, and more than the least of a full list. Of two that hold the same
    /// the one that is seen first stands.
    pub(super) fn offer(&mut self, pid: u32, name: &str, footprint: Bytes, usage: Usage) {
        let place = self.holders.partition_point(|holder| holder.footprint.0 >= footprint.0);
        if footprint.0 == 0 || place >= self.most {
            return;
        }
        if self.holders.len() >= self.most {
            self.spare.extend(self.holders.pop());
        }
        let mut holder = match self.spare.pop() {
            Some(spare) => Holder { pid, footprint, usage, ..spare },
            None => Holder { pid, name: String::new(), footprint, usage },
        };
        holder.name.clear();
        holder.name.push_str(name);
        self.holders.insert(place, holder);
    }

    pub(super) fn holders(&self) -> &[Holder] {
        &self.holders
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_beginning_of_the_sorted_list(bytes in proptest::collection::vec(0u64..50, 0..60), most in 0usize..12) {
            let mut sorted: Vec<_> = (1u32..).zip(bytes.iter().copied()).filter(|(_, bytes)| *bytes > 0).collect();
            sorted.sort_by_key(|(pid, bytes)| (std::cmp::Reverse(*bytes), *pid));
            sorted.truncate(most);
            let mut top = Top::new(most);
            for _ in 0..2 {
                top.clear();
                for (pid, bytes) in (1..).zip(&bytes) {
                    top.offer(pid, &pid.to_string(), Bytes(*bytes), Usage::default());
                }
            }
            let shown: Vec<_> = top.holders().iter().map(|holder| (holder.pid, holder.footprint.0)).collect();
            prop_assert_eq!(shown, sorted);
            prop_assert!(top.holders().iter().all(|holder| holder.name == holder.pid.to_string()));
        }
    }
}
