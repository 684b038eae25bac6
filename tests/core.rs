//! The core as its askers see it: who shares a scrape, who waits, what a slow, stuck, broken or late collector
//! costs the others.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use door::{Call, Doors, Live, Paths};
use gauged::core::Core;
use gauged::snapshot::{Collectors, Outcome, Snapshot};
use schema::families::load::{LOAD1, LOAD5};
use schema::families::own;
use schema::unit::Plain;
use schema::{Batch, Collector, Errno, Error, Id, Lane, Scrape, Settings, Spec};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

struct NoCalls;

impl Call for NoCalls {
    fn call(&self, _: &str, _: &[u8], _: &mut Vec<u8>) -> Result<(), Errno> {
        Err(Errno(38))
    }
}

fn since_start() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    Duration::from_secs(1000) + START.get_or_init(Instant::now).elapsed()
}

fn doors() -> Arc<Doors> {
    doors_at("/nonexistent")
}

fn doors_at(procfs: &str) -> Arc<Doors> {
    let live = Live {
        call: Box::new(NoCalls),
        boottime: since_start,
        #[expect(clippy::disallowed_methods, reason = "a test's lanes open nothing")]
        spawn: |name, work| std::thread::Builder::new().name(name.into()).spawn(work).map(drop),
        numbers: |_, _| Ok(()),
        page_size: 4096,
        ticks_per_second: 100,
    };
    let nowhere = || "/nonexistent".to_owned();
    Arc::new(Doors::live(live, &Paths { procfs: procfs.into(), sysfs: nowhere(), rootfs: nowhere() }))
}

fn start(collectors: &[&'static Spec<Doors>]) -> Core {
    Core::start(collectors, &doors(), &Arc::new(Settings::default()), 1000).expect("threads")
}

fn ask_later(core: &Core, wanted: Collectors, patience: Duration) -> Receiver<Arc<Snapshot>> {
    let (send, receive) = sync_channel(1);
    core.ask(wanted, patience, Box::new(move |snapshot| send.send(snapshot).expect("an asker")))
        .expect("room");
    receive
}

fn ask(core: &Core, patience: Duration) -> Arc<Snapshot> {
    ask_later(core, Collectors::all(2), patience).recv_timeout(Duration::from_secs(10)).expect("an answer")
}

fn value(snapshot: &Snapshot, id: Id) -> Option<f64> {
    snapshot.view(Collectors::all(8)).family(id).rows().next().map(|row| row.value().as_f64())
}

fn outcome(snapshot: &Snapshot, place: usize) -> Outcome {
    snapshot.parts[place].report.outcome
}

const SECOND: Duration = Duration::from_secs(1);

/// A collector from a function that is given the number of its call.
struct Fake(fn(u64, &mut Batch) -> Result<(), Error>, u64);

impl Collector for Fake {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        self.1 += 1;
        (self.0)(self.1, out)
    }
}

macro_rules! spec {
    ($name:literal, $lane:ident, $collect:expr) => {{
        const SPEC: Spec<Doors> = Spec {
            name: $name,
            about: "A test's collector.",
            families: &[LOAD1.id(), LOAD5.id()],
            default_on: true,
            lane: Lane::$lane,
            settings: &[],
            open: |_, _| Ok(Box::new(Fake($collect, 0))),
        };
        &SPEC
    }};
}

#[test]
fn parallel_requests_share_a_scrape() {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let core = start(&[spec!("slow", Thread, |_, out| {
        std::thread::sleep(Duration::from_millis(100));
        out.put(&LOAD1, [], Plain(CALLS.fetch_add(1, SeqCst) as f64));
        Ok(())
    })]);
    let all: Vec<_> = (0..45).map(|_| ask_later(&core, Collectors::all(1), 5 * SECOND)).collect();
    for answer in all {
        let snapshot = answer.recv_timeout(5 * SECOND).expect("an answer");
        assert_eq!(outcome(&snapshot, 0), Outcome::Ok);
    }
    assert!(CALLS.load(SeqCst) <= 2, "{} scrapes for 45 requests at once", CALLS.load(SeqCst));
}

#[test]
fn a_fresh_snapshot_is_shared_and_an_old_one_is_not() {
    let core = start(&[spec!("count", Inline, |n, out| {
        out.put(&LOAD1, [], Plain(n as f64));
        Ok(())
    })]);
    assert_eq!(value(&ask(&core, SECOND), LOAD1.id()), Some(1.0));
    assert_eq!(value(&ask(&core, SECOND), LOAD1.id()), Some(1.0));
    std::thread::sleep(Duration::from_millis(260));
    let third = ask(&core, SECOND);
    assert_eq!(value(&third, LOAD1.id()), Some(2.0));
    assert_eq!(value(&third, own::SCRAPES.id()), Some(3.0));
    assert_eq!(value(&third, own::COLLECTIONS.id()), Some(2.0));
}

