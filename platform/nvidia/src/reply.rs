//! What NVML answers, as plain records in the driver's own units.

use crate::answer::record;

record! {
    /// `nvmlMemory_v2_t`, in bytes; of the older call there is no `reserved`, and its `used` has it in.
    Memory {
        /// The framebuffer.
        total: u64,
        /// Held by driver and firmware; None from libraries that do not tell it apart.
        reserved: Option<u64>,
        /// Neither used nor reserved.
        free: u64,
        /// Held by work.
        used: u64,
    }
}

record! {
    /// `nvmlBAR1Memory_t`, in bytes.
    Bar1 {
        /// The window.
        total: u64,
        /// In use.
        used: u64,
    }
}

record! {
    /// `nvmlUtilization_t`, in percent of the last sampling period.
    Utilization {
        /// Any work.
        gpu: u32,
        /// The memory's interface.
        memory: u32,
    }
}

record! {
    /// `nvmlProcessInfo_t`: a process with a context.
    Process {
        /// Its id, in the namespace of whoever loaded the driver.
        pid: u32,
        /// Bytes that it holds; None for NVML_VALUE_NOT_AVAILABLE.
        used: Option<u64>,
        /// The GPU instance; None outside MIG.
        gpu_instance: Option<u32>,
        /// The compute instance; None outside MIG.
        compute_instance: Option<u32>,
    }
}

record! {
    /// `nvmlEccSramErrorStatus_t`: errors of on-chip memory.
    Sram {
        /// Uncorrected in the board's life, by parity.
        aggregate_parity: u64,
        /// Uncorrected in the board's life, by SEC-DED.
        aggregate_secded: u64,
        /// Corrected in the board's life.
        aggregate_corrected: u64,
        /// Uncorrected since the driver was loaded, by parity.
        volatile_parity: u64,
        /// Uncorrected since the driver was loaded, by SEC-DED.
        volatile_secded: u64,
        /// Corrected since the driver was loaded.
        volatile_corrected: u64,
        /// 1 if uncorrected ones are beyond the threshold.
        threshold_exceeded: u32,
    }
}

record! {
    /// `nvmlRowRemapperHistogramValues_t`: banks by their spare rows.
    Banks {
        /// All spare rows left.
        max: u32,
        /// Most.
        high: u32,
        /// Some.
        partial: u32,
        /// Few.
        low: u32,
        /// None.
        none: u32,
    }
}

record! {
    /// `nvmlGpuFabricInfo_t`.
    Fabric {
        /// `nvmlGpuFabricState_t`: 0 not supported, 1 not started, 2 in progress, 3 completed.
        state: u32,
        /// `nvmlReturn_t` of the registration, once completed.
        status: i32,
        /// The clique.
        clique: u32,
        /// The cluster's UUID, its first 8 bytes as a number, big-endian.
        cluster_high: u64,
        /// The other 8 bytes.
        cluster_low: u64,
    }
}

record! {
    /// `nvmlDeviceAttributes_t` of a MIG device.
    Instance {
        /// Multiprocessors.
        multiprocessors: u32,
        /// Slices of the GPU.
        gpu_slices: u32,
        /// Slices of compute.
        compute_slices: u32,
        /// MiB of memory.
        memory_mib: u64,
    }
}

record! {
    /// A critical error event (`nvmlEventTypeXidCriticalError`).
    Event {
        /// The driver's index of the GPU.
        gpu: u32,
        /// The number of the error.
        xid: u64,
    }
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// `unsigned int`, `unsigned long`, `unsigned long long`, `unsigned short`.
    Unsigned(u64),
    /// `signed int`, `signed long long`.
    Signed(i64),
    /// `double`.
    Real(f64),
}
