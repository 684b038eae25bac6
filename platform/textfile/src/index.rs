//! A hash index over things that stand elsewhere: it holds their places, and asks who looks something up
//! whether the thing at a place is the one.
//!
//! std's map would own its keys, and so copy a thousand names at each scrape. Its hasher is used, though: it is
//! keyed at random, so that no file can be written whose names all fall into one slot.

const FEWEST_SLOTS: usize = 64;

/// Places by hash. Open addressing, at most half full.
#[derive(Debug, Default)]
pub(crate) struct Index {
    slots: Vec<Slot>,
    /// What was in `slots` before it last grew; kept for its memory.
    before: Vec<Slot>,
    len: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    hash: u64,
    /// The place plus one; 0 in an empty slot.
    place: u32,
}

impl Index {
    /// Forgets all, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.len = 0;
    }

    /// The place of this hash for which `is` holds.
    pub(crate) fn find(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut at = self.first(hash);
        loop {
            let slot = self.slots.get(at)?;
            let place = slot.place.checked_sub(1)?;
            if slot.hash == hash && is(place) {
                return Some(place);
            }
            at = self.next(at);
        }
    }

    /// Adds a place, which [`Index::find`] did not find.
    pub(crate) fn insert(&mut self, hash: u64, place: u32) {
        if (self.len + 1) * 2 > self.slots.len() {
            std::mem::swap(&mut self.slots, &mut self.before);
            self.slots.clear();
            self.slots.resize((self.before.len() * 2).max(FEWEST_SLOTS), Slot::default());
            let before = std::mem::take(&mut self.before);
            before.iter().filter(|slot| slot.place > 0).for_each(|slot| self.settle(*slot));
            self.before = before;
        }
        self.settle(Slot { hash, place: place.saturating_add(1) });
        self.len += 1;
    }

    fn settle(&mut self, new: Slot) {
        let mut at = self.first(new.hash);
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.place == 0 {
                *slot = new;
                return;
            }
            at = self.next(at);
        }
    }

    /// The number of slots is a power of two.
    fn first(&self, hash: u64) -> usize {
        hash as usize & self.slots.len().wrapping_sub(1)
    }

    fn next(&self, at: usize) -> usize {
        (at + 1) & self.slots.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasher, RandomState};

    #[test]
    fn what_was_put_is_found_and_nothing_else() {
        let hasher = RandomState::new();
        let mut index = Index::default();
        assert_eq!(index.find(1, |_| true), None);
        for round in 0..2 {
            let mut asked = 0;
            for n in 0..10_000u32 {
                let hash = hasher.hash_one(n);
                let mut is = |place: u32| {
                    asked += 1;
                    place == n
                };
                assert_eq!(index.find(hash, &mut is), None, "round {round}");
                index.insert(hash, n);
                assert_eq!(index.find(hash, &mut is), Some(n));
            }
            assert_eq!(asked, 10_000, "only equal hashes are compared");
            index.clear();
        }
    }

    #[test]
    fn things_of_one_hash_are_told_apart() {
        let mut index = Index::default();
        for n in 0..100 {
            index.insert(7, n);
        }
        assert!((0..100).all(|n| index.find(7, |place| place == n) == Some(n)));
        assert_eq!(index.find(7, |_| false), None);
    }
}
