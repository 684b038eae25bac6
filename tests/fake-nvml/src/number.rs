//! The scalar numbers of a device.

use crate::abi::{asked, called_for, code, give, version};
use nvidia::{Answer, Clock, Code, Number, Threshold};
use nvml_wrapper_sys::bindings::{
    nvmlDevice_t, nvmlDeviceAddressingMode_t, nvmlFanSpeedInfo_t, nvmlMarginTemperature_t, nvmlReturn_t,
    nvmlTemperature_t,
};
use std::ffi::{c_int, c_uint, c_ulonglong};

fn number(symbol: &str, device: nvmlDevice_t, what: Number) -> Answer<i64> {
    asked(symbol, device, |device| format!("number/{device}/{what}"))
}

/// A number of 64 bits in the driver's type of it: what is beyond is cut, and -1 is all ones, as scenarios say it.
macro_rules! cut {
    ($number:expr, $type:ty) => {
        $number as $type
    };
}

macro_rules! numbers {
    ($($symbol:ident -> $type:ty = $what:expr;)+) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $symbol(device: nvmlDevice_t, place: *mut $type) -> nvmlReturn_t {
            let number = number(stringify!($symbol), device, $what);
            // SAFETY: nvml.h: `place` is a place for one number.
            code(number.and_then(|number| unsafe { give(place, cut!(number, $type)) }))
        }
    )+};
}

numbers! {
    nvmlDeviceGetArchitecture -> c_uint = Number::Architecture;
    nvmlDeviceGetPowerUsage -> c_uint = Number::Power;
    nvmlDeviceGetEnforcedPowerLimit -> c_uint = Number::PowerLimitEnforced;
    nvmlDeviceGetPowerManagementLimit -> c_uint = Number::PowerLimitRequested;
    nvmlDeviceGetPowerManagementDefaultLimit -> c_uint = Number::PowerLimitDefault;
    nvmlDeviceGetTotalEnergyConsumption -> c_ulonglong = Number::Energy;
    nvmlDeviceGetPerformanceState -> c_uint = Number::PerformanceState;
    nvmlDeviceGetPowerState -> c_uint = Number::PerformanceState;
    nvmlDeviceGetCurrentClocksEventReasons -> c_ulonglong = Number::ThrottleReasons;
    nvmlDeviceGetCurrentClocksThrottleReasons -> c_ulonglong = Number::ThrottleReasons;
    nvmlDeviceGetNumFans -> c_uint = Number::Fans;
    nvmlDeviceGetFanSpeed -> c_uint = Number::Fan(0);
    nvmlDeviceGetCurrPcieLinkGeneration -> c_uint = Number::LinkGeneration;
    nvmlDeviceGetMaxPcieLinkGeneration -> c_uint = Number::LinkGenerationMax;
    nvmlDeviceGetCurrPcieLinkWidth -> c_uint = Number::LinkWidth;
    nvmlDeviceGetMaxPcieLinkWidth -> c_uint = Number::LinkWidthMax;
    nvmlDeviceGetPersistenceMode -> c_uint = Number::PersistenceMode;
    nvmlDeviceGetMaxMigDeviceCount -> c_uint = Number::MigDevices;
    nvmlDeviceGetGpuInstanceId -> c_uint = Number::GpuInstance;
    nvmlDeviceGetComputeInstanceId -> c_uint = Number::ComputeInstance;
}

/// One more argument chooses the number.
macro_rules! chosen {
    ($($symbol:ident($argument:ident) = $what:expr;)+) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $symbol(device: nvmlDevice_t, $argument: c_uint, place: *mut c_uint) -> nvmlReturn_t {
            let what: Option<Number> = $what;
            let number = what.ok_or(Code::INVALID_ARGUMENT).and_then(|what| number(stringify!($symbol), device, what));
            // SAFETY: nvml.h: `place` is a place for one number.
            code(number.and_then(|number| unsafe { give(place, cut!(number, c_uint)) }))
        }
    )+};
}

/// The enums of `nvidia` stand in the order of nvml.h.
fn nth<T: Copy>(all: &[T], number: c_uint) -> Option<T> {
    all.get(usize::try_from(number).ok()?).copied()
}

