//! The Linux system calls that gauged makes. It decides nothing: answers go out as bytes and plain numbers.
//!
//! Where rustix has a call, rustix makes it. The unsafe blocks of this crate are the calls that it lacks:
//! close_range(2) and pthread_sigmask(3), in [`spawn_private`], adjtimex(2), ioctl(2) SIOCETHTOOL, behind the call
//! `ethtool_link`, mallopt(3), in [`share_heaps`], and _exit(2), in [`exit_now`].

#![cfg(target_os = "linux")]

mod calls;
mod descriptors;
mod ethtool;
mod heap;
mod kmsg;
mod netlink;
mod signal;
mod thread;

pub use calls::STATFS_WORDS;
pub use ethtool::ETHTOOL_LINK_WORDS;
pub use heap::share_heaps;
pub use signal::unblock_signals;
pub use thread::{private_tables, spawn_private};

use std::time::Duration;

/// The system calls of this machine, for [`door::Doors::live`].
pub fn live() -> door::Live {
    door::Live {
        call: Box::new(calls::Syscalls),
        boottime,
        spawn: spawn_private,
        numbers: calls::numbers,
        // A usize is 64 bits or fewer wherever Linux runs.
        page_size: rustix::param::page_size() as u64,
        ticks_per_second: rustix::param::clock_ticks_per_second(),
    }
}

/// Time since boot, time asleep included (CLOCK_BOOTTIME of clock_gettime(2)).
#[expect(clippy::cast_possible_truncation, reason = "the kernel gives fewer than a billion nanoseconds")]
#[expect(clippy::cast_sign_loss, reason = "a time since boot is not negative")]
fn boottime() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Ends the process at once, with every thread (exit_group(2)).
///
/// Nothing is flushed, dropped or joined: that is the point, because a thread that is stuck in the kernel
/// would hold up every other way to end.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit(2) has no preconditions: it touches no memory of ours, runs no handler and does not return.
    unsafe { libc::_exit(code) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set for the child in which [`exit_now`] is called: it must not be the test run that ends.
    const CHILD: &str = "LINUX_SYS_TEST_CHILD";

    #[test]
    fn the_machine_has_pages_ticks_and_a_clock_that_goes_on() {
        let live = live();
        assert!(live.page_size >= 4096 && live.page_size.is_power_of_two());
        assert_eq!(live.ticks_per_second, 100, "USER_HZ of every architecture that Rust has");
        let before = (live.boottime)();
        assert!(before > Duration::ZERO && (live.boottime)() >= before);
    }

    #[test]
    #[expect(clippy::disallowed_types, reason = "how a process ends is seen from outside it")]
    #[expect(
        clippy::disallowed_methods,
        reason = "a test in a child knows by its environment that it is one"
    )]
    fn exit_now_waits_for_no_thread_and_gives_its_code() {
        if std::env::var_os(CHILD).is_some() {
            spawn_private("stuck", Box::new(|| std::thread::sleep(Duration::from_secs(600)))).unwrap();
            exit_now(7);
        }
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::exit_now_waits_for_no_thread_and_gives_its_code"])
            .env(CHILD, "1")
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(7));
    }
}
