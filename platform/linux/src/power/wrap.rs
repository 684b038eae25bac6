//! A counter of known width, carried on beyond it: RAPL's wrap in minutes to hours, and Prometheus would take
//! each wrap for a restart and lose what was counted before it.
//!
//! How often it wrapped before gauged started is not known, so the sum begins at 0. If it began at the counter, it
//! would step back at a restart of gauged to what the counter then shows, and that too would be taken for energy.
//!
//! Where the counter steps back it has wrapped, or it was reset: packages forget their energy while the machine
//! sleeps. A step back over a sleep is a reset, and what was counted since then is added. Without a sleep it is a
//! wrap, unless that would be several times the power that the domain was ever seen to draw: then it is a reset
//! too, or a counter that faltered, and nothing is added that would be as much. Two wraps between two readings
//! cannot be told from one.

use std::time::Duration;

/// Power that is believed of any domain, however little it drew so far: an idle machine may be set to work.
const ORDINARY_WATTS: u128 = 1_000;

/// How many times the most power seen is believed of a domain. What was seen is an average over a whole scrape
/// interval, in which the domain may have drawn more for a while.
const SURGE: u128 = 4;

/// What is known of one counter, in microjoules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Carried {
    last: Option<(u64, Moment)>,
    total: u64,
    /// The most power between two readings of a counter that went on, in watts.
    most: u128,
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
    /// The sum since the first reading, after this one of a counter that wraps behind `range`.
    pub(super) fn advance(&mut self, raw: u64, range: Option<u64>, moment: Moment) -> u64 {
        if let Some((before, then)) = self.last.replace((raw, moment)) {
            let step = self.step(before, raw, range, then, moment);
            self.total = self.total.saturating_add(step);
        }
        self.total
    }

    fn step(&mut self, before: u64, raw: u64, range: Option<u64>, then: Moment, now: Moment) -> u64 {
        // Microjoules per microsecond are watts.
        let elapsed = now.now.saturating_sub(then.now).as_micros();
        if let Some(onward) = raw.checked_sub(before) {
            if let Some(power) = u128::from(onward).checked_div(elapsed) {
                self.most = self.most.max(power);
            }
            return onward;
        }
        let believed = ORDINARY_WATTS.max(self.most.saturating_mul(SURGE)).saturating_mul(elapsed);
        let range = range.filter(|_| then.sleeps == now.sleeps);
        let wrapped = range.and_then(|range| range.checked_sub(before)?.checked_add(raw));
        match wrapped {
            Some(wrapped) if u128::from(wrapped) <= believed => wrapped,
            _ if u128::from(raw) <= believed => raw,
            _ => 0,
        }
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
    fn what_was_counted_before_is_not_counted() {
        assert_eq!(sums(RANGE, &[(7, at(0, 0)), (7, at(15, 0)), (9, at(30, 0))]), [0, 0, 2]);
    }

    #[test]
    fn a_restart_after_a_wrap_is_no_energy() {
        let readings = [(262_143_000_000, at(0, 0)), (20_000_000, at(30, 0))];
        assert_eq!(sums(RANGE, &readings), [0, 20_328_850]);
        assert_eq!(sums(RANGE, &readings[1..]), [0], "all that stands after a step back is energy");
    }

    #[test]
    fn a_wrap_is_carried_on() {
        let before = 262_143_000_000;
        assert_eq!(
            sums(RANGE, &[(before, at(0, 0)), (671_150, at(15, 0)), (1_671_150, at(30, 0))]),
            [0, 1_000_000, 2_000_000]
        );
    }

    #[test]
    fn an_idle_machine_that_is_set_to_work_wraps_all_the_same() {
        let idle = [(65_000_000_000, at(0, 0)), (65_300_000_000, at(30, 0))];
        let busy = [(11_764_467_146, at(60, 0))];
        assert_eq!(sums(Some(65_532_610_987), &[&idle[..], &busy].concat())[2], 300_000_000 + 11_997_078_133);
    }

    #[test]
    fn a_domain_that_was_seen_to_draw_much_may_wrap_with_much() {
        // 4 kW, and then as much with a wrap.
        let readings = [(100, at(0, 0)), (120_000_000_100, at(30, 0)), (100, at(60, 0))];
        assert_eq!(sums(Some(240_000_000_000), &readings)[2], 240_000_000_000);
    }

    #[test]
    fn a_step_back_that_as_a_wrap_were_more_power_than_the_domain_draws_is_a_reset() {
        // Within 30 s, where all of the range would be less than 10 kW.
        let before = 100_000_000_000;
        assert_eq!(sums(RANGE, &[(before, at(0, 0)), (5, at(30, 0))]), [0, 5]);
    }

    #[test]
    fn a_counter_that_falters_adds_nothing() {
        let before = 200_000_000_000;
        assert_eq!(
            sums(RANGE, &[(before, at(0, 0)), (before - 1, at(30, 0)), (before, at(60, 0))]),
            [0, 0, 1]
        );
    }

    #[test]
    fn a_step_back_over_a_sleep_is_a_reset_however_long_it_was() {
        let before = 100_000_000_000;
        assert_eq!(sums(RANGE, &[(before, at(0, 0)), (5, at(30_000, 1))]), [0, 5]);
        assert!(sums(RANGE, &[(before, at(0, 1)), (5, at(30_000, 1))])[1] > before);
    }

    #[test]
    fn a_counter_without_a_known_range_is_reset() {
        assert_eq!(sums(None, &[(9, at(0, 0)), (4, at(15, 0))]), [0, 4]);
        assert_eq!(sums(Some(5), &[(9, at(0, 0)), (4, at(15, 0))]), [0, 4], "a range that it is beyond");
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
