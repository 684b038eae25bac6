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
    /// What the collector, or opening it, said; `Panic` for a bug of ours.
    pub fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
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
            None => self.collector.insert((self.spec.open)(&self.doors, &self.settings)?),
        };
        collector.collect(scrape, out)
    }
}
