//! Devices: their handles, MIG devices among them, and what they are called.

use crate::abi::{asked, called, called_for, characters, code, device, give, give_text, handle};
use crate::world::{World, world};
use nvidia::{Answer, Code, Device, Text};
use nvml_wrapper_sys::bindings::{nvmlDevice_t, nvmlPciInfo_t, nvmlReturn_t};
use std::ffi::{CStr, c_char, c_uint};

/// A GPU's handle. As with the driver, a GPU of which the faults or the capture say that it is lost has none.
fn by_index(symbol: &str, index: u32) -> Answer<nvmlDevice_t> {
    let world = world()?;
    world.enter(symbol, Some(index))?;
    world.is_begun()?;
    if index >= world.gpus() {
        return Err(Code::INVALID_ARGUMENT);
    }
    Ok(handle(world, Device::gpu(index)))
}

/// The GPU or MIG device of which a text reads so.
fn by_text(world: &World, what: Text, wanted: &CStr) -> Answer<nvmlDevice_t> {
    let wanted = wanted.to_str().map_err(|_| Code::INVALID_ARGUMENT)?;
    let devices = (0..world.gpus()).flat_map(|gpu| {
        let instances = (0..32).map(move |mig| Device { gpu, mig: Some(mig) });
        std::iter::once(Device::gpu(gpu)).chain(instances)
    });
    let called = |device: &Device| {
        let text = world.look(&format!("text/{device}/{}", what.word()), false);
        text.is_ok_and(|text| text.trim_end().eq_ignore_ascii_case(wanted))
    };
    let found = devices.into_iter().find(called).ok_or(Code::NOT_FOUND)?;
    Ok(handle(world, found))
}

macro_rules! handles {
    ($($symbol:ident($argument:ident: $type:ty) = $found:expr;)+) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $symbol($argument: $type, device: *mut nvmlDevice_t) -> nvmlReturn_t {
            // SAFETY: nvml.h: `device` is a place for one handle.
            code($found.and_then(|found| unsafe { give(device, found) }))
        }
    )+};
}

handles! {
    nvmlDeviceGetHandleByIndex(index: c_uint) = by_index("nvmlDeviceGetHandleByIndex", index);
    nvmlDeviceGetHandleByIndex_v2(index: c_uint) = by_index("nvmlDeviceGetHandleByIndex_v2", index);
    nvmlDeviceGetHandleByUUID(uuid: *const c_char) = called("nvmlDeviceGetHandleByUUID").and_then(|world| {
        // SAFETY: nvml.h: a text with its end.
        by_text(world, Text::Uuid, unsafe { CStr::from_ptr(uuid) })
    });
    nvmlDeviceGetHandleByPciBusId(id: *const c_char) = called("nvmlDeviceGetHandleByPciBusId").and_then(|world| {
        // SAFETY: nvml.h: a text with its end.
        by_text(world, Text::PciBusId, unsafe { CStr::from_ptr(id) })
    });
    nvmlDeviceGetHandleByPciBusId_v2(id: *const c_char) = called("nvmlDeviceGetHandleByPciBusId_v2").and_then(|world| {
        // SAFETY: nvml.h: a text with its end.
        by_text(world, Text::PciBusId, unsafe { CStr::from_ptr(id) })
    });
    nvmlDeviceGetDeviceHandleFromMigDeviceHandle(mig: nvmlDevice_t) =
        called_for("nvmlDeviceGetDeviceHandleFromMigDeviceHandle", mig)
            .and_then(|(world, device)| device.mig.map(|_| handle(world, Device::gpu(device.gpu))).ok_or(Code::NOT_FOUND));
}

