//! How many descriptors the process has open, and how many it may have: the calls `open_fds` and `rlimit_nofile`.

use rustix::fs::{Mode, OFlags, RawDir};
use rustix::io;
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

thread_local! {
    /// The directory of this thread's descriptors.
    static TABLE: Cell<Option<OwnedFd>> = const { Cell::new(None) };
}

/// How many descriptors are open in the file table of the thread that asks, as 64 bits, little-endian
/// (`/proc/thread-self/fd`, proc_pid_fd(5)).
///
/// Since Linux 6.2 the directory's size is that number; before it is 0, and the entries have to be counted, for
/// each of which the kernel makes an inode. The directory stays open, as a place and not for reading (O_PATH): the way
/// to it leads through a directory that the kernel makes anew for each look, which costs more than the look. So one of
/// the descriptors that are counted is its own.
pub(crate) fn open(answer: &mut Vec<u8>) -> io::Result<()> {
    let table = match TABLE.take() {
        Some(table) => table,
        None => {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            rustix::fs::open("/proc/thread-self/fd", flags, Mode::empty())?
        }
    };
    let size = rustix::fs::fstat(&table)?.st_size;
    TABLE.set(Some(table));
    let count = match u64::try_from(size) {
        Ok(0) | Err(_) => listed()?,
        Ok(count) => count,
    };
    answer.extend_from_slice(&count.to_le_bytes());
    Ok(())
}

/// The same by counting, without the one that counting takes.
fn listed() -> io::Result<u64> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open("/proc/thread-self/fd", flags, Mode::empty())?;
    let mut room = [MaybeUninit::uninit(); 2048];
    let mut entries = RawDir::new(directory, &mut room);
    let mut count: u64 = 0;
    while let Some(entry) = entries.next() {
        if !matches!(entry?.file_name().to_bytes(), b"." | b"..") {
            count += 1;
        }
    }
    Ok(count.saturating_sub(1))
}

/// getrlimit(2), RLIMIT_NOFILE. There is no argument; the answer is the soft limit as 8 bytes, little-endian,
/// or empty where there is no limit.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every call; getrlimit(2) cannot fail here")]
pub(crate) fn limit(answer: &mut Vec<u8>) -> io::Result<()> {
    if let Some(limit) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        answer.extend_from_slice(&limit.to_le_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_descriptors_are_counted_alike_by_size_and_by_list() {
        // In a thread with a table of its own, for other tests open and close files meanwhile.
        let (send, receive) = std::sync::mpsc::sync_channel(1);
        let count = move || {
            let _open = rustix::fs::open("/proc/stat", OFlags::RDONLY, Mode::empty()).unwrap();
            let mut answer = Vec::new();
            open(&mut answer).unwrap();
            let counted = u64::from_le_bytes(answer.try_into().unwrap());
            send.send((counted, listed().unwrap())).unwrap();
        };
        crate::spawn_private("fds", Box::new(count)).unwrap();
        let (counted, listed) = receive.recv().unwrap();
        assert_eq!(counted, listed);
        assert!(counted >= 1);
    }
}
