//! What one peer may cost: the limits, what each connection is doing just now, and which connection has to go
//! when another one wants in.
//!
//! hyper knows the size of a request's head and nothing of time that suits us: its header timeout also runs
//! while a kept connection is idle, and would cut every scraper between two scrapes. So the connection notes
//! here what it sees of the bytes and the service notes when a request is whole.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The most bytes a request's line and headers may have together; also hyper's least.
pub const HEAD_BYTES: usize = 8 * 1024;

/// A connection that has sent nothing whole for so long is taken for half-open rather than for new.
const GRACE: Duration = Duration::from_secs(1);

/// The limits of the edge. Their defaults are the contract; tests shorten them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many connections are open at once. One more takes the place of one that only waits.
    pub connections: usize,
    /// How long a request's head may take, from its first byte; of a new connection, from its opening.
    pub header: Duration,
    /// How long a connection is kept between two requests; longer than any sensible scrape interval.
    pub idle: Duration,
    /// How long a reader may take nothing of an answer.
    pub write: Duration,
    /// How long running requests may still take when the daemon is told to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 128,
            header: Duration::from_secs(5),
            idle: Duration::from_secs(120),
            write: Duration::from_secs(10),
            drain: Duration::from_secs(1),
        }
    }
}

/// What a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Opened, and not a byte has come.
    New,
    /// A request has begun and is not whole.
    Head,
    /// A request is being answered.
    Serving,
    /// The answer is with hyper, which has not yet handed all of it to the kernel.
    Sending,
    /// Between two requests.
    Idle,
}

#[derive(Clone, Copy, Debug)]
struct State {
    phase: Phase,
    /// When the phase began.
    since: Instant,
    /// Bytes of a next request came while this one was being answered.
    ahead: bool,
    /// Since when the peer takes nothing of what we write.
    stalled: Option<Instant>,
}

/// What one connection is doing: written by its socket and its service, read by the accept loop.
#[derive(Debug)]
pub(crate) struct Activity(Mutex<State>);

/// How readily a connection is given up for another; the first goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Has had time to send a request, and has not.
    HalfOpen,
    /// Waits, rightly so: new, or idle between two scrapes.
    Waiting,
    /// Has been reading one answer for longer than a reader may stall: a trickle.
    Trickling,
}

