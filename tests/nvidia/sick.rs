//! Drivers that are sick: the host's own series are there whatever happens, in time, and what is said of the driver is
//! true.

use crate::stage::{Daemon, Said, Stage, ms, tell};
use fake_nvml::Scenario;
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A scrape's own deadline, and what a machine that is busy with tests may add.
const DEADLINE: Duration = Duration::from_millis(5500);
/// In which a scrape that waits for nobody is done.
const SOON: Duration = Duration::from_millis(50);

fn restarts(said: &Said) -> f64 {
    said.value("gauged_gpu_probe_restarts_total").unwrap()
}

fn xids(said: &Said) -> Vec<(String, f64)> {
    let lines = said.lines("gpu_xid_errors_total{", &[]).into_iter().filter(|line| !line.ends_with(" 0"));
    lines
        .map(|line| {
            let label =
                |name: &str| line.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap();
            (format!("{}/{}", label("gpu"), label("xid")), line.rsplit(' ').next().unwrap().parse().unwrap())
        })
        .collect()
}

/// The quickest of three scrapes that ask the driver: a test is not alone on the machine.
fn quickest(daemon: &Daemon) -> Duration {
    let scrapes = (0..3).map(|_| daemon.scrape_anew());
    scrapes.inspect(|said| assert!(said.has_the_host(), "{}", said.text)).map(|said| said.took).min().unwrap()
}

/// Every symbol that a healthy driver is asked for in two collections.
fn symbols() -> BTreeSet<String> {
    let stage = Stage::of(&Scenario::load("h100").with("log"));
    let daemon = stage.daemon(&[]);
    daemon.until("it answers", |said| said.driver() == Some("ok"));
    daemon.scrape_anew();
    stage.staged.calls().unwrap().into_keys().map(|(symbol, _)| symbol).collect()
}

#[test]
fn a_hang_in_any_call_costs_one_deadline_and_nothing_of_the_hosts() {
    let symbols = symbols();
    assert!(symbols.len() > 20, "{symbols:?}");
    let left = Mutex::new(symbols.into_iter().filter(|symbol| symbol != "nvmlShutdown"));
    // Each waits most of the time.
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let Some(symbol) = left.lock().unwrap().next() else { break };
                    let stage = Stage::of(&Scenario::load("h100").with(&format!("hang call={symbol}")));
                    let mut daemon = stage.daemon(&[]);
                    let first = daemon.scrape();
                    assert!(first.has_the_host() && first.took < DEADLINE, "{symbol}: {:?}", first.took);
                    let then = quickest(&daemon);
                    assert!(then < SOON, "{symbol}: {then:?}");
                    assert!(daemon.lives() && daemon.probes().len() == 1, "{symbol}");
                }
            });
        }
    });
}

#[test]
fn a_gpu_at_45_s_a_call_hides_no_other() {
    let stage = Stage::new("slow-45s");
    let daemon = stage.daemon(&[]);
    let said = daemon.until("the others answer", |said| said.lines("gpu_power_watts", &[]).len() == 7);
    assert_eq!((said.driver(), said.gpus()), (Some("ok"), vec!["ok"; 7]));
    assert!(quickest(&daemon) < SOON);
    let said = daemon.scrape_anew();
    assert_eq!((said.lines("gpu_power_watts", &[]).len(), restarts(&said)), (7, 0.0));
    assert!(
        said.value("gauged_collector_failures_total{collector=\"nvidia\",reason=\"late\"}").unwrap() > 0.0
    );
}

#[test]
fn a_gpu_that_hangs_is_said_to_hang_and_comes_back() {
    let stage = Stage::new("hang");
    let mut daemon = stage.daemon(&[]);
    daemon.until("all answer", |said| said.gpus() == ["ok"; 8]);
    stage.staged.touch("begin").unwrap();
    let first = daemon.scrape_anew();
    assert!(first.has_the_host() && first.took < DEADLINE);
    let mut states = ["ok"; 8];
    states[2] = "hung";
    let said = daemon.until("it is said to hang", |said| said.gpus() == states);
    assert_eq!((said.driver(), said.lines("gpu_info{", &[]).len()), (Some("ok"), 8));
    assert_eq!(said.lines("gpu_power_watts{", &[]).len(), 7);
    assert!(quickest(&daemon) < SOON);
    stage.staged.touch("heal").unwrap();
    let said = daemon.until("it is back", |said| said.gpus() == ["ok"; 8]);
    assert_eq!(restarts(&said), 0.0);
    assert!(daemon.lives());
}

