//! Which threads take the process's signals.
//!
//! The kernel gives a signal to any thread that does not block it. A handler that tells the rest of the process by a
//! descriptor cannot do so on a thread with a file table of its own, and the signal is lost: a SIGTERM right after a
//! SIGUSR1 went that way, because the main thread still had the first to take.

/// What a thread does to itself, and what must end it wherever it happens.
const OF_THE_THREAD: [libc::c_int; 6] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGABRT];

/// From now on other threads take the process's signals.
pub(crate) fn block() {
    mask(libc::SIG_BLOCK);
}

/// This thread takes the process's signals, whatever the process that started this one had blocked: masks are
/// inherited (execve(2)).
pub fn unblock_signals() {
    mask(libc::SIG_UNBLOCK);
}

fn mask(how: libc::c_int) {
    // SAFETY: a sigset_t is plain bits, for which 0 is a value; sigfillset(3) makes it a valid set before it is used.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is ours and lives through these calls, which write to it alone; the signals are known ones.
    unsafe {
        libc::sigfillset(&raw mut set);
        for signal in OF_THE_THREAD {
            libc::sigdelset(&raw mut set, signal);
        }
    }
    // SAFETY: pthread_sigmask(3) reads the set, which is valid, and writes nothing where the old set is not asked for.
    // It fails only for an unknown `how`.
    unsafe { libc::pthread_sigmask(how, &raw const set, std::ptr::null_mut()) };
}

#[cfg(test)]
mod tests {
    use crate::spawn_private;
    use std::sync::mpsc::sync_channel;

    fn blocked() -> u64 {
        let file = rustix::fs::open(
            "/proc/thread-self/status",
            rustix::fs::OFlags::RDONLY,
            rustix::fs::Mode::empty(),
        );
        let mut status = Vec::with_capacity(8192);
        rustix::io::read(file.unwrap(), rustix::buffer::spare_capacity(&mut status)).unwrap();
        let status = String::from_utf8(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    }

    #[test]
    fn a_thread_with_a_table_of_its_own_takes_no_signal_of_the_process_until_it_asks_for_them() {
        let (send, receive) = sync_channel(2);
        let work = move || {
            send.send(blocked()).unwrap();
            super::unblock_signals();
            send.send(blocked()).unwrap();
        };
        spawn_private("signals", Box::new(work)).unwrap();
        let bit = |signal: i32| 1_u64 << (signal - 1);
        let before = receive.recv().unwrap();
        assert_eq!(before & bit(libc::SIGTERM), bit(libc::SIGTERM));
        assert_eq!(before & bit(libc::SIGUSR1), bit(libc::SIGUSR1));
        assert_eq!(before & bit(libc::SIGSEGV), 0);
        assert_eq!(receive.recv().unwrap() & bit(libc::SIGTERM), 0);
    }
}
