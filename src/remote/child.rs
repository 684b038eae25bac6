//! One child process: started, asked, let go, reaped. It is never killed: SIGKILL in the middle of a driver's
//! call has frozen GPUs until the host was booted again.

use super::Launch;
use super::line::{Line, Stop};
use super::serve::Ended;
use super::wire::{self, HEADER_BYTES, Kind, Request};
use door::Clock;
use schema::{Batch, Errno, Error, Reason, frame};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[expect(clippy::disallowed_types, reason = "gauged starts itself here, and nothing else anywhere")]
type Command = std::process::Command;

/// The most bytes of one answer: four times the largest part.
const MOST_ANSWER: usize = 4 * frame::MAX_BYTES;
/// How often, a millisecond apart, a child that closed its stream is looked at, so that the error can say how it
/// ended: the kernel closes its files a moment before it can be reaped.
const LOOKS: u32 = 20;

/// A child that has not been reaped.
#[derive(Debug)]
pub(super) struct Child {
    process: std::process::Child,
    /// Its name and pid, for errors.
    label: Arc<str>,
    /// None once it was let go: then only its end is waited for.
    line: Option<Line>,
    asked: Option<Asked>,
    /// Where parts are checked before they are believed.
    room: Batch,
}

/// A request that has not been answered.
#[derive(Clone, Copy, Debug)]
struct Asked {
    id: u64,
    since: Duration,
    bytes: usize,
}

/// Children that outlived the collector that started them. Each is reaped by whoever starts the next child, so
/// that a zombie is at most one a collector, and for a time; and a collector that is opened again, after a
/// panic, finds its predecessor's child here and starts no second one beside it.
static LEFT: Mutex<Vec<(Arc<str>, Child)>> = Mutex::new(Vec::new());

/// Nothing that can block or panic is done while it is held.
fn left() -> MutexGuard<'static, Vec<(Arc<str>, Child)>> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Child {
    /// Starts a child: standard input is the stream, the environment is empty.
    ///
    /// Its output goes nowhere, so that no library can write into the daemon's; its errors go where the daemon's
    /// go, for the last words of a library that aborts are said nowhere else. It has a process group of its own,
    /// so that ^C in a terminal ends the daemon, and the daemon the child. It does not ask for a signal at its
    /// parent's death (PR_SET_PDEATHSIG): that comes when the *thread* ends that started it.
    pub(super) fn start(launch: &Launch) -> Result<Child, Error> {
        left().retain_mut(|(_, child)| child.ended().is_none());
        let io = |e: std::io::Error| {
            let path = launch.program.to_string_lossy().into();
            Error::Io { path, source: e.raw_os_error().map_or(Errno::IO, Errno) }
        };
        let (ours, theirs) = UnixStream::pair().map_err(io)?;
        let process = Command::new(&launch.program)
            // What a list of processes shows: /proc/self/exe would say nothing there.
            .arg0("gauged")
            .args(&launch.args)
            .env_clear()
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .process_group(0)
            .spawn()
            .map_err(io)?;
        let label = format!("{} (pid {})", launch.name, process.id()).into();
        Ok(Child { process, label, line: Some(Line::new(ours)), asked: None, room: Batch::default() })
    }

    /// The child that an earlier collector of this name left behind, if it has not been reaped.
    pub(super) fn adopt(name: &str) -> Option<Child> {
        let mut left = left();
        let place = left.iter().position(|(theirs, _)| **theirs == *name)?;
        Some(left.swap_remove(place).1)
    }

    /// Lets the child go, for good: it ends by itself, and is reaped by the next that starts or adopts one.
    pub(super) fn leave(mut self, name: &Arc<str>) {
        self.let_go();
        if self.ended().is_none() {
            left().push((Arc::clone(name), self));
        }
    }

    /// Closes the stream: the child ends as soon as it looks at it.
    pub(super) fn let_go(&mut self) {
        self.line = None;
        self.asked = None;
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn label(&self) -> Arc<str> {
        Arc::clone(&self.label)
    }

    /// True unless it was let go.
    pub(super) fn answers(&self) -> bool {
        self.line.is_some()
    }

    /// Since when a request has been waiting for its answer.
    pub(super) fn asked_since(&self) -> Option<Duration> {
        self.asked.map(|asked| asked.since)
    }

    /// How the child ended, or None while it lives. Reaps it.
    pub(super) fn ended(&mut self) -> Option<Error> {
        match self.process.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(self.epitaph(status)),
            // ECHILD: somebody had the kernel reap our children (SIGCHLD ignored).
            Err(_) => Some(self.told(Reason::Driver, "nobody knows how")),
        }
    }

    /// As [`Child::ended`], of a child whose stream was just closed: it is about to end, if it can.
    pub(super) fn ended_soon(&mut self) -> Option<Error> {
        for _ in 0..LOOKS {
            if let Some(end) = self.ended() {
                return Some(end);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }

    fn epitaph(&self, status: ExitStatus) -> Error {
        /// Rust's exit code after a panic.
        const PANIC: i32 = 101;
        let is = |ended: Ended| status.code() == Some(ended.code().into());
        if is(Ended::Locked) {
            let rule = "another process took the lock file before it; no second one is started";
            return Error::Refused { path: self.label(), rule };
        }
        let reason = match status.code() {
            Some(PANIC) => Reason::Panic,
            _ if is(Ended::BadRequest) => Reason::Parse,
            _ if is(Ended::NoLock) => Reason::Io,
            // What has a process of its own has it because a driver's library may crash in it.
            _ => Reason::Driver,
        };
        self.told(reason, &status.to_string())
    }

    fn told(&self, reason: Reason, how: &str) -> Error {
        Error::Told { reason, text: format!("{} ended: {how}", self.label).into() }
    }

    /// Sends a request. `bytes` is room.
    pub(super) fn ask(&mut self, request: &Request, now: Duration, bytes: &mut Vec<u8>) -> Result<(), Stop> {
        let line = self.line.as_mut().ok_or(Stop::Closed)?;
        request.encode(bytes);
        line.send(bytes)?;
        self.asked = Some(Asked { id: request.id, since: now, bytes: 0 });
        Ok(())
    }

    /// Takes what came of the answer: until its end, or until this moment of the clock; without one, only what
    /// is there. Parts are appended to `out` as they come; without one they are dropped.
    pub(super) fn answer(
        &mut self,
        until: Option<(&Clock, Duration)>,
        mut out: Option<&mut Batch>,
        told: &mut Option<Error>,
    ) -> Result<Result<(), Error>, Stop> {
        let (Some(line), Some(asked)) = (&mut self.line, &mut self.asked) else { return Err(Stop::Closed) };
        let end = loop {
            let answer = line.next(until)?;
            if answer.id != asked.id {
                return Err(Stop::Bad("an answer to what was asked"));
            }
            // A child that sends without end must neither fill the batch nor keep the lane here.
            asked.bytes += HEADER_BYTES + answer.payload.len();
            if asked.bytes > MOST_ANSWER {
                return Err(Stop::Bad("an answer within the limit"));
            }
            match (answer.kind, out.as_deref_mut()) {
                (Kind::Part, None) => {}
                (Kind::Part, Some(out)) => {
                    frame::decode(answer.payload, &mut self.room, out).map_err(Stop::Bad)?;
                }
                (Kind::Failed, _) => break Err(wire::told(answer.payload, told).map_err(Stop::Bad)?),
                (Kind::Done, _) => break Ok(()),
            }
        };
        self.asked = None;
        Ok(end)
    }
}
