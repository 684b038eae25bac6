//! The records of a device: memory, window, utilisation, on-chip errors, spare rows, attributes of a MIG device.

use crate::abi::{asked, code, give, version};
use nvidia::{Answer, Banks, Bar1, Code, Instance, Memory, Sram, Utilization};
use nvml_wrapper_sys::bindings::{
    nvmlBAR1Memory_t, nvmlDevice_t, nvmlDeviceAttributes_t, nvmlEccSramErrorStatus_t, nvmlMemory_t,
    nvmlMemory_v2_t, nvmlReturn_t, nvmlRowRemapperHistogramValues_t, nvmlUtilization_t,
};

fn memory(symbol: &str, device: nvmlDevice_t) -> Answer<Memory> {
    asked(symbol, device, |device| format!("memory/{device}"))
}

/// The first version counts what is reserved as used.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetMemoryInfo(device: nvmlDevice_t, place: *mut nvmlMemory_t) -> nvmlReturn_t {
    // SAFETY: nvml.h: `place` is a place for one record.
    code(memory("nvmlDeviceGetMemoryInfo", device).and_then(|memory| unsafe {
        let used = memory.used.saturating_add(memory.reserved.unwrap_or(0));
        give(place, nvmlMemory_t { total: memory.total, free: memory.free, used })
    }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetMemoryInfo_v2(
    device: nvmlDevice_t,
    place: *mut nvmlMemory_v2_t,
) -> nvmlReturn_t {
    // SAFETY: nvml.h: `place` is null or a record of which the caller has filled in the version.
    let given = unsafe { place.as_mut() };
    code(given.ok_or(Code::INVALID_ARGUMENT).and_then(|given| {
        if given.version != version::<nvmlMemory_v2_t>(2) {
            return Err(Code(25));
        }
        let Memory { total, reserved, free, used } = memory("nvmlDeviceGetMemoryInfo_v2", device)?;
        *given =
            nvmlMemory_v2_t { version: given.version, total, reserved: reserved.unwrap_or(0), free, used };
        Ok(())
    }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetBAR1MemoryInfo(
    device: nvmlDevice_t,
    place: *mut nvmlBAR1Memory_t,
) -> nvmlReturn_t {
    let bar1 = asked::<Bar1>("nvmlDeviceGetBAR1MemoryInfo", device, |device| format!("bar1/{device}"));
    // SAFETY: nvml.h: `place` is a place for one record.
    code(bar1.and_then(|Bar1 { total, used }| unsafe {
        let free = total.saturating_sub(used);
        give(place, nvmlBAR1Memory_t { bar1Total: total, bar1Free: free, bar1Used: used })
    }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetUtilizationRates(
    device: nvmlDevice_t,
    place: *mut nvmlUtilization_t,
) -> nvmlReturn_t {
    let key = |device| format!("utilization/{device}");
    let rates = asked::<Utilization>("nvmlDeviceGetUtilizationRates", device, key);
    // SAFETY: nvml.h: `place` is a place for one record.
    code(
        rates.and_then(|Utilization { gpu, memory }| unsafe {
            give(place, nvmlUtilization_t { gpu, memory })
        }),
    )
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetSramEccErrorStatus(
    device: nvmlDevice_t,
    place: *mut nvmlEccSramErrorStatus_t,
) -> nvmlReturn_t {
    // SAFETY: nvml.h: `place` is null or a record of which the caller has filled in the version.
    let given = unsafe { place.as_mut() };
    code(given.ok_or(Code::INVALID_ARGUMENT).and_then(|given| {
        if given.version != version::<nvmlEccSramErrorStatus_t>(1) {
            return Err(Code(25));
        }
        let key = |device| format!("sram/{device}");
        let sram: Sram = asked("nvmlDeviceGetSramEccErrorStatus", device, key)?;
        given.aggregateUncParity = sram.aggregate_parity;
        given.aggregateUncSecDed = sram.aggregate_secded;
        given.aggregateCor = sram.aggregate_corrected;
        given.volatileUncParity = sram.volatile_parity;
        given.volatileUncSecDed = sram.volatile_secded;
        given.volatileCor = sram.volatile_corrected;
        given.aggregateUncBucketL2 = 0;
        given.aggregateUncBucketSm = 0;
        given.aggregateUncBucketPcie = 0;
        given.aggregateUncBucketMcu = 0;
        given.aggregateUncBucketOther = 0;
        given.bThresholdExceeded = sram.threshold_exceeded;
        Ok(())
    }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetRowRemapperHistogram(
    device: nvmlDevice_t,
    place: *mut nvmlRowRemapperHistogramValues_t,
) -> nvmlReturn_t {
    let key = |device| format!("banks/{device}");
    let banks = asked::<Banks>("nvmlDeviceGetRowRemapperHistogram", device, key);
    // SAFETY: nvml.h: `place` is a place for one record.
    code(banks.and_then(|Banks { max, high, partial, low, none }| unsafe {
        give(place, nvmlRowRemapperHistogramValues_t { max, high, partial, low, none })
    }))
}

/// A GPU as a whole has no attributes; the engines that instances share are told as none.
unsafe fn attributes(symbol: &str, device: nvmlDevice_t, place: *mut nvmlDeviceAttributes_t) -> Answer<()> {
    let instance: Instance = asked(symbol, device, |device| format!("instance/{device}"))?;
    let attributes = nvmlDeviceAttributes_t {
        multiprocessorCount: instance.multiprocessors,
        sharedCopyEngineCount: 0,
        sharedDecoderCount: 0,
        sharedEncoderCount: 0,
        sharedJpegCount: 0,
        sharedOfaCount: 0,
        gpuInstanceSliceCount: instance.gpu_slices,
        computeInstanceSliceCount: instance.compute_slices,
        memorySizeMB: instance.memory_mib,
    };
    // SAFETY: nvml.h: `place` is a place for one record.
    unsafe { give(place, attributes) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetAttributes(
    device: nvmlDevice_t,
    place: *mut nvmlDeviceAttributes_t,
) -> nvmlReturn_t {
    // SAFETY: nvml.h: a place for one record.
    code(unsafe { attributes("nvmlDeviceGetAttributes", device, place) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetAttributes_v2(
    device: nvmlDevice_t,
    place: *mut nvmlDeviceAttributes_t,
) -> nvmlReturn_t {
    // SAFETY: nvml.h: a place for one record.
    code(unsafe { attributes("nvmlDeviceGetAttributes_v2", device, place) })
}