impl Activity {
    pub(crate) fn new(now: Instant) -> Activity {
        Activity(Mutex::new(State { phase: Phase::New, since: now, ahead: false, stalled: None }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is plain data, whole at any moment: a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes came from the peer.
    pub(crate) fn received(&self, now: Instant) {
        let mut state = self.state();
        match state.phase {
            Phase::New | Phase::Idle => (state.phase, state.since) = (Phase::Head, now),
            Phase::Head => {}
            Phase::Serving | Phase::Sending => state.ahead = true,
        }
    }

    /// A request is whole.
    pub(crate) fn begun(&self, now: Instant) {
        let mut state = self.state();
        (state.phase, state.since, state.ahead) = (Phase::Serving, now, false);
    }

    /// The answer is with hyper.
    pub(crate) fn answered(&self, now: Instant) {
        let mut state = self.state();
        if state.phase == Phase::Serving {
            (state.phase, state.since) = (Phase::Sending, now);
        }
    }

    /// Everything written so far is with the kernel.
    pub(crate) fn flushed(&self, now: Instant) {
        let mut state = self.state();
        if state.phase == Phase::Sending {
            let next = if state.ahead { Phase::Head } else { Phase::Idle };
            (state.phase, state.since, state.ahead) = (next, now, false);
        }
    }

    /// The kernel took some of what was written, or none of it.
    pub(crate) fn wrote(&self, some: bool, now: Instant) {
        let mut state = self.state();
        state.stalled = if some { None } else { state.stalled.or(Some(now)) };
    }

    /// When this connection is to be closed if nothing happens before.
    pub(crate) fn due(&self, limits: &Limits) -> Option<Instant> {
        let state = *self.state();
        let phase = match state.phase {
            Phase::New | Phase::Head => Some(state.since + limits.header),
            Phase::Idle => Some(state.since + limits.idle),
            Phase::Serving | Phase::Sending => None,
        };
        let write = state.stalled.map(|since| since + limits.write);
        phase.into_iter().chain(write).min()
    }

    fn rank(&self, limits: &Limits, now: Instant) -> Option<(Rank, Instant)> {
        let state = *self.state();
        let lasted = now.saturating_duration_since(state.since);
        let rank = match state.phase {
            Phase::New | Phase::Head if lasted >= GRACE.min(limits.header) => Rank::HalfOpen,
            Phase::New | Phase::Head | Phase::Idle => Rank::Waiting,
            Phase::Sending if lasted >= limits.write => Rank::Trickling,
            Phase::Serving | Phase::Sending => return None,
        };
        Some((rank, state.since))
    }
}

/// The place of the connection to close so that another one may come in: the one that has waited longest
/// without a whole request. Half-open ones go before idle ones, so that a flood of them does not cost a scraper
/// its kept connection. None if every connection is being served.
pub(crate) fn victim<'a>(
    connections: impl Iterator<Item = &'a Activity>,
    limits: &Limits,
    now: Instant,
) -> Option<usize> {
    let ranked = connections.enumerate();
    let ranked = ranked.filter_map(|(place, activity)| Some((activity.rank(limits, now)?, place)));
    ranked.min().map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(start: Instant, seconds: u32) -> Instant {
        start + SECOND * seconds
    }

    #[test]
    fn the_header_deadline_runs_from_the_first_byte_and_not_while_idle() {
        let (limits, start) = (Limits::default(), Instant::now());
        let activity = Activity::new(start);
        assert_eq!(activity.due(&limits), Some(at(start, 5)));
        activity.received(at(start, 1));
        activity.received(at(start, 4));
        assert_eq!(activity.due(&limits), Some(at(start, 6)));
        activity.begun(at(start, 5));
        assert_eq!(activity.due(&limits), None);
        activity.answered(at(start, 6));
        assert_eq!(activity.due(&limits), None);
        activity.flushed(at(start, 7));
        assert_eq!(activity.due(&limits), Some(at(start, 127)));
        activity.received(at(start, 60));
        assert_eq!(activity.due(&limits), Some(at(start, 65)));
    }

    #[test]
    fn half_a_request_sent_ahead_has_the_header_deadline_too() {
        let (limits, start) = (Limits::default(), Instant::now());
        let activity = Activity::new(start);
        activity.begun(start);
        activity.received(start);
        activity.answered(start);
        activity.flushed(at(start, 2));
        assert_eq!(activity.due(&limits), Some(at(start, 7)));
    }

    #[test]
    fn a_stall_runs_from_its_beginning_and_ends_with_progress() {
        let (limits, start) = (Limits::default(), Instant::now());
        let activity = Activity::new(start);
        activity.begun(start);
        activity.answered(start);
        activity.wrote(false, at(start, 1));
        activity.wrote(false, at(start, 9));
        assert_eq!(activity.due(&limits), Some(at(start, 11)));
        activity.wrote(true, at(start, 10));
        assert_eq!(activity.due(&limits), None);
    }

    #[test]
    fn half_open_goes_first_then_the_longest_wait_then_a_trickle_and_never_who_is_served() {
        let (limits, start) = (Limits::default(), Instant::now());
        let idle = Activity::new(start);
        idle.begun(start);
        idle.answered(start);
        idle.flushed(start);
        let half_open = Activity::new(at(start, 1));
        half_open.received(at(start, 18));
        let new = Activity::new(at(start, 20));
        let served = Activity::new(start);
        served.begun(start);
        let trickle = Activity::new(start);
        trickle.begun(start);
        trickle.answered(at(start, 2));
        let now = at(start, 20);
        let choice = |connections: &[&Activity]| victim(connections.iter().copied(), &limits, now);
        assert_eq!(choice(&[&served, &trickle, &new, &idle, &half_open]), Some(4));
        assert_eq!(choice(&[&served, &trickle, &new, &idle]), Some(3));
        assert_eq!(choice(&[&served, &trickle, &new]), Some(2));
        assert_eq!(choice(&[&served, &trickle]), Some(1));
        assert_eq!(choice(&[&served]), None);
    }
}
