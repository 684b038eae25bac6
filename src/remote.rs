//! The collector whose work is done by a child process: gauged itself, started again with other arguments. It is
//! for what can crash, leak, hang or hold a device open, which is to say for a driver's library.
//!
//! It lives in a thread lane, for starting a process and waiting for its answer block. Daemon and child speak over
//! a pair of sockets (unix(7)), one request at a time; what they say is in `wire`, the child's side is [`serve()`].
//!
//! | what happens | what is done |
//! |---|---|
//! | the child is slow | its parts count until the deadline; the rest is dropped, and nothing is asked before it came |
//! | it hangs | quarantine: it is left alone, nothing waits for it, and no second one is started while it lives |
//! | it crashes, or ends | reaped; the next one is started by back-off |
//! | it sends what is no answer | let go, as at the daemon's end; then as if it had crashed |
//! | the daemon ends | the child reads EOF and ends; a hung one keeps the lock file, and so the quarantine |
//! | the lane is opened again, after a panic | the predecessor's child is let go, reaped, and not doubled |
//!
//! It deliberately does not kill (see `child`), does not wait when it is dropped, and knows nothing of what the
//! child collects. Nor is a late part kept for the next scrape: only the core knows ages, and it knows them of
//! whole collectors.

mod backoff;
mod child;
mod line;
pub(crate) mod lock;
mod serve;
mod wire;

pub use backoff::Backoff;
pub use serve::{Ended, Reply, serve};
pub use wire::Request;

use backoff::Pace;
use child::Child;
use door::Clock;
use line::Stop;
use lock::Refused;
use schema::unit::Count;
use schema::{Batch, Collector, Error, Family, Scrape};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How much earlier than the scrape the lane stops waiting, so that its answer is there in time; but never more
/// than a quarter of what is left. The kernel wakes a waiting thread up to a tick (10 ms at worst) late.
const MARGIN: Duration = Duration::from_millis(25);

/// What is started, and how.
#[derive(Debug)]
pub struct Launch {
    /// What errors call it: `gpu-probe`. No two collectors share a name.
    pub name: Arc<str>,
    /// The program, as an absolute path: `/proc/self/exe` is this very build, even after an update on disk.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// The file that the child holds locked, in the runtime directory; without one, the quarantine of a hung
    /// child ends with the daemon. The child must be told the same.
    pub lock: Option<PathBuf>,
    /// How long to wait between starts.
    pub backoff: Backoff,
    /// How long an answer may be missing before the child is said to hang. A driver's call that meets a sick GPU
    /// takes 45 s, so a minute is not too long.
    pub hang_after: Duration,
    /// The family that counts how often the child was started again.
    pub restarts: Family<Count, 0>,
}

/// The collector.
#[derive(Debug)]
pub struct Remote {
    launch: Launch,
    clock: Clock,
    pace: Pace,
    child: Option<Child>,
    starts: u64,
    requests: u64,
    /// Why there is no child that could be asked.
    why: Option<Error>,
    /// What the child said of a failure, to be shared when it says so again.
    told: Option<Error>,
    bytes: Vec<u8>,
}

impl Remote {
    /// A collector that starts its child when it is first asked.
    pub fn new(launch: Launch, clock: Clock) -> Remote {
        Remote {
            pace: Pace::new(launch.backoff),
            child: Child::adopt(&launch.name),
            launch,
            clock,
            starts: 0,
            requests: 0,
            why: None,
            told: None,
            bytes: Vec::new(),
        }
    }

    /// How often the child was started after the first time.
    pub fn restarts(&self) -> u64 {
        self.starts.saturating_sub(1)
    }

