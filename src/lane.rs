//! Thread lanes: one named thread for each collector that may block, with a file table of its own. A thread
//! stuck in the kernel cannot be ended, so the damage is bounded: one deadline once, and one thread.
//!
//! Only the two bounded channels cross; a lane touches no logger, no tokio object and no descriptor that was
//! opened elsewhere.

use crate::station::Station;
use door::{Clock, Doors};
use schema::{Batch, Error, Scrape, Settings, Spec};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

/// What a lane made of a job.
#[derive(Debug)]
pub struct Answer {
    /// The collector's place in the list of collectors.
    pub place: usize,
    /// The scrape that asked.
    pub number: u64,
    /// When the lane began.
    pub began: Duration,
    /// When it was done.
    pub ended: Duration,
    /// The samples.
    pub batch: Batch,
    /// How it went.
    pub result: Result<(), Error>,
}

struct Job {
    scrape: Scrape,
    batch: Batch,
}

/// The core's end of a lane.
#[derive(Debug)]
pub struct Lane {
    jobs: SyncSender<Job>,
    /// The deadline of the scrape whose answer is outstanding.
    busy_until: Option<Duration>,
}

impl Lane {
    /// Starts a lane for the collector at this place; its answers go through `answer`, which may block it. `clock`
    /// is that of deadlines, which is not the doors' where these are a recorded machine's.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(
        place: usize,
        spec: &'static Spec<Doors>,
        doors: &Arc<Doors>,
        settings: &Arc<Settings>,
        clock: &Clock,
        answer: Box<dyn Fn(Answer) + Send>,
    ) -> std::io::Result<Lane> {
        let (jobs, inbox) = sync_channel(1);
        let station = Station::new(spec, Arc::clone(doors), Arc::clone(settings));
        let clock = clock.clone();
        let work = move || run(place, station, &clock, &inbox, &*answer);
        (doors.spawn)(spec.name, Box::new(work))?;
        Ok(Lane { jobs, busy_until: None })
    }

    /// True while an answer is outstanding.
    pub fn busy(&self) -> bool {
        self.busy_until.is_some()
    }

    /// True while an answer is outstanding that was due before now.
    pub fn stuck(&self, now: Duration) -> bool {
        self.busy_until.is_some_and(|due| due < now)
    }

    /// Gives the idle lane a job. False, with the batch back in its place, if its thread is gone.
    pub fn send(&mut self, scrape: Scrape, batch: &mut Batch) -> bool {
        match self.jobs.try_send(Job { scrape, batch: std::mem::take(batch) }) {
            Ok(()) => {
                self.busy_until = Some(scrape.deadline);
                true
            }
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => {
                *batch = job.batch;
                false
            }
        }
    }

    /// The outstanding answer has come.
    pub fn answered(&mut self) {
        self.busy_until = None;
    }
}

fn run(place: usize, mut station: Station, clock: &Clock, jobs: &Receiver<Job>, answer: &dyn Fn(Answer)) {
    while let Ok(Job { scrape, mut batch }) = jobs.recv() {
        let began = clock.now();
        let result = station.collect(&scrape, &mut batch);
        answer(Answer { place, number: scrape.number, began, ended: clock.now(), batch, result });
    }
}
