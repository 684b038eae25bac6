//! The driver as a whole: init, shutdown, versions, words for codes, how many GPUs there are.

use crate::abi::{called, code, give, give_text};
use crate::world::world;
use nvidia::{Answer, Code};
use nvml_wrapper_sys::bindings::nvmlReturn_t;
use std::ffi::{c_char, c_int, c_uint};

fn init(symbol: &str) -> Answer<()> {
    let world = world()?;
    world.enter(symbol, None)?;
    if world.has("init") {
        world.answer::<()>("init")?;
    }
    world.begin();
    Ok(())
}

#[unsafe(no_mangle)]
extern "C" fn nvmlInit() -> nvmlReturn_t {
    code(init("nvmlInit"))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlInit_v2() -> nvmlReturn_t {
    code(init("nvmlInit_v2"))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlInitWithFlags(_flags: c_uint) -> nvmlReturn_t {
    code(init("nvmlInitWithFlags"))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlShutdown() -> nvmlReturn_t {
    code(called("nvmlShutdown").and_then(|world| world.end()))
}

/// The words that the driver has for its codes.
#[unsafe(no_mangle)]
extern "C" fn nvmlErrorString(result: nvmlReturn_t) -> *const c_char {
    let words = match result {
        0 => c"Success",
        1 => c"Uninitialized",
        2 => c"Invalid Argument",
        3 => c"Not Supported",
        4 => c"Insufficient Permissions",
        6 => c"Not Found",
        7 => c"Insufficient Size",
        9 => c"Driver Not Loaded",
        10 => c"Timeout",
        12 => c"NVML Shared Library Not Found",
        13 => c"Function Not Found",
        15 => c"GPU is lost",
        16 => c"GPU requires reset",
        17 => c"The operating system has blocked the request",
        18 => c"RM has detected an NVML/RM version mismatch.",
        23 => c"Insufficient Resources",
        25 => c"Argument Version Mismatch",
        _ => c"Unknown Error",
    };
    words.as_ptr()
}

macro_rules! versions {
    ($($symbol:ident = $key:literal;)+) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $symbol(version: *mut c_char, length: c_uint) -> nvmlReturn_t {
            let text = called(stringify!($symbol)).and_then(|world| world.answer::<String>($key));
            // SAFETY: nvml.h: `version` has room for `length` characters.
            code(text.and_then(|text| unsafe { give_text(version, length, &text) }))
        }
    )+};
}

versions! {
    nvmlSystemGetDriverVersion = "version/driver";
    nvmlSystemGetNVMLVersion = "version/library";
}

/// `major.minor` as 1000 times the one and 10 times the other.
unsafe fn cuda(symbol: &str, place: *mut c_int) -> Answer<()> {
    let text: String = called(symbol)?.answer("version/cuda")?;
    let (major, minor) = text.split_once('.').ok_or(Code::UNKNOWN)?;
    let number = |text: &str| text.trim().parse::<c_int>().map_err(|_| Code::UNKNOWN);
    // SAFETY: nvml.h: `place` is a place for one number.
    unsafe { give(place, 1000 * number(major)? + 10 * number(minor)?) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlSystemGetCudaDriverVersion(version: *mut c_int) -> nvmlReturn_t {
    // SAFETY: nvml.h: a place for one number.
    code(unsafe { cuda("nvmlSystemGetCudaDriverVersion", version) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlSystemGetCudaDriverVersion_v2(version: *mut c_int) -> nvmlReturn_t {
    // SAFETY: nvml.h: a place for one number.
    code(unsafe { cuda("nvmlSystemGetCudaDriverVersion_v2", version) })
}

/// The first version leaves out what may not be used; here nothing may not.
unsafe fn count(symbol: &str, place: *mut c_uint) -> Answer<()> {
    let count = called(symbol)?.answer("count")?;
    // SAFETY: nvml.h: `place` is a place for one number.
    unsafe { give(place, count) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetCount(count_place: *mut c_uint) -> nvmlReturn_t {
    // SAFETY: nvml.h: a place for one number.
    code(unsafe { count("nvmlDeviceGetCount", count_place) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetCount_v2(count_place: *mut c_uint) -> nvmlReturn_t {
    // SAFETY: nvml.h: a place for one number.
    code(unsafe { count("nvmlDeviceGetCount_v2", count_place) })
}
