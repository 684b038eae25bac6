//! The lease by which the GPUs' driver is let go: a file in the runtime directory with the moment of its end.
//!
//! The moment is of the clock that counts from boot (CLOCK_BOOTTIME), so that nobody who sets the wall clock makes a
//! lease longer or shorter. It is written beside and renamed, so that no half of it is ever read; one that has ended,
//! or that nobody understands, is none.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

const FILE: &str = "gpu.release";

/// The file of the lease.
#[derive(Clone, Debug)]
pub(super) struct Lease(PathBuf);

impl Lease {
    pub(super) fn of(directory: &Path) -> Lease {
        Lease(directory.join(FILE))
    }

    /// When the lease ends, if it holds now.
    pub(super) fn until(&self, now: Duration) -> Option<Duration> {
        let mut text = String::new();
        fs::File::open(&self.0).ok()?.take(64).read_to_string(&mut text).ok()?;
        let millis = text.strip_suffix('\n')?.parse().ok()?;
        Some(Duration::from_millis(millis)).filter(|until| *until > now)
    }

    /// Grants the lease until this moment.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn grant(&self, until: Duration) -> io::Result<()> {
        let beside = self.0.with_extension(format!("new.{}", std::process::id()));
        let mut file = fs::File::create(&beside)?;
        let written = writeln!(file, "{}", until.as_millis()).and_then(|()| fs::rename(&beside, &self.0));
        if written.is_err() {
            drop(fs::remove_file(&beside));
        }
        written
    }

    /// Ends the lease.
    ///
    /// # Errors
    /// What the system said; that there was none is no error.
    pub(super) fn end(&self) -> io::Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_lease_holds_until_its_end_and_no_longer() {
        let directory = std::env::temp_dir().join(format!("gauged-lease-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let lease = Lease::of(&directory);
        assert_eq!(lease.until(s(1)), None);
        lease.end().unwrap();
        lease.grant(s(10)).unwrap();
        assert_eq!((lease.until(s(9)), lease.until(s(10))), (Some(s(10)), None));
        for broken in ["", "10000", "ten\n", "-1\n", "\u{ff}\n"] {
            fs::write(&lease.0, broken).unwrap();
            assert_eq!(lease.until(s(1)), None, "{broken:?}");
        }
        lease.end().unwrap();
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
        fs::remove_dir(&directory).unwrap();
    }
}
