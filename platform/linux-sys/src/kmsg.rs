//! The kernel's log as it grows, record by record (`Documentation/ABI/testing/dev-kmsg`).
//!
//! It decides nothing but which records were asked for: the log of a busy kernel is long, and nearly all of it is
//! nobody's business.

use rustix::fs::{Mode, OFlags, SeekFrom};
use rustix::io::{self, Errno};
use std::cell::RefCell;
use std::os::fd::OwnedFd;

/// The longest record (CONSOLE_EXT_LOG_MAX of kernel/printk): read(2) refuses a smaller buffer.
const RECORD_BYTES: usize = 8192;
/// How many records one call reads. What is left is read by the next.
const MOST_RECORDS: usize = 4096;
/// The most that is answered.
const MOST_BYTES: usize = 64 << 10;

thread_local! {
    /// The log, where this thread has read up to. A thread may have a file table of its own, in which another's
    /// descriptor is nothing.
    static LOG: RefCell<Option<OwnedFd>> = const { RefCell::new(None) };
}

/// What the kernel has logged since this thread asked last: the first line of each record that has the argument
/// somewhere in it, each with a newline. The first call finds nothing: it only remembers where the log ends.
pub(crate) fn since_last(needle: &[u8], answer: &mut Vec<u8>) -> io::Result<()> {
    LOG.with_borrow_mut(|log| match log {
        Some(log) => drain(log, needle, answer),
        None => {
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let opened = rustix::fs::open("/dev/kmsg", flags, Mode::empty())?;
            rustix::fs::seek(&opened, SeekFrom::End(0))?;
            *log = Some(opened);
            Ok(())
        }
    })
}

fn drain(log: &OwnedFd, needle: &[u8], answer: &mut Vec<u8>) -> io::Result<()> {
    let mut room = [0; RECORD_BYTES];
    for _ in 0..MOST_RECORDS {
        let record = match io::read(log, &mut room) {
            Ok(0) | Err(Errno::AGAIN) => break,
            Ok(n) => room.get(..n),
            // EPIPE: records were overwritten before they were read. The next read is of the oldest that is left.
            Err(Errno::PIPE | Errno::INTR) => continue,
            Err(errno) => return Err(errno),
        };
        let Some(line) = record.and_then(|record| record.split(|byte| *byte == b'\n').next()) else {
            continue;
        };
        let wanted = !needle.is_empty() && line.windows(needle.len()).any(|part| part == needle);
        if wanted && answer.len() + line.len() < MOST_BYTES {
            answer.extend_from_slice(line);
            answer.push(b'\n');
        }
    }
    Ok(())
}
