//! The driver, as the trait has it.

use crate::event::Events;
use crate::field::{self, Numbering};
use crate::library::Library;
use crate::unit::Gpus;
use crate::{number, process, record};
use nvidia::{
    Answer, Banks, Bar1, Device, Driver, Event, Fabric, Field, Figure, Instance, Memory, Number, Owner,
    Process, Refusal, Sram, Text, Utilization, Version,
};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// NVML, loaded and initialised. Dropped, it gives back samples and events, shuts the library down and unmaps it, so
/// that the next one opened finds a driver that was installed meanwhile.
pub struct Nvml {
    /// Those before `library` hold on to it.
    events: Events,
    gpus: Gpus,
    /// The driver's version, major and minor.
    driver: Option<(u32, u32)>,
    library: Arc<Library>,
}

impl fmt::Debug for Nvml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nvml").field("driver", &self.driver).finish_non_exhaustive()
    }
}

impl Nvml {
    /// Loads the library of this path, or `libnvidia-ml.so.1` from where the loader looks, and initialises it
    /// (`nvmlInit_v2`). A GPU is touched when it is first asked for.
    ///
    /// # Errors
    /// LIBRARY_NOT_FOUND, with the loader's words, for a library that cannot be loaded; else the code of
    /// `nvmlInit_v2` with the library's words (DRIVER_NOT_LOADED, VERSION_MISMATCH, NO_PERMISSION ...).
    pub fn open(library: Option<&Path>) -> Result<Nvml, Refusal> {
        let library = Library::open(library)?;
        let driver = number::driver(&library);
        Ok(Nvml { events: Events::default(), gpus: Gpus::new(), driver, library: Arc::new(library) })
    }

    /// How many calls of the library came back since it was opened, its initialisation among them, and the time that
    /// they took; calls at the same time on several threads count each.
    pub fn calls(&self) -> (u64, Duration) {
        self.library.meter.sum()
    }
}

impl Driver for Nvml {
    fn count(&self) -> Answer<u32> {
        self.library.symbols.nvmlDeviceGetCount_v2.ask(&self.library.meter)
    }

    fn version(&self, of: Version) -> Answer<String> {
        number::version_of(&self.library, of)
    }

    fn text(&self, device: Device, what: Text) -> Answer<String> {
        number::text(&self.library, self.gpus.unit(&self.library, device)?.handle, what)
    }

    fn number(&self, device: Device, what: Number) -> Answer<i64> {
        number::number(&self.library, self.gpus.unit(&self.library, device)?.handle, what)
    }

    fn memory(&self, device: Device) -> Answer<Memory> {
        record::memory(&self.library, self.gpus.unit(&self.library, device)?.handle)
    }

    fn bar1(&self, gpu: u32) -> Answer<Bar1> {
        record::bar1(&self.library, self.gpus.gpu(&self.library, gpu)?.whole.handle)
    }

    fn utilization(&self, gpu: u32) -> Answer<Utilization> {
        record::utilization(&self.library, self.gpus.gpu(&self.library, gpu)?.whole.handle)
    }

    fn fields(&self, gpu: u32, fields: &[Field], answers: &mut Vec<Answer<Figure>>) -> Answer<()> {
        let gpu = self.gpus.gpu(&self.library, gpu)?;
        let numbering = Numbering::of(self.driver);
        field::ask(&self.library, gpu.whole.handle, numbering, &gpu.fields, fields, answers)
    }

    fn processes(&self, device: Device, owner: Owner, found: &mut Vec<Process>) -> Answer<()> {
        let unit = self.gpus.unit(&self.library, device)?;
        process::ask(&self.library, unit.handle, self.driver, owner, &unit.processes, found)
    }

    fn sram(&self, gpu: u32) -> Answer<Sram> {
        record::sram(&self.library, self.gpus.gpu(&self.library, gpu)?.whole.handle)
    }

    fn banks(&self, gpu: u32) -> Answer<Banks> {
        record::banks(&self.library, self.gpus.gpu(&self.library, gpu)?.whole.handle)
    }

    fn fabric(&self, gpu: u32) -> Answer<Fabric> {
        record::fabric(&self.library, self.gpus.gpu(&self.library, gpu)?.whole.handle)
    }

    fn instance(&self, device: Device) -> Answer<Instance> {
        record::instance(&self.library, self.gpus.unit(&self.library, device)?.handle)
    }

    fn gpm_sample(&self, device: Device, slot: u8) -> Answer<()> {
        let unit = self.gpus.unit(&self.library, device)?;
        let instance = match device.mig {
            None => None,
            Some(_) => Some(unit.gpu_instance(&self.library)?),
        };
        // The sample of an instance is taken of the whole GPU's handle.
        let whole = self.gpus.gpu(&self.library, device.gpu)?.whole.handle;
        unit.slots.sample(&self.library, whole, instance, slot)
    }

    fn gpm(
        &self,
        device: Device,
        older: u8,
        newer: u8,
        metrics: &[u32],
        answers: &mut Vec<Answer<f64>>,
    ) -> Answer<()> {
        self.gpus.unit(&self.library, device)?.slots.metrics(&self.library, older, newer, metrics, answers)
    }

    fn events(&self, found: &mut Vec<Event>) -> Answer<()> {
        self.events.ask(&self.library, &self.gpus, found)
    }

    fn forget_instances(&self, gpu: u32) {
        self.gpus.forget_instances(gpu);
    }
}
