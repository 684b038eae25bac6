//! What this build and host have: the only file of the daemon that asks which system it is.

use door::{Doors, Live};
use schema::Spec;

/// Every collector that this build has, in the order in which inline ones run.
pub fn collectors() -> Vec<&'static Spec<Doors>> {
    recorded(OS)
}

/// Every collector for a machine that was recorded on this system ([`door::Capture::os`]), whichever system this
/// build is for: what a kernel says is decoded on any host. None for a system that gauged does not know.
pub fn recorded(os: &str) -> Vec<&'static Spec<Doors>> {
    let collectors = match os {
        "linux" => linux::COLLECTORS,
        "macos" => darwin::COLLECTORS,
        _ => return Vec::new(),
    };
    collectors.iter().chain(textfile::COLLECTORS).collect()
}

/// Ends the process at once, whatever its threads are stuck in.
pub fn exit_now(code: i32) -> ! {
    here::exit_now(code)
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

pub use here::{OS, Own, pulse};

#[cfg(target_os = "linux")]
mod here {
    pub(super) use linux::lxcfs::is_there as inline_may_hang;
    pub use linux::own::{Own, pulse};
    pub(super) use linux_sys::exit_now;

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
