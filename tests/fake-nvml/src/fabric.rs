//! The fabric of NVLink switches: the old record, and the two that say their version.

use crate::abi::{asked, code, give, version};
use nvidia::{Answer, Code, Fabric};
use nvml_wrapper_sys::bindings::{
    nvmlDevice_t, nvmlGpuFabricInfo_t, nvmlGpuFabricInfo_v2_t, nvmlGpuFabricInfo_v3_t, nvmlReturn_t,
};

/// The answer, the UUID's bytes, and the state in the driver's type.
fn fabric(symbol: &str, device: nvmlDevice_t) -> Answer<(Fabric, [u8; 16], u8)> {
    let fabric: Fabric = asked(symbol, device, |device| format!("fabric/{device}"))?;
    let uuid = u128::from(fabric.cluster_high) << 64 | u128::from(fabric.cluster_low);
    let state = fabric.state.try_into().map_err(|_| Code::UNKNOWN)?;
    Ok((fabric, uuid.to_be_bytes(), state))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetGpuFabricInfo(
    device: nvmlDevice_t,
    place: *mut nvmlGpuFabricInfo_t,
) -> nvmlReturn_t {
    // SAFETY: nvml.h: `place` is a place for one record.
    code(fabric("nvmlDeviceGetGpuFabricInfo", device).and_then(|(fabric, uuid, state)| unsafe {
        let status = fabric.status.cast_unsigned();
        give(place, nvmlGpuFabricInfo_t { clusterUuid: uuid, status, cliqueId: fabric.clique, state })
    }))
}

/// The third version has one byte more, in what was padding of the second.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetGpuFabricInfoV(
    device: nvmlDevice_t,
    place: *mut nvmlGpuFabricInfo_v3_t,
) -> nvmlReturn_t {
    if place.is_null() {
        return code(Err(Code::INVALID_ARGUMENT));
    }
    // SAFETY: nvml.h: a record of either version, which both begin with the caller's version word.
    let given = unsafe { (&raw const (*place).version).read() };
    let second = version::<nvmlGpuFabricInfo_v2_t>(2);
    let third = version::<nvmlGpuFabricInfo_v3_t>(3);
    if given != second && given != third {
        return code(Err(Code(25)));
    }
    code(fabric("nvmlDeviceGetGpuFabricInfoV", device).and_then(|(fabric, uuid, state)| {
        let clique = fabric.clique;
        let status = fabric.status.cast_unsigned();
        if given == third {
            let info = nvmlGpuFabricInfo_v3_t {
                version: given,
                clusterUuid: uuid,
                status,
                cliqueId: clique,
                state,
                healthMask: 0,
                healthSummary: 0,
            };
            // SAFETY: the version word says that it is a place for the third version.
            return unsafe { give(place, info) };
        }
        let info = nvmlGpuFabricInfo_v2_t {
            version: given,
            clusterUuid: uuid,
            status,
            cliqueId: clique,
            state,
            healthMask: 0,
        };
        // SAFETY: the version word says that it is a place for the second version.
        unsafe { give(place.cast(), info) }
    }))
}
