//! What this build and host have: the only file of the daemon that asks which system it is.

use door::{Doors, Live};
use schema::Spec;

/// Every collector that this build has, in the order in which inline ones run.
pub fn collectors() -> Vec<&'static Spec<Doors>> {
    here::COLLECTORS.iter().chain(textfile::COLLECTORS).collect()
}

/// Every collector of the system that a capture is of, by the fact `os`, whichever this build measures: recorded
/// machines are measured anywhere. None for a system that this build does not know.
pub fn recorded(os: &str) -> Vec<&'static Spec<Doors>> {
    match os {
        LINUX => linux::COLLECTORS.iter().chain(textfile::COLLECTORS).collect(),
        _ => Vec::new(),
    }
}

/// What a capture is of that does not say: Linux's were there first.
pub const LINUX: &str = "linux";

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

pub use here::Own;

#[cfg(target_os = "linux")]
mod here {
    pub(super) use linux::COLLECTORS;
    pub(super) use linux::lxcfs::is_there as inline_may_hang;
    pub use linux::own::Own;
    pub(super) use linux_sys::exit_now;

    pub(super) fn live() -> Result<door::Live, &'static str> {
        Ok(linux_sys::live())
    }
}

#[cfg(not(target_os = "linux"))]
mod here {
    use door::Doors;
    use schema::Spec;
    use schema::families::process::Process;

    pub(super) const COLLECTORS: &[Spec<Doors>] = &[];

    pub(super) fn exit_now(code: i32) -> ! {
        std::process::exit(code)
    }

    pub(super) fn live() -> Result<door::Live, &'static str> {
        Err("gauged cannot measure this system yet")
    }

    pub(super) fn inline_may_hang(_: &Doors) -> bool {
        false
    }

    /// Nothing is known of the process on this system yet.
    #[derive(Debug)]
    pub struct Own;

    impl Own {
        /// Opens nothing.
        pub fn open(_: &Doors, _: bool) -> Own {
            Own
        }

        /// No namespaces.
        pub fn namespaces(&self) -> &[(&'static str, bool)] {
            &[]
        }

        /// Nothing is known.
        pub fn process(&mut self, _: u64) -> Process {
            Process::default()
        }
    }
}
