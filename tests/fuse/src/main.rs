//! `hung-fuse DIR [--heal-after SECONDS]`: mounts at DIR a filesystem that never answers statfs(2), as a dead
//! NFS server or a crashed FUSE program does not, so that the caller is in uninterruptible sleep (state D) and
//! SIGKILL does not end it. With `--heal-after` the filesystem answers after that many seconds.
//!
//! It prints `ready` when the mount stands, and ends on SIGTERM, SIGINT or the end of standard input; then the
//! mount is detached and whoever waits in it gets an error. Exit code 77 means that this host does not let us
//! mount: the test is to be skipped, not failed.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod connection;
#[cfg(target_os = "linux")]
mod hung;
#[cfg(target_os = "linux")]
mod protocol;

#[cfg(not(target_os = "linux"))]
mod hung {
    //! FUSE as this test needs it is Linux's.

    /// Says that there is nothing to test here.
    pub(crate) fn run(_arguments: &[String]) -> Result<(), crate::Failure> {
        Err(crate::Failure::NoRight("a hung filesystem can be mounted on Linux only".to_owned()))
    }
}

use std::process::ExitCode;

/// Why there is no hung filesystem.
#[derive(Debug)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "elsewhere there is one reason"))]
pub(crate) enum Failure {
    /// The command line is wrong.
    Usage,
    /// This host does not let us mount: no /dev/fuse, no CAP_SYS_ADMIN.
    NoRight(String),
    /// Anything else.
    Broken(String),
}

#[expect(clippy::print_stderr, reason = "a program's last word")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match hung::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage) => {
            eprintln!("usage: hung-fuse DIR [--heal-after SECONDS]");
            ExitCode::from(64)
        }
        Err(Failure::NoRight(why)) => {
            eprintln!("hung-fuse: no right to mount here: {why}");
            ExitCode::from(77)
        }
        Err(Failure::Broken(why)) => {
            eprintln!("hung-fuse: {why}");
            ExitCode::FAILURE
        }
    }
}
