//! One number of a device, and what it is called.

use crate::handle::Handle;
use crate::library::Library;
use crate::record::version;
use crate::symbols::{Fills, Pairs, Plain, Symbol};
use crate::text;
use nvidia::{Answer, Clock, Code, Number, Text, Threshold, Version};
use nvml_wrapper_sys::bindings::*;

/// NVML_TEMPERATURE_GPU.
const SENSOR: u32 = nvmlTemperatureSensors_enum_NVML_TEMPERATURE_GPU;

/// A version of the driver's parts.
pub(crate) fn version_of(library: &Library, of: Version) -> Answer<String> {
    let (s, meter) = (&library.symbols, &library.meter);
    match of {
        Version::Driver => s.nvmlSystemGetDriverVersion.ask(meter),
        Version::Library => s.nvmlSystemGetNVMLVersion.ask(meter),
        Version::Cuda => s.nvmlSystemGetCudaDriverVersion_v2.ask(meter).map(text::cuda),
    }
}

/// What a device is called.
pub(crate) fn text(library: &Library, device: Handle, what: Text) -> Answer<String> {
    let (s, meter) = (&library.symbols, &library.meter);
    match what {
        Text::Name => s.nvmlDeviceGetName.ask(meter, device),
        Text::Uuid => s.nvmlDeviceGetUUID.ask(meter, device),
        Text::Vbios => s.nvmlDeviceGetVbiosVersion.ask(meter, device),
        Text::Serial => s.nvmlDeviceGetSerial.ask(meter, device),
        Text::PciBusId => {
            let pci = s.nvmlDeviceGetPciInfo_v3.ask(meter, device, Plain::zero())?;
            // A C char has a sign on some architectures.
            let bytes = pci.busId.map(|char| {
                let [byte] = char.to_ne_bytes();
                byte
            });
            Ok(text::repaired(&bytes))
        }
    }
}

/// One number of a device.
pub(crate) fn number(library: &Library, device: Handle, what: Number) -> Answer<i64> {
    let (s, meter) = (&library.symbols, &library.meter);
    let one = |symbol: &Symbol<Fills<u32>>| symbol.ask(meter, device, 0).map(i64::from);
    let first = |symbol: &Symbol<Pairs<u32>>| symbol.ask(meter, device).map(|(first, _)| i64::from(first));
    match what {
        Number::AddressingMode => {
            let room =
                nvmlDeviceAddressingMode_t { version: version::<nvmlDeviceAddressingMode_t>(1), value: 0 };
            s.nvmlDeviceGetAddressingMode.ask(meter, device, room).map(|mode| mode.value.into())
        }
        Number::Architecture => one(&s.nvmlDeviceGetArchitecture),
        Number::ComputeCapability => {
            let (major, minor) = s.nvmlDeviceGetCudaComputeCapability.ask(meter, device)?;
            Ok(i64::from(major) * 10 + i64::from(minor))
        }
        Number::Power => one(&s.nvmlDeviceGetPowerUsage),
        Number::PowerLimitEnforced => one(&s.nvmlDeviceGetEnforcedPowerLimit),
        Number::PowerLimitRequested => one(&s.nvmlDeviceGetPowerManagementLimit),
        Number::PowerLimitDefault => one(&s.nvmlDeviceGetPowerManagementDefaultLimit),
        Number::PowerLimitMin => first(&s.nvmlDeviceGetPowerManagementLimitConstraints),
        Number::PowerLimitMax => {
            let (_, most) = s.nvmlDeviceGetPowerManagementLimitConstraints.ask(meter, device)?;
            Ok(most.into())
        }
        Number::Energy => s.nvmlDeviceGetTotalEnergyConsumption.ask(meter, device, 0).map(signed),
        Number::Temperature => s.nvmlDeviceGetTemperature.ask(meter, device, SENSOR).map(i64::from),
        Number::Margin => {
            let room = nvmlMarginTemperature_t {
                version: version::<nvmlMarginTemperature_t>(1),
                marginTemperature: 0,
            };
            s.nvmlDeviceGetMarginTemperature
                .ask(meter, device, room)
                .map(|room| room.marginTemperature.into())
        }
        Number::Threshold(of) => {
            s.nvmlDeviceGetTemperatureThreshold.ask(meter, device, threshold(of)).map(i64::from)
        }
        Number::Clock(of) => s.nvmlDeviceGetClockInfo.ask(meter, device, clock(of)).map(i64::from),
        Number::ClockMax(of) => s.nvmlDeviceGetMaxClockInfo.ask(meter, device, clock(of)).map(i64::from),
        Number::PerformanceState => one(&s.nvmlDeviceGetPerformanceState),
        Number::ThrottleReasons => {
            let newer = &s.nvmlDeviceGetCurrentClocksEventReasons;
            let symbol = if newer.is_there() { newer } else { &s.nvmlDeviceGetCurrentClocksThrottleReasons };
            symbol.ask(meter, device, 0).map(signed)
        }
        Number::Fans => one(&s.nvmlDeviceGetNumFans),
        Number::Fan(fan) => s.nvmlDeviceGetFanSpeed_v2.ask(meter, device, fan).map(i64::from),
        Number::FanRpm(fan) => {
            let room = nvmlFanSpeedInfo_t { version: version::<nvmlFanSpeedInfo_t>(1), fan, speed: 0 };
            s.nvmlDeviceGetFanSpeedRPM.ask(meter, device, room).map(|fan| fan.speed.into())
        }
        Number::LinkGeneration => one(&s.nvmlDeviceGetCurrPcieLinkGeneration),
        Number::LinkGenerationMax => one(&s.nvmlDeviceGetMaxPcieLinkGeneration),
        Number::LinkWidth => one(&s.nvmlDeviceGetCurrPcieLinkWidth),
        Number::LinkWidthMax => one(&s.nvmlDeviceGetMaxPcieLinkWidth),
        Number::Encoder => first(&s.nvmlDeviceGetEncoderUtilization),
        Number::Decoder => first(&s.nvmlDeviceGetDecoderUtilization),
        Number::Jpeg => first(&s.nvmlDeviceGetJpgUtilization),
        Number::Ofa => first(&s.nvmlDeviceGetOfaUtilization),
        Number::PersistenceMode => one(&s.nvmlDeviceGetPersistenceMode),
        Number::EccMode => first(&s.nvmlDeviceGetEccMode),
        Number::MigMode => first(&s.nvmlDeviceGetMigMode),
        Number::MigDevices => one(&s.nvmlDeviceGetMaxMigDeviceCount),
        Number::GpmSupport => {
            let room = nvmlGpmSupport_t { version: NVML_GPM_SUPPORT_VERSION, isSupportedDevice: 0 };
            s.nvmlGpmQueryDeviceSupport.ask(meter, device, room).map(|room| room.isSupportedDevice.into())
        }
        Number::GpuInstance => one(&s.nvmlDeviceGetGpuInstanceId),
        Number::ComputeInstance => one(&s.nvmlDeviceGetComputeInstanceId),
    }
}

