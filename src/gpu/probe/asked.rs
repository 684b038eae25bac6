//! A thread that asks the driver, and what the main thread knows of it: whether it is busy, and whether it was late.
//!
//! The threads share the process's file table: what the library opens on one it uses on the others.

use crate::gpu::Library;
use crate::machine;
use door::Doors;
use nvidia::{Answer, Events, Health, Refusal, Versions, count};
use schema::{Batch, Scrape};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Room for the library's own needs; what is not used costs nothing.
const STACK_BYTES: usize = 1 << 20;

type Uuids = Arc<BTreeMap<u32, String>>;

struct Job {
    scrape: Scrape,
    uuids: Uuids,
    batch: Batch,
}

/// Of whom something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// The driver as a whole.
    Driver,
    /// The events of all GPUs.
    Events,
    /// The GPU at this place.
    Gpu(usize),
}

/// What a thread has done.
pub(super) struct Done {
    pub(super) from: From,
    pub(super) batch: Batch,
    pub(super) said: Said,
}

/// What came of it, beside samples.
pub(super) enum Said {
    /// The driver was opened, or refused.
    Opened(Result<Arc<dyn Library>, Refusal>),
    /// How many GPUs there are.
    Count(Answer<u32>),
    /// What there was of events.
    Events,
    /// How a GPU is, and who, if that is known for the first time.
    Gpu { health: Health, uuid: Option<String> },
}

/// A thread, as the main thread knows it.
#[derive(Debug)]
pub(super) struct Asked {
    /// What it is called where it is complained of.
    pub(super) name: Arc<str>,
    pub(super) was_late: bool,
    /// The scrape in which it had its turn.
    pub(super) turn: u64,
    pub(super) health: Option<Health>,
    thread: Option<JoinHandle<()>>,
    jobs: Option<SyncSender<Job>>,
    busy: bool,
    room: Batch,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

impl Asked {
    /// The thread that opens the driver, and then asks it for what is of all GPUs.
    pub(super) fn driver(doors: &Arc<Doors>, path: Option<PathBuf>, tell: SyncSender<Done>) -> Asked {
        let doors = Arc::clone(doors);
        Asked::start("the GPU driver".into(), "nvml", move |jobs| {
            driver(&doors, path.as_deref(), &jobs, &tell);
        })
    }

    /// The thread of the events: to ask for them is to ask every GPU, and one that hangs is to hide nothing else.
    pub(super) fn events(library: Arc<dyn Library>, tell: SyncSender<Done>) -> Asked {
        Asked::start("the GPU driver's events".into(), "events", move |jobs| events(&*library, &jobs, &tell))
    }

    /// The thread of a GPU.
    pub(super) fn gpu(
        gpu: nvidia::Gpu,
        place: usize,
        library: Arc<dyn Library>,
        tell: SyncSender<Done>,
    ) -> Asked {
        let name = format!("GPU {}", gpu.index());
        let thread = format!("gpu{}", gpu.index());
        Asked::start(name.into(), &thread, move |jobs| one(gpu, place, &*library, &jobs, &tell))
    }

    fn start(name: Arc<str>, thread: &str, work: impl FnOnce(Receiver<Job>) + Send + 'static) -> Asked {
        let (jobs, inbox) = sync_channel(1);
        let builder = std::thread::Builder::new().name(thread.to_owned()).stack_size(STACK_BYTES);
        #[expect(
            clippy::disallowed_methods,
            reason = "the library's descriptors are for all of the probe's threads"
        )]
        let started = builder.spawn(move || work(inbox));
        // A thread that could not be started is one that is lost at once.
        let thread = started.ok();
        let jobs = thread.is_some().then_some(jobs);
        Asked {
            name,
            was_late: false,
            turn: 0,
            health: None,
            thread,
            jobs,
            busy: false,
            room: Batch::default(),
        }
    }

    /// Asks, unless an earlier question is not answered yet. True if an answer is to be awaited.
    pub(super) fn ask(&mut self, scrape: Scrape, uuids: Uuids) -> bool {
        if self.busy {
            return false;
        }
        let Some(jobs) = &self.jobs else { return false };
        let mut batch = std::mem::take(&mut self.room);
        batch.clear();
        if jobs.try_send(Job { scrape, uuids, batch }).is_err() {
            self.jobs = None;
            return false;
        }
        self.busy = true;
        true
    }

    /// The answer has come, in time or not.
    pub(super) fn answered(&mut self) {
        self.busy = false;
    }

    /// The answer was in time, and its samples were sent.
    pub(super) fn give_back(&mut self, batch: Batch) {
        self.was_late = false;
        self.room = batch;
    }

    /// True while the thread asks the driver, and has not panicked over it.
    pub(super) fn is_asking(&self) -> bool {
        self.busy && self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// True if the thread is gone: it panicked, which is a bug of ours.
    pub(super) fn is_lost(&self) -> bool {
        self.jobs.is_none()
    }
}

fn driver(doors: &Arc<Doors>, path: Option<&Path>, jobs: &Receiver<Job>, tell: &SyncSender<Done>) {
    let mut library: Option<Arc<dyn Library>> = None;
    let mut versions = Versions::new(doors);
    while let Ok(Job { mut batch, .. }) = jobs.recv() {
        let open = match &library {
            Some(open) => open,
            None => {
                let opened = machine::nvml(path).map(|opened| Arc::new(opened) as Arc<dyn Library>);
                let mine = opened.clone();
                if tell
                    .send(Done { from: From::Driver, batch: Batch::default(), said: Said::Opened(opened) })
                    .is_err()
                {
                    return;
                }
                match mine {
                    Ok(mine) => library.insert(mine),
                    Err(_) => continue,
                }
            }
        };
        let said = count(&**open, &mut batch);
        versions.collect(Some(&**open), &mut batch);
        if tell.send(Done { from: From::Driver, batch, said: Said::Count(said) }).is_err() {
            return;
        }
    }
}

fn events(library: &dyn Library, jobs: &Receiver<Job>, tell: &SyncSender<Done>) {
    let mut events = Events::new();
    while let Ok(Job { scrape, uuids, mut batch }) = jobs.recv() {
        // Its failure is noted in the batch.
        let _ = events.collect(library, &uuids, &scrape, &mut batch);
        if tell.send(Done { from: From::Events, batch, said: Said::Events }).is_err() {
            return;
        }
    }
}

fn one(
    mut gpu: nvidia::Gpu,
    place: usize,
    library: &dyn Library,
    jobs: &Receiver<Job>,
    tell: &SyncSender<Done>,
) {
    let mut told = String::new();
    while let Ok(Job { scrape, mut batch, .. }) = jobs.recv() {
        let health = gpu.collect(library, &scrape, &mut batch);
        let uuid = (gpu.uuid() != told).then(|| gpu.uuid().to_owned());
        if let Some(uuid) = &uuid {
            told.clone_from(uuid);
        }
        if tell.send(Done { from: From::Gpu(place), batch, said: Said::Gpu { health, uuid } }).is_err() {
            return;
        }
    }
}
