//! How gauged touches a machine. Nothing but a door reads a file, lists a directory, makes a call or looks at
//! a clock; and each door is live, recording or replaying, so that a recorded machine runs the same code as a
//! real one.
//!
//! The calls themselves (statfs, netlink ...) are made by the `-sys` crates, behind [`Call`]; this crate knows
//! only that a call has a name, an argument and an answer of bytes.

#![forbid(unsafe_code)]

mod call;
mod capture;
mod clock;
mod file;
mod filter;
pub mod pool;
mod root;
mod tape;

pub use call::{Call, Calls};
pub use capture::{Answer, Capture, Entry, Malformed};
pub use clock::Clock;
pub use file::{Buffer, File, Shape, Shared};
pub use filter::Filter;
pub use root::Root;
pub use tape::{Player, Recorder};

use std::sync::Arc;

/// Starts a thread that may be stuck for ever without harm: one with a private file table.
pub type Spawn = fn(name: &str, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()>;

/// Writes the whole numbers among the names in a directory behind what `numbers` holds, without an allocation for
/// each: `/proc` has one for every process.
pub type Numbers = fn(directory: &std::path::Path, numbers: &mut Vec<u32>) -> std::io::Result<()>;

/// What a `-sys` crate provides: the system calls of this machine.
pub struct Live {
    /// Makes the calls.
    pub call: Box<dyn Call>,
    /// The clock that goes on while the machine sleeps (CLOCK_BOOTTIME).
    pub boottime: fn() -> std::time::Duration,
    /// Starts a thread with a private file table.
    pub spawn: Spawn,
    /// Lists the numbers in a directory.
    pub numbers: Numbers,
    /// Bytes in a page of memory.
    pub page_size: u64,
    /// Ticks in a second of CPU time (`sysconf(_SC_CLK_TCK)`).
    pub ticks_per_second: u64,
}

/// Where the filesystems of the kernel and the host's root are to be found (`--path.procfs` and its like).
#[derive(Clone, Debug)]
pub struct Paths {
    /// Usually `/proc`.
    pub procfs: String,
    /// Usually `/sys`.
    pub sysfs: String,
    /// Usually `/`; `/host/root` in a container.
    pub rootfs: String,
}

/// Whether a machine is read, recorded or replayed: for doors that are not of this crate.
#[derive(Clone, Debug)]
pub enum Tape {
    /// This machine.
    Live,
    /// This machine, and all is written down.
    Recording(Arc<Recorder>),
    /// A recorded one.
    Replaying(Arc<Player>),
}

/// All doors of one machine.
pub struct Doors {
    /// Files below `/proc`.
    pub procfs: Root,
    /// Files below `/sys`.
    pub sysfs: Root,
    /// Files below the host's `/`.
    pub rootfs: Root,
    /// The clocks.
    pub clock: Clock,
    /// System calls that are not files.
    pub calls: Calls,
    /// Starts threads for what may hang.
    pub spawn: Spawn,
    /// Bytes in a page of memory.
    pub page_size: u64,
    /// Ticks in a second of CPU time.
    pub ticks_per_second: u64,
    /// For doors that are not of this crate.
    pub tape: Tape,
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doors").finish_non_exhaustive()
    }
}

impl Doors {
    /// The doors of this machine.
    pub fn live(live: Live, paths: &Paths) -> Doors {
        Self::over(live, paths, None)
    }

    /// The doors of this machine, with all that goes through them written down.
    pub fn recording(live: Live, paths: &Paths, recorder: &Arc<Recorder>) -> Doors {
        recorder.fact("page_size", live.page_size);
        recorder.fact("ticks_per_second", live.ticks_per_second);
        Self::over(live, paths, Some(recorder))
    }

    fn over(live: Live, paths: &Paths, recorder: Option<&Arc<Recorder>>) -> Doors {
        let recorder = || recorder.map(Arc::clone);
        Doors {
            procfs: Root::live("proc", &paths.procfs, live.numbers, recorder()),
            sysfs: Root::live("sys", &paths.sysfs, live.numbers, recorder()),
            rootfs: Root::live("root", &paths.rootfs, live.numbers, recorder()),
            clock: Clock::live(live.boottime, recorder()),
            calls: Calls::live(live.call, recorder()),
            spawn: live.spawn,
            page_size: live.page_size,
            ticks_per_second: live.ticks_per_second,
            tape: match recorder() {
                None => Tape::Live,
                Some(recorder) => Tape::Recording(recorder),
            },
        }
    }

    /// The doors of a recorded machine.
    ///
    /// # Errors
    /// The capture lacks a fact without which nothing can be read.
    pub fn replaying(player: &Arc<Player>, spawn: Spawn) -> Result<Doors, Malformed> {
        Ok(Doors {
            procfs: Root::replaying("proc", Arc::clone(player)),
            sysfs: Root::replaying("sys", Arc::clone(player)),
            rootfs: Root::replaying("root", Arc::clone(player)),
            clock: Clock::replaying(Arc::clone(player)),
            calls: Calls::replaying(Arc::clone(player)),
            spawn,
            page_size: player.fact("page_size")?,
            ticks_per_second: player.fact("ticks_per_second")?,
            tape: Tape::Replaying(Arc::clone(player)),
        })
    }

    /// What these doors of a recorded machine were asked for and its capture does not have, in words. A live
    /// machine has an answer to everything.
    pub fn missing(&self) -> Vec<String> {
        match &self.tape {
            Tape::Replaying(player) => player.missing(),
            Tape::Live | Tape::Recording(_) => Vec::new(),
        }
    }
}