/// As the trait has it: -1 for what is beyond an i64 (the driver says all ones where it does not know).
#[expect(clippy::disallowed_methods, reason = "the trait says that this is told as -1, which is no reading")]
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(-1)
}

const fn clock(of: Clock) -> u32 {
    match of {
        Clock::Graphics => nvmlClockType_enum_NVML_CLOCK_GRAPHICS,
        Clock::Sm => nvmlClockType_enum_NVML_CLOCK_SM,
        Clock::Memory => nvmlClockType_enum_NVML_CLOCK_MEM,
        Clock::Video => nvmlClockType_enum_NVML_CLOCK_VIDEO,
    }
}

const fn threshold(of: Threshold) -> u32 {
    match of {
        Threshold::Shutdown => nvmlTemperatureThresholds_enum_NVML_TEMPERATURE_THRESHOLD_SHUTDOWN,
        Threshold::Slowdown => nvmlTemperatureThresholds_enum_NVML_TEMPERATURE_THRESHOLD_SLOWDOWN,
        Threshold::MemoryMax => nvmlTemperatureThresholds_enum_NVML_TEMPERATURE_THRESHOLD_MEM_MAX,
        Threshold::GpuMax => nvmlTemperatureThresholds_enum_NVML_TEMPERATURE_THRESHOLD_GPU_MAX,
        Threshold::Acoustic => nvmlTemperatureThresholds_enum_NVML_TEMPERATURE_THRESHOLD_ACOUSTIC_CURR,
    }
}

/// What the driver says of itself, as numbers.
pub(crate) fn driver(library: &Library) -> Option<(u32, u32)> {
    let version: Result<String, Code> = version_of(library, Version::Driver);
    version.ok().and_then(|version| text::major_minor(&version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_beyond_an_i64_is_told_as_minus_one() {
        assert_eq!((signed(0), signed(i64::MAX as u64)), (0, i64::MAX));
        assert_eq!((signed(1 << 63), signed(u64::MAX)), (-1, -1));
    }
}
