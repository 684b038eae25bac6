//! The collector that lives in a child process, with real processes: this test binary starts itself again as the
//! child, see [`children`].

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod children;
mod stage;

use gauged::remote::{Backoff, Remote};
use schema::Reason;
use stage::{LONG, PATIENCE, Stage, lives, ms, wait_for};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A deadline that is to be missed. A new child has started within it, even on a busy machine.
const SHORT: Duration = Duration::from_millis(300);
/// What is "at once", for one that is not alone on the machine; far from any deadline that could be waited for.
const SOON: Duration = Duration::from_millis(500);

#[test]
fn every_part_of_an_answer_is_appended_and_the_child_is_kept() {
    let mut stage = Stage::new("answers");
    let mut remote = stage.remote("children::answers");
    assert_eq!(remote.pid(), None);
    let one = stage.collect(&mut remote, LONG);
    assert_eq!(one.result, Ok(()));
    assert_eq!((one.load1.as_slice(), one.load15, one.failures), ([1.0].as_slice(), 1, 1));
    let pid = remote.pid().unwrap();
    assert_eq!(stage.holder(), Some(pid));
    let two = stage.collect(&mut remote, LONG);
    assert_eq!((two.result, two.load1.as_slice(), two.restarts), (Ok(()), [2.0].as_slice(), 0.0));
    assert_eq!(remote.pid(), Some(pid));
}

#[test]
fn a_failure_that_the_child_tells_is_the_collectors_and_no_reason_to_restart() {
    let mut stage = Stage::new("fails");
    let mut remote = stage.remote("children::fails");
    for _ in 0..3 {
        let brought = stage.collect(&mut remote, LONG);
        assert_eq!(brought.error(), "nvmlInit returned 18");
        assert_eq!(brought.reason(), Some(Reason::Driver));
    }
    assert_eq!(remote.restarts(), 0);
}

#[test]
fn a_crash_keeps_the_parts_before_it_and_is_followed_by_a_restart_after_the_backoff() {
    let mut stage = Stage::new("crashes");
    let mut launch = stage.launch("children::crashes_after_a_part", "crashes");
    launch.backoff = Backoff { first: LONG, most: LONG };
    let mut slow = Remote::new(launch, stage.clock.clone());
    let crash = stage.collect(&mut slow, LONG);
    assert_eq!(crash.load1, [1.0]);
    assert_eq!(crash.reason(), Some(Reason::Driver));
    assert!(crash.error().contains("ended: signal: 6"), "{}", crash.error());
    // During the back-off nothing is started and nothing is waited for; the reason stays.
    let during = stage.collect(&mut slow, LONG);
    assert_eq!((during.error(), during.restarts), (crash.error(), 0.0));
    assert!(during.took < SOON && during.load1.is_empty() && slow.pid().is_none());
    drop(slow);

    let mut remote = stage.remote("children::crashes_after_a_part");
    let start = Instant::now();
    while remote.restarts() < 2 {
        assert!(stage.collect(&mut remote, LONG).result.is_err());
        assert!(start.elapsed() < PATIENCE);
        std::thread::sleep(ms(5));
    }
    assert!(start.elapsed() >= ms(100 + 200), "the back-off doubles");
    stage.touch("well");
    let well = stage.collect_until_well(&mut remote);
    assert_eq!((well.load1.len(), well.restarts), (1, f64::from(u32::try_from(remote.restarts()).unwrap())));
}

