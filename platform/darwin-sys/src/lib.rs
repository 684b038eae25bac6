//! The macOS calls that gauged makes. It decides nothing: answers go out as the bytes that the kernel or a
//! framework gave, and `darwin` decodes them.
//!
//! A call is a name in the table of `calls.rs`, and a function in the file of its subject. Layouts that `darwin`
//! relies on are asserted beside the call that gives them, so that a check for a macOS target proves them on any
//! host.

#![cfg(target_os = "macos")]

mod autorelease;
mod calls;
mod clock;
mod disks;
mod dynamic;
mod files;
mod hid;
mod interfaces;
mod mach;
mod metal;
mod mounts;
mod notify;
mod power_sources;
mod process;
mod properties;
mod registry;
mod report;
mod smc;
mod sysctl;

use std::path::Path;
use std::time::Duration;

/// The system calls of this machine, for [`door::Doors::live`].
pub fn live() -> door::Live {
    door::Live {
        call: Box::new(calls::Syscalls),
        boottime,
        spawn,
        numbers,
        page_size: mach::page_size(),
        // CLK_TCK of <mach/clock_types.h>'s users: the scheduler's ticks are hundredths, whatever the hardware's are.
        ticks_per_second: 100,
    }
}

/// Time since boot, time asleep included: clock_gettime(3), CLOCK_MONOTONIC_RAW, which is mach_continuous_time().
///
/// CLOCK_MONOTONIC goes on in sleep too, but is made from the wall clock less the moment of boot, two readings
/// that a set clock can come between.
#[expect(clippy::cast_possible_truncation, reason = "the clock gives fewer than a billion nanoseconds")]
#[expect(clippy::cast_sign_loss, reason = "a time since boot is not negative")]
fn boottime() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: clock_gettime(3) writes one timespec, which is ours. It knows this clock since macOS 10.12 and so
    // does not fail.
    let _ = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_RAW, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What a thread gets where it calls frameworks: what the system gives threads that do not say.
const STACK_BYTES: usize = 512 << 10;

/// Starts a thread. macOS has no file tables of threads: what one that is stuck has open stays open until the
/// kernel lets it go.
#[expect(clippy::disallowed_methods, reason = "this is the only entry")]
fn spawn(name: &str, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
    // std panics of a NUL in a name; the kernel cuts what is too long for it (MAXTHREADNAMESIZE, 64).
    let name = name.replace('\0', "");
    std::thread::Builder::new().name(name).stack_size(STACK_BYTES).spawn(work).map(drop)
}

/// The whole numbers among the names in a directory, behind what `numbers` holds. macOS has no procfs, so no
/// collector of its own asks for this.
#[expect(clippy::disallowed_methods, reason = "this is what the door calls")]
fn numbers(directory: &Path, numbers: &mut Vec<u32>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    Ok(())
}

/// Ends the process at once, with every thread (_exit(2)).
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

    #[test]
    fn the_machine_has_pages_ticks_and_a_clock_that_goes_on() {
        let live = live();
        assert!(live.page_size >= 4096 && live.page_size.is_power_of_two());
        let before = (live.boottime)();
        assert!(before > Duration::ZERO && (live.boottime)() >= before);
    }
}
