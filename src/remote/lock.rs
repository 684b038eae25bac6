//! The file that a child holds locked (flock(2), by std) as long as it lives, with its pid in it.
//!
//! It is how a hung child is known to a daemon that did not start it: after a restart of the daemon there is
//! nothing else left of it. The lock goes with the process, however it ends. The file stays; an unlocked one
//! means nothing. Only its owner may open it, for whoever can open it can lock it.

use schema::{Errno, Error};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Why the lock was not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Another process has it: its pid, if it wrote one yet.
    Held(Option<u32>),
    /// The file could not be opened, locked or written.
    Failed(Error),
}

/// Takes the lock and writes our pid. It is held until the file is dropped.
pub(crate) fn take(path: &Path) -> Result<File, Refused> {
    let mut file = attempt(path)?;
    let pid = format!("{}\n", std::process::id());
    file.set_len(0).and_then(|()| file.write_all(pid.as_bytes())).map_err(|e| failed(path, &e))?;
    Ok(file)
}

/// Says whether the lock could be taken.
pub(super) fn look(path: &Path) -> Result<(), Refused> {
    attempt(path).map(drop)
}

/// Who holds the lock of a file that need not be there: None for nobody, else the pid, if it wrote one yet. Nothing is
/// created, for a file of ours would be closed to who ought to lock it.
///
/// # Errors
/// The file cannot be opened.
pub(crate) fn holder(path: &Path) -> Result<Option<Option<u32>>, Error> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(error(path, &e)),
    };
    match file.try_lock() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(pid(&mut file))),
        Err(TryLockError::Error(e)) => Err(error(path, &e)),
    }
}

/// True if the kernel says that this process, as it is called here, holds the lock of this file (`/proc/locks`, proc(5)).
/// What is written in the file is older than the lock for a moment, or of another PID namespace.
pub(crate) fn is_held_by(path: &Path, pid: i32) -> bool {
    let inode = std::fs::metadata(path).map(|file| file.ino());
    let locks = std::fs::read_to_string("/proc/locks");
    let (Ok(inode), Ok(locks)) = (inode, locks) else { return false };
    locks.lines().any(|line| is_held(line, inode, pid))
}

/// `1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF`, the number of the file being the last of its three.
fn is_held(line: &str, inode: u64, pid: i32) -> bool {
    let mut words = line.split_whitespace().skip(1);
    let kind = words.next();
    let (holder, file) = (words.nth(2), words.next());
    kind == Some("FLOCK")
        && holder.and_then(|holder| holder.parse().ok()) == Some(pid)
        && file.and_then(|file| file.rsplit(':').next()?.parse().ok()) == Some(inode)
}

fn attempt(path: &Path) -> Result<File, Refused> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(path).map_err(|e| failed(path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Refused::Held(pid(&mut file))),
        Err(TryLockError::Error(e)) => Err(failed(path, &e)),
    }
}

fn pid(file: &mut File) -> Option<u32> {
    let mut digits = String::new();
    file.take(16).read_to_string(&mut digits).ok()?;
    digits.strip_suffix('\n')?.parse().ok()
}

fn failed(path: &Path, error: &std::io::Error) -> Refused {
    Refused::Failed(self::error(path, error))
}

fn error(path: &Path, error: &std::io::Error) -> Error {
    let source = error.raw_os_error().map_or(Errno::IO, Errno);
    Error::Io { path: path.to_string_lossy().into(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_with_the_pid_until_it_is_dropped() {
        let path = std::env::temp_dir().join(format!("gauged-lock-{}", std::process::id()));
        std::fs::write(&path, "a longer line that an earlier holder left\n").unwrap();
        let held = take(&path).unwrap();
        assert!(matches!(look(&path), Err(Refused::Held(Some(pid))) if pid == std::process::id()));
        assert!(matches!(take(&path), Err(Refused::Held(_))));
        assert_eq!(holder(&path).unwrap(), Some(Some(std::process::id())));
        drop(held);
        assert_eq!(holder(&path).unwrap(), None);
        look(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_holder_is_who_the_kernel_says() {
        let line = "1: FLOCK  ADVISORY  WRITE 1234 00:1a:5678 0 EOF";
        assert!(is_held(line, 5678, 1234));
        assert!(!is_held(line, 5679, 1234) && !is_held(line, 5678, 1235));
        // One that waits, one of another kind, and one that is cut off.
        assert!(!is_held("1: -> FLOCK  ADVISORY  WRITE 1234 00:1a:5678 0 EOF", 5678, 1234));
        assert!(!is_held("1: POSIX  ADVISORY  WRITE 1234 00:1a:5678 0 EOF", 5678, 1234));
        assert!(!is_held("1: FLOCK  ADVISORY  WRITE 1234", 5678, 1234) && !is_held("", 5678, 1234));
    }

    #[test]
    fn to_ask_for_the_holder_creates_nothing() {
        let path = std::env::temp_dir().join(format!("gauged-no-lock-{}", std::process::id()));
        assert_eq!(holder(&path).unwrap(), None);
        assert!(!path.exists());
    }

    #[test]
    fn a_directory_that_is_not_there_is_told_with_the_path() {
        let Err(Refused::Failed(error)) = look(Path::new("/nonexistent/gpu-probe.lock")) else { panic!() };
        assert_eq!(error.to_string(), "/nonexistent/gpu-probe.lock: No such file or directory (os error 2)");
    }
}
