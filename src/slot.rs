//! What the core knows of one collector: where it works, how it fared, what came too late.

use crate::held::Held;
use crate::lane::{Answer, Lane};
use crate::snapshot::{Outcome, Part};
use crate::station::Station;
use door::{Clock, Doors};
use schema::families::own;
use schema::unit::{Count, Seconds, State};
use schema::{Batch, Error, Reason, Scrape, Spec};
use std::time::Duration;

/// A late answer older than this is not shown any more.
const LATE_AT_MOST: Duration = Duration::from_secs(30);

/// How long a collector that found nothing to read is left alone.
const LOOK_AGAIN: Duration = Duration::from_secs(300);

/// Where a collector works.
#[derive(Debug)]
pub enum Place {
    /// On the core's thread.
    Inline(Station),
    /// On a thread of its own.
    Thread(Lane),
}

/// What became of asking a collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// All that there is to show for this scrape is there.
    Done,
    /// The lane works, and its answer is awaited.
    Awaited,
}

/// An answer that came after its scrape.
#[derive(Debug)]
struct Late {
    batch: Batch,
    result: Result<(), Error>,
    began: Duration,
    duration: Duration,
}

fn is_young(late: &Late, now: Duration) -> bool {
    now.saturating_sub(late.began) <= LATE_AT_MOST
}

/// One collector, as the core knows it.
#[derive(Debug)]
pub struct Slot {
    /// What the collector says of itself.
    pub spec: &'static Spec<Doors>,
    place: Place,
    held: Held,
    late: Option<Late>,
    /// Why there is nothing to read, and when to look again.
    absent: Option<(&'static str, Duration)>,
    times_late: u64,
    failures: [u64; Reason::ALL.len()],
    invalid: u64,
    /// What is said of a late answer; made once.
    lateness: Error,
    /// The troubles that were logged and have not gone.
    logged: Vec<Error>,
}

impl Slot {
    /// A collector at its place.
    pub fn new(spec: &'static Spec<Doors>, place: Place) -> Slot {
        Slot {
            spec,
            place,
            held: Held::of(spec),
            late: None,
            absent: None,
            times_late: 0,
            failures: Default::default(),
            invalid: 0,
            lateness: Error::Late(spec.name.into()),
            logged: Vec::new(),
        }
    }

    /// True if it works on the core's thread, and answers at once.
    pub fn is_inline(&self) -> bool {
        matches!(self.place, Place::Inline(_))
    }

    /// Asks the collector: an inline one answers at once, a lane begins to work if it is idle.
    pub fn ask(&mut self, scrape: &Scrape, clock: &Clock, part: &mut Part) -> Work {
        if let Some((why, until)) = self.absent
            && scrape.now < until
        {
            part.report.outcome = Outcome::Absent;
            part.report.reason = Some(Error::Unsupported(why));
            return Work::Done;
        }
        let scrape = Scrape { held: self.held.young(scrape.now), ..*scrape };
        let lane = match &mut self.place {
            Place::Inline(station) => {
                let began = clock.now();
                let result = station.collect(&scrape, &mut part.batch);
                let duration = clock.now().saturating_sub(began);
                self.settle(scrape.now, result, duration, part);
                return Work::Done;
            }
            Place::Thread(lane) => lane,
        };
        if lane.busy() || !lane.send(scrape, &mut part.batch) {
            self.missed(scrape.now, part);
            return Work::Done;
        }
        // A source that always needs longer than lanes are awaited is one scrape behind, and costs no waiting.
        let patience = scrape.deadline.saturating_sub(scrape.now);
        let slow = |late: &Late| is_young(late, scrape.now) && late.duration >= patience;
        if self.late.as_ref().is_some_and(slow) {
            self.missed(scrape.now, part);
            return Work::Done;
        }
        Work::Awaited
    }

    /// The awaited answer has come.
    pub fn came(&mut self, answer: Answer, part: &mut Part) {
        self.idle();
        self.late = None;
        part.batch = answer.batch;
        let duration = answer.ended.saturating_sub(answer.began);
        self.settle(answer.ended, answer.result, duration, part);
    }

    /// An answer has come that nobody awaits any more.
    pub fn came_late(&mut self, answer: Answer) {
        self.idle();
        let Answer { began, ended, batch, result, .. } = answer;
        self.late = Some(Late { batch, result, began, duration: ended.saturating_sub(began) });
    }

