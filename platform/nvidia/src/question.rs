//! What NVML can be asked for: names of its texts, numbers and fields, with the words that they have in captures.

use std::fmt;

/// States an enum of what can be asked for, with the word of each in a capture.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$item])* $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The word in a capture.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }
    };
}

words! {
    /// A version of the driver's parts.
    Version {
        /// `nvmlSystemGetDriverVersion`.
        Driver = "driver",
        /// `nvmlSystemGetNVMLVersion`.
        Library = "library",
        /// `nvmlSystemGetCudaDriverVersion_v2`, as major.minor.
        Cuda = "cuda",
    }
}

words! {
    /// What a device is called.
    Text {
        /// `nvmlDeviceGetName`.
        Name = "name",
        /// `nvmlDeviceGetUUID`.
        Uuid = "uuid",
        /// `nvmlDeviceGetPciInfo_v3`, `busId`: 00000000:65:00.0, the domain of 8 digits.
        PciBusId = "pci-bus-id",
        /// `nvmlDeviceGetVbiosVersion`.
        Vbios = "vbios",
        /// `nvmlDeviceGetSerial`.
        Serial = "serial",
    }
}

words! {
    /// `nvmlClockType_t`. Answers are in MHz.
    Clock {
        /// NVML_CLOCK_GRAPHICS.
        Graphics = "graphics",
        /// NVML_CLOCK_SM.
        Sm = "sm",
        /// NVML_CLOCK_MEM.
        Memory = "memory",
        /// NVML_CLOCK_VIDEO.
        Video = "video",
    }
}

words! {
    /// `nvmlTemperatureThresholds_t`. Answers are in degrees Celsius.
    Threshold {
        /// NVML_TEMPERATURE_THRESHOLD_SHUTDOWN.
        Shutdown = "shutdown",
        /// NVML_TEMPERATURE_THRESHOLD_SLOWDOWN.
        Slowdown = "slowdown",
        /// NVML_TEMPERATURE_THRESHOLD_MEM_MAX.
        MemoryMax = "memory_max",
        /// NVML_TEMPERATURE_THRESHOLD_GPU_MAX.
        GpuMax = "gpu_max",
        /// NVML_TEMPERATURE_THRESHOLD_ACOUSTIC_CURR.
        Acoustic = "acoustic",
    }
}

words! {
    /// Whose contexts are listed.
    Owner {
        /// `nvmlDeviceGetComputeRunningProcesses_v3`.
        Compute = "compute",
        /// `nvmlDeviceGetGraphicsRunningProcesses_v3`.
        Graphics = "graphics",
        /// `nvmlDeviceGetMPSComputeRunningProcesses_v3`.
        Mps = "mps",
    }
}

