//! When a child may be started again: 5 s after the last start, then 10 s, 20 s ... 10 min, until it answers.
//!
//! Counted from start to start, not from the end: a child that served for days is replaced at once, and one that
//! crashes whenever it is asked is not started more often for that.

use std::time::Duration;

/// How long to wait between starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first start, and after each start since an answer.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
}

impl Default for Backoff {
    /// 5 s to 10 min: a driver that hangs or crashes sees at most 7 children in its first 10 minutes.
    fn default() -> Backoff {
        Backoff { first: Duration::from_secs(5), most: Duration::from_secs(600) }
    }
}

/// Where in the [`Backoff`] a collector is. Moments are of the collector's clock.
#[derive(Debug)]
pub(super) struct Pace {
    backoff: Backoff,
    next: Duration,
    started: Duration,
    not_before: Duration,
}

impl Pace {
    pub(super) fn new(backoff: Backoff) -> Pace {
        Pace { backoff, next: backoff.first, started: Duration::ZERO, not_before: Duration::ZERO }
    }

    /// True if a child may be started now.
    pub(super) fn allows(&self, now: Duration) -> bool {
        now >= self.not_before
    }

    /// A child is being started.
    pub(super) fn start(&mut self, now: Duration) {
        self.started = now;
        self.not_before = now + self.next;
        self.next = (self.next * 2).min(self.backoff.most);
    }

    /// No child was started, because another's child is still there. To look costs nothing and harms nobody, so
    /// the wait does not grow.
    pub(super) fn hold(&mut self, now: Duration) {
        self.not_before = now + self.backoff.first;
    }

    /// There is reason to think that the next child will fare better.
    pub(super) fn skip(&mut self) {
        self.next = self.backoff.first;
        self.not_before = Duration::ZERO;
    }

    /// The child answered.
    pub(super) fn answered(&mut self) {
        self.next = self.backoff.first;
        self.not_before = self.started + self.backoff.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// The seconds at which a child that never answers is started within the first `until` seconds.
    fn starts(pace: &mut Pace, until: u64) -> Vec<u64> {
        (0..until).filter(|&t| pace.allows(s(t)).then(|| pace.start(s(t))).is_some()).collect()
    }

    #[test]
    fn a_child_that_never_answers_is_started_seven_times_in_ten_minutes() {
        assert_eq!(starts(&mut Pace::new(Backoff::default()), 600), [0, 5, 15, 35, 75, 155, 315]);
    }

    #[test]
    fn the_wait_stops_growing() {
        let mut pace = Pace::new(Backoff { first: s(5), most: s(12) });
        assert_eq!(starts(&mut pace, 50), [0, 5, 15, 27, 39]);
    }

    #[test]
    fn an_answer_puts_it_back_to_the_first() {
        let mut pace = Pace::new(Backoff::default());
        starts(&mut pace, 100);
        assert!(!pace.allows(s(100)));
        pace.answered();
        assert!(pace.allows(s(100)));
        pace.start(s(100));
        assert!(!pace.allows(s(104)));
        assert!(pace.allows(s(105)));
    }

    #[test]
    fn looking_at_a_lock_does_not_make_the_wait_grow() {
        let mut pace = Pace::new(Backoff::default());
        for t in [0, 5, 10] {
            assert!(pace.allows(s(t)));
            pace.hold(s(t));
            assert!(!pace.allows(s(t + 4)));
        }
    }
}
