//! The library itself: loaded, initialised, and given back in order.

use crate::handle::Handle;
use crate::meter::Meter;
use crate::symbols::Symbols;
use crate::text;
use nvidia::{Answer, Code, Refusal};
use std::ffi::{CStr, OsStr};
use std::path::Path;

/// What the loader finds where no path is given. The name without .1 is of the package for developers.
const NAME: &str = "libnvidia-ml.so.1";

/// NVML, initialised. Whatever is made by the library holds on to it, so that it goes last.
pub(crate) struct Library {
    pub(crate) symbols: Symbols,
    pub(crate) meter: Meter,
    /// Mapped for as long as the functions above are called: it is dropped after them, and unmapped.
    _object: libloading::Library,
}

impl Library {
    /// Loads and initialises it. GPUs are not touched until they are asked for (nvmlInit_v2).
    pub(crate) fn open(path: Option<&Path>) -> Result<Library, Refusal> {
        let name = match path {
            Some(path) => path.as_os_str(),
            None => OsStr::new(NAME),
        };
        // SAFETY: the library is the driver's, by the name under which NVIDIA installs it or by the path that whoever
        // runs us trusts; its initialisers are what every program that uses NVML runs.
        let object = unsafe { libloading::Library::new(name) }.map_err(|error| unloadable(name, &error))?;
        // SAFETY: the library is NVML, as above.
        let symbols = unsafe { Symbols::of(&object) };
        let meter = Meter::default();
        let init = symbols.nvmlInit_v2.function().and_then(|init| {
            // SAFETY: nvmlInit_v2 has no arguments and no preconditions; it counts who initialised it.
            meter.time(|| unsafe { init() })
        });
        if let Err(code) = init {
            let words = words(&symbols, code);
            return Err(Refusal { code, words });
        }
        Ok(Library { symbols, meter, _object: object })
    }

    /// The handle of the GPU of this index. It wakes the GPU, and takes seconds where nobody else keeps it awake.
    pub(crate) fn gpu(&self, index: u32) -> Answer<Handle> {
        let call = self.symbols.nvmlDeviceGetHandleByIndex_v2.function()?;
        let mut raw = std::ptr::null_mut();
        // SAFETY: the signature is the header's; `raw` is a pointer's room that lives through the call.
        self.meter.time(|| unsafe { call(index, &raw mut raw) })?;
        Handle::given(raw).ok_or(Code::UNKNOWN)
    }

    /// The handle of a MIG device of a GPU.
    pub(crate) fn instance(&self, gpu: Handle, index: u32) -> Answer<Handle> {
        let call = self.symbols.nvmlDeviceGetMigDeviceHandleByIndex.function()?;
        let mut raw = std::ptr::null_mut();
        // SAFETY: as above; the handle is this library's.
        self.meter.time(|| unsafe { call(gpu.raw(), index, &raw mut raw) })?;
        Handle::given(raw).ok_or(Code::UNKNOWN)
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        if let Ok(shutdown) = self.symbols.nvmlShutdown.function() {
            // SAFETY: nvmlShutdown undoes our nvmlInit_v2, once. Samples and event sets hold on to the library, so
            // none is left, and no call is under way, for each borrows the library.
            let _ = self.meter.time(|| unsafe { shutdown() });
        }
    }
}

/// The loader's words: which file it wanted, and what was wrong with it or one that it needs.
fn unloadable(name: &OsStr, error: &libloading::Error) -> Refusal {
    let name = name.to_string_lossy();
    let mut words = text::repaired(error.to_string().as_bytes());
    if !words.contains(&*name) {
        words = format!("{name}: {words}");
    }
    Refusal { code: Code::LIBRARY_NOT_FOUND, words }
}

/// The library's words for a code; it may be asked for them before it is initialised.
fn words(symbols: &Symbols, Code(code): Code) -> String {
    if !symbols.nvmlInit_v2.is_there() {
        return "it has no nvmlInit_v2, so it is not NVML".to_owned();
    }
    let Ok(error_string) = symbols.nvmlErrorString.function() else {
        return format!("NVML says {code}");
    };
    // SAFETY: nvmlErrorString takes any number.
    let words = unsafe { error_string(code.cast_unsigned()) };
    if words.is_null() {
        return format!("NVML says {code}");
    }
    // SAFETY: nvml.h: it gives a string of its own, with a NUL; it is copied before the library goes.
    text::repaired(unsafe { CStr::from_ptr(words) }.to_bytes())
}
