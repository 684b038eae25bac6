//! The host's processes: how many are in each state, their threads, and those that hold the most memory, from
//! <libproc.h>: proc_listallpids(), proc_pidinfo() and proc_pid_rusage(). Off by default: it costs two calls for
//! each process.
//!
//! Memory is the *footprint*, by which macOS itself judges a process: what it has compressed, swapped and in the GPU
//! stands in it too. A model that a program has loaded is its footprint.
//!
//! The kernel calls every process that is no zombie and not stopped running, so whether one runs is told by its
//! threads. Of other users' processes only root may ask for more than that they are there. Without that nothing is
//! said of all processes, with the reason, and those that hold the most are ours.

pub(crate) mod task;
mod top;

use crate::question::Question;
use crate::raw::{Expected, Raw};
use door::{Calls, Doors};
use schema::families::processes as family;
use schema::families::processes::{STATES, Totals, Usage, put_footprint};
use schema::setting::Kind;
use schema::unit::Count;
use schema::{Batch, Collector, Errno, Error, Lane, Scrape, Setting, Settings, Spec};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use task::{Task, Timebase};
use top::{Holder, Top};

const TOP: Setting = Setting {
    key: "collector.process.top",
    kind: Kind::Number(0, 1000),
    default: "10",
    help: "How many of the processes that hold the most memory are shown by pid and name.",
};

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "process",
    about: "processes by state, threads, and those that hold the most memory (libproc)",
    families: &[
        family::PROCESSES.id(),
        family::THREADS.id(),
        family::RESIDENT_MEMORY.id(),
        family::CPU_SECONDS.id(),
        family::PROCESS_THREADS.id(),
        family::START_TIME.id(),
        family::FOOTPRINT.id(),
    ],
    default_on: false,
    lane: Lane::Thread,
    settings: &[TOP],
    open,
};

/// A listing that took longer than this is used again while it is young.
const LONG: Duration = Duration::from_millis(20);

const EPERM: Errno = Errno(1);
const ESRCH: Errno = Errno(3);

/// `p_stat` of <sys/proc.h>: stopped by a signal or a debugger.
const STOPPED: u32 = 4;
/// Ended, and its parent has not asked yet.
const ZOMBIE: u32 = 5;

/// The states that are told; the others of [`STATES`] macOS does not have, or does not tell apart.
const TOLD: [&str; 4] = ["running", "sleeping", "stopped", "zombie"];

