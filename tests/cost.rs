//! What a scrape costs in allocations and system calls: counts, which do not flake, where times would.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "tests")]

use door::{Doors, Paths};
use gauged::core::Core;
use gauged::exposition::{Encoder, Format, Names};
use gauged::machine;
use gauged::snapshot::{Collectors, Snapshot};
use schema::Settings;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// Counts allocations, on every thread, while it is told to.
struct Counting;

static COUNT: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

fn note() {
    if COUNT.load(SeqCst) {
        ALLOCATIONS.fetch_add(1, SeqCst);
    }
}

// SAFETY: every call is passed on to the system's allocator as it came; counting touches two atomics and
// allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller keeps GlobalAlloc's contract, which is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations all threads make while `work` runs.
fn allocations<T>(work: impl FnOnce() -> T) -> (usize, T) {
    ALLOCATIONS.store(0, SeqCst);
    COUNT.store(true, SeqCst);
    let result = work();
    COUNT.store(false, SeqCst);
    (ALLOCATIONS.load(SeqCst), result)
}

fn live_core() -> Asker {
    let paths = Paths { procfs: "/proc".into(), sysfs: "/sys".into(), rootfs: "/".into() };
    let doors = Arc::new(Doors::live(machine::live().expect("Linux"), &paths));
    let specs: Vec<_> = machine::collectors().into_iter().filter(|spec| spec.default_on).collect();
    let core = Core::start(&specs, &doors, &Arc::new(Settings::default()), 20_000).expect("threads");
    let (send, receive) = sync_channel(1);
    Asker { core, wanted: Collectors::all(specs.len()), send, receive }
}

/// Asks for scrapes by one channel, so that none is made while it is counted.
struct Asker {
    core: Core,
    wanted: Collectors,
    send: SyncSender<Arc<Snapshot>>,
    receive: Receiver<Arc<Snapshot>>,
}

impl Asker {
    /// One scrape of the whole core, lanes included, with the allocations that it made.
    fn scrape(&self) -> (usize, Arc<Snapshot>) {
        // No snapshot is fresh any more, so that this is a collection and not a share of one.
        std::thread::sleep(Duration::from_millis(260));
        let send = self.send.clone();
        let answer = Box::new(move |snapshot| drop(send.send(snapshot)));
        allocations(|| {
            self.core.ask(self.wanted, Duration::from_secs(5), answer).expect("room");
            self.receive.recv().expect("an answer")
        })
    }
}

/// One test, because the counter counts every thread of the process.
#[test]
fn a_steady_scrape_allocates_nothing_and_neither_does_its_encoding() {
    let asker = live_core();
    let wanted = asker.wanted;
    let mut encoder = Encoder::default();
    let (mut text, mut openmetrics) = (String::new(), String::new());
    let mut warm = |snapshot: &Arc<Snapshot>| {
        encoder.encode(snapshot, wanted, &[Names::Unified], Format::Text, &mut text);
        encoder.encode(snapshot, wanted, &[Names::Unified], Format::OpenMetrics, &mut openmetrics);
        text.len()
    };
    // Until each of the snapshots and batches that go round has the room that it needs.
    for _ in 0..8 {
        let (_, snapshot) = asker.scrape();
        assert!(warm(&snapshot) > 1000);
    }
    let (made, snapshot) = asker.scrape();
    assert!(snapshot.series() > 100, "{} series", snapshot.series());
    assert_eq!(made, 0, "allocations in the core on a steady scrape");
    let (made, _) = allocations(|| warm(&snapshot));
    assert_eq!(made, 0, "allocations in encoding a steady scrape, in both formats");
}