#[test]
fn a_hang_costs_one_deadline_once_and_no_second_child() {
    let mut stage = Stage::new("hangs");
    let mut remote = stage.remote("children::hangs_after_a_part");
    let first = stage.collect(&mut remote, SHORT);
    assert_eq!(first.reason(), Some(Reason::Late));
    assert_eq!(first.load1, [1.0], "what came before the deadline is used");
    assert!(first.took < SHORT + SOON, "{:?}", first.took);
    let pid = remote.pid().unwrap();
    let asked = Instant::now();
    let mut last = first;
    let mut took = Vec::new();
    while asked.elapsed() < ms(900) {
        last = stage.collect(&mut remote, LONG);
        took.push(last.took);
        assert!(last.load1.is_empty());
        assert_eq!((remote.pid(), last.restarts), (Some(pid), 0.0));
        std::thread::sleep(ms(20));
    }
    took.sort_unstable();
    assert!(took.iter().max() < Some(&SOON) && took.get(took.len() / 2) < Some(&ms(5)), "{took:?}");
    assert_eq!(last.reason(), Some(Reason::Refused));
    assert!(last.error().contains("hangs; it is left alone"), "{}", last.error());
    assert!(remote.hung().unwrap() > ms(600));
    assert!(lives(pid) || !Path::new("/proc/self/stat").exists());

    stage.touch("wake");
    let well = stage.collect_until_well(&mut remote);
    assert_eq!(well.load1, [2.0], "the answer to the second request, not the rest of the first");
    assert_eq!((remote.pid(), remote.restarts(), remote.hung()), (Some(pid), 0, None));
}

#[test]
fn an_answer_that_comes_too_late_is_never_shown_as_new() {
    let mut stage = Stage::new("slow");
    let mut remote = stage.remote("children::is_slow");
    let first = stage.collect(&mut remote, SHORT);
    assert_eq!((first.reason(), first.load1.len()), (Some(Reason::Late), 0));
    std::thread::sleep(SHORT);
    let well = stage.collect_until_well(&mut remote);
    assert_eq!((well.load1.as_slice(), remote.restarts()), ([2.0].as_slice(), 0));
}

#[test]
fn the_child_ends_when_the_collector_is_dropped_and_leaves_no_zombie_behind_the_next_start() {
    let mut stage = Stage::new("eof");
    let mut remote = stage.remote("children::answers");
    stage.collect_until_well(&mut remote);
    let pid = remote.pid().unwrap();
    let dropped = Instant::now();
    drop(remote);
    assert!(dropped.elapsed() < SOON, "nothing is waited for");
    wait_for("the end of the child", || !lives(pid) && stage.holder().is_none());
    assert!(dropped.elapsed() < ms(1000));
    // The last thread of a process may still be on its way out when the first is a zombie; then it is the start
    // after this one that reaps it.
    let mut next = Remote::new(stage.launch("children::answers", "eof-next"), stage.clock.clone());
    let zombie = PathBuf::from(format!("/proc/{pid}"));
    while stage.collect_until_well(&mut next).result.is_ok() && zombie.exists() {
        assert!(dropped.elapsed() < PATIENCE, "a zombie stays");
        next.release();
    }
}

#[test]
fn a_released_child_ends_and_the_next_collection_starts_another() {
    let mut stage = Stage::new("release");
    let mut remote = stage.remote("children::answers");
    stage.collect_until_well(&mut remote);
    let pid = remote.pid().unwrap();
    remote.release();
    wait_for("the end of the child", || !lives(pid) && stage.holder().is_none());
    stage.collect_until_well(&mut remote);
    assert_ne!(remote.pid(), Some(pid));
    assert_eq!(remote.restarts(), 1);
}

#[test]
fn garbage_ends_the_child_but_not_what_was_good_before_it() {
    let mut stage = Stage::new("garbage");
    let mut remote = stage.remote("children::sends_garbage");
    let brought = stage.collect(&mut remote, LONG);
    assert_eq!(brought.reason(), Some(Reason::Parse));
    assert!(brought.error().ends_with("expected the child's protocol, of this version"));
    assert_eq!(brought.load1, [1.0]);
    stage.touch("well");
    let well = stage.collect_until_well(&mut remote);
    assert_eq!(well.restarts, 1.0);
}

#[test]
fn an_answer_of_another_table_is_refused() {
    let mut stage = Stage::new("fingerprint");
    let mut remote = stage.remote("children::of_another_build");
    let brought = stage.collect(&mut remote, LONG);
    assert!(brought.error().ends_with("expected a frame of the same table"), "{}", brought.error());
    assert!(brought.load1.is_empty());
}

