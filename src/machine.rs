//! What this build and host have: the only file of the daemon that asks which system it is.

use crate::gpu;
use door::{Doors, Live};
use nvidia::Refusal;
use schema::Spec;
use std::path::Path;

/// Every collector that this build has, in the order in which inline ones run.
pub fn collectors() -> Vec<&'static Spec<Doors>> {
    recorded(OS)
}

/// Every collector for a machine that was recorded on this system ([`door::Capture::os`]), whichever system this
/// build is for: what a kernel says is decoded on any host. None for a system that gauged does not know.
pub fn recorded(os: &str) -> Vec<&'static Spec<Doors>> {
    let (collectors, gpus) = match os {
        "linux" => (linux::COLLECTORS, GPUS),
        "macos" => (darwin::COLLECTORS, &[][..]),
        _ => return Vec::new(),
    };
    collectors.iter().chain(gpus).chain(textfile::COLLECTORS).collect()
}

/// GPUs that a driver of its own has to be asked of.
const GPUS: &[Spec<Doors>] = &[gpu::SPEC];

/// Opens the library of NVIDIA's driver: this one, or the one that is installed. It may take seconds, or hang.
///
/// # Errors
/// The driver's code, and what it or the loader said.
pub fn nvml(library: Option<&Path>) -> Result<Nvml, Refusal> {
    here::nvml(library)
}

/// Ends the process at once, whatever its threads are stuck in.
pub fn exit_now(code: i32) -> ! {
    here::exit_now(code)
}

/// Has the allocator keep little memory for each thread. To be called before there are threads.
pub fn share_heaps() {
    here::share_heaps();
}

/// Has this thread take the process's signals: a child inherits what the lane that started it had blocked.
pub fn unblock_signals() {
    here::unblock_signals();
}

/// The doors of this machine.
///
/// # Errors
/// Says that gauged cannot measure this system.
pub fn live() -> Result<Live, &'static str> {
    here::live()
}

/// True where what inline collectors read may not answer, so that each needs a lane of its own.
pub fn inline_may_hang(doors: &Doors) -> bool {
    here::inline_may_hang(doors)
}

pub use here::{Nvml, OS, Own, pulse};

#[cfg(not(target_os = "linux"))]
fn no_nvml() -> Refusal {
    let words = "NVIDIA's driver is asked on Linux alone".to_owned();
    Refusal { code: nvidia::Code::LIBRARY_NOT_FOUND, words }
}

#[cfg(target_os = "linux")]
mod here {
    use crate::gpu::Library;
    use nvidia::Refusal;
    use std::path::Path;
    use std::time::Duration;

    pub(super) use linux::lxcfs::is_there as inline_may_hang;
    pub use linux::own::{Own, pulse};
    pub(super) use linux_sys::{exit_now, share_heaps, unblock_signals};
    pub use nvidia_sys::Nvml;

    impl Library for Nvml {
        fn calls(&self) -> (u64, Duration) {
            Nvml::calls(self)
        }
    }

    pub(super) fn nvml(library: Option<&Path>) -> Result<Nvml, Refusal> {
        Nvml::open(library)
    }

    /// The system that this build measures, as captures name it.
    pub const OS: &str = "linux";

    pub(super) fn live() -> Result<door::Live, &'static str> {
        Ok(linux_sys::live())
    }
}

#[cfg(target_os = "macos")]
mod here {
    pub use darwin::own::{Own, pulse};
    pub(super) use darwin_sys::exit_now;

    /// The system that this build measures, as captures name it.
    pub const OS: &str = "macos";

    /// There is no such driver on this system but a recorded one.
    pub type Nvml = nvidia::Played;

    pub(super) fn nvml(_: Option<&std::path::Path>) -> Result<Nvml, nvidia::Refusal> {
        Err(super::no_nvml())
    }

    pub(super) fn share_heaps() {}

    pub(super) fn unblock_signals() {}

    pub(super) fn live() -> Result<door::Live, &'static str> {
        Ok(darwin_sys::live())
    }

    /// Nothing stands between an inline collector and the kernel here.
    pub(super) fn inline_may_hang(_: &door::Doors) -> bool {
        false
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod here {
    pub use darwin::own::{Own, pulse};

    /// A system that gauged cannot measure yet; it can replay machines that it was not recorded on.
    pub const OS: &str = "";

    /// There is no such driver on this system but a recorded one.
    pub type Nvml = nvidia::Played;

    pub(super) fn nvml(_: Option<&std::path::Path>) -> Result<Nvml, nvidia::Refusal> {
        Err(super::no_nvml())
    }

    pub(super) fn share_heaps() {}

    pub(super) fn unblock_signals() {}

    pub(super) fn exit_now(code: i32) -> ! {
        std::process::exit(code)
    }

    pub(super) fn live() -> Result<door::Live, &'static str> {
        Err("gauged cannot measure this system yet")
    }

    pub(super) fn inline_may_hang(_: &door::Doors) -> bool {
        false
    }
}
