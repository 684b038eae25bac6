//! The host's processes: how many are in each state, their threads, and those that hold the most memory, from
//! `/proc/PID/stat` (proc_pid_stat(5)). Off by default: it costs an open for each process.
//!
//! Only that one file of a process is read, see [`stat`]. Name, start and figures come from one read, so a pid
//! that is used again is never a mixture of two processes. What ends between the listing and its read is left
//! out; what begins after the listing is counted next time. Where a listing takes long, one is good for up to
//! 5 s.
//!
//! Mounted with `hidepid`, or confined by a security module, `/proc` hides processes from us, and nothing can be
//! said of all of them: then nothing is, and the collector fails with the reason. PID 1 is always there and is
//! another user's, so it shows whether some are hidden.

pub(crate) mod stat;
mod top;

use door::{Buffer, Doors};
use schema::families::processes as family;
use schema::families::processes::{STATES, Totals, Usage};
use schema::setting::Kind;
use schema::unit::{Bytes, Count, Seconds};
use schema::{Batch, Collector, Errno, Error, Lane, Scrape, Setting, Settings, Spec};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use top::Top;

const TOP: Setting = Setting {
    key: "collector.process.top",
    kind: Kind::Number(0, 1000),
    default: "10",
    help: "How many of the processes that hold the most memory are shown by pid and name.",
};

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "process",
    about: "processes by state, threads, and those that hold the most memory (/proc/PID/stat)",
    families: &[
        family::PROCESSES.id(),
        family::THREADS.id(),
        family::RESIDENT_MEMORY.id(),
        family::CPU_SECONDS.id(),
        family::PROCESS_THREADS.id(),
        family::START_TIME.id(),
    ],
    default_on: false,
    lane: Lane::Thread,
    settings: &[TOP],
    open,
};

/// A listing that took longer than this is used again while it is young.
const LONG: Duration = Duration::from_millis(20);

/// A clock that was set by more than this moves the moment of boot; less is the two clocks' own wavering.
const SET: Duration = Duration::from_secs(1);

const ESRCH: i32 = 3;
/// EPERM and EACCES.
const REFUSED: [i32; 2] = [1, 13];
/// PID 1, which is always there.
const INIT: u32 = 1;

struct Processes {
    doors: Arc<Doors>,
    pids: Vec<u32>,
    buffer: Buffer,
    path: String,
    top: Top,
    /// When the host was booted, since 1970-01-01 UTC.
    boot: Duration,
    took: Duration,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let most = settings.number(&TOP).and_then(|most| usize::try_from(most).ok());
    let most = most.ok_or(Error::Refused { path: TOP.key.into(), rule: "a number is wanted" })?;
    Ok(Box::new(Processes {
        pids: Vec::new(),
        buffer: Buffer::default(),
        path: String::new(),
        top: Top::new(most),
        boot: Duration::ZERO,
        took: Duration::ZERO,
        doors: Arc::clone(doors),
    }))
}

impl Collector for Processes {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        if scrape.held && self.took > LONG {
            return Ok(());
        }
        let began = self.doors.clock.now();
        let totals = self.look_at_all(out)?;
        self.took = self.doors.clock.now().saturating_sub(began);
        totals.put(out);
        self.put_top(scrape, out);
        Ok(())
    }
}

impl Processes {
    /// Reads every process, counts them and keeps those that hold the most memory.
    fn look_at_all(&mut self, out: &mut Batch) -> Result<Totals, Error> {
        let Processes { doors, pids, buffer, path, top, .. } = self;
        doors.procfs.numbers("", buffer, pids)?;
        top.clear();
        if pids.first() != Some(&INIT) {
            return Err(hidden());
        }
        let (mut states, mut threads) = ([0; STATES.len()], 0u64);
        for pid in pids.iter().copied() {
            path.clear();
            // Writing to a String does not fail.
            let _ = write!(path, "{pid}/stat");
            let contents = match doors.procfs.read_once(path, buffer) {
                Ok(contents) => contents,
                Err(Errno(number)) if REFUSED.contains(&number) => return Err(hidden()),
                Err(Errno::NOT_FOUND | Errno(ESRCH)) if pid == INIT => return Err(hidden()),
                Err(Errno::NOT_FOUND | Errno(ESRCH)) => continue,
                Err(source) => {
                    out.fail(doors.procfs.error(path, source));
                    continue;
                }
            };
            let stat = stat::parse(contents).and_then(|stat| Some((stat, state(stat.state)?)));
            let Some((stat, state)) = stat else {
                let path = doors.procfs.path(path).to_string_lossy().into();
                out.fail(Error::Parse { path, line: 1, what: "a process's state and figures" });
                continue;
            };
            if let Some(count) = states.get_mut(state) {
                *count += 1;
            }
            threads = threads.saturating_add(stat.threads);
            top.offer(pid, &stat);
        }
        Ok(Totals { states: states.map(|count| Some(Count(count))), threads: Some(Count(threads)) })
    }

    fn put_top(&mut self, scrape: &Scrape, out: &mut Batch) {
        let Processes { doors, path: pid, top, boot, .. } = self;
        let now = scrape.wall.saturating_sub(scrape.now);
        if now.abs_diff(*boot) > SET {
            *boot = now;
        }
        for holder in top.holders() {
            let ticks = |ticks| Seconds::ticks(ticks, doors.ticks_per_second);
            pid.clear();
            let _ = write!(pid, "{}", holder.pid);
            let usage = Usage {
                resident: Bytes::blocks(holder.resident_pages, doors.page_size),
                cpu: Some(ticks(holder.ticks)),
                threads: Some(Count(holder.threads)),
                start_time: Some(Seconds(Seconds::span(*boot).0 + ticks(holder.started).0)),
            };
            usage.put(pid, &holder.name(), out);
        }
    }
}

/// The place in [`STATES`] of the kernel's letter: those of today (fs/proc/array.c), and those that kernels
/// before 4.14 had beside them. A parked thread is idle; one that wakes is about to run.
fn state(letter: u8) -> Option<usize> {
    let word = match letter {
        b'R' | b'W' => "running",
        b'S' => "sleeping",
        b'D' | b'K' => "disk_sleep",
        b'T' => "stopped",
        b't' => "tracing_stop",
        b'Z' => "zombie",
        b'I' | b'P' => "idle",
        b'X' | b'x' => "dead",
        _ => return None,
    };
    STATES.iter().position(|state| *state == word)
}

/// EACCES, whether the kernel said so or left them out.
fn hidden() -> Error {
    Error::Io { path: "processes of other users (is /proc mounted with hidepid?)".into(), source: Errno(13) }
}

#[cfg(test)]
mod tests;
