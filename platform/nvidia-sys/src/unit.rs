//! What can be asked: GPUs and MIG devices, with their handles, buffers and samples.
//!
//! A handle is asked for when its device first is, and kept: that of a lost GPU too, which the library would not
//! give again. No lock is held while the library is asked, so that a GPU which answers slowly holds up no other.

use crate::field::Fields;
use crate::gpm::Slots;
use crate::handle::Handle;
use crate::library::Library;
use crate::process::Processes;
use crate::room::locked;
use nvidia::{Answer, Code, Device};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

/// GPUs that can be asked, by index. The kernel module has 32 or, in later versions, 64 devices.
const MOST: usize = 64;

/// A GPU or a MIG device.
pub(crate) struct Unit {
    pub(crate) handle: Handle,
    pub(crate) processes: Processes,
    pub(crate) slots: Slots,
    /// The GPU instance of a MIG device, once it was asked for: an instance keeps its number for as long as it is.
    gpu_instance: OnceLock<u32>,
}

impl Unit {
    fn new(handle: Handle) -> Arc<Unit> {
        Arc::new(Unit {
            handle,
            processes: Processes::new(),
            slots: Slots::default(),
            gpu_instance: OnceLock::new(),
        })
    }

    /// The GPU instance of a MIG device.
    pub(crate) fn gpu_instance(&self, library: &Library) -> Answer<u32> {
        if let Some(known) = self.gpu_instance.get() {
            return Ok(*known);
        }
        let id = library.symbols.nvmlDeviceGetGpuInstanceId.ask(&library.meter, self.handle, 0)?;
        Ok(*self.gpu_instance.get_or_init(|| id))
    }
}

/// A GPU with what it is divided into.
pub(crate) struct Gpu {
    pub(crate) whole: Arc<Unit>,
    pub(crate) fields: Fields,
    instances: Mutex<Instances>,
}

/// MIG devices by their index in the GPU.
#[derive(Default)]
struct Instances {
    /// How often they were forgotten: a handle that was asked for before that is not kept after it.
    forgotten: u64,
    known: BTreeMap<u32, Arc<Unit>>,
}

impl Gpu {
    fn new(handle: Handle) -> Box<Gpu> {
        Box::new(Gpu { whole: Unit::new(handle), fields: Fields::new(), instances: Mutex::default() })
    }

    fn instance(&self, library: &Library, index: u32) -> Answer<Arc<Unit>> {
        let forgotten = {
            let instances = locked(&self.instances);
            if let Some(unit) = instances.known.get(&index) {
                return Ok(Arc::clone(unit));
            }
            instances.forgotten
        };
        let unit = Unit::new(library.instance(self.whole.handle, index)?);
        let mut instances = locked(&self.instances);
        if instances.forgotten != forgotten {
            return Ok(unit);
        }
        Ok(Arc::clone(instances.known.entry(index).or_insert(unit)))
    }
}

/// All GPUs that were asked for.
pub(crate) struct Gpus(Box<[OnceLock<Box<Gpu>>]>);

impl Gpus {
    pub(crate) fn new() -> Gpus {
        Gpus((0..MOST).map(|_| OnceLock::new()).collect())
    }

    /// The GPU of this index.
    pub(crate) fn gpu(&self, library: &Library, index: u32) -> Answer<&Gpu> {
        let place = usize::try_from(index).ok().and_then(|index| self.0.get(index));
        let place = place.ok_or(Code::INVALID_ARGUMENT)?;
        if let Some(gpu) = place.get() {
            return Ok(gpu);
        }
        let handle = library.gpu(index)?;
        Ok(place.get_or_init(|| Gpu::new(handle)))
    }

    /// The device.
    pub(crate) fn unit(&self, library: &Library, device: Device) -> Answer<Arc<Unit>> {
        let gpu = self.gpu(library, device.gpu)?;
        match device.mig {
            None => Ok(Arc::clone(&gpu.whole)),
            Some(index) => gpu.instance(library, index),
        }
    }

    /// The index of the GPU of this handle, among those that were asked for.
    pub(crate) fn index(&self, handle: Handle) -> Option<u32> {
        let found = self.0.iter().position(|gpu| gpu.get().is_some_and(|gpu| gpu.whole.handle == handle));
        found.and_then(|index| u32::try_from(index).ok())
    }

    /// Forgets the MIG devices of a GPU; their samples are freed, here or when the last question to them ends.
    pub(crate) fn forget_instances(&self, gpu: u32) {
        let place = usize::try_from(gpu).ok().and_then(|index| self.0.get(index));
        let Some(gpu) = place.and_then(OnceLock::get) else { return };
        let forgotten = {
            let mut instances = locked(&gpu.instances);
            instances.forgotten += 1;
            std::mem::take(&mut instances.known)
        };
        // Outside the lock, for the driver frees samples here.
        drop(forgotten);
    }
}
