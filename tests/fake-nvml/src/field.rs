//! Fields: many numbers in one call, each with its own code.

use crate::abi::{called_for, code};
use crate::world::World;
use nvidia::{Answer, Code, Device, Figure};
use nvml_wrapper_sys::bindings::{nvmlDevice_t, nvmlFieldValue_t, nvmlReturn_t, nvmlValue_t};
use std::ffi::c_int;

/// A field's number in captures. Drivers before 580.82 had 251 to 273 in another order.
fn canonical(world: &World, id: u32) -> u32 {
    let version = world.look("version/driver", false).unwrap_or_default();
    let mut parts = version.trim().split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let old = (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < (580, 82);
    match id {
        251..=255 if old => id + 18,
        256..=273 if old => id - 5,
        _ => id,
    }
}

/// The figure, and NVML's word for its type.
fn figure(figure: Figure) -> (u32, nvmlValue_t) {
    match figure {
        Figure::Real(x) => (0, nvmlValue_t { dVal: x }),
        Figure::Unsigned(n) => match u32::try_from(n) {
            Ok(small) => (1, nvmlValue_t { uiVal: small }),
            Err(_) => (3, nvmlValue_t { ullVal: n }),
        },
        Figure::Signed(n) => match i32::try_from(n) {
            Ok(small) => (5, nvmlValue_t { siVal: small }),
            Err(_) => (4, nvmlValue_t { sllVal: n }),
        },
    }
}

fn fill(world: &World, device: Device, value: &mut nvmlFieldValue_t) {
    let id = canonical(world, value.fieldId);
    let answer: Answer<Figure> = world.answer(&format!("field/{device}/{id}/{}", value.scopeId));
    let now = i64::try_from(world.now().as_micros()).unwrap_or(i64::MAX);
    value.timestamp = now;
    value.latencyUsec = 0;
    value.nvmlReturn = code(answer.map(|_| ()));
    if let Ok(answer) = answer {
        // All of it, because the caller may look at more than what the type says.
        value.value = nvmlValue_t { ullVal: 0 };
        let (kind, number) = figure(answer);
        value.valueType = kind;
        value.value = number;
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetFieldValues(
    handle: nvmlDevice_t,
    count: c_int,
    values: *mut nvmlFieldValue_t,
) -> nvmlReturn_t {
    code(called_for("nvmlDeviceGetFieldValues", handle).and_then(|(world, device)| {
        let key = format!("fields/{device}");
        if world.has(&key) {
            world.answer::<()>(&key)?;
        }
        let count = usize::try_from(count).ok().filter(|count| *count > 0 && !values.is_null());
        for at in 0..count.ok_or(Code::INVALID_ARGUMENT)? {
            // SAFETY: nvml.h: `values` has `count` records, of which the caller has filled in field and scope.
            fill(world, device, unsafe { &mut *values.add(at) });
        }
        Ok(())
    }))
}