/// One number of a device. What the driver gives as unsigned and is beyond `i64` is told as -1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Number {
    /// `nvmlDeviceGetAddressingMode`: 0 none, 1 HMM, 2 ATS.
    AddressingMode,
    /// `nvmlDeviceGetArchitecture`: 2 Kepler, 3 Maxwell, 4 Pascal, 5 Volta, 6 Turing, 7 Ampere, 8 Ada, 9 Hopper,
    /// 10 Blackwell ...
    Architecture,
    /// `nvmlDeviceGetCudaComputeCapability`: ten times the major plus the minor, so 121 is 12.1.
    ComputeCapability,
    /// `nvmlDeviceGetPowerUsage`, in mW.
    Power,
    /// `nvmlDeviceGetEnforcedPowerLimit`, in mW.
    PowerLimitEnforced,
    /// `nvmlDeviceGetPowerManagementLimit`, in mW.
    PowerLimitRequested,
    /// `nvmlDeviceGetPowerManagementDefaultLimit`, in mW.
    PowerLimitDefault,
    /// `nvmlDeviceGetPowerManagementLimitConstraints`, the least, in mW.
    PowerLimitMin,
    /// `nvmlDeviceGetPowerManagementLimitConstraints`, the most, in mW.
    PowerLimitMax,
    /// `nvmlDeviceGetTotalEnergyConsumption`, in mJ since the driver was loaded.
    Energy,
    /// `nvmlDeviceGetTemperature` of NVML_TEMPERATURE_GPU, in degrees Celsius.
    Temperature,
    /// `nvmlDeviceGetMarginTemperature` (T.Limit), in degrees Celsius; may be below 0.
    Margin,
    /// `nvmlDeviceGetTemperatureThreshold`, in degrees Celsius.
    Threshold(Threshold),
    /// `nvmlDeviceGetClockInfo`, in MHz.
    Clock(Clock),
    /// `nvmlDeviceGetMaxClockInfo`, in MHz.
    ClockMax(Clock),
    /// `nvmlDeviceGetPerformanceState`: 0 to 15; 32 is unknown.
    PerformanceState,
    /// `nvmlDeviceGetCurrentClocksEventReasons`, or `nvmlDeviceGetCurrentClocksThrottleReasons` of older libraries:
    /// a set of bits.
    ThrottleReasons,
    /// `nvmlDeviceGetNumFans`.
    Fans,
    /// `nvmlDeviceGetFanSpeed_v2` of a fan, in percent; may be above 100.
    Fan(u32),
    /// `nvmlDeviceGetFanSpeedRPM` of a fan.
    FanRpm(u32),
    /// `nvmlDeviceGetCurrPcieLinkGeneration`.
    LinkGeneration,
    /// `nvmlDeviceGetMaxPcieLinkGeneration`.
    LinkGenerationMax,
    /// `nvmlDeviceGetCurrPcieLinkWidth`.
    LinkWidth,
    /// `nvmlDeviceGetMaxPcieLinkWidth`.
    LinkWidthMax,
    /// `nvmlDeviceGetEncoderUtilization`, in percent.
    Encoder,
    /// `nvmlDeviceGetDecoderUtilization`, in percent.
    Decoder,
    /// `nvmlDeviceGetJpgUtilization`, in percent.
    Jpeg,
    /// `nvmlDeviceGetOfaUtilization`, in percent.
    Ofa,
    /// `nvmlDeviceGetPersistenceMode`: 0 or 1.
    PersistenceMode,
    /// `nvmlDeviceGetEccMode`, the current one: 0 or 1.
    EccMode,
    /// `nvmlDeviceGetMigMode`, the current one: 0 or 1.
    MigMode,
    /// `nvmlDeviceGetMaxMigDeviceCount`.
    MigDevices,
    /// `nvmlGpmQueryDeviceSupport`: 0 or 1.
    GpmSupport,
    /// `nvmlDeviceGetGpuInstanceId` of a MIG device.
    GpuInstance,
    /// `nvmlDeviceGetComputeInstanceId` of a MIG device.
    ComputeInstance,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Number::AddressingMode => "addressing-mode",
            Number::Architecture => "architecture",
            Number::ComputeCapability => "compute-capability",
            Number::Power => "power",
            Number::PowerLimitEnforced => "power-limit.enforced",
            Number::PowerLimitRequested => "power-limit.requested",
            Number::PowerLimitDefault => "power-limit.default",
            Number::PowerLimitMin => "power-limit.min",
            Number::PowerLimitMax => "power-limit.max",
            Number::Energy => "energy",
            Number::Temperature => "temperature",
            Number::Margin => "margin",
            Number::Threshold(threshold) => return write!(f, "threshold.{}", threshold.word()),
            Number::Clock(clock) => return write!(f, "clock.{}", clock.word()),
            Number::ClockMax(clock) => return write!(f, "clock-max.{}", clock.word()),
            Number::PerformanceState => "performance-state",
            Number::ThrottleReasons => "throttle-reasons",
            Number::Fans => "fans",
            Number::Fan(fan) => return write!(f, "fan.{fan}"),
            Number::FanRpm(fan) => return write!(f, "fan-rpm.{fan}"),
            Number::LinkGeneration => "link-generation",
            Number::LinkGenerationMax => "link-generation-max",
            Number::LinkWidth => "link-width",
            Number::LinkWidthMax => "link-width-max",
            Number::Encoder => "encoder",
            Number::Decoder => "decoder",
            Number::Jpeg => "jpeg",
            Number::Ofa => "ofa",
            Number::PersistenceMode => "persistence-mode",
            Number::EccMode => "ecc-mode",
            Number::MigMode => "mig-mode",
            Number::MigDevices => "mig-devices",
            Number::GpmSupport => "gpm-support",
            Number::GpuInstance => "gpu-instance",
            Number::ComputeInstance => "compute-instance",
        };
        f.write_str(word)
    }
}

/// A field of `nvmlDeviceGetFieldValues`: its id (NVML_FI_*) and scope (a link, or a part of the board).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// NVML_FI_*, in the numbering of drivers from 580.82 on.
    pub id: u32,
    /// `scopeId`.
    pub scope: u32,
}
