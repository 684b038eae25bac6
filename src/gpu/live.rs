//! The collector over this machine: it has the probe asked, and says what a driver cannot say of itself. Which state
//! it is in, which GPUs are on the bus, what a GPU was that does not answer any more.
//!
//! | the machine has | what is done |
//! |---|---|
//! | neither a GPU on its bus nor a library | nothing, and no series |
//! | a GPU and no library | no probe; library_missing |
//! | a library, no driver and no GPU (a CUDA image somewhere) | a probe every five minutes, and no series |
//! | a battery, and GPUs that may sleep | no probe, unless it is asked for |
//! | GPUs that all sleep | no probe is started for them; suspended |
//! | a lease that holds | the probe is let go; released |
//! | a library that leaks | the probe is let go, and another started |
//!
//! The driver is asked at most once a second: within that, what it said is said again.

use super::growth::Growth;
use super::lease::Lease;
use super::sight::Sight;
use super::{PROBE, PROBE_LOCK, Plan, SINGLE_LOCK};
use crate::remote::{Backoff, Launch, Remote};
use door::Doors;
use nvidia::Versions;
use nvidia::ledger::{Ledger, Silence, Told};
use schema::families::gpu::{self, DriverState};
use schema::families::own;
use schema::unit::Count;
use schema::{Batch, Collector, Error, Scrape};
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

/// The driver is not asked more often than this.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest wait between starts of the probe, in units of the shortest: 10 min for 5 s.
const LONGEST: u32 = 120;

/// The collector.
pub(super) struct Live {
    plan: Plan,
    sight: Sight,
    remote: Remote,
    versions: Versions,
    ledger: Ledger,
    lease: Option<Lease>,
    /// What the probe is started with, as far as it can change.
    started_with: (Option<String>, Vec<String>),
    starts: u64,
    growth: Growth,
    state: Option<DriverState>,
    /// How the driver refused, while it does.
    refusal: Option<Error>,
    /// Since when it has been what it would be in if all goes well soon: starting, or held by another probe.
    waiting: Option<Duration>,
    /// What the probe brought.
    brought: Batch,
    /// What was said last, when, and under a lease or not.
    said: Batch,
    result: Result<(), Error>,
    asked: Option<(Duration, bool)>,
}

/// Whom this collection asked.
enum Asked {
    /// Nobody, and this is what is known of the driver.
    Nobody(Option<DriverState>),
    /// The probe, which ended so.
    Probe(Result<(), Error>),
}

impl Live {
    pub(super) fn new(doors: &Arc<Doors>, plan: &Plan) -> Live {
        let lock = plan
            .directory
            .as_ref()
            .map(|directory| directory.join(if plan.single { SINGLE_LOCK } else { PROBE_LOCK }));
        let launch = Launch {
            name: PROBE.into(),
            program: "/proc/self/exe".into(),
            args: Vec::new(),
            lock,
            backoff: Backoff { first: plan.backoff, most: plan.backoff * LONGEST },
            hang_after: plan.hang_after,
            restarts: own::GPU_PROBE_RESTARTS,
        };
        Live {
            sight: Sight::new(doors),
            remote: Remote::new(launch, doors.clock.clone()),
            versions: Versions::new(doors),
            ledger: Ledger::default(),
            lease: plan.directory.as_deref().map(Lease::of),
            started_with: Default::default(),
            starts: 0,
            growth: Growth::default(),
            state: None,
            refusal: None,
            waiting: None,
            brought: Batch::default(),
            said: Batch::default(),
            result: Ok(()),
            asked: None,
            plan: plan.clone(),
        }
    }

    /// Asks the probe, unless there is a reason not to.
    fn ask(&mut self, scrape: &Scrape, leased: bool) -> Asked {
        if leased {
            self.remote.release();
            // It ends within a millisecond or two, if it can; the next collection looks again.
            let gone = (0..50).any(|_| {
                let gone = self.remote.gone();
                if !gone {
                    std::thread::sleep(Duration::from_millis(2));
                }
                gone
            });
            return Asked::Nobody(Some(if gone { DriverState::Released } else { DriverState::Hung }));
        }
        if self.remote.gone() {
            if self.sight.battery && !self.plan.runtime_pm || self.sight.all_suspended() {
                return Asked::Nobody(None);
            }
            if self.plan.library.is_none() && self.sight.library.is_none() {
                return Asked::Nobody(Some(DriverState::LibraryMissing));
            }
            self.prepare();
        }
        Asked::Probe(self.remote.collect(scrape, &mut self.brought))
    }

    /// Says how the next probe is to be started.
    fn prepare(&mut self) {
        let found =
            self.sight.library.as_ref().filter(|found| !found.by_name).map(|found| found.path.clone());
        let library = self.plan.library.clone().or(found);
        let gpus: Vec<String> = self.sight.bus.functions().iter().map(|gpu| gpu.address.clone()).collect();
        if self.starts == self.remote.starts()
            && self.starts > 0
            && self.started_with == (library.clone(), gpus.clone())
        {
            return;
        }
        let Plan { paths, processes, media, .. } = &self.plan;
        let mut args: Vec<OsString> = vec![PROBE.into()];
        let mut say = |flag: &str, value: &str| args.extend([flag.into(), value.into()]);
        say("--procfs", &paths.procfs);
        say("--sysfs", &paths.sysfs);
        say("--rootfs", &paths.rootfs);
        say("--processes", processes);
        say("--media", if *media { "on" } else { "off" });
        if let Some(library) = &library {
            say("--library", library);
        }
        for gpu in &gpus {
            say("--gpu", gpu);
        }
        if let Some(lock) = self.remote.lock() {
            args.extend(["--lock".into(), lock.into()]);
        }
        self.remote.set_args(args);
        self.started_with = (library, gpus);
    }

