//! How the driver as a whole is, and of which versions its parts are: as its library tells it, and as the kernel tells
//! it of the loaded module (`/sys/module/nvidia/version`, `/proc/driver/nvidia/version`). After an upgrade without a
//! reload the two differ, and the driver refuses until somebody acts.

use crate::driver::{Answer, Code, Driver};
use crate::question::Version;
use door::{Buffer, Doors, Root};
use schema::families::gpu::{self, DriverState};
use schema::unit::Count;
use schema::{Batch, Error};
use std::sync::Arc;

/// No machine has more GPUs.
const MOST: u32 = 1024;

/// The driver's state, of the code with which it refuses.
pub fn driver_state(code: Code) -> DriverState {
    match code {
        Code::DRIVER_NOT_LOADED => DriverState::NotLoaded,
        Code::LIBRARY_NOT_FOUND => DriverState::LibraryMissing,
        Code::VERSION_MISMATCH => DriverState::VersionMismatch,
        Code::NO_PERMISSION | Code::OPERATING_SYSTEM => DriverState::NoPermission,
        _ => DriverState::Unknown,
    }
}

/// The versions of the driver's parts.
#[derive(Debug)]
pub struct Versions {
    doors: Arc<Doors>,
    /// Those of the library, of which each is asked for until it is told.
    told: gpu::Versions,
    buffer: Buffer,
}

impl Versions {
    /// Nothing is read yet.
    pub fn new(doors: &Arc<Doors>) -> Versions {
        Versions { doors: Arc::clone(doors), told: gpu::Versions::default(), buffer: Buffer::default() }
    }

    /// Puts `gpu_driver_info`: the driver's versions and, from the kernel, the loaded module's. The driver is None
    /// while it cannot be asked; the module's version may be known all the same.
    pub fn collect(&mut self, driver: Option<&dyn Driver>, out: &mut Batch) {
        let Versions { doors, told, buffer } = self;
        if let Some(driver) = driver {
            let parts = [
                (Version::Driver, &mut told.driver, "nvmlSystemGetDriverVersion"),
                (Version::Library, &mut told.library, "nvmlSystemGetNVMLVersion"),
                (Version::Cuda, &mut told.cuda, "nvmlSystemGetCudaDriverVersion"),
            ];
            for (version, label, call) in parts {
                if label.is_empty() {
                    match driver.version(version) {
                        Ok(text) => *label = text,
                        Err(code) if code.is_absence() => {}
                        Err(Code(code)) => out.fail(Error::Driver { call, code }),
                    }
                }
            }
        }
        // It changes when the module is loaded anew, below a library that stays.
        told.module.clear();
        told.module.extend(module(&doors.sysfs, &doors.procfs, buffer));
        told.put(out);
    }
}

/// The loaded module's version. Files are not kept open: they would be in the way of unloading it.
fn module(sysfs: &Root, procfs: &Root, buffer: &mut Buffer) -> Option<String> {
    if let Some(version) = sysfs.read_once("module/nvidia/version", buffer).ok().and_then(version) {
        return Some(version);
    }
    let contents = procfs.read_once("driver/nvidia/version", buffer).ok()?;
    let line = contents.split(|byte| *byte == b'\n').find(|line| line.starts_with(b"NVRM version:"))?;
    version(line)
}

/// The first word of digits with points, such as 580.95.05.
fn version(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let is_version = |word: &&str| {
        word.contains('.')
            && word.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    text.split_ascii_whitespace().find(is_version).map(str::to_owned)
}

/// Asks how many GPUs there are, and puts that as `gpu_devices{source="driver"}`.
///
/// # Errors
/// The driver's code, which is not noted: it is the driver's state.
pub fn count(driver: &dyn Driver, out: &mut Batch) -> Answer<u32> {
    let count = driver.count()?;
    if count > MOST {
        out.reject();
        return Ok(0);
    }
    gpu::put_devices(None, Some(Count(u64::from(count))), out);
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_refusal_tells_the_state() {
        let states = [
            (9, DriverState::NotLoaded),
            (12, DriverState::LibraryMissing),
            (18, DriverState::VersionMismatch),
            (4, DriverState::NoPermission),
            (17, DriverState::NoPermission),
            (999, DriverState::Unknown),
            (15, DriverState::Unknown),
        ];
        for (code, state) in states {
            assert_eq!(driver_state(Code(code)), state, "{code}");
        }
    }

    #[test]
    fn the_modules_version_stands_among_words() {
        let closed =
            b"NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023";
        assert_eq!(version(closed).as_deref(), Some("535.104.05"));
        let open =
            b"NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  580.95.05  Release Build  (root@x)";
        assert_eq!(version(open).as_deref(), Some("580.95.05"));
        assert_eq!(version(b"580.95.05\n").as_deref(), Some("580.95.05"));
        assert_eq!(
            (version(b""), version(b"12"), version(b". .. 1."), version(b"\xff")),
            (None, None, None, None)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = version(&bytes);
        }
    }
}
