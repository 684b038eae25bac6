//! One collector at its place of work: opened when first needed, opened anew after a panic.
//!
//! A station lives on one thread. Whatever its collector opened was opened there and is dropped there, because
//! lanes have file tables of their own.

use door::Doors;
use schema::{Batch, Collector, Error, Scrape, Settings, Spec};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// One collector at its place of work.
pub struct Station {
    spec: &'static Spec<Doors>,
    doors: Arc<Doors>,
    settings: Arc<Settings>,
    collector: Option<Box<dyn Collector>>,
}

impl std::fmt::Debug for Station {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Station").field(&self.spec.name).finish()
    }
}

impl Station {
    /// A station whose collector is not yet open.
    pub fn new(spec: &'static Spec<Doors>, doors: Arc<Doors>, settings: Arc<Settings>) -> Station {
        Station { spec, doors, settings, collector: None }
    }

    /// Collects. A panic is a failed collector, which is opened anew next time.
    ///
    /// # Errors
    /// What the collector, or opening it, said; `Panic` for a bug of ours; `Refused` where it asked a recorded
    /// machine for what was not recorded, because what it made of that is not what the machine would have said.
    pub fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let scrape = self.on_its_clock(scrape);
        let result = catch_unwind(AssertUnwindSafe(|| self.open_and_collect(&scrape, out)));
        let result = result.unwrap_or_else(|_panic| {
            // A collector that panicked may panic again while it is dropped: it is then leaked instead.
            let broken = self.collector.take();
            let _ = catch_unwind(AssertUnwindSafe(|| drop(broken)));
            Err(Error::Panic)
        });
        match self.doors.missing().first() {
            None => result,
            Some(missing) => {
                Err(Error::Refused { path: missing.as_str().into(), rule: "the capture does not have it" })
            }
        }
    }

    /// The scrape on the clocks of the machine that is measured: a recorded one has its own.
    fn on_its_clock(&self, scrape: &Scrape) -> Scrape {
        match self.doors.clock.recorded() {
            None => *scrape,
            Some((now, wall)) => {
                let left = scrape.deadline.saturating_sub(scrape.now);
                Scrape { now, wall, deadline: now + left, ..*scrape }
            }
        }
    }

    fn open_and_collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let collector = match &mut self.collector {
            Some(collector) => collector,
            None => self.collector.insert((self.spec.open)(&self.doors, &self.settings)?),
        };
        collector.collect(scrape, out)
    }
}
