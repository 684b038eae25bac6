//! The lease by which the GPUs' driver is let go: a file in the runtime directory with the moment of its end.
//!
//! Its moments are of the clock that counts from boot (CLOCK_BOOTTIME), so that nobody who sets the wall clock makes a
//! lease longer or shorter. That it begins somewhere tells one of an earlier boot from one of now, where the directory
//! outlives the machine's start. It is written beside and renamed, so that no half of it is ever read; one that has
//! ended, that is longer than any is granted for, or that nobody understands, is none.

use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const FILE: &str = "gpu.release";

/// The longest that a lease is granted for: who wants no GPUs for longer switches their collector off.
pub(super) const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

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
        let (from, until) = text.strip_suffix('\n')?.split_once(' ')?;
        let from = Duration::from_millis(from.parse().ok()?);
        let until = Duration::from_millis(until.parse().ok()?);
        if from > now {
            // Of an earlier boot. It would begin to hold when this one has lasted as long.
            drop(self.end());
            return None;
        }
        Some(until).filter(|until| *until > now && until.saturating_sub(from) <= LONGEST)
    }

    /// Grants the lease from now on, for this long.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn grant(&self, now: Duration, span: Duration) -> io::Result<()> {
        let beside = self.0.with_extension(format!("new.{}", std::process::id()));
        // A link that somebody laid there is not followed: the directory may be another user's than ours.
        let mut file = fs::File::create_new(&beside)?;
        let until = now.saturating_add(span);
        // Whoever grants it, with whatever umask: the daemon is another user, and has to read it.
        let written = file
            .set_permissions(Permissions::from_mode(0o644))
            .and_then(|()| writeln!(file, "{} {}", now.as_millis(), until.as_millis()))
            .and_then(|()| fs::rename(&beside, &self.0));
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
        lease.grant(s(1), s(9)).unwrap();
        assert_eq!((lease.until(s(9)), lease.until(s(10))), (Some(s(10)), None));
        assert_eq!(fs::metadata(&lease.0).unwrap().permissions().mode() & 0o777, 0o644);
        let forever = format!("0 {}\n", u64::MAX);
        for broken in ["", "0 10000", "0\n", "10000\n", "0 ten\n", "-1 10000\n", "\u{ff} \u{ff}\n", &forever]
        {
            fs::write(&lease.0, broken).unwrap();
            assert_eq!(lease.until(s(1)), None, "{broken:?}");
        }
        lease.end().unwrap();
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
        fs::remove_dir(&directory).unwrap();
    }

    #[test]
    fn a_lease_of_an_earlier_boot_never_holds() {
        let directory = std::env::temp_dir().join(format!("gauged-old-lease-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let lease = Lease::of(&directory);
        lease.grant(s(1000), s(600)).unwrap();
        assert_eq!((lease.until(s(10)), lease.until(s(1001))), (None, None));
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
        fs::remove_dir(&directory).unwrap();
    }
}
