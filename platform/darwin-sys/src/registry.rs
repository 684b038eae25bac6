//! The I/O Registry: properties of the services of a class (IOKitLib.h). Only the properties that are named are
//! asked for: the whole dictionary of a GPU takes a hundred times as long.

use crate::calls::{INVALID, mach_error};
use crate::properties;
use objc2_core_foundation::{CFDictionary, CFRetained, CFString};
use objc2_io_kit::{
    IOIteratorNext, IOObjectRelease, IORegistryEntryCreateCFProperty, IORegistryEntryGetName,
    IORegistryEntryGetRegistryEntryID, IOServiceGetMatchingServices, IOServiceMatching, io_object_t,
};
use schema::Errno;
use std::ffi::{CStr, CString};
use std::fmt::Write as _;

/// `kIOMainPortDefault`: 0 (MACH_PORT_NULL). The constant itself exists since macOS 12 only.
const MAIN_PORT: libc::mach_port_t = 0;
/// KERN_SUCCESS.
const SUCCESS: libc::kern_return_t = 0;

/// A reference to an object of IOKit, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Object(io_object_t);

impl Object {
    /// Takes over a reference; None for IO_OBJECT_NULL, which is none.
    pub(crate) fn owned(object: io_object_t) -> Option<Object> {
        (object != 0).then_some(Object(object))
    }

    /// The name of the port, for calls of IOKit that borrow it.
    pub(crate) fn port(&self) -> io_object_t {
        self.0
    }

    /// Its name in the registry, on one line: of a service usually its class, of media its maker's words.
    pub(crate) fn name(&self) -> Option<String> {
        let mut name = [0_u8; 128];
        // SAFETY: the object is a live reference of ours, and io_name_t is the 128 bytes that are given.
        let result = unsafe { IORegistryEntryGetName(self.0, (&raw mut name).cast()) };
        let name = CStr::from_bytes_until_nul(&name).ok().filter(|_| result == SUCCESS)?;
        Some(properties::clean(&name.to_string_lossy()))
    }

    /// Its id, which no other entry has until the machine starts again.
    pub(crate) fn id(&self) -> Option<u64> {
        let mut id = 0;
        // SAFETY: the object is a live reference of ours, and `id` is room for what is written.
        let result = unsafe { IORegistryEntryGetRegistryEntryID(self.0, &raw mut id) };
        (result == SUCCESS).then_some(id)
    }

    /// Writes the property of this name, and what is in it; nothing where there is none.
    pub(crate) fn write_property(&self, name: &str, out: &mut String) {
        let key = CFString::from_str(name);
        // SAFETY: the object is a live reference of ours, the key is a string, no allocator means the default one,
        // and there are no options. The value comes back owned.
        let value = unsafe { IORegistryEntryCreateCFProperty(self.0, Some(&key), None, 0) };
        if let Some(value) = value {
            properties::write(name, &value, out);
        }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // The only error is that it is no reference, and it is one of ours.
        let _ = IOObjectRelease(self.0);
    }
}

/// The services of a class, and of the classes that descend from it.
///
/// # Errors
/// EINVAL for a name that cannot be one; else the code of IOKit.
pub(crate) fn services(class: &str) -> Result<impl Iterator<Item = Object>, Errno> {
    let class = CString::new(class).map_err(|_| INVALID)?;
    // SAFETY: the name ends in NUL. What comes back is an ordinary dictionary, ours.
    let matching = unsafe { IOServiceMatching(class.as_ptr()) }.ok_or(INVALID)?;
    // SAFETY: a mutable dictionary is a dictionary; IOServiceGetMatchingServices wants it as one.
    let matching: CFRetained<CFDictionary> = unsafe { CFRetained::cast_unchecked(matching) };
    let mut iterator = 0;
    // SAFETY: the dictionary is one that IOServiceMatching made, and its reference is given away as the call wants
    // it; `iterator` is room for what is written.
    let result = unsafe { IOServiceGetMatchingServices(MAIN_PORT, Some(matching), &raw mut iterator) };
    if result != SUCCESS {
        return Err(mach_error(result));
    }
    // Without a match there may be no iterator either.
    let iterator = Object::owned(iterator);
    Ok(std::iter::from_fn(move || Object::owned(IOIteratorNext(iterator.as_ref()?.port()))))
}

/// The call `registry`. Its argument is a class, a blank, and the names of properties, separated by `,`. Its answer
/// is text: for each service of the class a line `@ ID NAME`, and behind it its properties as [`properties`] writes
/// them, in the order in which they were named.
pub(crate) fn properties(argument: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let argument = std::str::from_utf8(argument).map_err(|_| INVALID)?;
    let (class, names) = argument.split_once(' ').ok_or(INVALID)?;
    let mut out = String::new();
    for service in services(class)? {
        let (Some(id), Some(name)) = (service.id(), service.name()) else { continue };
        let _ = writeln!(out, "@ {id} {name}");
        for property in names.split(',') {
            service.write_property(property, &mut out);
        }
    }
    answer.extend_from_slice(out.as_bytes());
    Ok(())
}