#[test]
fn a_lost_gpu_keeps_what_it_is_and_loses_what_it_measures() {
    let stage = Stage::new("lost-1-of-8");
    let daemon = stage.daemon(&[]);
    daemon.until("all answer", |said| said.gpus() == ["ok"; 8]);
    stage.staged.touch("begin").unwrap();
    let mut states = ["ok"; 8];
    states[3] = "lost";
    let said = daemon.until("it is lost", |said| said.gpus() == states && !xids(said).is_empty());
    assert_eq!(said.lines("gpu_info{", &["gpu=\"3\""]).len(), 1);
    assert_eq!(said.lines("gpu_power_watts{", &["gpu=\"3\""]).len(), 0);
    assert_eq!(said.lines("gpu_power_watts{", &[]).len(), 7);
    assert_eq!(xids(&said), [("3/79".to_owned(), 1.0)]);
    assert_eq!((said.driver(), restarts(&said)), (Some("ok"), 0.0));
}

#[test]
fn a_gpu_that_needs_a_reset_says_so() {
    let stage = Stage::new("reset-required");
    let said = stage.daemon(&[]).until("it answers", |said| said.driver() == Some("ok"));
    let mut states = ["ok"; 8];
    states[5] = "reset_required";
    assert_eq!(said.gpus(), states);
}

#[test]
fn a_driver_that_refuses_is_told_of_with_its_reason_and_nothing_is_held_open() {
    for (name, state, success) in [
        ("not-loaded", "not_loaded", 1.0),
        ("mismatch", "version_mismatch", 0.0),
        ("no-permission", "no_permission", 0.0),
    ] {
        let stage = Stage::new(name);
        let daemon = stage.daemon(&[]);
        let said = daemon.until(state, |said| said.driver() == Some(state));
        assert!(said.has_the_host() && said.lines("gpu_info{", &[]).is_empty());
        assert!(said.value("gpu_devices{source=\"pci\"}").unwrap() >= 1.0);
        let said = daemon.scrape_anew();
        assert_eq!(said.driver(), Some(state), "during the back-off too");
        assert_eq!(said.value("gauged_collector_success{collector=\"nvidia\"}"), Some(success));
        std::thread::sleep(ms(50));
        assert_eq!(daemon.probes(), [], "{name}");
    }
}

#[test]
fn a_driver_that_comes_back_is_found_within_one_back_off() {
    let stage = Stage::new("mismatch");
    // With the default's wait, so that it is the new driver that ends it.
    let daemon = stage.daemon(&["--nvml.backoff=1m"]);
    daemon.until("mismatch", |said| said.driver() == Some("version_mismatch"));
    stage.staged.play(&Scenario::load("h100")).unwrap();
    assert_eq!(daemon.scrape_anew().driver(), Some("version_mismatch"));
    let module = stage.staged.sysfs().join("module/nvidia");
    std::fs::create_dir_all(&module).unwrap();
    std::fs::write(module.join("version"), "580.95.05\n").unwrap();
    let version = stage.staged.procfs().join("driver/nvidia/version");
    if version.exists() {
        std::fs::remove_file(version).unwrap();
    }
    let said = daemon.until("it answers", |said| said.driver() == Some("ok"));
    assert_eq!((said.gpus(), restarts(&said)), (vec!["ok"], 1.0));
}

#[test]
fn a_machine_with_neither_gpu_nor_library_has_no_series_of_gpus() {
    let stage = Stage::new("h100");
    drop(std::fs::remove_dir_all(stage.staged.sysfs().join("bus/pci")));
    let daemon = stage.daemon_by_itself();
    let said = daemon.scrape();
    assert_eq!((said.lines("gpu_", &[]), said.lines("gauged_gpu", &[])), (vec![], vec![]));
    assert_eq!(said.value("gauged_collector_absent{collector=\"nvidia\"}"), Some(1.0));
    assert_eq!(daemon.probes(), []);
}

