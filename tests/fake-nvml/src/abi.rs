//! The two directions of the C ABI: what comes in as handles, and what goes out through pointers.

use crate::world::{World, world};
use nvidia::{Answer, Code, Device, Lines};
use nvml_wrapper_sys::bindings::{nvmlDevice_t, nvmlReturn_t};
use std::ffi::c_char;

/// What all handles of devices have above, so that a wild one is told.
const TAG: usize = 0x4e56_4d4c;

/// The code of an answer that was given.
pub(crate) fn code(answer: Answer<()>) -> nvmlReturn_t {
    answer.map_or_else(|Code(code)| code as nvmlReturn_t, |()| 0)
}

/// A device as a handle. One of a MIG device knows how often its GPU had been divided anew.
pub(crate) fn handle(world: &World, device: Device) -> nvmlDevice_t {
    let mig = device.mig.map_or(0, |mig| mig as usize + 1);
    let divided = if mig == 0 { 0 } else { world.divided(device.gpu) as usize };
    let number = TAG << 32 | (divided & 0xff) << 16 | (mig & 0xff) << 8 | (device.gpu as usize & 0xff);
    std::ptr::without_provenance_mut(number)
}

/// A handle as a device.
pub(crate) fn device(world: &World, handle: nvmlDevice_t) -> Answer<Device> {
    let number = handle.addr();
    let byte = |shift: usize| u32::from((number >> shift).to_le_bytes()[0]);
    let gpu = byte(0);
    if number >> 32 != TAG || gpu >= world.gpus() {
        return Err(Code::INVALID_ARGUMENT);
    }
    let mig = byte(8).checked_sub(1);
    if mig.is_some() && byte(16) != world.divided(gpu) {
        return Err(Code::NOT_FOUND);
    }
    Ok(Device { gpu, mig })
}

/// A call of a driver that was begun.
pub(crate) fn called(symbol: &str) -> Answer<&'static World> {
    let world = world()?;
    world.enter(symbol, None)?;
    world.is_begun()?;
    Ok(world)
}

/// A call for a device.
pub(crate) fn called_for(symbol: &str, handle: nvmlDevice_t) -> Answer<(&'static World, Device)> {
    let world = world()?;
    let known = device(world, handle);
    // A stale handle's GPU is still that GPU, whose faults are its own.
    let gpu = (handle.addr() >> 32 == TAG).then(|| u32::from(handle.addr().to_le_bytes()[0]));
    world.enter(symbol, gpu)?;
    world.is_begun()?;
    // What the call itself brought about may concern its own handle.
    known.and_then(|_| device(world, handle)).map(|device| (world, device))
}

/// Asks the scenario about a device.
pub(crate) fn asked<T: Lines>(
    symbol: &str,
    handle: nvmlDevice_t,
    key: impl Fn(Device) -> String,
) -> Answer<T> {
    let (world, device) = called_for(symbol, handle)?;
    world.answer(&key(device))
}

/// Gives a value out.
///
/// # Safety
/// `place` is null or a place for a `T`.
pub(crate) unsafe fn give<T>(place: *mut T, value: T) -> Answer<()> {
    if place.is_null() {
        return Err(Code::INVALID_ARGUMENT);
    }
    // SAFETY: not null, so by the contract of this function a place for a `T`.
    unsafe { place.write(value) };
    Ok(())
}

/// Gives a text out, with its end.
///
/// # Safety
/// `place` is null or has room for `length` characters.
pub(crate) unsafe fn give_text(place: *mut c_char, length: u32, text: &str) -> Answer<()> {
    let text = text.trim_end_matches('\n');
    if place.is_null() {
        return Err(Code::INVALID_ARGUMENT);
    }
    if text.len() >= length as usize {
        return Err(Code(7));
    }
    // SAFETY: the text and its end are at most `length` characters, for which there is room.
    unsafe {
        place.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len());
        place.add(text.len()).write(0);
    }
    Ok(())
}

/// A text into an array of characters, cut to leave its end.
pub(crate) fn characters<const N: usize>(text: &str) -> [c_char; N] {
    let mut array = [0; N];
    for (place, byte) in array.iter_mut().take(N.saturating_sub(1)).zip(text.trim_end().bytes()) {
        *place = c_char::from_ne_bytes([byte]);
    }
    array
}

/// The version word of a struct in nvml.h: its size, and the version above.
pub(crate) const fn version<T>(number: u32) -> u32 {
    let size = size_of::<T>() as u32;
    size | number << 24
}
