//! Files that people drop into a directory.

use crate::calls::INVALID;
use schema::Errno;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

/// The largest file that is read.
const MOST_BYTES: u64 = 1 << 20;

/// A regular file's contents. The argument is a path; the answer is 8 bytes with the time of its last change, in
/// seconds since 1970-01-01 UTC as a little-endian double, and then what stands in it.
///
/// Nothing but a regular file is read, and nothing is waited for: ELOOP for a symbolic link, EINVAL for any other
/// kind (O_NONBLOCK opens a FIFO without a writer at once), EFBIG beyond 1 MiB, also for a file that grows while
/// it is read.
#[expect(clippy::disallowed_types, reason = "this is what the door calls")]
#[expect(clippy::cast_precision_loss, reason = "a double has a microsecond to spare in the year 2200")]
pub(crate) fn regular(path: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let flags = libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_NOCTTY;
    let path = OsStr::from_bytes(path);
    let file =
        std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|e| errno(&e))?;
    let about = file.metadata().map_err(|e| errno(&e))?;
    if !about.is_file() {
        return Err(INVALID);
    }
    let before = answer.len();
    let changed = about.mtime() as f64 + about.mtime_nsec() as f64 / 1e9;
    answer.extend_from_slice(&changed.to_le_bytes());
    let read = file.take(MOST_BYTES + 1).read_to_end(answer);
    if read.as_ref().is_ok_and(|bytes| *bytes as u64 <= MOST_BYTES) {
        return Ok(());
    }
    answer.truncate(before);
    Err(match read {
        Ok(_) => Errno(libc::EFBIG),
        Err(error) => errno(&error),
    })
}

fn errno(error: &io::Error) -> Errno {
    match error.raw_os_error() {
        Some(number) => Errno(number),
        None => INVALID,
    }
}