#[test]
fn a_gpu_without_a_library_is_told_of_without_a_probe() {
    let stage = Stage::new("h100");
    let daemon = stage.daemon_by_itself();
    let said = daemon.scrape();
    assert_eq!(said.driver(), Some("library_missing"));
    assert_eq!(said.value("gpu_devices{source=\"pci\"}"), Some(1.0));
    assert_eq!(said.value("gauged_collector_success{collector=\"nvidia\"}"), Some(1.0));
    assert_eq!(daemon.probes(), []);
}

#[test]
fn a_crash_costs_one_restart_and_no_count() {
    let stage = Stage::of(&Scenario::load("crash").with("xid 79 gpu=0 count=2 when=go"));
    let mut daemon = stage.daemon(&[]);
    daemon.until("it answers", |said| said.gpus() == ["ok"]);
    stage.staged.touch("go").unwrap();
    daemon.until("both are counted", |said| xids(said) == [("0/79".to_owned(), 2.0)]);
    stage.staged.touch("begin").unwrap();
    let said = daemon.scrape_anew();
    assert!(said.has_the_host() && said.lines("gpu_info{", &[]).len() == 1 && said.gpus().is_empty());
    assert_eq!(xids(&said), [("0/79".to_owned(), 2.0)]);
    let said = daemon.until("it is back", |said| said.gpus() == ["ok"]);
    assert_eq!(restarts(&said), 1.0);
    assert!(xids(&said)[0].1 >= 2.0);
    assert!(daemon.lives());
}

#[test]
fn a_driver_that_crashes_again_and_again_is_asked_less_and_less() {
    let stage = Stage::new("crash-loop");
    let mut daemon = stage.daemon(&[]);
    let start = Instant::now();
    let mut last = 0.0;
    while start.elapsed() < Duration::from_secs(6) {
        let said = daemon.scrape_anew();
        assert!(said.has_the_host());
        last = restarts(&said);
    }
    // Every collection crashes; starts are 100, 200, 400, 800 ms, 1.6 s, 3.2 s apart, and at most one a collection.
    assert!((1.0..=5.0).contains(&last), "{last}");
    stage.staged.touch("heal").unwrap();
    daemon.until("it is back", |said| said.gpus() == ["ok"]);
    assert!(daemon.lives());
}

#[test]
fn a_driver_that_answers_nothing_any_more_is_opened_anew() {
    let stage = Stage::new("unknown-later");
    let daemon = stage.daemon(&[]);
    daemon.until("it answers", |said| said.gpus() == ["ok"]);
    stage.staged.touch("begin").unwrap();
    let said = daemon.until("unknown", |said| said.driver() == Some("unknown"));
    assert!(said.gpus().is_empty() && said.lines("gpu_info{", &[]).len() == 1);
    stage.staged.touch("heal").unwrap();
    let said = daemon.until("it is back", |said| said.gpus() == ["ok"]);
    assert!(restarts(&said) >= 1.0);
}

#[test]
fn each_of_a_burst_of_errors_is_counted_once() {
    let stage = Stage::new("xid-burst");
    let daemon = stage.daemon(&[]);
    daemon.until("all answer", |said| said.gpus() == ["ok"; 8]);
    stage.staged.touch("begin").unwrap();
    let all = |said: &Said| xids(said).iter().map(|(_, count)| count).sum::<f64>() >= 46.0;
    let mut told = xids(&daemon.until("all are counted", all));
    told.sort_by(|one, other| one.0.cmp(&other.0));
    let wanted = [("0/13", 40.0), ("0/94", 3.0), ("1/4242", 2.0), ("1/79", 1.0)];
    assert_eq!(told, wanted.map(|(name, count)| (name.to_owned(), count)));
    assert_eq!(xids(&daemon.scrape_anew()).iter().map(|(_, count)| count).sum::<f64>(), 46.0);
}

#[test]
fn a_driver_that_hangs_as_a_whole_is_said_to_hang() {
    let stage = Stage::new("hang-all");
    let daemon = stage.daemon(&[]);
    daemon.until("all answer", |said| said.gpus() == ["ok"; 8]);
    stage.staged.touch("begin").unwrap();
    let said = daemon.until("it hangs", |said| said.driver() == Some("hung"));
    assert_eq!(said.gpus(), ["hung"; 8]);
    assert!(quickest(&daemon) < SOON);
    stage.staged.touch("heal").unwrap();
    daemon.until("it is back", |said| said.driver() == Some("ok") && said.gpus() == ["ok"; 8]);
}