struct Processes {
    doors: Arc<Doors>,
    list: Question,
    timebase: Question,
    /// What is asked of one process, and the rooms for its answers.
    one: One,
    top: Top,
    /// What a refusal is about: one that lasts allocates nothing.
    others: Arc<str>,
    took: Duration,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let most = settings.number(&TOP).and_then(|most| usize::try_from(most).ok());
    let most = most.ok_or(Error::Refused { path: TOP.key.into(), rule: "a number is wanted" })?;
    Ok(Box::new(Processes {
        list: Question::new(doors, "proc_pids", ""),
        timebase: Question::new(doors, "mach_timebase_info", ""),
        one: One { calls: doors.calls.clone(), pid: String::new(), task: Vec::new(), usage: Vec::new() },
        top: Top::new(most),
        others: "processes of other users (root may ask for them)".into(),
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
        match totals {
            Some(totals) => totals.put(out),
            None => out.fail(Error::Io { path: Arc::clone(&self.others), source: EPERM }),
        }
        let pid = &mut self.one.pid;
        for Holder { pid: number, name, footprint, usage } in self.top.holders() {
            pid.clear();
            // Writing to a String does not fail.
            let _ = write!(pid, "{number}");
            usage.put(pid, name, out);
            put_footprint(pid, name, *footprint, out);
        }
        Ok(())
    }
}

impl Processes {
    /// Asks of every process, counts them and keeps the largest. None if some are hidden.
    fn look_at_all(&mut self, out: &mut Batch) -> Result<Option<Totals>, Error> {
        let timebase = self.timebase.ask(Timebase::decode)?;
        self.top.clear();
        let (mut states, mut threads, mut hidden) = ([0; TOLD.len()], 0u64, false);
        for pid in self.list.ask(pids)? {
            match self.one.look(pid, timebase, &mut self.top) {
                Ok(Seen::In(state, count)) => {
                    let counted = TOLD.iter().zip(&mut states).find(|(told, _)| **told == state);
                    if let Some((_, counted)) = counted {
                        *counted += 1;
                    }
                    threads = threads.saturating_add(count.0);
                }
                Ok(Seen::Hidden) => hidden = true,
                Ok(Seen::Gone) => {}
                Err(error) => out.fail(error),
            }
        }
        let mut totals = Totals { threads: Some(Count(threads)), ..Totals::default() };
        for (state, total) in STATES.iter().zip(&mut totals.states) {
            let told = TOLD.iter().zip(states).find(|(told, _)| *told == state);
            *total = told.map(|(_, count)| Count(count));
        }
        Ok((!hidden).then_some(totals))
    }
}

/// What one process was found to be.
enum Seen {
    /// It is in this state, one of [`TOLD`], and has so many threads.
    In(&'static str, Count),
    /// It is there, and more may not be asked.
    Hidden,
    /// It ended while the others were looked at.
    Gone,
}

struct One {
    calls: Calls,
    pid: String,
    task: Vec<u8>,
    usage: Vec<u8>,
}

impl One {
    fn look(&mut self, number: u32, timebase: Timebase, top: &mut Top) -> Result<Seen, Error> {
        let One { calls, pid, task, usage } = self;
        pid.clear();
        // Writing to a String does not fail.
        let _ = write!(pid, "{number}");
        let call = |name, answer: &mut Vec<u8>| match calls.call(name, pid.as_bytes(), answer) {
            Ok(()) => Ok(true),
            Err(EPERM | ESRCH) => Ok(false),
            Err(source) => Err(Error::Io { path: format!("{name} {pid}").into(), source }),
        };
        let wrong =
            |name, Expected(what)| Error::Parse { path: format!("{name} {pid}").into(), line: 0, what };
        if !call(TASK, task)? {
            // It is another user's, or it has ended and its parent has not asked for it yet, or it is gone.
            if !call(SHORT, task)? {
                return Ok(Seen::Gone);
            }
            return match Raw(task).u32(SHORT_STATUS) {
                Some(ZOMBIE) => Ok(Seen::In("zombie", Count(0))),
                Some(_) => Ok(Seen::Hidden),
                None => Err(wrong(SHORT, Expected("a process's state"))),
            };
        }
        let task = task::task(Raw(task)).map_err(|expected| wrong(TASK, expected))?;
        if call(USAGE, usage)? {
            let used = task::usage(Raw(usage)).map_err(|expected| wrong(USAGE, expected))?;
            top.offer(
                number,
                &task.name,
                used.footprint,
                Usage {
                    resident: Some(task.resident),
                    cpu: timebase.seconds(used.time),
                    threads: Some(task.threads),
                    start_time: Some(task.start_time),
                },
            );
        }
        let state = match task {
            Task { status: ZOMBIE, .. } => "zombie",
            Task { status: STOPPED, .. } => "stopped",
            Task { running: 0, .. } => "sleeping",
            _ => "running",
        };
        Ok(Seen::In(state, task.threads))
    }
}

const TASK: &str = "proc_taskallinfo";
const SHORT: &str = "proc_shortbsdinfo";
const USAGE: &str = "proc_rusage";

/// Where `pbsi_status` stands in `struct proc_bsdshortinfo`.
const SHORT_STATUS: usize = 12;

/// A list of numbers of 32 bits.
fn pids(raw: Raw<'_>) -> Result<impl Iterator<Item = u32> + use<'_>, Expected> {
    match raw.0.as_chunks::<4>() {
        ([], _) | (_, [_, ..]) => Err(Expected("a pid for each process")),
        (pids, []) => Ok(pids.iter().map(|pid| u32::from_le_bytes(*pid))),
    }
}

#[cfg(test)]
mod tests;
