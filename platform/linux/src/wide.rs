//! Counters that a kernel keeps in 32 bits, extended to 64.
//!
//! Without this a wrap of one of them would make their sum look like a counter that began anew, and the whole
//! sum like its increase. A counter of one part needs no such care: what a wrap takes from its increase is at
//! most what it counted since the last scrape.
//!
//! How often the kernel's counters have wrapped before is not known, so an extended counter begins at 0. If it
//! began at what the kernel shows, it would step back at each restart of gauged to somewhere far above 0, and
//! that too would look like an increase.

/// Half of what 32 bits count. A step back by more is a wrap: no counter here grows by so much between two
/// scrapes. A smaller one is none, and adds nothing.
const HALF: u64 = 1 << 31;

/// A counter of 32 bits, or a sum of such counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wide {
    last: Option<u64>,
    total: u64,
}

impl Wide {
    /// What was counted since the first reading, from what the kernel shows now.
    pub(crate) fn extend(&mut self, now: u64) -> u64 {
        if let Some(last) = self.last.replace(now) {
            // Several parts of a sum may wrap at once: then the step back is by about as many times 2^32.
            let wraps = last.saturating_sub(now).saturating_add(HALF) >> 32;
            let step = now.saturating_add(wraps << 32).saturating_sub(last);
            self.total = self.total.saturating_add(step);
        }
        self.total
    }

    /// What [`Wide::extend`] said last.
    pub(crate) fn value(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WRAP: u64 = 1 << 32;

    fn shown(readings: &[u64]) -> Vec<u64> {
        let mut wide = Wide::default();
        readings.iter().map(|now| wide.extend(*now)).collect()
    }

    #[test]
    fn what_was_counted_before_is_not_counted() {
        assert_eq!(shown(&[WRAP - 16, WRAP - 16, WRAP - 7]), [0, 0, 9]);
    }

    #[test]
    fn a_restart_after_a_wrap_is_no_increase() {
        let readings = [0xffff_fff0, 0x4000_0000];
        let before = shown(&readings)[1];
        let restarted = shown(&readings[1..])[0];
        assert_eq!((before, restarted), (0x4000_0010, 0), "all that stands after a step back is increase");
    }

    #[test]
    fn a_wrap_is_made_good() {
        assert_eq!(shown(&[WRAP - 10, 5, 7]), [0, 15, 17]);
        assert_eq!(shown(&[WRAP - 1, 0, WRAP - 1, 0]), [0, 1, WRAP, WRAP + 1]);
    }

    #[test]
    fn parts_of_a_sum_may_wrap_at_once() {
        assert_eq!(shown(&[5 * WRAP, 3 * WRAP + 9, 3 * WRAP + 10]), [0, 9, 10]);
    }

    #[test]
    fn a_small_step_back_adds_nothing() {
        assert_eq!(shown(&[1000, 900, 1100]), [0, 0, 200]);
    }

    proptest! {
        #[test]
        fn a_wrapping_counter_is_followed_wherever_it_begins(start: u32, steps: Vec<u32>) {
            let mut wide = Wide::default();
            let mut truth = u64::from(start);
            prop_assert_eq!(wide.extend(truth), 0);
            for step in steps {
                truth += u64::from(step / 2);
                prop_assert_eq!(wide.extend(truth % WRAP), truth - u64::from(start));
            }
        }

        #[test]
        fn whatever_the_readings_it_never_falls(readings: Vec<u64>) {
            prop_assert!(shown(&readings).is_sorted());
        }
    }
}