    /// The child's process id, while there is one.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::pid)
    }

    /// How long the child has not answered, if that is so long that it is in quarantine.
    pub fn hung(&self) -> Option<Duration> {
        let since = self.child.as_ref()?.asked_since()?;
        let silence = self.clock.now().saturating_sub(since);
        (silence > self.launch.hang_after).then_some(silence)
    }

    /// How often a child was started, this one included.
    pub fn starts(&self) -> u64 {
        self.starts
    }

    /// The file that a child holds locked.
    pub fn lock(&self) -> Option<&Path> {
        self.launch.lock.as_deref()
    }

    /// Other arguments, for the next child.
    pub fn set_args(&mut self, args: Vec<OsString>) {
        self.launch.args = args;
    }

    /// The next collection may start a child, whatever the back-off says: what stood in its way has changed.
    pub fn start_soon(&mut self) {
        self.pace.skip();
    }

    /// True if there is no child any more. One that has ended is reaped.
    pub fn gone(&mut self) -> bool {
        if let Some(child) = &mut self.child {
            // A child that was let go has ended as it was told to, and that is nothing to complain of.
            let told_to = !child.answers();
            let Some(end) = child.ended() else { return false };
            self.why = (!told_to).then_some(end);
            self.child = None;
        }
        true
    }

    /// Lets the child end, and with it all that it holds open. The next collection starts another.
    pub fn release(&mut self) {
        if let Some(child) = &mut self.child {
            child.let_go();
        }
    }

    /// The three steps of a collection: after `settle` the child is idle or there is none, after `start` it is
    /// idle, after `ask` it was asked.
    fn steps(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        self.settle()?;
        self.start()?;
        self.ask(scrape, out)
    }

    fn settle(&mut self) -> Result<(), Error> {
        if let Some(child) = &mut self.child
            && child.asked_since().is_some()
        {
            // Whatever comes now is an answer to an earlier scrape. It is not shown as this one's.
            match child.answer(None, None, &mut self.told) {
                Ok(Ok(())) => self.pace.answered(),
                Ok(Err(_)) => {}
                Err(Stop::Empty) => return Err(self.silence()),
                Err(stop) => drop(self.lose(stop)),
            }
        }
        let Some(child) = &mut self.child else { return Ok(()) };
        if let Some(end) = child.ended() {
            self.why.get_or_insert(end);
            self.child = None;
        } else if !child.answers() {
            return Err(lingers(child));
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), Error> {
        if self.child.is_some() {
            return Ok(());
        }
        let now = self.clock.now();
        if !self.pace.allows(now) {
            let rule = "waits before it is started again";
            let waits = || Error::Refused { path: Arc::clone(&self.launch.name), rule };
            return Err(self.why.clone().unwrap_or_else(waits));
        }
        let started = self.free().and_then(|()| Child::start(&self.launch));
        match started {
            Ok(child) => {
                self.pace.start(now);
                self.starts += 1;
                self.child = Some(child);
                self.why = None;
                Ok(())
            }
            Err(error) => {
                if matches!(error, Error::Refused { .. }) {
                    self.pace.hold(now);
                } else {
                    self.pace.start(now);
                }
                self.why = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Says whether another's child holds the lock.
    fn free(&self) -> Result<(), Error> {
        match self.launch.lock.as_deref().map_or(Ok(()), lock::look) {
            Ok(()) => Ok(()),
            Err(Refused::Failed(error)) => Err(error),
            Err(Refused::Held(pid)) => {
                let name = &self.launch.name;
                let path = pid.map_or_else(|| Arc::clone(name), |pid| format!("{name} (pid {pid})").into());
                let rule = "of an earlier or another gauged holds the lock file; no second one is started";
                Err(Error::Refused { path, rule })
            }
        }
    }

    fn ask(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Some(child) = &mut self.child else { return Err(Error::Late(Arc::clone(&self.launch.name))) };
        let now = self.clock.now();
        let left = scrape.deadline.saturating_sub(now);
        let patience = left.saturating_sub(MARGIN.min(left / 4));
        if patience.is_zero() {
            return Err(Error::Late(child.label()));
        }
        self.requests += 1;
        let request = Request { id: self.requests, patience, held: scrape.held };
        let until = Some((&self.clock, now + patience));
        let asked = child.ask(&request, now, &mut self.bytes);
        match asked.and_then(|()| child.answer(until, Some(out), &mut self.told)) {
            Ok(answer) => {
                // A child that fails as a whole is no better than one that crashes: the wait goes on growing.
                if answer.is_ok() {
                    self.pace.answered();
                }
                answer
            }
            Err(Stop::Empty) => Err(Error::Late(child.label())),
            Err(stop) => Err(self.lose(stop)),
        }
    }

    /// What a child that has not answered is called.
    fn silence(&self) -> Error {
        let path = self.child.as_ref().map_or_else(|| Arc::clone(&self.launch.name), Child::label);
        if self.hung().is_none() {
            return Error::Late(path);
        }
        let rule = "hangs; it is left alone, and no second one is started";
        Error::Refused { path, rule }
    }

    /// The stream to the child cannot be used any more. Says why.
    fn lose(&mut self, stop: Stop) -> Error {
        let Some(child) = &mut self.child else { return Error::Late(Arc::clone(&self.launch.name)) };
        child.let_go();
        let end = child.ended_soon();
        let (path, gone) = (child.label(), end.is_some());
        let error = match stop {
            Stop::Bad(what) => Error::Parse { path, line: 0, what },
            Stop::Io(source) => Error::Io { path, source },
            Stop::Closed | Stop::Empty => match end {
                Some(end) => end,
                // How it ended will be known when it has.
                None => return lingers(child),
            },
        };
        if gone {
            self.child = None;
        }
        self.why = Some(error.clone());
        error
    }
}

/// What a child is called that ought to end and has not.
fn lingers(child: &Child) -> Error {
    Error::Refused { path: child.label(), rule: "was let go and has not ended; no second one is started" }
}

impl Collector for Remote {
    /// Asks the child, and starts it if need be. Waits until shortly before the deadline; not at all for a child
    /// that owes the answer to an earlier scrape.
    ///
    /// # Errors
    /// `Late` if the answer has no end yet; `Refused` in quarantine; `Io` for a child that cannot be started;
    /// `Parse` for one that sent no answer; `Told` for one that ended, or failed and said so; `Unsupported` where it
    /// found no such thing. During the back-off, what brought it about.
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let answer = self.steps(scrape, out);
        out.put(&self.launch.restarts, [], Count(self.restarts()));
        answer
    }
}

impl Drop for Remote {
    /// Closes the stream and waits for nothing.
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            child.leave(&self.launch.name);
        }
    }
}
