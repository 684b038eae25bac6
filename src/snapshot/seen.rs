//! A set of things that stand elsewhere, known by their numbers: open addressing in memory that is used again,
//! because a set of the standard library would allocate in every scrape.

/// Numbers of things that were seen, by their hashes.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// A number plus one; 0 for a free slot. A power of two in length, at most half full.
    slots: Vec<u32>,
}

impl Seen {
    /// Forgets all, and makes room for this many.
    pub(super) fn begin(&mut self, count: usize) {
        self.slots.clear();
        self.slots.resize((count * 2).next_power_of_two(), 0);
    }

    /// Notes a thing by its number, unless one that is the `same` was noted before. True if it was new.
    pub(super) fn insert(&mut self, hash: u64, number: usize, same: impl Fn(usize) -> bool) -> bool {
        let mask = self.slots.len().wrapping_sub(1);
        // The high bits of the product are the mixed ones.
        let mut at = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
        while let Some(slot) = self.slots.get_mut(at) {
            match *slot as usize {
                0 => {
                    *slot = u32::try_from(number + 1).unwrap_or(u32::MAX);
                    return true;
                }
                seen if same(seen - 1) => return false,
                _ => at = (at + 1) & mask,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_new_once_whatever_its_hash() {
        let things = ["a", "b", "a", "c", "b"];
        let mut seen = Seen::default();
        for hash in [0, 7, u64::MAX] {
            seen.begin(things.len());
            let new: Vec<bool> = things
                .iter()
                .enumerate()
                .map(|(number, thing)| seen.insert(hash, number, |earlier| things[earlier] == *thing))
                .collect();
            assert_eq!(new, [true, true, false, true, false]);
        }
    }
}
