//! The functions that are called, each looked up by its name when the library is opened: one that is missing is an
//! answer (FUNCTION_NOT_FOUND), never a crash in the middle of a call as with lazy binding.
//!
//! Signatures are not written by hand and trusted: the compiler holds each against the bindings that were generated
//! from nvml.h. Functions of the same shape share one unsafe block, here; the few of other shapes are called where
//! they are used.

use crate::handle::Handle;
use crate::meter::Meter;
use libloading::Library;
use nvidia::{Answer, Code};
use nvml_wrapper_sys::bindings::*;
use std::ffi::{c_char, c_int, c_uint, c_ulonglong};

/// Bytes given for a text. The longest that nvml.h allows are names and UUIDs, 96 (NVML_DEVICE_UUID_V2_BUFFER_SIZE).
pub(crate) const TEXT_BYTES: usize = 128;

/// A function of the library, if it has it.
pub(crate) struct Symbol<F>(Option<F>);

impl<F: Copy> Symbol<F> {
    /// The function, for a call that is argued where it is made. It must not outlive the library.
    pub(crate) fn function(&self) -> Answer<F> {
        self.0.ok_or(Code::FUNCTION_NOT_FOUND)
    }

    /// Whether the library has it.
    pub(crate) const fn is_there(&self) -> bool {
        self.0.is_some()
    }
}

/// Plain numbers, as C lays them out.
///
/// # Safety
/// Every pattern of bits is a value, the one of zeros among them. (The bindings have C's enums as plain integers.)
pub(crate) unsafe trait Plain: Copy {
    /// All of it zero.
    fn zero() -> Self {
        // SAFETY: the trait promises that zeros are a value.
        unsafe { std::mem::zeroed() }
    }
}

macro_rules! plain {
    ($($type:ty),+ $(,)?) => {$(
        // SAFETY: an integer, or a struct of nothing but integers and arrays of them.
        unsafe impl Plain for $type {}
    )+};
}

plain!(
    c_uint,
    c_int,
    c_ulonglong,
    nvmlMemory_t,
    nvmlMemory_v2_t,
    nvmlBAR1Memory_t,
    nvmlUtilization_t,
    nvmlEccSramErrorStatus_t,
    nvmlRowRemapperHistogramValues_t,
    nvmlGpuFabricInfo_t,
    nvmlGpuFabricInfoV_t,
    nvmlDeviceAttributes_t,
    nvmlDeviceAddressingMode_t,
    nvmlMarginTemperature_t,
    nvmlFanSpeedInfo_t,
    nvmlGpmSupport_t,
    nvmlPciInfo_t,
    nvmlProcessInfo_v1_t,
    nvmlProcessInfo_v2_t,
);

/// Fills one T of a device. A struct with a version says in it how large it is.
pub(crate) type Fills<T> = unsafe extern "C" fn(nvmlDevice_t, *mut T) -> nvmlReturn_t;
/// Fills one T of a device, of what the second argument names.
pub(crate) type Picks = unsafe extern "C" fn(nvmlDevice_t, c_uint, *mut c_uint) -> nvmlReturn_t;
/// Fills two T of a device.
pub(crate) type Pairs<T> = unsafe extern "C" fn(nvmlDevice_t, *mut T, *mut T) -> nvmlReturn_t;
/// Writes a text about a device, with its NUL, into as many bytes as the last argument says.
pub(crate) type Names = unsafe extern "C" fn(nvmlDevice_t, *mut c_char, c_uint) -> nvmlReturn_t;
/// The same about the system.
pub(crate) type SystemNames = unsafe extern "C" fn(*mut c_char, c_uint) -> nvmlReturn_t;
/// Fills one T of the system.
pub(crate) type SystemFills<T> = unsafe extern "C" fn(*mut T) -> nvmlReturn_t;
/// Fills an array of as many T as the second argument says, and writes there how many there were.
pub(crate) type Lists<T> = unsafe extern "C" fn(nvmlDevice_t, *mut c_uint, *mut T) -> nvmlReturn_t;

