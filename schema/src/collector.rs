//! What a collector is, and how it says what it is.

use crate::batch::Batch;
use crate::error::Error;
use crate::family::Id;
use crate::setting::{Setting, Settings};
use std::sync::Arc;
use std::time::Duration;

/// One scrape, as a collector sees it. The clocks are read once, by the core.
#[derive(Clone, Copy, Debug)]
pub struct Scrape {
    /// Counts scrapes, from 1: what was read for this number need not be read for it again.
    pub number: u64,
    /// Now, since boot, suspended time included (CLOCK_BOOTTIME): for ages and deadlines.
    pub now: Duration,
    /// When an answer is no longer waited for, on the same clock as `now`.
    pub deadline: Duration,
    /// Now, since 1970-01-01 UTC.
    pub wall: Duration,
    /// True while the core still holds a young enough reading of this collector's families that have a
    /// `max_age`: they need not be read again now.
    pub held: bool,
}

/// A source of samples.
pub trait Collector: Send {
    /// Reads now and puts what was read.
    ///
    /// # Errors
    /// `Unsupported` where the machine has no such thing; anything else means that the whole collector failed.
    /// What was put before stays. The failure of one item is noted by [`Batch::fail`] instead.
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error>;
}

/// Where a collector runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// On the core thread: kernel memory that cannot block and takes no contended lock.
    Inline,
    /// On a thread of its own, with a private file table: what may block.
    Thread,
}

/// Opens a collector over the doors `D`, where and when its lane begins.
pub type Open<D> = fn(&Arc<D>, &Settings) -> Result<Box<dyn Collector>, Error>;

/// What a collector says of itself. The platform crates' `COLLECTORS` are lists of these; flags, help, the
/// status page and the daemon's own series are functions of them.
#[derive(Debug)]
pub struct Spec<D: 'static> {
    /// The thing: also the name of the file, of the flag and, mostly, of the schema's module.
    pub name: &'static str,
    /// What it reads, in one line, for `--help`.
    pub about: &'static str,
    /// The families it may put.
    pub families: &'static [Id],
    /// On without being asked for.
    pub default_on: bool,
    /// Where it runs.
    pub lane: Lane,
    /// Its own settings, `collector.<name>.<option>`.
    pub settings: &'static [Setting],
    /// Opens it.
    pub open: Open<D>,
}