    /// The scrape ends without an answer: what came late for an earlier one is shown, once.
    pub fn missed(&mut self, now: Duration, part: &mut Part) {
        self.times_late += 1;
        match self.late.take().filter(|late| is_young(late, now)) {
            Some(late) => {
                part.batch = late.batch;
                self.settle(late.began, late.result, late.duration, part);
                part.report.age = Some(now.saturating_sub(late.began));
            }
            None => {
                part.report.outcome = Outcome::Late;
                part.report.reason = Some(self.lateness.clone());
            }
        }
    }

    /// Puts `gauged_collector_*` of this collector: how it fared, and what depends on when and where it ran.
    pub fn put_status(&self, now: Duration, part: &mut Part) {
        self.put_outcome(part);
        let (name, report, out) = ([self.spec.name], &part.report, &mut part.status);
        if let Some(duration) = report.duration {
            out.put(&own::COLLECTOR_DURATION, name, Seconds::span(duration));
        }
        if let Some(age) = report.age {
            out.put(&own::COLLECTOR_AGE, name, Seconds::span(age));
        }
        out.put(&own::INVALID_VALUES, name, Count(self.invalid));
        if let Place::Thread(lane) = &self.place {
            out.put(&own::COLLECTOR_LATE, name, Count(self.times_late));
            out.put(&own::LANE_STUCK, name, State(lane.stuck(now)));
        }
    }

    /// Puts how the collector fared, which a recorded machine repeats.
    pub fn put_outcome(&self, part: &mut Part) {
        let (name, out) = ([self.spec.name], &mut part.status);
        let success = matches!(part.report.outcome, Outcome::Ok | Outcome::Absent);
        out.put(&own::COLLECTOR_SUCCESS, name, State(success));
        out.put(&own::COLLECTOR_ABSENT, name, State(part.report.outcome == Outcome::Absent));
        for (reason, count) in Reason::ALL.into_iter().zip(self.failures) {
            if count > 0 {
                out.put(&own::COLLECTOR_FAILURES, [self.spec.name, reason.word()], Count(count));
            }
        }
    }

    fn idle(&mut self) {
        if let Place::Thread(lane) = &mut self.place {
            lane.answered();
        }
    }

    /// Counts what failed and fills in the report.
    fn settle(&mut self, read: Duration, result: Result<(), Error>, duration: Duration, part: &mut Part) {
        self.held.settle(read, &result, &mut part.batch);
        for (reason, count) in part.batch.failed() {
            self.count(reason, u64::from(count));
        }
        self.invalid += u64::from(part.batch.invalid());
        part.report.duration = Some(duration);
        part.report.reason = part.batch.failures().first().cloned();
        self.absent = match result {
            Err(Error::Unsupported(why)) => Some((why, read + LOOK_AGAIN)),
            _ => None,
        };
        part.report.outcome = match result {
            Ok(()) => Outcome::Ok,
            Err(error) => {
                let outcome = match error.reason() {
                    None => Outcome::Absent,
                    Some(reason) => {
                        self.count(reason, 1);
                        Outcome::Failed
                    }
                };
                part.report.reason = Some(error);
                outcome
            }
        };
    }

    fn count(&mut self, reason: Reason, count: u64) {
        if let Some(failures) = self.failures.get_mut(reason as usize) {
            *failures += count;
        }
    }

    /// Logs one line for each trouble that comes, and one when the last has gone; none while they stay.
    pub fn log(&mut self, part: &Part) {
        let collector = self.spec.name;
        let whole = match part.report.outcome {
            Outcome::NotAsked | Outcome::Absent => return self.logged.clear(),
            Outcome::Late => Some(&self.lateness),
            Outcome::Failed => part.report.reason.as_ref(),
            Outcome::Ok => None,
        };
        let troubles = || whole.into_iter().chain(part.batch.failures());
        for trouble in troubles().filter(|trouble| !self.logged.contains(trouble)) {
            tracing::warn!(collector, "{trouble}");
        }
        if troubles().next().is_none() && !self.logged.is_empty() {
            tracing::info!(collector, "all is well again");
        }
        self.logged.clear();
        self.logged.extend(troubles().cloned());
    }
}
