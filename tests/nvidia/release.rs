//! The lease by which the driver is let go.

use crate::stage::Stage;
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn on_request_the_driver_is_let_go_in_under_a_second_and_comes_back_by_itself() {
    let stage = Stage::new("h100");
    let mut daemon = stage.daemon(&[]);
    daemon.until("it answers", |said| said.gpus() == ["ok"]);
    assert_eq!(daemon.probes().len(), 1);
    let start = Instant::now();
    let output = stage.release("4s");
    let took = start.elapsed();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(daemon.probes(), [], "no probe, and so nothing held open");
    assert!(took < Duration::from_secs(1), "{took:?}");
    let said = daemon.scrape_anew();
    assert_eq!((said.driver(), said.gpus()), (Some("released"), vec![]));
    assert_eq!(said.value("gauged_collector_success{collector=\"nvidia\"}"), Some(1.0));
    assert_eq!(said.lines("gpu_info{", &[]).len(), 1);
    daemon.until("it is back", |said| said.gpus() == ["ok"]);
    assert!(start.elapsed() > Duration::from_secs(4) && daemon.lives());
}

#[test]
fn a_lease_can_be_ended() {
    let stage = Stage::new("h100");
    let daemon = stage.daemon(&[]);
    daemon.until("it answers", |said| said.gpus() == ["ok"]);
    assert!(stage.release("10m").status.success());
    assert_eq!(daemon.scrape_anew().driver(), Some("released"));
    assert!(stage.release("0s").status.success());
    daemon.until("it is back", |said| said.gpus() == ["ok"]);
}

#[test]
fn a_thread_that_hangs_in_the_library_holds_up_no_release() {
    let stage = Stage::new("hang-init");
    let daemon = stage.daemon(&[]);
    daemon.scrape();
    assert_eq!(daemon.probes().len(), 1);
    // The probe's main thread ends it: only a thread that is stuck in the kernel would keep it.
    let output = stage.release("10m");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(daemon.probes(), []);
}

#[test]
fn without_a_daemon_the_lease_is_of_no_use_and_that_is_said() {
    let stage = Stage::new("h100");
    let output = stage.release("10m");
    assert!(!output.status.success());
    let line = String::from_utf8_lossy(&output.stderr);
    assert!(
        line.starts_with("gauged: no daemon with the runtime directory ") && line.lines().count() == 1,
        "{line}"
    );
}

#[test]
fn a_process_that_does_not_hold_the_lock_is_never_signalled() {
    let stage = Stage::new("h100");
    let mut other = Command::new("sleep").arg("60").spawn().unwrap();
    let path = stage.runtime().join("gauged.pid");
    std::fs::write(&path, format!("{}\n", other.id())).unwrap();
    let held = std::fs::File::options().read(true).write(true).open(path).unwrap();
    held.lock().unwrap();
    let output = stage.release("10m");
    let lives = other.try_wait().unwrap().is_none();
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(lives && !output.status.success(), "{output:?}");
}
