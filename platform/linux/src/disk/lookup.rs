//! Who finds out which devices there are, without a scrape that waits: a device is asked about when it appears, once
//! more a minute later, because udev may have been still at work, and every few minutes from then on, because another
//! disk may stand in its place without its counters telling.
//!
//! Threads of a [`Pool`] do the reading, one device after another, and a disk that hangs costs one of them. The first
//! collection waits for them, no longer than [`PATIENCE`], so that it is whole; it is the only one. Later a device is
//! described one scrape after it came.

use super::description::{Description, Reader};
use super::table::{Stage, Table};
use door::Doors;
use door::pool::{Ask, Asked, Next, Pool};
use schema::{Batch, Error, Settings};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// At most so many disks that hang hold a thread each.
const THREADS: usize = 2;
/// How long the first collection waits, and how old a question is that is said to be late. Answers take tens of
/// microseconds each.
const PATIENCE: Duration = Duration::from_millis(50);
/// When to ask once more.
const ONCE_MORE: Duration = Duration::from_secs(60);
/// How old a description may be.
const GOOD: Duration = Duration::from_secs(300);

/// Which devices there are, as far as is known.
#[derive(Debug)]
pub(super) struct Lookup {
    doors: Arc<Doors>,
    /// A question is that a thread shall work until nothing is left to do.
    pool: Pool<()>,
    work: Arc<Mutex<Work>>,
    /// True in the first collection.
    first: bool,
}

/// What threads have before them and behind them. It is locked for as long as it takes to add and to take away.
#[derive(Debug, Default)]
struct Work {
    questions: VecDeque<Question>,
    answers: Vec<(u64, Description)>,
}

/// A device to look at.
#[derive(Debug)]
struct Question {
    identity: u64,
    /// Below `/sys/block`.
    name: String,
    number: [u64; 2],
}

impl Lookup {
    /// Asks nothing yet.
    pub(super) fn new(doors: &Arc<Doors>, settings: &Settings) -> Lookup {
        let work = Arc::<Mutex<Work>>::default();
        let (of_threads, for_threads) = (Arc::clone(doors), Arc::clone(&work));
        let udev = super::description::udev_directory(doors, settings);
        let asker = move || -> Ask<()> {
            let mut reader = Reader::new(&of_threads, udev.clone());
            let work = Arc::clone(&for_threads);
            Box::new(move |()| {
                // A function of its own lets the lock go before the reading.
                let next = || locked(&work).questions.pop_front();
                while let Some(question) = next() {
                    let answer = reader.read(&question.name, question.number);
                    locked(&work).answers.push((question.identity, answer));
                }
            })
        };
        Lookup {
            doors: Arc::clone(doors),
            pool: Pool::new(doors.spawn, "disk", THREADS, asker),
            work,
            first: true,
        }
    }

    /// Takes what has come, and asks about who is due.
    pub(super) fn refresh(&mut self, table: &mut Table, now: Duration, out: &mut Batch) {
        let waits = std::mem::take(&mut self.first);
        self.pool.begin();
        // Threads that are done are free again.
        while !matches!(self.pool.next(Duration::ZERO), Next::Nothing) {}
        self.take(table, now);
        if self.ask(table, now) {
            let clock = self.doors.clock.clone();
            let patience = clock.patience(if waits { PATIENCE } else { Duration::ZERO });
            if !patience.is_zero() {
                let end = clock.now().saturating_add(patience);
                while !matches!(self.pool.next(clock.until(end)), Next::Nothing) {}
                self.take(table, now);
            }
        }
        // Said once: what comes after all is taken all the same.
        for device in table.shown_mut() {
            if matches!(device.stage, Stage::Asked(at) if waits || now.saturating_sub(at) >= PATIENCE) {
                device.stage = Stage::Late;
                out.fail(Error::Late(format!("which disk {} is", device.label()).into()));
            }
        }
    }

    /// Puts who is due before the threads, and sees that some are at work. False if there is nothing to do.
    fn ask(&mut self, table: &mut Table, now: Duration) -> bool {
        let mut work = locked(&self.work);
        // While all threads hang, devices may come and go.
        work.questions.retain(|question| table.device_mut(question.identity).is_some());
        for device in table.shown_mut() {
            if matches!(device.stage, Stage::Due(at) if at <= now) {
                device.stage = Stage::Asked(now);
                let (identity, name, number) =
                    (device.identity, device.sysfs_name().collect(), device.number);
                work.questions.push_back(Question { identity, name, number });
            }
        }
        let mut wanted = work.questions.len();
        drop(work);
        let any = wanted > 0;
        for thread in (0..).take(THREADS) {
            if wanted > 0 && self.pool.ask(0, thread, |()| ()) == Asked::Now {
                wanted -= 1;
            }
        }
        any
    }

    fn take(&self, table: &mut Table, now: Duration) {
        for (identity, answer) in locked(&self.work).answers.drain(..) {
            // Else it is gone, or another one now.
            if let Some(device) = table.device_mut(identity) {
                let good = if device.description.is_none() { ONCE_MORE } else { GOOD };
                device.stage = Stage::Due(now.saturating_add(good));
                device.description = Some(answer);
            }
        }
    }
}

fn locked(work: &Mutex<Work>) -> MutexGuard<'_, Work> {
    #[expect(clippy::disallowed_methods, reason = "the lists are whole, whoever panicked")]
    work.lock().unwrap_or_else(PoisonError::into_inner)
}