impl<T: Plain> Symbol<Fills<T>> {
    /// One T of a device. `room` is zeros, or says its version.
    pub(crate) fn ask(&self, meter: &Meter, device: Handle, mut room: T) -> Answer<T> {
        let call = self.function()?;
        // SAFETY: the signature is the header's; the handle is this library's, which checks it; `room` is a whole T
        // that lives through the call, and a versioned T says its own size, beyond which nothing is written.
        meter.time(|| unsafe { call(device.raw(), &raw mut room) })?;
        Ok(room)
    }
}

impl Symbol<Picks> {
    /// The number of a device that `which` names.
    pub(crate) fn ask(&self, meter: &Meter, device: Handle, which: c_uint) -> Answer<c_uint> {
        let call = self.function()?;
        let mut room = 0;
        // SAFETY: as of `Fills`; `which` is a number, that the library checks.
        meter.time(|| unsafe { call(device.raw(), which, &raw mut room) })?;
        Ok(room)
    }
}

impl<T: Plain> Symbol<Pairs<T>> {
    /// Two T of a device.
    pub(crate) fn ask(&self, meter: &Meter, device: Handle) -> Answer<(T, T)> {
        let call = self.function()?;
        let (mut one, mut other) = (T::zero(), T::zero());
        // SAFETY: as of `Fills`, for each of the two; they do not overlap.
        meter.time(|| unsafe { call(device.raw(), &raw mut one, &raw mut other) })?;
        Ok((one, other))
    }
}

impl Symbol<Names> {
    /// A text about a device.
    pub(crate) fn ask(&self, meter: &Meter, device: Handle) -> Answer<String> {
        let call = self.function()?;
        let mut room = [0u8; TEXT_BYTES];
        // SAFETY: the signature is the header's, the handle this library's; `room` has as many bytes as is said.
        meter.time(|| unsafe { call(device.raw(), room.as_mut_ptr().cast(), TEXT_BYTES as c_uint) })?;
        Ok(crate::text::repaired(&room))
    }
}

impl Symbol<SystemNames> {
    /// A text about the system.
    pub(crate) fn ask(&self, meter: &Meter) -> Answer<String> {
        let call = self.function()?;
        let mut room = [0u8; TEXT_BYTES];
        // SAFETY: the signature is the header's; `room` has as many bytes as is said.
        meter.time(|| unsafe { call(room.as_mut_ptr().cast(), TEXT_BYTES as c_uint) })?;
        Ok(crate::text::repaired(&room))
    }
}

impl<T: Plain> Symbol<SystemFills<T>> {
    /// One T of the system.
    pub(crate) fn ask(&self, meter: &Meter) -> Answer<T> {
        let call = self.function()?;
        let mut room = T::zero();
        // SAFETY: the signature is the header's; `room` is a whole T that lives through the call.
        meter.time(|| unsafe { call(&raw mut room) })?;
        Ok(room)
    }
}

impl<T: Plain> Symbol<Lists<T>> {
    /// Has `words` filled with records, of which it is said to have room for half as many as it has, and the count
    /// of records, whether they fit (the answer is Ok) or not (the code is INSUFFICIENT_SIZE).
    pub(crate) fn list(
        &self,
        meter: &Meter,
        device: Handle,
        words: &mut [u64],
    ) -> Answer<(c_uint, Answer<()>)> {
        const { assert!(align_of::<T>() <= align_of::<u64>()) };
        let call = self.function()?;
        let fitting = size_of_val(words) / size_of::<T>() / 2;
        let mut count = c_uint::try_from(fitting).map_err(|_| Code::INVALID_ARGUMENT)?;
        // SAFETY: the signature is the header's, the handle this library's; `words` is aligned for T and has twice
        // the bytes of `count` records, so that a library whose records are a third larger stays within it.
        let answer = meter.time(|| unsafe { call(device.raw(), &raw mut count, words.as_mut_ptr().cast()) });
        Ok((count, answer))
    }
}

