//! All GPUs of a driver, one after another: for recording, replaying and tests.

use crate::driver::{Driver, Refusal};
use crate::gpu::Options;
use door::Doors;
use schema::{Batch, Scrape};
use std::sync::Arc;

/// All GPUs of a driver.
#[derive(Debug)]
pub struct Whole {}

impl Whole {
    /// Nothing is asked yet.
    pub fn new(_doors: &Arc<Doors>, _options: &Options) -> Whole {
        Whole {}
    }

    /// Where the GPU of this index is on the PCI bus, see [`crate::Gpu::known_at`].
    pub fn known_at(&mut self, _index: u32, _address: &str) {}

    /// Puts everything: the driver's state and versions, how many GPUs it has, each of them, and their events.
    pub fn collect(&mut self, _driver: &dyn Driver, _scrape: &Scrape, _out: &mut Batch) {}

    /// Puts what is known of a driver that refuses to be asked: its state, and the loaded module's version.
    pub fn refused(&mut self, _refusal: &Refusal, _out: &mut Batch) {}
}