    /// The driver's state, of what was told and how the asking ended.
    fn judge(&mut self, now: Duration, told: Told, answer: &Result<(), Error>) -> DriverState {
        let waits_since = |waiting: &mut Option<Duration>| *waiting.get_or_insert(now);
        if let Some(state) = told.state {
            let silent = state == DriverState::Starting
                || (state == DriverState::Ok && told.described == 0 && told.hung > 0);
            if !silent {
                self.waiting = None;
                return state;
            }
            let since = waits_since(&mut self.waiting);
            return if now.saturating_sub(since) > self.plan.hang_after { DriverState::Hung } else { state };
        }
        if self.remote.hung().is_some() {
            return DriverState::Hung;
        }
        let before = self.state.unwrap_or(DriverState::Starting);
        match answer {
            // A probe that answers tells the state; before it has answered for the first time it is starting.
            Ok(()) => before,
            Err(Error::Late(_)) if self.refusal.is_some() => DriverState::Starting,
            Err(Error::Late(_)) if before == DriverState::Unknown => DriverState::Starting,
            Err(Error::Late(_)) => before,
            // Another's probe holds the lock, or our own does not end: an earlier daemon's may be ending just now.
            Err(Error::Refused { .. }) => {
                let since = waits_since(&mut self.waiting);
                let long = now.saturating_sub(since) >= self.plan.backoff;
                if long { DriverState::Hung } else { DriverState::Starting }
            }
            Err(_) if self.refusal.is_some() => before,
            Err(_) => DriverState::Unknown,
        }
    }

    /// What is said of the whole collection.
    fn conclude(&mut self, told: Told, answer: Result<(), Error>) -> Result<(), Error> {
        use DriverState as S;
        let state = self.state;
        let refused = |state| {
            matches!(
                state,
                Some(S::NotLoaded | S::LibraryMissing | S::VersionMismatch | S::NoPermission | S::Unknown)
            )
        };
        if refused(told.state) {
            self.refusal = answer.as_ref().err().cloned();
        } else if told.state.is_some() || !refused(state) {
            self.refusal = None;
        }
        match state {
            // Told by its state, and quietly: most machines that are so are meant to be.
            Some(S::NotLoaded | S::Released) | None => Ok(()),
            // But for a library that somebody named: its name is wrong.
            Some(S::LibraryMissing) if self.plan.library.is_none() => Ok(()),
            Some(S::Hung) if answer.is_ok() => {
                let rule = "hangs in the driver; it is left alone, and no second one is started";
                Err(Error::Refused { path: PROBE.into(), rule })
            }
            _ => match (&self.refusal, answer) {
                // During the back-off the reason is the refusal, not that a process ended over it.
                (Some(refusal), Err(_)) => Err(refusal.clone()),
                (_, answer) => answer,
            },
        }
    }

    /// Says again what was said a moment ago. Failures were counted then.
    fn again(&self, out: &mut Batch) -> Result<(), Error> {
        for row in self.said.rows() {
            out.copy(row);
        }
        for failure in self.said.failures() {
            out.still(failure.clone());
        }
        self.result.clone()
    }
}

impl Collector for Live {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let leased = self.lease.as_ref().is_some_and(|lease| lease.until(scrape.now).is_some());
        if self.asked.is_some_and(|(at, under)| scrape.now.saturating_sub(at) < PAUSE && under == leased) {
            return self.again(out);
        }
        let lease_ended = !leased && self.asked.is_some_and(|(_, under)| under);
        self.asked = Some((scrape.now, leased));
        self.brought.clear();
        self.said.clear();
        let well = self.state == Some(DriverState::Ok);
        if self.sight.look(scrape.now, well, &mut self.said) || lease_ended {
            self.remote.start_soon();
        }
        let on_the_bus = self.sight.count();
        if on_the_bus == 0
            && self.plan.library.is_none()
            && self.sight.library.is_none()
            && self.remote.gone()
        {
            self.asked = None;
            return Err(Error::Unsupported("no NVIDIA GPU and no library of its driver"));
        }
        self.sight.log(scrape.wall, &mut self.ledger);
        let asked = self.ask(scrape, leased);
        if self.remote.starts() != self.starts {
            self.starts = self.remote.starts();
            self.ledger.begin_anew();
        }
        if self.growth.is_too_much(self.starts, &self.brought) {
            self.remote.release();
        }
        let told = self.ledger.relay(&self.brought, &mut self.said);
        let (state, answer) = match asked {
            Asked::Nobody(state) => (state, Ok(())),
            Asked::Probe(answer) => (Some(self.judge(scrape.now, told, &answer)), answer),
        };
        self.state = state;
        let nothing = matches!(state, Some(DriverState::NotLoaded | DriverState::LibraryMissing));
        if nothing && on_the_bus == 0 && self.plan.library.is_none() {
            self.asked = None;
            return Err(Error::Unsupported("a library of NVIDIA's driver, and neither driver nor GPU"));
        }
        self.said.append_failures(&self.brought);
        let silence = match state {
            Some(DriverState::Hung) => Silence::Hung,
            Some(DriverState::Ok) if answer.is_ok() && told.state.is_some() => told.silence(),
            _ => Silence::Unknown,
        };
        if let Some(state) = state {
            state.put(&mut self.said);
        }
        if !told.versions {
            self.versions.collect(None, &mut self.said);
        }
        gpu::put_devices(Some(Count(on_the_bus)), None, &mut self.said);
        self.sight.put_suspended(&mut self.ledger, &mut self.said);
        self.ledger.finish(silence, &mut self.said);
        self.result = self.conclude(told, answer);
        out.append(&self.said);
        self.result.clone()
    }
}
