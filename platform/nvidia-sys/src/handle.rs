//! A device's handle.

use nvml_wrapper_sys::bindings::nvmlDevice_t;

/// What the library calls a device by. It is made by the library alone, and means nothing to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle(nvmlDevice_t);

// SAFETY: nvml.h has the handle opaque and says that the library may be called on several threads at once; nothing
// is read through the pointer here.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    /// What the library wrote as a handle; None for a null pointer.
    pub(crate) fn given(raw: nvmlDevice_t) -> Option<Handle> {
        (!raw.is_null()).then_some(Handle(raw))
    }

    /// For a call.
    pub(crate) const fn raw(self) -> nvmlDevice_t {
        self.0
    }
}