chosen! {
    nvmlDeviceGetClockInfo(kind) = nth(Clock::ALL, kind).map(Number::Clock);
    nvmlDeviceGetMaxClockInfo(kind) = nth(Clock::ALL, kind).map(Number::ClockMax);
    nvmlDeviceGetTemperature(sensor) = (sensor == 0).then_some(Number::Temperature);
    nvmlDeviceGetTemperatureThreshold(which) = match which {
        0..=3 => nth(Threshold::ALL, which).map(Number::Threshold),
        5 => Some(Number::Threshold(Threshold::Acoustic)),
        _ => None,
    };
    nvmlDeviceGetFanSpeed_v2(fan) = Some(Number::Fan(fan));
}

/// A busy percentage, and the period of which it is.
macro_rules! engines {
    ($($symbol:ident = $what:expr;)+) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $symbol(device: nvmlDevice_t, percent: *mut c_uint, period: *mut c_uint) -> nvmlReturn_t {
            let number = number(stringify!($symbol), device, $what);
            // SAFETY: nvml.h: each is a place for one number.
            code(number.and_then(|number| unsafe {
                give(percent, cut!(number, c_uint))?;
                give(period, 167_000)
            }))
        }
    )+};
}

engines! {
    nvmlDeviceGetEncoderUtilization = Number::Encoder;
    nvmlDeviceGetDecoderUtilization = Number::Decoder;
    nvmlDeviceGetJpgUtilization = Number::Jpeg;
    nvmlDeviceGetOfaUtilization = Number::Ofa;
}

/// A mode that is, and one that is to be: the same.
macro_rules! modes {
    ($($symbol:ident = $what:expr;)+) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $symbol(device: nvmlDevice_t, current: *mut c_uint, pending: *mut c_uint) -> nvmlReturn_t {
            let number = number(stringify!($symbol), device, $what);
            // SAFETY: nvml.h: each is a place for one number.
            code(number.and_then(|number| unsafe {
                give(current, cut!(number, c_uint))?;
                give(pending, cut!(number, c_uint))
            }))
        }
    )+};
}

modes! {
    nvmlDeviceGetEccMode = Number::EccMode;
    nvmlDeviceGetMigMode = Number::MigMode;
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetPowerManagementLimitConstraints(
    device: nvmlDevice_t,
    least: *mut c_uint,
    most: *mut c_uint,
) -> nvmlReturn_t {
    let both =
        called_for("nvmlDeviceGetPowerManagementLimitConstraints", device).and_then(|(world, device)| {
            let number = |what: Number| world.answer::<i64>(&format!("number/{device}/{what}"));
            Ok((number(Number::PowerLimitMin)?, number(Number::PowerLimitMax)?))
        });
    // SAFETY: nvml.h: each is a place for one number.
    code(both.and_then(|(min, max)| unsafe {
        give(least, cut!(min, c_uint))?;
        give(most, cut!(max, c_uint))
    }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetCudaComputeCapability(
    device: nvmlDevice_t,
    major: *mut c_int,
    minor: *mut c_int,
) -> nvmlReturn_t {
    let number = number("nvmlDeviceGetCudaComputeCapability", device, Number::ComputeCapability);
    // SAFETY: nvml.h: each is a place for one number.
    code(number.and_then(|number| unsafe {
        give(major, cut!(number / 10, c_int))?;
        give(minor, cut!(number % 10, c_int))
    }))
}

/// A struct that says its version, by which the driver tells who calls.
macro_rules! versioned {
    ($($symbol:ident($type:ty, $number:literal, $field:ident: $as:ty) = |$given:ident| $what:expr;)+) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $symbol(device: nvmlDevice_t, place: *mut $type) -> nvmlReturn_t {
            // SAFETY: nvml.h: `place` is null or a record of which the caller has filled in the questions.
            let $given = unsafe { place.as_mut() };
            code($given.ok_or(Code::INVALID_ARGUMENT).and_then(|$given| {
                if $given.version != version::<$type>($number) {
                    return Err(Code(25));
                }
                let number = number(stringify!($symbol), device, $what)?;
                $given.$field = cut!(number, $as);
                Ok(())
            }))
        }
    )+};
}

versioned! {
    nvmlDeviceGetAddressingMode(nvmlDeviceAddressingMode_t, 1, value: c_uint) = |given| Number::AddressingMode;
    nvmlDeviceGetMarginTemperature(nvmlMarginTemperature_t, 1, marginTemperature: c_int) = |given| Number::Margin;
    nvmlDeviceGetFanSpeedRPM(nvmlFanSpeedInfo_t, 1, speed: c_uint) = |given| Number::FanRpm(given.fan);
    nvmlDeviceGetTemperatureV(nvmlTemperature_t, 1, temperature: c_int) = |given| {
        if given.sensorType != 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        Number::Temperature
    };
}
