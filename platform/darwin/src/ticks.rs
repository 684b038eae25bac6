//! Ticks that the kernel counts in 32 bits for each CPU and mode, followed into 64: they wrap after 497 days, the
//! idle ones of an idle Mac first.
//!
//! **Where a counter begins.** The kernel keeps times of 64 bits and gives them in ticks, cut to 32 bits. A CPU makes a
//! hundred of them a second in all its modes together, and none while the host sleeps, so none has wrapped while the
//! host has been up for fewer than 2^32, and what the kernel shows is all that was counted: it is
//! begun at that, and a CPU's modes are comparable from the first scrape on. On a host that has been up for longer
//! nobody knows which mode wrapped how often, and counters begin at 0. If they began at what the kernel shows, a
//! restart of gauged after a wrap that it had made good would step back to somewhere far above 0, and Prometheus
//! would take all of that for increase.
//!
//! **Steps back.** The time of a CPU that is idle now is read while it changes, and may step back by a few ticks. Such a
//! step is held at the most that was seen. A step back by more, which no kernel is known to make, begins anew from there
//! and adds nothing.

/// Ticks in a second, times the seconds by which a step back is held: 3, as on every system.
const HELD: u32 = 300;

/// A step by more than this is a step back: nobody leaves 248 days between two scrapes.
const HALF: u32 = 1 << 31;

/// What 32 bits count.
const WRAP: u64 = 1 << 32;

/// Whether no counter can have wrapped on a host that has been up for so many ticks.
pub(crate) fn none_has_wrapped(uptime: u64) -> bool {
    uptime < WRAP
}

/// One CPU's ticks in one mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticks {
    /// What the kernel showed last, or the most of it while a step back is held.
    last: u32,
    total: u64,
}

impl Ticks {
    /// Begins at what the kernel shows, if no counter can have wrapped, else at 0.
    pub(crate) fn begin(now: u32, none_has_wrapped: bool) -> Ticks {
        Ticks { last: now, total: if none_has_wrapped { now.into() } else { 0 } }
    }

    /// What was counted, from what the kernel shows now.
    pub(crate) fn follow(&mut self, now: u32) -> u64 {
        let step = now.wrapping_sub(self.last);
        if step < HALF {
            self.total = self.total.saturating_add(step.into());
            self.last = now;
        } else if self.last.wrapping_sub(now) >= HELD {
            self.last = now;
        }
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn followed(none_has_wrapped: bool, readings: &[u32]) -> Vec<u64> {
        let mut ticks = Ticks::begin(readings[0], none_has_wrapped);
        readings.iter().map(|now| ticks.follow(*now)).collect()
    }

    #[test]
    fn on_a_host_that_is_young_enough_it_is_what_the_kernel_shows() {
        assert_eq!(followed(true, &[700, 700, 950]), [700, 700, 950]);
        assert!(none_has_wrapped(497 * 86_400 * 100));
        assert!(!none_has_wrapped(498 * 86_400 * 100));
    }

    #[test]
    fn on_an_old_host_it_is_what_was_counted_since_the_first_scrape() {
        assert_eq!(followed(false, &[700, 700, 950]), [0, 0, 250]);
    }

    #[test]
    fn a_wrap_is_made_good() {
        assert_eq!(followed(false, &[u32::MAX, 4, 9]), [0, 5, 10]);
        assert_eq!(followed(true, &[u32::MAX, 4]), [WRAP - 1, WRAP + 4]);
    }

    #[test]
    fn a_restart_after_a_wrap_is_no_increase() {
        let before = followed(true, &[u32::MAX - 10, 1 << 20]);
        let restarted = followed(false, &[1 << 20]);
        assert!(before[1] > WRAP && restarted == [0], "all that stands after a step back is increase");
    }

    #[test]
    fn a_small_step_back_is_held_and_not_counted_twice() {
        assert_eq!(followed(true, &[1000, 990, 1000, 1001]), [1000, 1000, 1000, 1001]);
        assert_eq!(followed(true, &[5, u32::MAX, 6]), [5, 5, 6], "below 0 too");
    }

    #[test]
    fn a_large_step_back_begins_anew_and_adds_nothing() {
        assert_eq!(followed(true, &[1000, 0, 10]), [1000, 1000, 1010]);
    }

    proptest! {
        #[test]
        fn a_wrapping_counter_is_followed_wherever_it_begins(start: u32, steps: Vec<u32>) {
            let mut ticks = Ticks::begin(start, true);
            let mut truth = u64::from(start);
            for step in steps {
                truth += u64::from(step / 2);
                let shown = u32::try_from(truth % WRAP).unwrap();
                prop_assert_eq!(ticks.follow(shown), truth);
            }
        }

        #[test]
        fn whatever_the_readings_it_never_falls(first: u32, readings: Vec<u32>) {
            let mut ticks = Ticks::begin(first, true);
            let shown: Vec<u64> = readings.into_iter().map(|now| ticks.follow(now)).collect();
            prop_assert!(shown.is_sorted());
        }
    }
}