#[test]
fn a_request_collects_what_it_asks_for_and_no_more() {
    static OTHER: AtomicU64 = AtomicU64::new(0);
    let core = start(&[
        spec!("one", Inline, |_, out| {
            out.put(&LOAD1, [], Plain(1.0));
            Ok(())
        }),
        spec!("two", Inline, |_, _| {
            OTHER.fetch_add(1, SeqCst);
            Ok(())
        }),
    ]);
    let only_one = Collectors::default().with(0);
    let snapshot = ask_later(&core, only_one, SECOND).recv_timeout(SECOND).expect("an answer");
    assert_eq!(value(&snapshot, LOAD1.id()), Some(1.0));
    assert_eq!(OTHER.load(SeqCst), 0);
    // The fresh snapshot lacks the other collector, so a request for both begins a flight.
    ask(&core, SECOND);
    assert_eq!(OTHER.load(SeqCst), 1);
}

#[test]
fn a_stuck_lane_costs_one_deadline_once() {
    let core = start(&[
        spec!("stuck", Thread, |_, _| loop {
            std::thread::park();
        }),
        spec!("fine", Inline, |n, out| {
            out.put(&LOAD1, [], Plain(n as f64));
            Ok(())
        }),
    ]);
    let began = Instant::now();
    let first = ask(&core, SECOND / 2);
    let took = began.elapsed();
    assert!(took >= SECOND / 2 && took < SECOND, "the first waits for its deadline: {took:?}");
    assert_eq!((outcome(&first, 0), outcome(&first, 1)), (Outcome::Late, Outcome::Ok));
    for _ in 0..5 {
        std::thread::sleep(Duration::from_millis(260));
        let began = Instant::now();
        let next = ask(&core, SECOND);
        assert!(began.elapsed() < SECOND / 20, "{:?}", began.elapsed());
        assert_eq!((outcome(&next, 0), outcome(&next, 1)), (Outcome::Late, Outcome::Ok));
        assert_eq!(value(&next, own::LANE_STUCK.id()), Some(1.0));
        assert_eq!(value(&next, own::COLLECTOR_SUCCESS.id()), Some(0.0));
    }
}

#[test]
fn an_impatient_request_is_answered_from_what_came_and_starves_nobody() {
    let core = start(&[
        spec!("slow", Thread, |_, out| {
            std::thread::sleep(Duration::from_millis(700));
            out.put(&LOAD5, [], Plain(5.0));
            Ok(())
        }),
        spec!("fine", Inline, |_, out| {
            out.put(&LOAD1, [], Plain(1.0));
            Ok(())
        }),
    ]);
    let patient = ask_later(&core, Collectors::all(2), 3 * SECOND);
    std::thread::sleep(Duration::from_millis(50));
    let began = Instant::now();
    let hasty = ask(&core, SECOND / 4);
    assert!(began.elapsed() < SECOND / 2, "{:?}", began.elapsed());
    assert_eq!((value(&hasty, LOAD1.id()), value(&hasty, LOAD5.id())), (Some(1.0), None));
    assert_eq!(outcome(&hasty, 0), Outcome::Late);
    let patient = patient.recv_timeout(3 * SECOND).expect("an answer");
    assert_eq!((value(&patient, LOAD1.id()), value(&patient, LOAD5.id())), (Some(1.0), Some(5.0)));
}

#[test]
fn a_late_answer_is_shown_once_with_its_age() {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let core = start(&[spec!("late", Thread, |_, out| {
        match CALLS.fetch_add(1, SeqCst) {
            0 => std::thread::sleep(Duration::from_millis(600)),
            _ => loop {
                std::thread::park();
            },
        }
        out.put(&LOAD1, [], Plain(1.0));
        Ok(())
    })]);
    let first = ask(&core, SECOND / 4);
    assert_eq!((outcome(&first, 0), value(&first, LOAD1.id())), (Outcome::Late, None));
    std::thread::sleep(Duration::from_millis(800));
    let second = ask(&core, SECOND / 4);
    assert_eq!((outcome(&second, 0), value(&second, LOAD1.id())), (Outcome::Ok, Some(1.0)));
    let age = value(&second, own::COLLECTOR_AGE.id()).expect("an age");
    assert!((0.8..3.0).contains(&age), "{age}");
    std::thread::sleep(Duration::from_millis(300));
    let third = ask(&core, SECOND / 4);
    assert_eq!((outcome(&third, 0), value(&third, LOAD1.id())), (Outcome::Late, None));
}

