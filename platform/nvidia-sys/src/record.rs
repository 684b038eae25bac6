//! Records that one call fills. Where a struct has a version, the call is told it, and what a library says that has
//! the call but not this version (ARGUMENT_VERSION_MISMATCH) leads to the call before it, as a missing symbol does.

use crate::handle::Handle;
use crate::library::Library;
use crate::symbols::Plain;
use nvidia::{Answer, Banks, Bar1, Code, Fabric, Instance, Memory, Sram, Utilization};
use nvml_wrapper_sys::bindings::*;

/// NVML_STRUCT_VERSION: the size of a struct, and above it which of its versions it is.
pub(crate) const fn version<T>(number: u32) -> u32 {
    const { assert!(size_of::<T>() < 1 << 24) };
    size_of::<T>() as u32 | number << 24
}

// Sizes of which the driver is told, as the C compiler has them.
const _: () = assert!(size_of::<nvmlMemory_v2_t>() == 40 && size_of::<nvmlEccSramErrorStatus_t>() == 104);
const _: () = assert!(size_of::<nvmlGpuFabricInfo_v2_t>() == 36 && size_of::<nvmlGpuFabricInfoV_t>() >= 36);

/// Whether the library is too old for this call, or for the struct that it was given.
fn is_too_old<T>(answer: &Answer<T>) -> bool {
    matches!(answer, Err(Code::FUNCTION_NOT_FOUND | Code(25)))
}

/// nvmlDeviceGetMemoryInfo_v2, else nvmlDeviceGetMemoryInfo.
pub(crate) fn memory(library: &Library, device: Handle) -> Answer<Memory> {
    let room = nvmlMemory_v2_t { version: version::<nvmlMemory_v2_t>(2), ..Plain::zero() };
    let second = library.symbols.nvmlDeviceGetMemoryInfo_v2.ask(&library.meter, device, room);
    if is_too_old(&second) {
        let first = library.symbols.nvmlDeviceGetMemoryInfo.ask(&library.meter, device, Plain::zero())?;
        return Ok(Memory { total: first.total, reserved: None, free: first.free, used: first.used });
    }
    let second = second?;
    Ok(Memory { total: second.total, reserved: Some(second.reserved), free: second.free, used: second.used })
}

/// nvmlDeviceGetBAR1MemoryInfo.
pub(crate) fn bar1(library: &Library, device: Handle) -> Answer<Bar1> {
    let bar1 = library.symbols.nvmlDeviceGetBAR1MemoryInfo.ask(&library.meter, device, Plain::zero())?;
    Ok(Bar1 { total: bar1.bar1Total, used: bar1.bar1Used })
}

/// nvmlDeviceGetUtilizationRates.
pub(crate) fn utilization(library: &Library, device: Handle) -> Answer<Utilization> {
    let busy = library.symbols.nvmlDeviceGetUtilizationRates.ask(&library.meter, device, Plain::zero())?;
    Ok(Utilization { gpu: busy.gpu, memory: busy.memory })
}

/// nvmlDeviceGetSramEccErrorStatus.
pub(crate) fn sram(library: &Library, device: Handle) -> Answer<Sram> {
    let room = nvmlEccSramErrorStatus_t { version: version::<nvmlEccSramErrorStatus_t>(1), ..Plain::zero() };
    let sram = library.symbols.nvmlDeviceGetSramEccErrorStatus.ask(&library.meter, device, room)?;
    Ok(Sram {
        aggregate_parity: sram.aggregateUncParity,
        aggregate_secded: sram.aggregateUncSecDed,
        aggregate_corrected: sram.aggregateCor,
        volatile_parity: sram.volatileUncParity,
        volatile_secded: sram.volatileUncSecDed,
        volatile_corrected: sram.volatileCor,
        threshold_exceeded: sram.bThresholdExceeded,
    })
}

/// nvmlDeviceGetRowRemapperHistogram.
pub(crate) fn banks(library: &Library, device: Handle) -> Answer<Banks> {
    let rows =
        library.symbols.nvmlDeviceGetRowRemapperHistogram.ask(&library.meter, device, Plain::zero())?;
    Ok(Banks { max: rows.max, high: rows.high, partial: rows.partial, low: rows.low, none: rows.none })
}

/// nvmlDeviceGetGpuFabricInfoV, else nvmlDeviceGetGpuFabricInfo. The former is told version 2, which every library
/// has that has the call; what version 3 adds is not asked for, and the room is that of version 3.
pub(crate) fn fabric(library: &Library, device: Handle) -> Answer<Fabric> {
    let room = nvmlGpuFabricInfoV_t { version: version::<nvmlGpuFabricInfo_v2_t>(2), ..Plain::zero() };
    let newer = library.symbols.nvmlDeviceGetGpuFabricInfoV.ask(&library.meter, device, room);
    if is_too_old(&newer) {
        let older = library.symbols.nvmlDeviceGetGpuFabricInfo.ask(&library.meter, device, Plain::zero())?;
        return Ok(cluster(older.state, older.status, older.cliqueId, older.clusterUuid));
    }
    let newer = newer?;
    Ok(cluster(newer.state, newer.status, newer.cliqueId, newer.clusterUuid))
}

fn cluster(state: u8, status: nvmlReturn_t, clique: u32, uuid: [u8; 16]) -> Fabric {
    let whole = u128::from_be_bytes(uuid);
    Fabric {
        state: state.into(),
        status: status.cast_signed(),
        clique,
        cluster_high: (whole >> 64) as u64,
        cluster_low: whole as u64,
    }
}

/// nvmlDeviceGetAttributes_v2.
pub(crate) fn instance(library: &Library, device: Handle) -> Answer<Instance> {
    let parts = library.symbols.nvmlDeviceGetAttributes_v2.ask(&library.meter, device, Plain::zero())?;
    Ok(Instance {
        multiprocessors: parts.multiprocessorCount,
        gpu_slices: parts.gpuInstanceSliceCount,
        compute_slices: parts.computeInstanceSliceCount,
        memory_mib: parts.memorySizeMB,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_as_the_header_computes_them() {
        assert_eq!(version::<nvmlMemory_v2_t>(2), 0x0200_0028);
        assert_eq!(version::<nvmlGpuFabricInfo_v2_t>(2), 0x0200_0024);
        assert_eq!(version::<nvmlEccSramErrorStatus_t>(1), 0x0100_0068);
        assert_eq!(version::<nvmlDeviceAddressingMode_t>(1), 0x0100_0008);
    }

    #[test]
    fn only_a_library_that_is_too_old_leads_to_an_older_call() {
        assert!(is_too_old::<()>(&Err(Code::FUNCTION_NOT_FOUND)) && is_too_old::<()>(&Err(Code(25))));
        for code in [Code::NOT_SUPPORTED, Code::GPU_IS_LOST, Code::UNKNOWN, Code::INVALID_ARGUMENT] {
            assert!(!is_too_old::<()>(&Err(code)));
        }
        assert!(!is_too_old(&Ok(())));
    }

    #[test]
    fn a_cluster_is_two_numbers() {
        let uuid = [0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0, 0, 0, 0, 2];
        let fabric = cluster(3, 15, 7, uuid);
        assert_eq!((fabric.state, fabric.status, fabric.clique), (3, 15, 7));
        assert_eq!((fabric.cluster_high, fabric.cluster_low), (1, 0xff00_0000_0000_0002));
    }
}
