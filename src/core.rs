//! The one thread that scrapes: one bounded inbox, one flight that runs, one that waits.

use crate::snapshot::{Collectors, Snapshot};
use std::sync::Arc;
use std::time::Duration;

/// The way to the core, for any number of askers.
#[derive(Clone, Debug)]
pub struct Core {}

/// The core's inbox is full, or the core is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

impl Core {
    /// Asks for a snapshot that covers these collectors. `answer` is called once, on the core's thread, within
    /// `patience` or little more: it must not block.
    ///
    /// # Errors
    /// The request was not taken, and `answer` will not be called.
    pub fn ask(
        &self,
        _wanted: Collectors,
        _patience: Duration,
        _answer: Box<dyn FnOnce(Arc<Snapshot>) + Send>,
    ) -> Result<(), Busy> {
        Err(Busy)
    }
}
