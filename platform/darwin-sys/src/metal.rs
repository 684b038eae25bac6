//! What Metal says of the GPU's memory (Metal/MTLDevice.h). The framework and the runtime of Objective-C are opened
//! when this is asked for and not before: they are large, and a Mac without a GPU may lack what they need.

use crate::dynamic::Library;
use schema::Errno;
use std::ffi::{CStr, c_char, c_void};
use std::ptr::NonNull;

type Object = NonNull<c_void>;

/// What is taken from the runtime of Objective-C (objc/runtime.h, objc/message.h).
struct Runtime {
    selector: unsafe extern "C" fn(*const c_char) -> Option<Object>,
    release: unsafe extern "C" fn(Object),
    /// objc_msgSend, as it is called for a property that is a number of 64 bits.
    number: unsafe extern "C" fn(Object, Object) -> u64,
    /// The same for a question with a selector that is answered by a BOOL.
    truth: unsafe extern "C" fn(Object, Object, Object) -> i8,
}

impl Runtime {
    fn open() -> Result<Runtime, Errno> {
        let library = Library::open(c"/usr/lib/libobjc.A.dylib")?;
        // SAFETY: these are the types by which the headers declare these functions. objc_msgSend has the type of
        // the method that it is called for; for a number and for a BOOL it is the plain one on both processors.
        unsafe {
            Ok(Runtime {
                selector: library.function(c"sel_registerName")?,
                release: library.function(c"objc_release")?,
                number: library.function(c"objc_msgSend")?,
                truth: library.function(c"objc_msgSend")?,
            })
        }
    }

    fn selector(&self, name: &CStr) -> Result<Object, Errno> {
        // SAFETY: the name ends in NUL.
        unsafe { (self.selector)(name.as_ptr()) }.ok_or(Errno::NOT_FOUND)
    }

    /// The number that is this property of an object; ENOENT where the object has none.
    fn property(&self, object: Object, name: &CStr) -> Result<u64, Errno> {
        let (responds, property) = (self.selector(c"respondsToSelector:")?, self.selector(name)?);
        // SAFETY: the object is alive, and every object answers this method of NSObject's, which has this type.
        if unsafe { (self.truth)(object, responds, property) } == 0 {
            return Err(Errno::NOT_FOUND);
        }
        // SAFETY: the object answers this property, which the caller names as one of 64 bits.
        Ok(unsafe { (self.number)(object, property) })
    }
}

/// The call `metal_working_set`. There is no argument; the answer is 8 bytes: how much memory the default GPU can hold
/// without a loss of speed (recommendedMaxWorkingSetSize). ENOENT where there is no Metal or no GPU for it.
///
/// It takes tens of milliseconds, and memory that is not given back, so it is to be asked for once.
pub(crate) fn working_set(_: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let runtime = Runtime::open()?;
    // A program without windows has no Core Graphics, without which Metal finds no device. Where it cannot be
    // opened, Metal is asked all the same.
    let _ = Library::open(c"/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics");
    let metal = Library::open(c"/System/Library/Frameworks/Metal.framework/Metal")?;
    // SAFETY: MTLDevice.h declares it so: it takes nothing and gives a device that is owned, or nil.
    let default_device = unsafe {
        metal.function::<unsafe extern "C" fn() -> Option<Object>>(c"MTLCreateSystemDefaultDevice")?
    };
    // SAFETY: it takes nothing, and a call has a pool.
    let device = unsafe { default_device() };
    let size = match device {
        Some(device) => {
            let size = runtime.property(device, c"recommendedMaxWorkingSetSize");
            // SAFETY: the device is owned, and is not used any more.
            unsafe { (runtime.release)(device) };
            size
        }
        None => Err(Errno::NOT_FOUND),
    };
    answer.extend_from_slice(&size?.to_le_bytes());
    Ok(())
}
