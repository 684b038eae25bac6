//! Processes that begin and end by the thousand while all of them are counted: no failure, and no figure that
//! belongs to another.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "tests")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the storm is of processes, on a thread"
)]

use door::{Doors, Paths};
use gauged::core::Core;
use gauged::machine;
use gauged::snapshot::{Collectors, Snapshot};
use schema::families::{own, processes};
use schema::{Id, Settings};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

/// How long it goes on.
const STORM: Duration = Duration::from_secs(2);
/// No more processes than this, and so many at once.
const MOST: usize = 20_000;
const AT_ONCE: usize = 50;

/// As many processes as this machine can begin, one after another; how many that were.
fn storm() -> usize {
    let (mut begun, mut alive) = (0, Vec::<Child>::new());
    let end = Instant::now() + STORM;
    while Instant::now() < end && begun < MOST {
        if alive.len() == AT_ONCE {
            alive.remove(0).wait().expect("a child");
        }
        alive.push(Command::new("true").spawn().expect("a process"));
        begun += 1;
    }
    for mut child in alive {
        child.wait().expect("a child");
    }
    begun
}

fn value(snapshot: &Snapshot, id: Id, label: &str) -> Option<f64> {
    let rows = snapshot.parts.iter().flat_map(|part| part.batch.rows().chain(part.status.rows()));
    let mut rows =
        rows.filter(|row| row.family() == id && (label.is_empty() || row.labels().any(|l| l == label)));
    rows.next().map(|row| row.value().as_f64())
}

#[test]
fn a_storm_of_processes_is_counted_without_a_failure() {
    let paths = Paths { procfs: "/proc".into(), sysfs: "/sys".into(), rootfs: "/".into() };
    // A system that gauged cannot measure has nothing to count.
    let Ok(live) = machine::live() else { return };
    let doors = Arc::new(Doors::live(live, &paths));
    let specs: Vec<_> = machine::collectors().into_iter().filter(|spec| spec.name == "process").collect();
    let core = Core::start(&specs, &doors, &Arc::new(Settings::default()), 20_000).expect("threads");
    let (send, receive) = sync_channel(1);
    let storm = std::thread::spawn(storm);
    let mut scrapes = 0;
    while !storm.is_finished() {
        let send = send.clone();
        let answer = Box::new(move |snapshot| drop(send.send(snapshot)));
        core.ask(Collectors::all(1), Duration::from_secs(5), answer).expect("room");
        let snapshot: Arc<Snapshot> = receive.recv().expect("an answer");
        if value(&snapshot, own::COLLECTOR_SUCCESS.id(), "process") == Some(0.0) {
            // Where /proc hides processes from this user there is nothing to count.
            let reason = "permission";
            assert!(value(&snapshot, own::COLLECTOR_FAILURES.id(), reason).is_some(), "a reason we know");
            continue;
        }
        assert_eq!(value(&snapshot, own::COLLECTOR_FAILURES.id(), ""), None);
        assert!(value(&snapshot, processes::THREADS.id(), "") > Some(1.0));
        scrapes += 1;
        // Older than what is shared between requests, so that each is a look at the machine.
        std::thread::sleep(Duration::from_millis(260));
    }
    let begun = storm.join().expect("the storm");
    assert!(begun > 100, "{begun} processes");
    println!("{begun} processes begun during {scrapes} scrapes");
}
