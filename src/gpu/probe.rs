//! The probe: the child process that opens NVIDIA's library and asks it (`gauged gpu-probe`).
//!
//! Its main thread makes no call of the library, because any of them may hang for ever. One thread opens the driver
//! and asks how many GPUs there are, one asks for their events, and each GPU has a thread of its own. They are asked one at a time, as the library
//! would have it anyway (it serialises most of what it is asked), and waited for, a second at most and half of the time
//! that is left: so one GPU that takes 45 s a call, or hangs, hides no other, now or later, and costs one thread. It is
//! not asked again before it has answered, and what it answers then is dropped.
//!
//! A driver that cannot be opened, or of which no GPU answers any more, is told of and the probe ends: nothing is held
//! open that way, and the next one finds the library and the driver that are there then.

mod arguments;
mod asked;

use super::Library;
use super::lease::Lease;
use crate::gpu::options;
use crate::machine::{self, Own};
use crate::remote::{self, Reply, Request};
use arguments::Arguments;
use asked::{Asked, Done, From, Said};
use door::{Clock, Doors};
use nvidia::{Code, Health, Refusal, driver_state};
use schema::families::gpu::{DriverState, GpuState, Of};
use schema::families::own::GpuProbe;
use schema::unit::{Count, Seconds};
use schema::{Batch, Error, Reason, Scrape};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// How long one GPU is waited for at most.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much earlier than the daemon stops waiting the probe does; but never more than a quarter of what there is.
const MARGIN: Duration = Duration::from_millis(50);
/// GPUs that one driver has at most: what is beyond was not counted but made up.
const MOST_GPUS: u32 = 256;
/// How long the threads are given to let go of the library, at the end.
const ENDING: Duration = Duration::from_millis(500);
/// How often it is looked, at the end, whether a thread is still in the driver and whether that matters.
const LOOK: Duration = Duration::from_millis(50);

/// The probe's life, from its arguments to its exit code. It does not return: a thread may be stuck in the driver.
pub fn run(arguments: &[OsString]) -> Result<(), String> {
    machine::unblock_signals();
    let arguments = Arguments::parse(arguments)?;
    let doors = Arc::new(Doors::live(machine::live()?, &arguments.paths));
    let stream =
        std::io::stdin().as_fd().try_clone_to_owned().map_err(|error| format!("its stream: {error}"))?;
    let lock = arguments.lock.clone();
    let mut probe = Probe::new(arguments, &doors);
    let ended = remote::serve(stream, lock.as_deref(), |request, reply| probe.answer(request, reply));
    probe.end();
    machine::exit_now(ended.code().into())
}

/// A GPU, as the main thread knows it.
struct Gpu {
    index: String,
    uuid: String,
    asked: Asked,
}

struct Probe {
    clock: Clock,
    own: Own,
    doors: Arc<Doors>,
    arguments: Arguments,
    done: Receiver<Done>,
    tell: SyncSender<Done>,
    driver: Asked,
    /// None until the driver was opened.
    events: Option<Asked>,
    library: Option<Arc<dyn Library>>,
    refused: Option<Refusal>,
    /// Why the driver as a whole does not answer.
    failing: Option<Code>,
    /// True once the driver said how many GPUs there are.
    counted: bool,
    gpus: Vec<Gpu>,
    uuids: Arc<BTreeMap<u32, String>>,
    part: Batch,
}

impl Probe {
    fn new(arguments: Arguments, doors: &Arc<Doors>) -> Probe {
        let (tell, done) = sync_channel(64);
        let driver = Asked::driver(doors, arguments.library.clone(), tell.clone());
        Probe {
            clock: doors.clock.clone(),
            own: Own::open(doors, true),
            doors: Arc::clone(doors),
            arguments,
            done,
            tell,
            driver,
            events: None,
            library: None,
            refused: None,
            failing: None,
            counted: false,
            gpus: Vec::new(),
            uuids: Arc::default(),
            part: Batch::default(),
        }
    }

    fn answer(&mut self, request: &Request, reply: &mut Reply) -> Result<(), Error> {
        let scrape = request.scrape(&self.clock);
        let margin = MARGIN.min(request.patience / 4);
        let until = scrape.deadline.saturating_sub(margin);
        // What was left behind in an earlier scrape has come: whoever said it can be asked again.
        while let Ok(done) = self.done.try_recv() {
            drop(self.take(done));
        }
        let came = self.ask_driver(&scrape, until, reply);
        if let Some(refusal) = self.refused.take() {
            return Err(self.give_up(&refusal.words, refusal.code, reply));
        }
        if let Some(code) = self.failing.filter(|_| self.gpus.is_empty()) {
            return Err(self.give_up("GPUs cannot be counted", code, reply));
        }
        if !self.counted {
            self.part.clear();
            DriverState::Starting.put(&mut self.part);
            self.finish(reply);
            return if self.driver.is_lost() { self.panicked(reply) } else { Ok(()) };
        }
        let failing = self.ask_gpus(&scrape, until, reply);
        if let Some(code) = failing {
            return Err(self.give_up("no GPU answers", code, reply));
        }
        self.ask_for_events(&scrape, until, reply);
        self.part.clear();
        let state = match self.failing.filter(|_| came) {
            Some(code) => driver_state(code),
            None => DriverState::Ok,
        };
        state.put(&mut self.part);
        if !came {
            self.part.fail(Error::Late(Arc::clone(&self.driver.name)));
        }
        self.finish(reply);
        let mut threads = self.gpus.iter().map(|gpu| &gpu.asked).chain(&self.events).chain([&self.driver]);
        if threads.any(Asked::is_lost) { self.panicked(reply) } else { Ok(()) }
    }

