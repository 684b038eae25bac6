//! A counter of known width, carried on beyond it: RAPL's wrap in minutes to hours, and Prometheus would take
//! each wrap for a restart and lose what was counted before it.
//!
//! Where the counter steps back it has wrapped, or it was reset: packages forget their energy while the machine
//! sleeps. A step back over a sleep is a reset, and so is one that as a wrap would be more power than any machine
//! draws; what was counted since then is added. Two wraps between two readings cannot be told from one.

use std::time::Duration;

/// More than any domain of one machine draws.
const MOST_WATTS: u128 = 10_000;

/// What is known of one counter, in microjoules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Carried {
    last: Option<(u64, Moment)>,
    total: u64,
}

/// When a counter was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    /// Since boot, sleep included.
    pub(super) now: Duration,
    /// How often the machine had slept, where it tells.
    pub(super) sleeps: Option<u64>,
}

impl Carried {
    /// The sum after this reading of a counter that wraps behind `range`. The first reading begins it, so that the
    /// sum is the counter's own for as long as it does not wrap.
    pub(super) fn advance(&mut self, raw: u64, range: Option<u64>, moment: Moment) -> u64 {
        let step = match self.last {
            None => raw,
            Some((before, then)) => step(before, raw, range, then, moment),
        };
        self.last = Some((raw, moment));
        self.total = self.total.saturating_add(step);
        self.total
    }
}

fn step(before: u64, raw: u64, range: Option<u64>, then: Moment, now: Moment) -> u64 {
    if let Some(onward) = raw.checked_sub(before) {
        return onward;
    }
    let elapsed = now.now.saturating_sub(then.now).as_micros();
    let wrapped = range.and_then(|range| range.checked_sub(before)?.checked_add(raw));
    match wrapped {
        // Watts are microjoules per microsecond.
        Some(wrapped) if then.sleeps == now.sleeps && u128::from(wrapped) <= MOST_WATTS * elapsed => wrapped,
        _ => raw,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RANGE: Option<u64> = Some(262_143_328_850);

    fn at(seconds: u64, sleeps: u64) -> Moment {
        Moment { now: Duration::from_secs(seconds), sleeps: Some(sleeps) }
    }

    fn sums(range: Option<u64>, readings: &[(u64, Moment)]) -> Vec<u64> {
        let mut carried = Carried::default();
        readings.iter().map(|(raw, moment)| carried.advance(*raw, range, *moment)).collect()
    }

    #[test]
    fn a_counter_that_goes_on_is_shown_as_it_is() {
        assert_eq!(sums(RANGE, &[(7, at(0, 0)), (7, at(15, 0)), (9, at(30, 0))]), [7, 7, 9]);
    }

    #[test]
    fn a_wrap_is_carried_on() {
        let before = 262_143_000_000;
        assert_eq!(
            sums(RANGE, &[(before, at(0, 0)), (671_150, at(15, 0)), (1_671_150, at(30, 0))]),
            [before, before + 1_000_000, before + 2_000_000]
        );
    }

    #[test]
    fn a_step_back_of_more_power_than_a_machine_draws_is_a_reset() {
        let before = 100_000_000_000;
        assert_eq!(sums(RANGE, &[(before, at(0, 0)), (5, at(15, 0))]), [before, before + 5]);
    }

    #[test]
    fn a_step_back_over_a_sleep_is_a_reset_however_long_it_was() {
        let before = 100_000_000_000;
        assert_eq!(sums(RANGE, &[(before, at(0, 0)), (5, at(30_000, 1))]), [before, before + 5]);
        assert!(sums(RANGE, &[(before, at(0, 1)), (5, at(30_000, 1))])[1] > 2 * before);
    }

    #[test]
    fn a_counter_without_a_known_range_is_reset() {
        assert_eq!(sums(None, &[(9, at(0, 0)), (4, at(15, 0))]), [9, 13]);
        assert_eq!(sums(Some(5), &[(9, at(0, 0)), (4, at(15, 0))]), [9, 13], "a range that it is beyond");
    }

    proptest! {
        #[test]
        fn a_sum_never_falls(readings in proptest::collection::vec((any::<u64>(), 0u64..1000, 0u64..2), 1..20),
                             range: Option<u64>) {
            let mut carried = Carried::default();
            let (mut before, mut now) = (0, 0);
            for (raw, later, sleeps) in readings {
                now += later;
                let sum = carried.advance(raw, range, at(now, sleeps));
                prop_assert!(sum >= before);
                before = sum;
            }
        }
    }
}
