//! One collector at its place of work: opened when first needed, opened anew after a panic, left alone for a
//! while where the machine has nothing for it.
//!
//! A station lives on one thread. Whatever its collector opened was opened there and is dropped there, because
//! lanes have file tables of their own.

use door::Doors;
use schema::{Batch, Collector, Error, Scrape, Settings, Spec};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// How long a collector that found nothing to read is not opened again.
const LOOK_AGAIN: Duration = Duration::from_secs(300);

/// One collector at its place of work.
pub struct Station {
    spec: &'static Spec<Doors>,
    doors: Arc<Doors>,
    settings: Arc<Settings>,
    collector: Option<Box<dyn Collector>>,
    /// Why there is nothing to open, and when to look again.
    absent: Option<(&'static str, Duration)>,
}

impl std::fmt::Debug for Station {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Station").field(&self.spec.name).finish()
    }
}

impl Station {
    /// A station whose collector is not yet open.
    pub fn new(spec: &'static Spec<Doors>, doors: Arc<Doors>, settings: Arc<Settings>) -> Station {
        Station { spec, doors, settings, collector: None, absent: None }
    }

    /// Collects. A panic is a failed collector, which is opened anew next time.
    ///
    /// # Errors
    /// What the collector, or opening it, said; `Panic` for a bug of ours.
    pub fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        if let Some((why, until)) = self.absent
            && scrape.now < until
        {
            return Err(Error::Unsupported(why));
        }
        let result = catch_unwind(AssertUnwindSafe(|| self.open_and_collect(scrape, out)));
        result.unwrap_or_else(|_panic| {
            // A collector that panicked may panic again while it is dropped: it is then leaked instead.
            let broken = self.collector.take();
            let _ = catch_unwind(AssertUnwindSafe(|| drop(broken)));
            Err(Error::Panic)
        })
    }

    fn open_and_collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let collector = match &mut self.collector {
            Some(collector) => collector,
            None => match (self.spec.open)(&self.doors, &self.settings) {
                Ok(collector) => {
                    self.absent = None;
                    self.collector.insert(collector)
                }
                Err(error) => {
                    if let Error::Unsupported(why) = error {
                        self.absent = Some((why, scrape.now + LOOK_AGAIN));
                    }
                    return Err(error);
                }
            },
        };
        collector.collect(scrape, out)
    }
}