macro_rules! symbols {
    ($($name:ident: $type:ty,)+) => {
        /// The functions by the header's names.
        #[expect(non_snake_case, reason = "the header's names")]
        pub(crate) struct Symbols { $(pub(crate) $name: Symbol<$type>,)+ }

        impl Symbols {
            /// Looks each up.
            ///
            /// # Safety
            /// The library is NVML: what it has under these names has the header's signatures.
            pub(crate) unsafe fn of(library: &Library) -> Symbols {
                $(const _: fn(&NvmlLib) -> &Result<$type, libloading::Error> = |bindings| &bindings.$name;)+
                // SAFETY: the type is the header's, which the line above made sure of; the rest the caller promises.
                Symbols { $($name: Symbol(unsafe { library.get::<$type>(concat!(stringify!($name), "\0").as_bytes()) }
                    .ok().map(|symbol| *symbol)),)+ }
            }
        }
    };
}

symbols! {
    nvmlInit_v2: unsafe extern "C" fn() -> nvmlReturn_t,
    nvmlShutdown: unsafe extern "C" fn() -> nvmlReturn_t,
    nvmlErrorString: unsafe extern "C" fn(nvmlReturn_t) -> *const c_char,
    nvmlSystemGetDriverVersion: SystemNames,
    nvmlSystemGetNVMLVersion: SystemNames,
    nvmlSystemGetCudaDriverVersion_v2: SystemFills<c_int>,
    nvmlDeviceGetCount_v2: SystemFills<c_uint>,
    nvmlDeviceGetHandleByIndex_v2: unsafe extern "C" fn(c_uint, *mut nvmlDevice_t) -> nvmlReturn_t,
    nvmlDeviceGetMigDeviceHandleByIndex:
        unsafe extern "C" fn(nvmlDevice_t, c_uint, *mut nvmlDevice_t) -> nvmlReturn_t,
    nvmlDeviceGetIndex: Fills<c_uint>,
    nvmlDeviceGetName: Names,
    nvmlDeviceGetUUID: Names,
    nvmlDeviceGetVbiosVersion: Names,
    nvmlDeviceGetSerial: Names,
    nvmlDeviceGetPciInfo_v3: Fills<nvmlPciInfo_t>,
    nvmlDeviceGetAddressingMode: Fills<nvmlDeviceAddressingMode_t>,
    nvmlDeviceGetArchitecture: Fills<c_uint>,
    nvmlDeviceGetCudaComputeCapability: Pairs<c_int>,
    nvmlDeviceGetPowerUsage: Fills<c_uint>,
    nvmlDeviceGetEnforcedPowerLimit: Fills<c_uint>,
    nvmlDeviceGetPowerManagementLimit: Fills<c_uint>,
    nvmlDeviceGetPowerManagementDefaultLimit: Fills<c_uint>,
    nvmlDeviceGetPowerManagementLimitConstraints: Pairs<c_uint>,
    nvmlDeviceGetTotalEnergyConsumption: Fills<c_ulonglong>,
    nvmlDeviceGetTemperature: Picks,
    nvmlDeviceGetTemperatureThreshold: Picks,
    nvmlDeviceGetMarginTemperature: Fills<nvmlMarginTemperature_t>,
    nvmlDeviceGetClockInfo: Picks,
    nvmlDeviceGetMaxClockInfo: Picks,
    nvmlDeviceGetPerformanceState: Fills<c_uint>,
    nvmlDeviceGetCurrentClocksEventReasons: Fills<c_ulonglong>,
    nvmlDeviceGetCurrentClocksThrottleReasons: Fills<c_ulonglong>,
    nvmlDeviceGetNumFans: Fills<c_uint>,
    nvmlDeviceGetFanSpeed_v2: Picks,
    nvmlDeviceGetFanSpeedRPM: Fills<nvmlFanSpeedInfo_t>,
    nvmlDeviceGetCurrPcieLinkGeneration: Fills<c_uint>,
    nvmlDeviceGetMaxPcieLinkGeneration: Fills<c_uint>,
    nvmlDeviceGetCurrPcieLinkWidth: Fills<c_uint>,
    nvmlDeviceGetMaxPcieLinkWidth: Fills<c_uint>,
    nvmlDeviceGetEncoderUtilization: Pairs<c_uint>,
    nvmlDeviceGetDecoderUtilization: Pairs<c_uint>,
    nvmlDeviceGetJpgUtilization: Pairs<c_uint>,
    nvmlDeviceGetOfaUtilization: Pairs<c_uint>,
    nvmlDeviceGetPersistenceMode: Fills<c_uint>,
    nvmlDeviceGetEccMode: Pairs<c_uint>,
    nvmlDeviceGetMigMode: Pairs<c_uint>,
    nvmlDeviceGetMaxMigDeviceCount: Fills<c_uint>,
    nvmlDeviceGetGpuInstanceId: Fills<c_uint>,
    nvmlDeviceGetComputeInstanceId: Fills<c_uint>,
    nvmlDeviceGetMemoryInfo: Fills<nvmlMemory_t>,
    nvmlDeviceGetMemoryInfo_v2: Fills<nvmlMemory_v2_t>,
    nvmlDeviceGetBAR1MemoryInfo: Fills<nvmlBAR1Memory_t>,
    nvmlDeviceGetUtilizationRates: Fills<nvmlUtilization_t>,
    nvmlDeviceGetFieldValues: unsafe extern "C" fn(nvmlDevice_t, c_int, *mut nvmlFieldValue_t) -> nvmlReturn_t,
    nvmlDeviceGetComputeRunningProcesses_v3: Lists<nvmlProcessInfo_v2_t>,
    nvmlDeviceGetComputeRunningProcesses_v2: Lists<nvmlProcessInfo_v2_t>,
    nvmlDeviceGetComputeRunningProcesses: Lists<nvmlProcessInfo_v1_t>,
    nvmlDeviceGetGraphicsRunningProcesses_v3: Lists<nvmlProcessInfo_v2_t>,
    nvmlDeviceGetGraphicsRunningProcesses_v2: Lists<nvmlProcessInfo_v2_t>,
    nvmlDeviceGetGraphicsRunningProcesses: Lists<nvmlProcessInfo_v1_t>,
    nvmlDeviceGetMPSComputeRunningProcesses_v3: Lists<nvmlProcessInfo_v2_t>,
    nvmlDeviceGetMPSComputeRunningProcesses_v2: Lists<nvmlProcessInfo_v2_t>,
    nvmlDeviceGetMPSComputeRunningProcesses: Lists<nvmlProcessInfo_v1_t>,
    nvmlDeviceGetSramEccErrorStatus: Fills<nvmlEccSramErrorStatus_t>,
    nvmlDeviceGetRowRemapperHistogram: Fills<nvmlRowRemapperHistogramValues_t>,
    nvmlDeviceGetGpuFabricInfo: Fills<nvmlGpuFabricInfo_t>,
    nvmlDeviceGetGpuFabricInfoV: Fills<nvmlGpuFabricInfoV_t>,
    nvmlDeviceGetAttributes_v2: Fills<nvmlDeviceAttributes_t>,
    nvmlGpmQueryDeviceSupport: Fills<nvmlGpmSupport_t>,
    nvmlGpmSampleAlloc: unsafe extern "C" fn(*mut nvmlGpmSample_t) -> nvmlReturn_t,
    nvmlGpmSampleFree: unsafe extern "C" fn(nvmlGpmSample_t) -> nvmlReturn_t,
    nvmlGpmSampleGet: unsafe extern "C" fn(nvmlDevice_t, nvmlGpmSample_t) -> nvmlReturn_t,
    nvmlGpmMigSampleGet: unsafe extern "C" fn(nvmlDevice_t, c_uint, nvmlGpmSample_t) -> nvmlReturn_t,
    nvmlGpmMetricsGet: unsafe extern "C" fn(*mut nvmlGpmMetricsGet_t) -> nvmlReturn_t,
    nvmlEventSetCreate: unsafe extern "C" fn(*mut nvmlEventSet_t) -> nvmlReturn_t,
    nvmlDeviceGetSupportedEventTypes: Fills<c_ulonglong>,
    nvmlDeviceRegisterEvents: unsafe extern "C" fn(nvmlDevice_t, c_ulonglong, nvmlEventSet_t) -> nvmlReturn_t,
    nvmlEventSetWait_v2: unsafe extern "C" fn(nvmlEventSet_t, *mut nvmlEventData_t, c_uint) -> nvmlReturn_t,
    nvmlEventSetFree: unsafe extern "C" fn(nvmlEventSet_t) -> nvmlReturn_t,
}