#[test]
fn a_source_slower_than_lanes_are_awaited_is_one_scrape_behind_and_not_absent() {
    let core = start(&[spec!("slow", Thread, |n, out| {
        std::thread::sleep(Duration::from_millis(400));
        out.put(&LOAD1, [], Plain(n as f64));
        Ok(())
    })]);
    ask(&core, SECOND / 4);
    for n in 1..4 {
        std::thread::sleep(Duration::from_millis(500));
        let began = Instant::now();
        let next = ask(&core, SECOND / 4);
        assert_eq!(value(&next, LOAD1.id()), Some(f64::from(n)));
        assert!(began.elapsed() < SECOND / 20, "it is not waited for again: {:?}", began.elapsed());
    }
}

#[test]
fn a_panic_is_a_failed_collector_which_is_opened_anew() {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    for spec in [
        spec!("inline", Inline, |n, out| {
            out.put(&LOAD1, [], Plain(n as f64));
            assert!(CALLS.fetch_add(1, SeqCst) % 2 == 1, "this panic is part of the test");
            Ok(())
        }),
        spec!("thread", Thread, |n, out| {
            out.put(&LOAD1, [], Plain(n as f64));
            assert!(CALLS.fetch_add(1, SeqCst) % 2 == 1, "this panic is part of the test");
            Ok(())
        }),
    ] {
        let core = start(&[spec]);
        let first = ask(&core, SECOND);
        assert_eq!(outcome(&first, 0), Outcome::Failed);
        assert_eq!(first.parts[0].report.reason, Some(Error::Panic));
        std::thread::sleep(Duration::from_millis(260));
        let second = ask(&core, SECOND);
        assert_eq!((outcome(&second, 0), value(&second, LOAD1.id())), (Outcome::Ok, Some(1.0)));
    }
}

#[test]
fn absence_is_success_and_is_not_looked_for_in_every_scrape() {
    static OPENED: AtomicU64 = AtomicU64::new(0);
    const SPEC: Spec<Doors> = Spec {
        name: "absent",
        about: "A test's collector.",
        families: &[],
        default_on: true,
        lane: Lane::Inline,
        settings: &[],
        open: |_, _| {
            OPENED.fetch_add(1, SeqCst);
            Err(Error::Unsupported("no such thing here"))
        },
    };
    let core = start(&[&SPEC]);
    for _ in 0..2 {
        let snapshot = ask(&core, SECOND);
        assert_eq!(value(&snapshot, own::COLLECTOR_SUCCESS.id()), Some(1.0));
        assert_eq!(value(&snapshot, own::COLLECTOR_ABSENT.id()), Some(1.0));
        std::thread::sleep(Duration::from_millis(260));
    }
    assert_eq!(OPENED.load(SeqCst), 1);
}

#[test]
fn duplicates_are_counted_and_the_first_collector_counts() {
    let core = start(&[
        spec!("one", Inline, |_, out| {
            out.put(&LOAD1, [], Plain(1.0));
            Ok(())
        }),
        spec!("two", Inline, |_, out| {
            out.put(&LOAD1, [], Plain(2.0));
            Ok(())
        }),
    ]);
    let snapshot = ask(&core, SECOND);
    assert_eq!(snapshot.view(Collectors::all(2)).family(LOAD1.id()).rows().count(), 1);
    assert_eq!(value(&snapshot, LOAD1.id()), Some(1.0));
    assert_eq!(value(&snapshot, own::DUPLICATE_SERIES.id()), Some(1.0));
}

#[test]
fn where_lxcfs_makes_the_kernels_files_a_read_that_hangs_costs_its_own_collector_only() {
    let procfs = std::env::temp_dir().join(format!("gauged-lxcfs-{}", std::process::id()));
    std::fs::create_dir_all(procfs.join("self")).expect("a directory");
    let procfs = procfs.to_str().expect("text");
    let table = format!("40 22 0:50 /proc/stat {procfs}/stat rw - fuse.lxcfs lxcfs rw\n");
    std::fs::write(format!("{procfs}/self/mountinfo"), table).expect("a table");
    let stuck = spec!("stuck", Inline, |_, _| loop {
        std::thread::park();
    });
    let fine = spec!("fine", Inline, |_, out| {
        out.put(&LOAD1, [], Plain(1.0));
        Ok(())
    });
    let core = Core::start(&[stuck, fine], &doors_at(procfs), &Arc::new(Settings::default()), 1000)
        .expect("threads");
    let snapshot = ask(&core, SECOND / 4);
    assert_eq!((outcome(&snapshot, 0), outcome(&snapshot, 1)), (Outcome::Late, Outcome::Ok));
    std::fs::remove_dir_all(procfs).expect("it is there");
}