/// A MIG device is there if it has a UUID; where the capture has an error in its place, that is the answer.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetMigDeviceHandleByIndex(
    gpu: nvmlDevice_t,
    index: c_uint,
    place: *mut nvmlDevice_t,
) -> nvmlReturn_t {
    let found = called_for("nvmlDeviceGetMigDeviceHandleByIndex", gpu).and_then(|(world, device)| {
        let found = Device { gpu: device.gpu, mig: Some(index) };
        let key = format!("text/{found}/uuid");
        if !world.has(&key) {
            return Err(Code::NOT_FOUND);
        }
        world.look(&key, false).map(|_| handle(world, found))
    });
    // SAFETY: nvml.h: `place` is a place for one handle.
    code(found.and_then(|found| unsafe { give(place, found) }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceIsMigDeviceHandle(handle: nvmlDevice_t, place: *mut c_uint) -> nvmlReturn_t {
    let is = called_for("nvmlDeviceIsMigDeviceHandle", handle).map(|(_, device)| device.mig.is_some());
    // SAFETY: nvml.h: `place` is a place for one number.
    code(is.and_then(|is| unsafe { give(place, is.into()) }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetIndex(handle: nvmlDevice_t, place: *mut c_uint) -> nvmlReturn_t {
    let index = called_for("nvmlDeviceGetIndex", handle).map(|(_, device)| device.mig.unwrap_or(device.gpu));
    // SAFETY: nvml.h: `place` is a place for one number.
    code(index.and_then(|index| unsafe { give(place, index) }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetMinorNumber(handle: nvmlDevice_t, place: *mut c_uint) -> nvmlReturn_t {
    let minor = called_for("nvmlDeviceGetMinorNumber", handle).map(|(_, device)| device.gpu);
    // SAFETY: nvml.h: `place` is a place for one number.
    code(minor.and_then(|minor| unsafe { give(place, minor) }))
}

macro_rules! texts {
    ($($symbol:ident = $text:expr;)+) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $symbol(device: nvmlDevice_t, place: *mut c_char, length: c_uint) -> nvmlReturn_t {
            let key = |device| format!("text/{device}/{}", $text.word());
            let text = asked::<String>(stringify!($symbol), device, key);
            // SAFETY: nvml.h: `place` has room for `length` characters.
            code(text.and_then(|text| unsafe { give_text(place, length, &text) }))
        }
    )+};
}

texts! {
    nvmlDeviceGetName = Text::Name;
    nvmlDeviceGetUUID = Text::Uuid;
    nvmlDeviceGetVbiosVersion = Text::Vbios;
    nvmlDeviceGetSerial = Text::Serial;
}

fn pci(symbol: &str, handle: nvmlDevice_t) -> Answer<nvmlPciInfo_t> {
    let (world, _) = called_for(symbol, handle)?;
    let device = device(world, handle)?;
    let id: String = world.answer(&format!("text/{device}/pci-bus-id"))?;
    let id = id.trim_end();
    let mut parts = id.split([':', '.']).map(|part| u32::from_str_radix(part, 16));
    let mut part = || parts.next().and_then(Result::ok).ok_or(Code::UNKNOWN);
    let (domain, bus, slot) = (part()?, part()?, part()?);
    let place = format!("{domain:04x}:{bus:02x}:{slot:02x}.0");
    let word = |name: &str| {
        let text = world.look(&format!("sys/bus/pci/devices/{place}/{name}"), false).ok()?;
        u32::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
    };
    let both = |vendor, device| Some(word(device)? << 16 | word(vendor)?);
    Ok(nvmlPciInfo_t {
        busIdLegacy: characters(&format!("{domain:04X}:{bus:02X}:{slot:02X}.0")),
        domain,
        bus,
        device: slot,
        pciDeviceId: both("vendor", "device").unwrap_or(0),
        pciSubSystemId: both("subsystem_vendor", "subsystem_device").unwrap_or(0),
        busId: characters(id),
    })
}

macro_rules! pcis {
    ($($symbol:ident),+) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $symbol(device: nvmlDevice_t, place: *mut nvmlPciInfo_t) -> nvmlReturn_t {
            // SAFETY: nvml.h: `place` is a place for one record.
            code(pci(stringify!($symbol), device).and_then(|info| unsafe { give(place, info) }))
        }
    )+};
}

pcis!(nvmlDeviceGetPciInfo_v2, nvmlDeviceGetPciInfo_v3);
