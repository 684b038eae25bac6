//! GPM: samples of the performance counters, and metrics between two of them.

use crate::abi::{called, called_for, code, give};
use nvidia::{Answer, Code, Device, Number};
use nvml_wrapper_sys::bindings::{
    nvmlDevice_t, nvmlGpmMetric_t, nvmlGpmMetricsGet_t, nvmlGpmSample_t, nvmlGpmSupport_t, nvmlReturn_t,
};
use std::ffi::c_uint;

/// What a `nvmlGpmSample_t` points to: the device that it was taken of, if it was.
struct Sample(Option<Device>);

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlGpmSampleAlloc(place: *mut nvmlGpmSample_t) -> nvmlReturn_t {
    let sample = called("nvmlGpmSampleAlloc").map(|_| Box::into_raw(Box::new(Sample(None))));
    // SAFETY: nvml.h: `place` is a place for one sample.
    code(sample.and_then(|sample| unsafe { give(place, sample.cast()) }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlGpmSampleFree(sample: nvmlGpmSample_t) -> nvmlReturn_t {
    if !sample.is_null() {
        // SAFETY: nvml.h: it is from `nvmlGpmSampleAlloc` and was not freed, so the box that was made there.
        drop(unsafe { Box::from_raw(sample.cast::<Sample>()) });
    }
    code(called("nvmlGpmSampleFree").map(|_| ()))
}

unsafe fn take(world: &crate::world::World, device: Device, sample: nvmlGpmSample_t) -> Answer<()> {
    let key = format!("gpm-sample/{device}");
    let supported = world.look(&format!("number/{device}/{}", Number::GpmSupport), false);
    let supported = supported.is_ok_and(|text| text.trim() == "1");
    if world.has(&key) || !supported && device.mig.is_none() {
        world.answer::<()>(&key)?;
    }
    // SAFETY: nvml.h: it is from `nvmlGpmSampleAlloc`, was not freed, and is not used by another thread.
    let sample = unsafe { sample.cast::<Sample>().as_mut() };
    *sample.ok_or(Code::INVALID_ARGUMENT)? = Sample(Some(device));
    Ok(())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlGpmSampleGet(handle: nvmlDevice_t, sample: nvmlGpmSample_t) -> nvmlReturn_t {
    // SAFETY: nvml.h, as above.
    code(
        called_for("nvmlGpmSampleGet", handle)
            .and_then(|(world, device)| unsafe { take(world, device, sample) }),
    )
}

/// Of an instance by the GPU's handle and the instance's id.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlGpmMigSampleGet(
    handle: nvmlDevice_t,
    instance: c_uint,
    sample: nvmlGpmSample_t,
) -> nvmlReturn_t {
    code(called_for("nvmlGpmMigSampleGet", handle).and_then(|(world, device)| {
        let device = world.of_instance(device.gpu, instance).ok_or(Code::NOT_FOUND)?;
        // SAFETY: nvml.h, as above.
        unsafe { take(world, device, sample) }
    }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlGpmMetricsGet(get: *mut nvmlGpmMetricsGet_t) -> nvmlReturn_t {
    code(called("nvmlGpmMetricsGet").and_then(|world| {
        if get.is_null() {
            return Err(Code::INVALID_ARGUMENT);
        }
        // SAFETY: nvml.h: a record of which the caller has filled in version, count, samples and the metrics' ids. It is
        // read by field, because newer headers have room for more metrics behind.
        let (version, count, samples, metrics) = unsafe {
            let samples = [(*get).sample1, (*get).sample2];
            ((*get).version, (*get).numMetrics, samples, (&raw mut (*get).metrics).cast::<nvmlGpmMetric_t>())
        };
        if version != 1 {
            return Err(Code(25));
        }
        let taken = samples.map(|sample| {
            // SAFETY: nvml.h: each is from `nvmlGpmSampleAlloc` and was not freed.
            unsafe { sample.cast::<Sample>().as_ref() }.and_then(|sample| sample.0)
        });
        let [Some(older), Some(newer)] = taken else { return Err(Code::INVALID_ARGUMENT) };
        if older != newer {
            return Err(Code::INVALID_ARGUMENT);
        }
        let key = format!("gpm/{newer}");
        if world.has(&key) {
            world.answer::<()>(&key)?;
        }
        for at in 0..count as usize {
            // SAFETY: nvml.h: there are `count` of them.
            let metric = unsafe { &mut *metrics.add(at) };
            let answer: Answer<f64> = world.answer(&format!("gpm/{newer}/{}", metric.metricId));
            metric.nvmlReturn = code(answer.map(|_| ()));
            metric.value = answer.unwrap_or(0.0);
            metric.metricInfo.shortName = std::ptr::null_mut();
            metric.metricInfo.longName = std::ptr::null_mut();
            metric.metricInfo.unit = std::ptr::null_mut();
        }
        Ok(())
    }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlGpmQueryDeviceSupport(
    handle: nvmlDevice_t,
    place: *mut nvmlGpmSupport_t,
) -> nvmlReturn_t {
    code(called_for("nvmlGpmQueryDeviceSupport", handle).and_then(|(world, device)| {
        // SAFETY: nvml.h: `place` is null or a record of which the caller has filled in the version.
        let given = unsafe { place.as_mut() }.ok_or(Code::INVALID_ARGUMENT)?;
        if given.version != 1 {
            return Err(Code(25));
        }
        let support: i64 = world.answer(&format!("number/{device}/{}", Number::GpmSupport))?;
        given.isSupportedDevice = (support == 1).into();
        Ok(())
    }))
}
