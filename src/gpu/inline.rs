//! The collector over a machine that is recorded, or was: the driver is asked here, in the lane, one GPU after
//! another. A driver that hangs while a capture is made costs that capture.

use crate::machine;
use door::{Doors, Tape};
use nvidia::installed::installed;
use nvidia::ledger::{Ledger, Silence};
use nvidia::pci::Bus;
use nvidia::{Driver, Options, Played, Recording, Refusal, Whole};
use schema::families::gpu::{self, DriverState};
use schema::unit::Count;
use schema::{Batch, Collector, Error, Scrape};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The collector.
pub(super) struct Inline {
    doors: Arc<Doors>,
    named: Option<PathBuf>,
    bus: Bus,
    /// None until it was needed.
    driver: Option<Result<Box<dyn Driver>, Refusal>>,
    whole: Whole,
    ledger: Ledger,
    told: Batch,
}

impl Inline {
    pub(super) fn new(doors: &Arc<Doors>, named: Option<PathBuf>, options: &Options) -> Inline {
        Inline {
            doors: Arc::clone(doors),
            named,
            bus: Bus::new(doors),
            driver: None,
            whole: Whole::new(doors, options),
            ledger: Ledger::default(),
            told: Batch::default(),
        }
    }
}

/// The driver of the machine that is behind the doors.
fn driver(doors: &Doors, library: Option<&Path>) -> Result<Box<dyn Driver>, Refusal> {
    match &doors.tape {
        Tape::Replaying(player) => Ok(Box::new(Played::open(Arc::clone(player))?)),
        Tape::Recording(recorder) => {
            let opened = machine::nvml(library);
            Ok(Box::new(Recording::open(opened, Arc::clone(recorder))?))
        }
        Tape::Live => Ok(Box::new(machine::nvml(library)?)),
    }
}

impl Collector for Inline {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        self.bus.look()?;
        let library = installed(&self.doors);
        let on_the_bus = self.bus.functions().len();
        if on_the_bus == 0 && library.is_none() && self.named.is_none() {
            return Err(Error::Unsupported("no NVIDIA GPU and no library of its driver"));
        }
        let path =
            || self.named.clone().or(library.filter(|found| !found.by_name).map(|found| found.path.into()));
        let driver = self.driver.get_or_insert_with(|| driver(&self.doors, path().as_deref()));
        self.told.clear();
        match driver {
            Ok(driver) => self.whole.collect(driver.as_ref(), scrape, &mut self.told),
            Err(refusal) => self.whole.refused(refusal, &mut self.told),
        }
        let told = self.ledger.relay(&self.told, out);
        if told.state == Some(DriverState::NotLoaded) && on_the_bus == 0 && self.named.is_none() {
            // Of such a driver nothing was put yet.
            return Err(Error::Unsupported("a library of NVIDIA's driver, and neither driver nor GPU"));
        }
        out.append_failures(&self.told);
        if let Some(state) = told.state {
            state.put(out);
        }
        gpu::put_devices(Some(Count(on_the_bus as u64)), None, out);
        let silence = if told.state == Some(DriverState::Ok) { Silence::Lost } else { Silence::Unknown };
        self.ledger.finish(silence, out);
        Ok(())
    }
}
