//! The trait behind which the driver stands: its questions, and the codes with which it refuses. Answers are as the
//! driver gave them, in its units; what they mean is decided elsewhere.

use crate::question::{Field, Number, Owner, Text, Version};
use crate::reply::{Banks, Bar1, Event, Fabric, Figure, Instance, Memory, Process, Sram, Utilization};
use std::fmt;

/// What the driver answered, or why not.
pub type Answer<T> = Result<T, Code>;

/// `nvmlReturn_t`: why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code(pub i32);

impl Code {
    /// NVML_ERROR_UNINITIALIZED.
    pub const UNINITIALIZED: Code = Code(1);
    /// NVML_ERROR_INVALID_ARGUMENT.
    pub const INVALID_ARGUMENT: Code = Code(2);
    /// NVML_ERROR_NOT_SUPPORTED: the device has no such thing.
    pub const NOT_SUPPORTED: Code = Code(3);
    /// NVML_ERROR_NO_PERMISSION.
    pub const NO_PERMISSION: Code = Code(4);
    /// NVML_ERROR_NOT_FOUND: no device, instance or process of this number.
    pub const NOT_FOUND: Code = Code(6);
    /// NVML_ERROR_DRIVER_NOT_LOADED.
    pub const DRIVER_NOT_LOADED: Code = Code(9);
    /// NVML_ERROR_TIMEOUT.
    pub const TIMEOUT: Code = Code(10);
    /// NVML_ERROR_LIBRARY_NOT_FOUND; here also a library that cannot be loaded.
    pub const LIBRARY_NOT_FOUND: Code = Code(12);
    /// NVML_ERROR_FUNCTION_NOT_FOUND; here also a symbol that the library lacks.
    pub const FUNCTION_NOT_FOUND: Code = Code(13);
    /// NVML_ERROR_GPU_IS_LOST: it fell off the bus.
    pub const GPU_IS_LOST: Code = Code(15);
    /// NVML_ERROR_RESET_REQUIRED.
    pub const RESET_REQUIRED: Code = Code(16);
    /// NVML_ERROR_OPERATING_SYSTEM: the system or a control group denies access to the device.
    pub const OPERATING_SYSTEM: Code = Code(17);
    /// NVML_ERROR_LIB_RM_VERSION_MISMATCH: library and kernel module are of different versions.
    pub const VERSION_MISMATCH: Code = Code(18);
    /// NVML_ERROR_INSUFFICIENT_RESOURCES.
    pub const INSUFFICIENT_RESOURCES: Code = Code(23);
    /// NVML_ERROR_UNKNOWN.
    pub const UNKNOWN: Code = Code(999);

    /// True where the device simply has no such thing, or the library is too old to know of it.
    pub const fn is_absence(self) -> bool {
        matches!(self, Code::NOT_SUPPORTED | Code::FUNCTION_NOT_FOUND | Code(25))
    }
}

/// Why the driver cannot be asked at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// NVML's code.
    pub code: Code,
    /// What the loader or the driver said, for people.
    pub words: String,
}

/// A GPU by the driver's index, or an instance of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Device {
    /// The GPU.
    pub gpu: u32,
    /// The MIG device by its index within the GPU; None for the whole GPU.
    pub mig: Option<u32>,
}

impl Device {
    /// The whole GPU of this index.
    pub const fn gpu(gpu: u32) -> Device {
        Device { gpu, mig: None }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mig {
            None => write!(f, "{}", self.gpu),
            Some(mig) => write!(f, "{}.{mig}", self.gpu),
        }
    }
}

/// The driver. A GPU may be asked on several threads at once; whether it is, the caller decides.
pub trait Driver: Send + Sync {
    /// How many GPUs there are (`nvmlDeviceGetCount_v2`), those that were lost since among them.
    ///
    /// # Errors
    /// The driver's code, here and below.
    fn count(&self) -> Answer<u32>;

    /// A version.
    fn version(&self, of: Version) -> Answer<String>;

    /// What a device is called.
    fn text(&self, device: Device, what: Text) -> Answer<String>;

    /// A number of a device.
    fn number(&self, device: Device, what: Number) -> Answer<i64>;

    /// A device's own memory (`nvmlDeviceGetMemoryInfo_v2`, else the first version). The error is that of the
    /// version which the library has.
    fn memory(&self, device: Device) -> Answer<Memory>;

    /// The window to it (`nvmlDeviceGetBAR1MemoryInfo`).
    fn bar1(&self, gpu: u32) -> Answer<Bar1>;

    /// How busy a GPU is (`nvmlDeviceGetUtilizationRates`).
    fn utilization(&self, gpu: u32) -> Answer<Utilization>;

    /// Many fields in one call of the driver; `answers` gets one for each of `fields`, in their order.
    fn fields(&self, gpu: u32, fields: &[Field], answers: &mut Vec<Answer<Figure>>) -> Answer<()>;

    /// The processes with a context on a device, appended to `found`.
    fn processes(&self, device: Device, owner: Owner, found: &mut Vec<Process>) -> Answer<()>;

    /// Errors of on-chip memory (`nvmlDeviceGetSramEccErrorStatus`).
    fn sram(&self, gpu: u32) -> Answer<Sram>;

    /// Spare rows (`nvmlDeviceGetRowRemapperHistogram`).
    fn banks(&self, gpu: u32) -> Answer<Banks>;

    /// The fabric (`nvmlDeviceGetGpuFabricInfoV`, else `nvmlDeviceGetGpuFabricInfo`).
    fn fabric(&self, gpu: u32) -> Answer<Fabric>;

    /// What a MIG device consists of (`nvmlDeviceGetAttributes_v2`).
    fn instance(&self, device: Device) -> Answer<Instance>;

    /// Takes a sample for GPM (`nvmlGpmSampleGet`, `nvmlGpmMigSampleGet`) into this slot of the device, 0 to 15.
    fn gpm_sample(&self, device: Device, slot: u8) -> Answer<()>;

    /// Metrics between two samples (`nvmlGpmMetricsGet`); `answers` gets one for each of `metrics`, in their order
    /// and in the units of nvml.h (percent, MiB/s, cycles).
    fn gpm(
        &self,
        device: Device,
        older: u8,
        newer: u8,
        metrics: &[u32],
        answers: &mut Vec<Answer<f64>>,
    ) -> Answer<()>;

    /// Critical errors since the last time, appended to `found` (`nvmlEventSetWait_v2` until there are no more).
    /// The first call registers for them and finds none.
    fn events(&self, found: &mut Vec<Event>) -> Answer<()>;

    /// Forgets which MIG devices there are: after the GPU was divided anew, their indices mean others.
    fn forget_instances(&self, gpu: u32);
}
