//! Processes with a context, in the three versions of the call.

use crate::abi::{called_for, code, give};
use nvidia::{Answer, Code, Lines, Owner, Process};
use nvml_wrapper_sys::bindings::{nvmlDevice_t, nvmlProcessInfo_v1_t, nvmlProcessInfo_v2_t, nvmlReturn_t};
use std::ffi::c_uint;

/// INSUFFICIENT_SIZE.
const TOO_SMALL: Code = Code(7);

/// NVML_VALUE_NOT_AVAILABLE.
const NOT_AVAILABLE: u64 = u64::MAX;

unsafe fn list<T>(
    symbol: &str,
    handle: nvmlDevice_t,
    owner: Owner,
    count: *mut c_uint,
    places: *mut T,
    record: fn(&Process) -> T,
) -> Answer<()> {
    let (world, device) = called_for(symbol, handle)?;
    let key = format!("processes/{device}/{}", owner.word());
    let list: Vec<Process> = Vec::read(&world.look(&key, false)?).ok_or(Code::UNKNOWN)?;
    if count.is_null() {
        return Err(Code::INVALID_ARGUMENT);
    }
    // SAFETY: nvml.h: `count` is how many records there is room for.
    let room = unsafe { count.read() } as usize;
    let length = c_uint::try_from(list.len()).map_err(|_| Code::UNKNOWN)?;
    // SAFETY: nvml.h: and a place for how many there are.
    unsafe { give(count, length)? };
    if list.len() > room || places.is_null() && !list.is_empty() {
        return Err(TOO_SMALL);
    }
    // It is answered now: this asking counts.
    world.look(&key, true)?;
    for (at, process) in list.iter().enumerate() {
        // SAFETY: there is room for `room` records, and `at` is below.
        unsafe { places.add(at).write(record(process)) };
    }
    Ok(())
}

fn first(process: &Process) -> nvmlProcessInfo_v1_t {
    nvmlProcessInfo_v1_t { pid: process.pid, usedGpuMemory: process.used.unwrap_or(NOT_AVAILABLE) }
}

fn second(process: &Process) -> nvmlProcessInfo_v2_t {
    nvmlProcessInfo_v2_t {
        pid: process.pid,
        usedGpuMemory: process.used.unwrap_or(NOT_AVAILABLE),
        gpuInstanceId: process.gpu_instance.unwrap_or(u32::MAX),
        computeInstanceId: process.compute_instance.unwrap_or(u32::MAX),
    }
}

macro_rules! lists {
    ($($symbol:ident($type:ty, $record:ident) = $owner:expr;)+) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $symbol(device: nvmlDevice_t, count: *mut c_uint, places: *mut $type) -> nvmlReturn_t {
            // SAFETY: nvml.h: `places` has room for `count` records of this version.
            code(unsafe { list(stringify!($symbol), device, $owner, count, places, $record) })
        }
    )+};
}

lists! {
    nvmlDeviceGetComputeRunningProcesses(nvmlProcessInfo_v1_t, first) = Owner::Compute;
    nvmlDeviceGetComputeRunningProcesses_v2(nvmlProcessInfo_v2_t, second) = Owner::Compute;
    nvmlDeviceGetComputeRunningProcesses_v3(nvmlProcessInfo_v2_t, second) = Owner::Compute;
    nvmlDeviceGetGraphicsRunningProcesses(nvmlProcessInfo_v1_t, first) = Owner::Graphics;
    nvmlDeviceGetGraphicsRunningProcesses_v2(nvmlProcessInfo_v2_t, second) = Owner::Graphics;
    nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlProcessInfo_v2_t, second) = Owner::Graphics;
    nvmlDeviceGetMPSComputeRunningProcesses(nvmlProcessInfo_v1_t, first) = Owner::Mps;
    nvmlDeviceGetMPSComputeRunningProcesses_v2(nvmlProcessInfo_v2_t, second) = Owner::Mps;
    nvmlDeviceGetMPSComputeRunningProcesses_v3(nvmlProcessInfo_v2_t, second) = Owner::Mps;
}