    /// Has the driver opened, or asked for what is of all GPUs. True if it answered.
    fn ask_driver(&mut self, scrape: &Scrape, until: Duration, reply: &mut Reply) -> bool {
        // To open it may take seconds a GPU, and there is nothing else to do meanwhile: but only once.
        let opening = !self.counted;
        let left = self.clock.until(until);
        let patience = if opening { left } else { PATIENCE.min(left / 2) };
        let deadline = self.clock.now() + patience;
        let uuids = Arc::clone(&self.uuids);
        if !self.driver.ask(Scrape { deadline, ..*scrape }, uuids) {
            return false;
        }
        let Some(batch) = self.wait(From::Driver, deadline) else { return false };
        reply.part(&batch);
        self.driver.give_back(batch);
        true
    }

    /// Asks for events, after the GPUs, whose names are known by then.
    fn ask_for_events(&mut self, scrape: &Scrape, until: Duration, reply: &mut Reply) {
        let deadline = self.clock.now() + PATIENCE.min(self.clock.until(until) / 2);
        let uuids = Arc::clone(&self.uuids);
        let asked =
            self.events.as_mut().is_some_and(|events| events.ask(Scrape { deadline, ..*scrape }, uuids));
        let batch = asked.then(|| self.wait(From::Events, deadline)).flatten();
        let Some(events) = &mut self.events else { return };
        match batch {
            Some(batch) => {
                reply.part(&batch);
                events.give_back(batch);
            }
            None => {
                self.part.clear();
                self.part.fail(Error::Late(Arc::clone(&events.name)));
                reply.part(&self.part);
            }
        }
    }

    /// Asks each GPU in turn, those that were late last time at the end. The driver's code, if all of those that there
    /// are answer nothing but that.
    fn ask_gpus(&mut self, scrape: &Scrape, until: Duration, reply: &mut Reply) -> Option<Code> {
        let mut failing = Vec::new();
        for late in [false, true] {
            for place in 0..self.gpus.len() {
                let Some(gpu) = self.gpus.get_mut(place).filter(|gpu| gpu.asked.was_late == late) else {
                    continue;
                };
                if std::mem::replace(&mut gpu.asked.turn, scrape.number) == scrape.number {
                    continue;
                }
                let left = self.clock.until(until);
                let deadline = self.clock.now() + PATIENCE.min(left / 2);
                let asked = gpu.asked.ask(Scrape { deadline, ..*scrape }, Arc::default());
                match asked.then(|| self.wait(From::Gpu(place), deadline)).flatten() {
                    Some(batch) => {
                        reply.part(&batch);
                        let Some(gpu) = self.gpus.get_mut(place) else { continue };
                        gpu.asked.give_back(batch);
                        failing.push(match gpu.asked.health {
                            Some(Health::Failing(code)) => Some(code),
                            _ => None,
                        });
                    }
                    None => {
                        failing.push(None);
                        self.left_behind(place, reply);
                    }
                }
            }
        }
        let all = !failing.is_empty() && failing.iter().all(Option::is_some);
        failing.into_iter().flatten().next().filter(|_| all)
    }

    /// Says of a GPU that it has not answered.
    fn left_behind(&mut self, place: usize, reply: &mut Reply) {
        let Some(gpu) = self.gpus.get_mut(place) else { return };
        gpu.asked.was_late = true;
        self.part.clear();
        if !gpu.uuid.is_empty() {
            GpuState::Hung.put(Of { gpu: &gpu.index, uuid: &gpu.uuid, mig: "" }, &mut self.part);
        }
        self.part.fail(Error::Late(Arc::clone(&gpu.asked.name)));
        reply.part(&self.part);
    }

    /// Waits for what was asked. What others say meanwhile is of an earlier scrape.
    fn wait(&mut self, whom: From, deadline: Duration) -> Option<Batch> {
        loop {
            let done = match self.done.recv_timeout(self.clock.until(deadline)) {
                Ok(done) => done,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            };
            let from = done.from;
            match self.take(done) {
                Some(batch) if from == whom => return Some(batch),
                _ => {}
            }
        }
    }

