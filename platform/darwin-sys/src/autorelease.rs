//! Where objects of Objective-C go that a framework made and gave to nobody: the pool of the thread.
//!
//! IOKit's HID client and others are Objective-C inside, and give back what the caller does not own as objects that a
//! pool releases later. A thread of ours runs no event loop that has one, so without a pool such objects would stay
//! until the thread ends, which is never. Each call has one of its own.

use crate::dynamic::Library;
use std::ffi::c_void;
use std::sync::OnceLock;

/// What is taken from the runtime of Objective-C. Its header is not public, but compilers write calls of both into
/// every program that has an `@autoreleasepool`.
#[derive(Clone, Copy)]
struct Functions {
    push: unsafe extern "C" fn() -> *mut c_void,
    pop: unsafe extern "C" fn(*mut c_void),
}

/// None without the runtime, where there are no objects either.
fn functions() -> Option<Functions> {
    static FUNCTIONS: OnceLock<Option<Functions>> = OnceLock::new();
    *FUNCTIONS.get_or_init(|| {
        let library = Library::open(c"/usr/lib/libobjc.A.dylib").ok()?;
        // SAFETY: these are the types by which Clang's "Automatic Reference Counting" declares both.
        unsafe {
            Some(Functions {
                push: library.function(c"objc_autoreleasePoolPush").ok()?,
                pop: library.function(c"objc_autoreleasePoolPop").ok()?,
            })
        }
    })
}

/// A pool, emptied when it is dropped. It does not leave its thread, because it holds a pointer.
pub(crate) struct Pool(Option<(*mut c_void, Functions)>);

impl Pool {
    pub(crate) fn push() -> Pool {
        // SAFETY: it takes nothing, and what it gives is handed to nobody but its counterpart.
        Pool(functions().map(|functions| (unsafe { (functions.push)() }, functions)))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some((pool, functions)) = self.0 {
            // SAFETY: this is a pool of this thread, and those that were pushed after it are gone: they are values on
            // its stack. Nothing that a call keeps is only the pool's: it is retained.
            unsafe { (functions.pop)(pool) };
        }
    }
}
