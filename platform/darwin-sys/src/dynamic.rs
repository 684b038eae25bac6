//! Libraries and frameworks that may be absent or are private: opened at run time, so that what is not there is the
//! answer "not there" to one call and no reason for the program not to start (dlopen(3), dlsym(3)).

use schema::Errno;
use std::ffi::{CStr, c_void};
use std::ptr::NonNull;

/// A library that is open. It is never closed: what it gave may be in use as long as the process is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Library(NonNull<c_void>);

impl Library {
    /// Opens the library of this path, which is in the cache of dyld or in a file.
    ///
    /// # Errors
    /// ENOENT if it cannot be opened.
    pub(crate) fn open(path: &CStr) -> Result<Library, Errno> {
        // SAFETY: the path ends in NUL. Only libraries of the system are named here, and running their
        // initialisers is what linking to them would do as well.
        let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY | libc::RTLD_LOCAL) };
        NonNull::new(library).map(Library).ok_or(Errno::NOT_FOUND)
    }

    /// The function of this name.
    ///
    /// # Errors
    /// ENOENT if there is none.
    ///
    /// # Safety
    /// `F` is a pointer to a function of the type that the library's function of this name has.
    pub(crate) unsafe fn function<F: Copy>(self, name: &CStr) -> Result<F, Errno> {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        // SAFETY: the library is open, and the name ends in NUL.
        let symbol = NonNull::new(unsafe { libc::dlsym(self.0.as_ptr(), name.as_ptr()) });
        let symbol = symbol.ok_or(Errno::NOT_FOUND)?;
        // SAFETY: the sizes are the same, see above, and the caller vouches that this is a function of type `F`.
        Ok(unsafe { std::mem::transmute_copy(&symbol) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_found() {
        assert_eq!(Library::open(c"/usr/lib/libNoSuchThing.dylib").unwrap_err(), Errno::NOT_FOUND);
        let system = Library::open(c"/usr/lib/libSystem.B.dylib").unwrap();
        type Getpid = unsafe extern "C" fn() -> libc::pid_t;
        // SAFETY: getpid(2) is such a function.
        let getpid = unsafe { system.function::<Getpid>(c"getpid") }.unwrap();
        // SAFETY: getpid(2) has no preconditions.
        assert_eq!(unsafe { getpid() }, std::process::id().cast_signed());
        // SAFETY: there is no function of this name, so nothing has a wrong type.
        assert!(unsafe { system.function::<Getpid>(c"no_such_function") }.is_err());
    }
}