    /// Notes what came; what is left of it are its samples. None if more comes.
    fn take(&mut self, done: Done) -> Option<Batch> {
        let Done { from, batch, said } = done;
        if let Said::Opened(Ok(library)) = &said {
            self.events = Some(Asked::events(Arc::clone(library), self.tell.clone()));
            self.library = Some(Arc::clone(library));
            return None;
        }
        let whose = match from {
            From::Driver => Some(&mut self.driver),
            From::Events => self.events.as_mut(),
            From::Gpu(place) => self.gpus.get_mut(place).map(|gpu| &mut gpu.asked),
        };
        if let Some(whose) = whose {
            whose.answered();
        }
        match said {
            Said::Opened(Ok(_)) | Said::Events => {}
            Said::Opened(Err(refusal)) => self.refused = Some(refusal),
            Said::Count(Err(code)) => self.failing = Some(code),
            Said::Count(Ok(count)) => {
                self.failing = None;
                self.counted = true;
                self.make_room(count);
            }
            Said::Gpu { health, uuid } => {
                let From::Gpu(place) = from else { return Some(batch) };
                if let Some(gpu) = self.gpus.get_mut(place) {
                    gpu.asked.health = Some(health);
                    if let (Some(uuid), Ok(index)) = (uuid, gpu.index.parse()) {
                        gpu.uuid.clone_from(&uuid);
                        Arc::make_mut(&mut self.uuids).insert(index, uuid);
                    }
                }
            }
        }
        Some(batch)
    }

    /// A thread for each GPU that has none yet.
    fn make_room(&mut self, count: u32) {
        let Some(library) = &self.library else { return };
        let known = u32::try_from(self.gpus.len()).unwrap_or(MOST_GPUS);
        let addresses = &self.arguments.gpus;
        // Only where both count the same is it clear which is which before they were asked.
        let alike = usize::try_from(count).is_ok_and(|count| count == addresses.len());
        for index in known..count.min(MOST_GPUS) {
            let mut gpu = nvidia::Gpu::new(
                index,
                &self.doors,
                &options(&self.arguments.processes, self.arguments.media),
            );
            if let Some(address) =
                usize::try_from(index).ok().and_then(|i| addresses.get(i)).filter(|_| alike)
            {
                gpu.known_at(address);
            }
            let asked = Asked::gpu(gpu, self.gpus.len(), Arc::clone(library), self.tell.clone());
            self.gpus.push(Gpu { index: index.to_string(), uuid: String::new(), asked });
        }
    }

    /// Tells why nothing can be asked, and that the probe ends over it.
    fn give_up(&mut self, words: &str, code: Code, reply: &mut Reply) -> Error {
        self.part.clear();
        driver_state(code).put(&mut self.part);
        self.finish(reply);
        reply.last();
        Error::Told {
            reason: Reason::Driver,
            text: format!("NVIDIA's driver: {words} (NVML {})", code.0).into(),
        }
    }

    fn panicked(&self, reply: &mut Reply) -> Result<(), Error> {
        reply.last();
        Err(Error::Panic)
    }

    /// Adds what the probe says of itself, and sends the last part.
    fn finish(&mut self, reply: &mut Reply) {
        let process = self.own.process(0);
        let (calls, took) = self.library.as_ref().map(|library| library.calls()).unwrap_or_default();
        GpuProbe {
            calls: Count(calls),
            driver: Seconds::span(took),
            cpu: process.cpu,
            memory: process.resident,
        }
        .put(&mut self.part);
        reply.part(&self.part);
    }

    /// True while a thread is in the driver.
    fn is_asking(&self) -> bool {
        let gpus = self.gpus.iter().map(|gpu| &gpu.asked);
        gpus.chain(&self.events).chain([&self.driver]).any(Asked::is_asking)
    }

    /// Closes the library once no thread is in it, however long that takes: a process that ends kills its threads, and
    /// one in the middle of a driver's call is not to be killed. Until then the lock is held, which is the quarantine.
    /// But whoever has the driver released is about to reset it, and has no use for a call that hangs in it.
    fn end(mut self) {
        let lease = self.arguments.lock.as_deref().and_then(Path::parent).map(Lease::of);
        let is_released = |now| lease.as_ref().is_some_and(|lease| lease.until(now).is_some());
        while self.is_asking() && !is_released(self.clock.now()) {
            if let Ok(done) = self.done.recv_timeout(LOOK) {
                drop(self.take(done));
            }
        }
        let asking = self.is_asking();
        let Probe { clock, driver, events, gpus, library, .. } = self;
        if asking {
            return;
        }
        drop((driver, events, gpus));
        let until = clock.now() + ENDING;
        if let Some(library) = library {
            // The threads end as soon as they see that nobody asks any more.
            while Arc::strong_count(&library) > 1 && clock.now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
            drop(library);
        }
    }
}
