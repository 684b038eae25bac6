//! Critical errors (Xid) that the driver told, counted since this began.

use crate::driver::{Answer, Driver};
use schema::{Batch, Scrape};
use std::collections::BTreeMap;

/// The driver's critical errors, counted since this was made.
#[derive(Debug, Default)]
pub struct Events {}

impl Events {
    /// None counted yet.
    pub fn new() -> Events {
        Events::default()
    }

    /// Asks for what came since the last time and puts the counts of all GPUs in `uuids`, by the driver's index. An
    /// event of another GPU is kept until its UUID is known.
    ///
    /// # Errors
    /// The driver's code, which is noted already.
    pub fn collect(
        &mut self,
        _driver: &dyn Driver,
        _uuids: &BTreeMap<u32, String>,
        _scrape: &Scrape,
        _out: &mut Batch,
    ) -> Answer<()> {
        Ok(())
    }
}
