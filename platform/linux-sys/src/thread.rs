//! Threads that may be stuck in the kernel for ever: each has a file table of its own.
//!
//! A thread in uninterruptible sleep survives SIGKILL, and with it every descriptor of the table that it uses:
//! the listening port stays taken and the next start fails. So the first thing that such a thread does is
//! close_range(2) from 3 upwards with CLOSE_RANGE_UNSHARE: it leaves the shared table for an empty one.

use crate::signal;
use std::io;
use std::sync::OnceLock;

/// A collector needs little, and a lane is one thread for each source that may block. It is address space;
/// memory is taken as it is used.
const STACK_BYTES: usize = 256 << 10;

/// What the kernel keeps of a thread's name (TASK_COMM_LEN less its NUL, prctl(2) PR_SET_NAME).
const NAME_BYTES: usize = 15;

/// Starts a thread with a private file table, in which nothing above standard error is open.
///
/// What `work` opens is seen by no other thread, and what others have open is not seen by it: **it must bring
/// no descriptor with it**, because the number would be closed there, or be another file. The name is cut to
/// 15 bytes. Where the kernel lacks close_range(2) (before Linux 5.9) or a filter forbids it, the thread goes
/// on with the table of the process; see [`private_tables`].
///
/// No signal of the process is handled on it: a handler that writes to a descriptor of the process would find none.
///
/// # Errors
/// What pthread_create(3) says: EAGAIN where a limit on threads is reached.
pub fn spawn_private(name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    builder(name, move || {
        signal::block();
        leave_table();
        work();
    })
    .map(drop)
}

/// True where threads of [`spawn_private`] do get a table of their own. Asked once, by a thread that tries.
pub fn private_tables() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| match builder("table probe", leave_table).map(std::thread::JoinHandle::join) {
        Ok(Ok(left)) => left,
        // No thread, no private table: whoever starts the next one is told the same.
        Ok(Err(_)) | Err(_) => false,
    })
}

#[expect(clippy::disallowed_methods, reason = "this is the only entry")]
fn builder<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<std::thread::JoinHandle<T>> {
    std::thread::Builder::new().name(short(name).to_owned()).stack_size(STACK_BYTES).spawn(work)
}

/// The part of a name that the kernel keeps, cut at a character and before a NUL, of which std panics.
fn short(name: &str) -> &str {
    let name = match name.split_once('\0') {
        Some((before, _)) => before,
        None => name,
    };
    name.split_at(name.floor_char_boundary(NAME_BYTES)).0
}

/// Leaves the process's file table for an empty one. False where that is refused, and then nothing is closed.
fn leave_table() -> bool {
    let (first, last) = (libc::c_ulong::from(3_u32), libc::c_ulong::from(u32::MAX));
    // SAFETY: close_range(2) touches no memory. With CLOSE_RANGE_UNSHARE it first gives this thread a copy of
    // the file table and closes in that copy alone, so no descriptor of another thread is closed; a kernel that
    // does not know the flag answers EINVAL before it closes anything. This thread has only just begun and owns
    // no descriptor above 2: what it runs is bound to bring none (the contract of `spawn_private`).
    let result = unsafe {
        libc::syscall(libc::SYS_close_range, first, last, libc::c_ulong::from(libc::CLOSE_RANGE_UNSHARE))
    };
    result == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{Mode, OFlags};
    use std::os::fd::{AsFd, AsRawFd, OwnedFd};
    use std::sync::mpsc::sync_channel;

    fn open() -> OwnedFd {
        rustix::fs::open("/proc/self/stat", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).unwrap()
    }

    /// What a private thread finds in its own table, by the names of `/proc/thread-self/fd`.
    fn table_of_a_private_thread() -> Vec<String> {
        let (send, receive) = sync_channel(1);
        spawn_private(
            "lane",
            Box::new(move || {
                let table = OFlags::RDONLY | OFlags::DIRECTORY;
                let table = rustix::fs::open("/proc/thread-self/fd", table, Mode::empty()).unwrap();
                let names = rustix::fs::Dir::read_from(&table).unwrap();
                let names = names.map(|name| name.unwrap().file_name().to_string_lossy().into_owned());
                send.send(names.filter(|name| !name.starts_with('.')).collect()).unwrap();
            }),
        )
        .unwrap();
        receive.recv().unwrap()
    }

    #[test]
    fn a_private_thread_does_not_see_what_others_have_open() {
        if !private_tables() {
            return;
        }
        let file = rustix::io::fcntl_dupfd_cloexec(open(), 100).unwrap();
        let seen = table_of_a_private_thread();
        assert!(!seen.contains(&file.as_raw_fd().to_string()), "{seen:?}");
        assert!(seen.iter().all(|name| name.parse::<u32>().unwrap() < 6), "only its own: {seen:?}");
        rustix::fs::fstat(file.as_fd()).expect("it stays open here");
    }

    #[test]
    fn what_a_private_thread_opens_is_not_open_elsewhere() {
        if !private_tables() {
            return;
        }
        let (send, receive) = sync_channel(1);
        let (done, wait) = sync_channel::<()>(1);
        let work = move || {
            let file = rustix::io::fcntl_dupfd_cloexec(open(), 900).unwrap();
            send.send(file.as_raw_fd()).unwrap();
            let _ = wait.recv();
        };
        spawn_private("lane", Box::new(work)).unwrap();
        let path = format!("/proc/self/fd/{}", receive.recv().unwrap());
        assert_eq!(rustix::fs::readlink(path, Vec::new()), Err(rustix::io::Errno::NOENT));
        done.send(()).unwrap();
    }

    #[test]
    fn the_thread_has_the_name_as_the_kernel_keeps_it() {
        let (send, receive) = sync_channel(1);
        let work = move || {
            let file = rustix::fs::open("/proc/thread-self/comm", OFlags::RDONLY, Mode::empty()).unwrap();
            let mut name = Vec::with_capacity(64);
            rustix::io::read(&file, rustix::buffer::spare_capacity(&mut name)).unwrap();
            send.send(name).unwrap();
        };
        spawn_private("lane filesystem of a big host", Box::new(work)).unwrap();
        assert_eq!(receive.recv().unwrap(), b"lane filesystem\n");
    }

    #[test]
    fn a_name_is_cut_at_a_character_and_before_a_nul() {
        assert_eq!(short("gpu"), "gpu");
        assert_eq!(short("0123456789abcdef"), "0123456789abcde");
        assert_eq!(short("0123456789abcdé"), "0123456789abcd");
        assert_eq!(short("a\0b"), "a");
        assert_eq!(short(""), "");
    }
}
