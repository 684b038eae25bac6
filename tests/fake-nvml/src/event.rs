//! Events: sets, which devices they are registered for, and waiting.

use crate::abi::{called, called_for, code, device, give, handle};
use nvidia::{Answer, Code, Device};
use nvml_wrapper_sys::bindings::{nvmlDevice_t, nvmlEventData_t, nvmlEventSet_t, nvmlReturn_t};
use std::ffi::{c_uint, c_ulonglong};
use std::time::Duration;

/// nvmlEventTypeXidCriticalError.
const XID: u64 = 8;

/// What a `nvmlEventSet_t` points to.
#[derive(Default)]
struct Set {
    gpus: Vec<u32>,
    since: Option<Duration>,
    delivered: usize,
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlEventSetCreate(place: *mut nvmlEventSet_t) -> nvmlReturn_t {
    let set = called("nvmlEventSetCreate").and_then(|world| {
        // A capture in which events are not supported has no set.
        match world.look("events", false) {
            Err(code) if world.has("events") => Err(code),
            _ => Ok(Box::into_raw(Box::new(Set::default()))),
        }
    });
    // SAFETY: nvml.h: `place` is a place for one set.
    code(set.and_then(|set| unsafe { give(place, set.cast()) }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlEventSetFree(set: nvmlEventSet_t) -> nvmlReturn_t {
    if !set.is_null() {
        // SAFETY: nvml.h: it is from `nvmlEventSetCreate` and was not freed, so the box that was made there.
        drop(unsafe { Box::from_raw(set.cast::<Set>()) });
    }
    code(called("nvmlEventSetFree").map(|_| ()))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetSupportedEventTypes(
    gpu: nvmlDevice_t,
    place: *mut c_ulonglong,
) -> nvmlReturn_t {
    let types = called_for("nvmlDeviceGetSupportedEventTypes", gpu);
    // SAFETY: nvml.h: `place` is a place for one set of bits.
    code(types.and_then(|_| unsafe { give(place, XID) }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceRegisterEvents(
    gpu: nvmlDevice_t,
    types: c_ulonglong,
    set: nvmlEventSet_t,
) -> nvmlReturn_t {
    code(called_for("nvmlDeviceRegisterEvents", gpu).and_then(|(world, _)| {
        let device = device(world, gpu)?;
        if types & !XID != 0 || device.mig.is_some() {
            return Err(Code::NOT_SUPPORTED);
        }
        // SAFETY: nvml.h: it is from `nvmlEventSetCreate`, was not freed, and no other thread waits on it.
        let set = unsafe { set.cast::<Set>().as_mut() }.ok_or(Code::INVALID_ARGUMENT)?;
        set.gpus.push(device.gpu);
        set.since.get_or_insert(world.now());
        Ok(())
    }))
}

unsafe fn wait(
    symbol: &str,
    set: nvmlEventSet_t,
    place: *mut nvmlEventData_t,
    timeout: c_uint,
) -> Answer<()> {
    let world = called(symbol)?;
    // SAFETY: nvml.h: it is from `nvmlEventSetCreate`, was not freed, and no other thread waits on it.
    let set = unsafe { set.cast::<Set>().as_mut() }.ok_or(Code::INVALID_ARGUMENT)?;
    let end = world.now() + Duration::from_millis(timeout.into());
    loop {
        let now = world.now();
        let events = world.events(set.since.unwrap_or(now));
        let mut heard = events.iter().filter(|(at, event)| *at <= now && set.gpus.contains(&event.gpu));
        if let Some((_, event)) = heard.nth(set.delivered) {
            set.delivered += 1;
            let data = nvmlEventData_t {
                device: handle(world, Device::gpu(event.gpu)),
                eventType: XID,
                eventData: event.xid,
                gpuInstanceId: u32::MAX,
                computeInstanceId: u32::MAX,
            };
            // SAFETY: nvml.h: `place` is a place for one event.
            return unsafe { give(place, data) };
        }
        if now >= end {
            return Err(Code::TIMEOUT);
        }
        std::thread::sleep((end - now).min(Duration::from_millis(10)));
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlEventSetWait(
    set: nvmlEventSet_t,
    place: *mut nvmlEventData_t,
    timeout: c_uint,
) -> nvmlReturn_t {
    // SAFETY: nvml.h: a set and a place for one event.
    code(unsafe { wait("nvmlEventSetWait", set, place, timeout) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlEventSetWait_v2(
    set: nvmlEventSet_t,
    place: *mut nvmlEventData_t,
    timeout: c_uint,
) -> nvmlReturn_t {
    // SAFETY: nvml.h: a set and a place for one event.
    code(unsafe { wait("nvmlEventSetWait_v2", set, place, timeout) })
}
