//! What the machine shows of its GPUs without the driver being asked: the bus, the installed library, the loaded
//! module, what the kernel logs.

use door::{Buffer, Calls, Doors};
use nvidia::installed::{Installed, installed};
use nvidia::pci::{self, Bus};
use nvidia::{kmsg, ledger::Ledger};
use schema::Batch;
use schema::unit::Seconds;
use std::sync::Arc;
use std::time::Duration;

/// How often the bus is looked at while all is well. GPUs do not come and go by the minute.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What the machine shows.
#[derive(Debug)]
pub(super) struct Sight {
    doors: Arc<Doors>,
    pub(super) bus: Bus,
    pub(super) library: Option<Installed>,
    /// Whether there is a battery: those who have one want their GPUs to sleep.
    pub(super) battery: bool,
    version: Vec<u8>,
    looked: Option<Duration>,
    /// False once the kernel's log was refused: nobody's rights grow.
    log: bool,
    calls: Calls,
    answer: Vec<u8>,
    buffer: Buffer,
}

impl Sight {
    pub(super) fn new(doors: &Arc<Doors>) -> Sight {
        Sight {
            bus: Bus::new(doors),
            library: None,
            battery: false,
            version: Vec::new(),
            looked: None,
            log: true,
            calls: doors.calls.clone(),
            answer: Vec::new(),
            buffer: Buffer::default(),
            doors: Arc::clone(doors),
        }
    }

    /// Looks at what may have changed: all of it if something is wrong, else now and then. True if a driver may answer
    /// now that did not before: the module was loaded or is another, or so is the library.
    pub(super) fn look(&mut self, now: Duration, well: bool, out: &mut Batch) -> bool {
        let first = self.looked.is_none();
        let mut changed = false;
        if !well || self.looked.is_none_or(|looked| now.saturating_sub(looked) >= LOOK_AGAIN) {
            self.looked = Some(now);
            out.keep(self.bus.look());
            let library = installed(&self.doors);
            changed = library.is_some() && library != self.library;
            self.library = library;
            self.battery =
                self.bus.functions().iter().any(|gpu| gpu.managed) && pci::has_battery(&self.doors);
        }
        changed |= self.module_changed();
        changed && !first
    }

    fn module_changed(&mut self) -> bool {
        // Opened anew each time: what was opened before the module was unloaded never comes back.
        let Doors { procfs, sysfs, .. } = &*self.doors;
        let there = procfs.read_once("driver/nvidia/version", &mut self.buffer).is_ok();
        let now = if there {
            procfs.read_once("driver/nvidia/version", &mut self.buffer)
        } else {
            sysfs.read_once("module/nvidia/version", &mut self.buffer)
        };
        let Ok(now) = now else {
            self.version.clear();
            return false;
        };
        if now == self.version.as_slice() {
            return false;
        }
        self.version.clear();
        self.version.extend_from_slice(now);
        true
    }

    /// How many GPUs are on the bus.
    pub(super) fn count(&mut self) -> u64 {
        self.bus.functions().len() as u64
    }

    /// True if there are GPUs on the bus, and all of them sleep.
    pub(super) fn all_suspended(&mut self) -> bool {
        let gpus = self.bus.functions();
        !gpus.is_empty() && gpus.iter_mut().all(|gpu| gpu.suspended(&mut self.buffer))
    }

    /// Puts those GPUs that sleep and of which nothing was said: who they are, the module knows without waking them.
    pub(super) fn put_suspended(&mut self, ledger: &mut Ledger, out: &mut Batch) {
        for (place, gpu) in (0..).zip(self.bus.functions()) {
            if ledger.is_judged(&gpu.address) || !gpu.suspended(&mut self.buffer) {
                continue;
            }
            let known = ledger.identity(&gpu.address).map(str::to_owned);
            if let Some(uuid) = known.or_else(|| pci::identity(&self.doors, &gpu.address, &mut self.buffer)) {
                ledger.put_suspended(&uuid, &gpu.address, place, out);
            }
        }
    }

    /// Hands on what the kernel logged since the last time. Not everybody may read that.
    pub(super) fn log(&mut self, wall: Duration, ledger: &mut Ledger) {
        if !self.log {
            return;
        }
        self.log = self.calls.call("kmsg", kmsg::NEEDLE, &mut self.answer).is_ok();
        ledger.log_is_read(self.log);
        for fault in self.answer.split(|byte| *byte == b'\n').filter_map(kmsg::parse) {
            ledger.logged(fault.place, fault.xid, Seconds::span(wall));
        }
    }
}