#[test]
fn an_answer_to_what_was_not_asked_is_refused() {
    let mut stage = Stage::new("unasked");
    let mut remote = stage.remote("children::answers_what_nobody_asked");
    let brought = stage.collect(&mut remote, LONG);
    assert!(brought.error().ends_with("expected an answer to what was asked"), "{}", brought.error());
    assert_eq!(brought.load1, [1.0]);
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let mut stage = Stage::new("flood");
    let mut remote = stage.remote("children::floods");
    let brought = stage.collect(&mut remote, LONG);
    assert!(brought.error().ends_with("expected an answer within the limit"), "{}", brought.error());
}

#[test]
fn a_hung_child_stays_alone_through_a_restart_of_the_daemon() {
    let mut stage = Stage::new("restart");
    let mut old = stage.remote("children::hangs_after_a_part");
    assert_eq!(stage.collect(&mut old, SHORT).reason(), Some(Reason::Late));
    let pid = old.pid().unwrap();
    drop(old);
    assert_eq!(stage.holder(), Some(pid));

    // Of another name, and so without what this process knows of the old one's child: as after a restart.
    let mut new = Remote::new(stage.launch("children::answers", "restart-new"), stage.clock.clone());
    for _ in 0..10 {
        let brought = stage.collect(&mut new, SHORT);
        assert_eq!(brought.reason(), Some(Reason::Refused));
        assert!(brought.error().starts_with(&format!("restart-new (pid {pid}): ")), "{}", brought.error());
        assert!(brought.took < SOON && new.pid().is_none());
        std::thread::sleep(ms(30));
    }
    stage.touch("wake");
    let well = stage.collect_until_well(&mut new);
    assert_eq!((well.load1.as_slice(), well.restarts), ([1.0].as_slice(), 0.0));
    wait_for("the end of the old child", || !lives(pid));
}

#[test]
fn a_hung_child_stays_alone_when_the_lane_is_opened_again() {
    let mut stage = Stage::new("reopened");
    let mut launch = stage.launch("children::hangs_after_a_part", "reopened");
    launch.lock = None;
    let mut old = Remote::new(launch, stage.clock.clone());
    assert_eq!(stage.collect(&mut old, SHORT).reason(), Some(Reason::Late));
    let pid = old.pid();
    drop(old);
    let mut launch = stage.launch("children::answers", "reopened");
    launch.lock = None;
    let mut new = Remote::new(launch, stage.clock.clone());
    assert_eq!(new.pid(), pid, "it found its predecessor's");
    let brought = stage.collect(&mut new, SHORT);
    assert!(brought.error().ends_with("was let go and has not ended; no second one is started"));
    stage.touch("wake");
    stage.collect_until_well(&mut new);
    assert_ne!(new.pid(), pid);
}

#[test]
fn a_child_that_cannot_be_started_is_told_and_not_tried_again_at_once() {
    let mut stage = Stage::new("missing");
    let mut launch = stage.launch("children::answers", "missing");
    launch.program = "/nonexistent/gauged".into();
    launch.backoff = Backoff { first: LONG, most: LONG };
    let program = launch.program.clone();
    let mut remote = Remote::new(launch, stage.clock.clone());
    for _ in 0..5 {
        let brought = stage.collect(&mut remote, LONG);
        assert_eq!(brought.reason(), Some(Reason::NotFound));
        assert!(brought.error().starts_with(&*program.to_string_lossy()), "{}", brought.error());
        assert!(brought.took < SOON);
    }
    assert_eq!(remote.restarts(), 0);
}

#[test]
fn of_two_children_that_start_at_once_the_lock_lets_one_live() {
    let mut stage = Stage::new("race");
    let mut one = stage.remote("children::answers");
    stage.collect_until_well(&mut one);
    // As if it had looked before the other's child had the lock.
    let mut launch = stage.launch("children::answers", "race-two");
    launch.lock = None;
    let mut two = Remote::new(launch, stage.clock.clone());
    let brought = stage.collect(&mut two, LONG);
    assert_eq!(brought.reason(), Some(Reason::Refused));
    assert!(brought.error().contains("took the lock file before it"), "{}", brought.error());
    assert_eq!(stage.holder(), one.pid());
}