#[test]
fn a_probe_that_cannot_end_is_left_alone() {
    let stage = Stage::new("h100");
    let daemon = stage.daemon(&[]);
    daemon.until("it answers", |said| said.gpus() == ["ok"]);
    let probes = daemon.probes();
    let &[probe] = probes.as_slice() else { panic!("{probes:?}") };
    // As one is whose thread is stuck in the kernel: it neither answers nor ends.
    tell(probe, Signal::STOP);
    let said = daemon.until("it hangs", |said| said.driver() == Some("hung"));
    assert!(said.has_the_host() && said.gpus() == ["hung"]);
    assert!(quickest(&daemon) < SOON);
    let output = stage.release("10m");
    let line = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && line.contains(&probe.to_string()), "{output:?}");
    assert_eq!(daemon.probes(), probes, "neither killed nor doubled");
    assert!(stage.release("0s").status.success());
    tell(probe, Signal::CONT);
    daemon.until("it is back", |said| said.driver() == Some("ok") && said.gpus() == ["ok"]);
    assert_ne!(daemon.probes(), probes);
    // A signal right after another is heard too, though a lane's thread could have taken it.
    daemon.stop();
}

#[test]
fn a_probe_in_the_middle_of_a_call_outlives_the_daemon_and_keeps_others_away() {
    let stage = Stage::new("hang-all");
    let daemon = stage.daemon(&[]);
    daemon.until("all answer", |said| said.gpus() == ["ok"; 8]);
    let probes = daemon.probes();
    stage.staged.touch("begin").unwrap();
    daemon.until("it hangs", |said| said.driver() == Some("hung"));
    daemon.stop();
    let next = stage.daemon(&[]);
    next.until("it hangs for the next one too", |said| said.driver() == Some("hung"));
    assert_eq!(next.probes(), [], "a second one beside it");
    let is_there = |pid: u32| std::path::Path::new(&format!("/proc/{pid}/root")).symlink_metadata().is_ok();
    assert!(probes.iter().all(|pid| is_there(*pid)), "killed in the middle of a call");
    stage.staged.touch("heal").unwrap();
    next.until("it ended by itself", |said| said.driver() == Some("ok") && said.gpus() == ["ok"; 8]);
}

#[test]
fn the_quarantine_of_a_hung_probe_outlives_the_daemon() {
    let stage = Stage::new("h100");
    // What an earlier daemon's probe keeps while it cannot end.
    let path = stage.runtime().join("gpu-probe.lock");
    std::fs::write(&path, "4194000\n").unwrap();
    let lock = std::fs::File::options().read(true).write(true).open(path).unwrap();
    lock.lock().unwrap();
    let daemon = stage.daemon(&[]);
    let said = daemon.until("it hangs for this one too", |said| said.driver() == Some("hung"));
    assert!(said.has_the_host() && said.gpus().is_empty());
    assert!(quickest(&daemon) < SOON);
    assert_eq!(daemon.probes(), [], "a second one beside it");
    drop(lock);
    daemon.until("it answers", |said| said.driver() == Some("ok") && said.gpus() == ["ok"]);
}

#[test]
fn the_driver_is_asked_at_most_once_a_second() {
    let stage = Stage::of(&Scenario::load("h100").with("log"));
    let daemon = stage.daemon(&[]);
    daemon.until("it answers", |said| said.gpus() == ["ok"]);
    std::thread::sleep(ms(1010));
    stage.staged.forget_calls().unwrap();
    let start = Instant::now();
    let mut scrapes = 0;
    while start.elapsed() < ms(900) {
        assert_eq!(daemon.scrape().gpus(), ["ok"]);
        scrapes += 1;
    }
    let calls = stage.staged.calls().unwrap();
    let fields: usize =
        calls.iter().filter(|((call, _), _)| call == "nvmlDeviceGetFieldValues").map(|(_, n)| n).sum();
    assert!(scrapes > 1 && fields <= 2, "{fields} in {scrapes} scrapes");
}
