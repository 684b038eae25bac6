//! Counters that a kernel keeps in 32 bits, extended to 64.
//!
//! Without this a wrap would look like a restart, and a sum of such counters, of which one wraps now and
//! then, like an increase of nearly the whole sum. What was counted above 32 bits before gauged started is
//! not known, so an extended counter begins at what the kernel shows.

/// Half of what 32 bits count. A step back by more is a wrap: no counter here grows by so much between two
/// scrapes. A smaller one is shown as it is.
const HALF: u64 = 1 << 31;

/// A counter of 32 bits, or a sum of such counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wide {
    last: u64,
    /// What the wraps since gauged started have taken away.
    lost: u64,
}

impl Wide {
    /// The counter in 64 bits, from what the kernel shows now.
    pub(crate) fn extend(&mut self, now: u64) -> u64 {
        // Several parts of a sum may wrap at once: then the step back is by about as many times 2^32.
        let wraps = self.last.saturating_sub(now).saturating_add(HALF) >> 32;
        self.last = now;
        self.lost = self.lost.saturating_add(wraps << 32);
        self.value()
    }

    /// What [`Wide::extend`] said last.
    pub(crate) fn value(&self) -> u64 {
        self.last.saturating_add(self.lost)
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
    fn a_wrap_is_made_good() {
        assert_eq!(shown(&[WRAP - 10, 5, 7]), [WRAP - 10, WRAP + 5, WRAP + 7]);
        assert_eq!(shown(&[WRAP - 1, 0, WRAP - 1, 0]), [WRAP - 1, WRAP, 2 * WRAP - 1, 2 * WRAP]);
    }

    #[test]
    fn parts_of_a_sum_may_wrap_at_once() {
        assert_eq!(shown(&[5 * WRAP, 3 * WRAP + 9, 3 * WRAP + 10]), [5 * WRAP, 5 * WRAP + 9, 5 * WRAP + 10]);
    }

    #[test]
    fn a_small_step_back_is_shown_as_it_is() {
        assert_eq!(shown(&[1000, 900, 1100]), [1000, 900, 1100]);
    }

    proptest! {
        #[test]
        fn a_wrapping_counter_is_followed_wherever_it_begins(start: u32, steps: Vec<u32>) {
            let mut wide = Wide::default();
            let mut truth = u64::from(start);
            prop_assert_eq!(wide.extend(truth), truth);
            for step in steps {
                truth += u64::from(step / 2);
                prop_assert_eq!(wide.extend(truth % WRAP), truth);
            }
        }

        #[test]
        fn any_readings_are_extended_without_a_panic(readings: Vec<u64>) {
            let _ = shown(&readings);
        }
    }
}
