//! Whole disks and what they did, from the I/O Registry.
//!
//! Each disk with media in it has an IOBlockStorageDriver, which counts (`Statistics`). Below it stands the IOMedia that
//! is the whole disk and has its BSD name, above it the device, which tells what it is (`Device Characteristics`) and
//! how it is attached (`Protocol Characteristics`). So few services are asked: an IOMedia there also is for every
//! partition and APFS volume. The disks that APFS makes of a container have no driver; what they do, the disks below
//! them do.
//!
//! The crates that own IOKit's references and the text of properties are those of [`registry`](crate::registry).

use crate::registry::{Object, services};
use objc2_io_kit::{
    IOIteratorNext, IOObjectConformsTo, IORegistryEntryGetChildIterator, IORegistryEntryGetParentEntry,
};
use schema::Errno;
use std::ffi::c_char;
use std::fmt::Write as _;

/// `io_name_t`: room for a name of a class or plane, which ends in NUL.
type Name = [c_char; 128];

/// `kIOServicePlane` of IOKitKeys.h.
const SERVICE_PLANE: &[u8] = b"IOService";
/// `kIOMediaClass` of IOMedia.h.
const MEDIA: &[u8] = b"IOMedia";

/// A text with at least one NUL behind it: these are far shorter than their room.
fn name(text: &[u8]) -> Name {
    let mut name: Name = [0; 128];
    for (room, byte) in name.iter_mut().zip(text) {
        *room = byte.cast_signed();
    }
    name
}

/// The call `disks`. There is no argument. The answer is text as that of the call `registry`: for each disk with media
/// a line `@ ID NAME` of its media, and behind it the properties `BSD Name` of the media, `Statistics` of its driver
/// and `Device Characteristics` and `Protocol Characteristics` of its device, as far as they are there.
pub(crate) fn all(_: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let mut out = String::new();
    for driver in services("IOBlockStorageDriver")? {
        let Some(media) = media(&driver) else { continue };
        let (Some(id), Some(name)) = (media.id(), media.name()) else { continue };
        let _ = writeln!(out, "@ {id} {name}");
        media.write_property("BSD Name", &mut out);
        driver.write_property("Statistics", &mut out);
        if let Some(device) = above(&driver) {
            device.write_property("Device Characteristics", &mut out);
            device.write_property("Protocol Characteristics", &mut out);
        }
    }
    answer.extend_from_slice(out.as_bytes());
    Ok(())
}

/// The media below a driver; None for an empty card reader.
fn media(driver: &Object) -> Option<Object> {
    let (mut plane, mut class, mut children) = (name(SERVICE_PLANE), name(MEDIA), 0);
    // SAFETY: the driver is a live reference of ours, the plane is a name in room of its size, and `children` is room
    // for what is written: a reference that is ours, or nothing where the call fails.
    let _ = unsafe { IORegistryEntryGetChildIterator(driver.port(), &raw mut plane, &raw mut children) };
    let children = Object::owned(children)?;
    std::iter::from_fn(|| Object::owned(IOIteratorNext(children.port()))).find(|child| {
        // SAFETY: the child is a live reference of ours, and the class is a name in room of its size.
        unsafe { IOObjectConformsTo(child.port(), &raw mut class) }
    })
}

/// What a driver stands on.
fn above(driver: &Object) -> Option<Object> {
    let (mut plane, mut parent) = (name(SERVICE_PLANE), 0);
    // SAFETY: as for the children: one reference that is ours is written, or nothing where the call fails.
    let _ = unsafe { IORegistryEntryGetParentEntry(driver.port(), &raw mut plane, &raw mut parent) };
    Object::owned(parent)
}
