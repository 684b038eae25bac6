//! What is said of GPUs that are well. `cargo xtask golden` writes the expectations anew; the diff is the review.

use crate::stage::{Said, Stage};
use expect_test::expect_file;
use fake_nvml::{Scenario, frozen};

/// Scenarios in which nothing goes wrong.
const HEALTHY: [&str; 15] = [
    "a100",
    "driver535",
    "gb10",
    "gb10-claims-success",
    "gb10-hugepages",
    "gb10-idle",
    "gh200",
    "h100",
    "h100-mig",
    "h100x8",
    "l4",
    "orin",
    "rtx4090",
    "sentinels",
    "t4",
];

/// Series that depend on the time, or on the process that asks.
const VOLATILE: [&str; 4] = [
    "gauged_gpu_driver_seconds_total",
    "gauged_gpu_probe_cpu_seconds_total",
    "gauged_gpu_probe_resident_memory_bytes",
    "gauged_gpu_driver_calls_total",
];

fn shown(said: &Said) -> String {
    let ours = |line: &&str| {
        (line.starts_with("gpu_") || line.starts_with("gauged_gpu"))
            && !VOLATILE.iter().any(|name| line.starts_with(name))
    };
    said.text.lines().filter(ours).flat_map(|line| [line, "\n"]).collect()
}

/// Stops the counters of the driver at where they begin.
fn stand_still(stage: &Stage) {
    let path = stage.staged.directory().join("scenario.capture");
    let capture = std::fs::read_to_string(&path).unwrap().parse().unwrap();
    std::fs::write(path, frozen(&capture).to_string()).unwrap();
}

#[test]
fn every_healthy_machine_reads_as_expected() {
    for name in HEALTHY {
        let stage = Stage::of(&Scenario::load(name));
        stand_still(&stage);
        let said = stage.once();
        expect_file![format!("{name}.prom")].assert_eq(&shown(&said));
    }
}

#[test]
fn activity_is_told_once_two_samples_are_far_enough_apart() {
    let stage = Stage::new("h100");
    let daemon = stage.daemon(&[]);
    let first = daemon.until("it answers", |said| said.gpus() == ["ok"]);
    assert_eq!(first.lines("gpu_sm_active_ratio", &[]).len(), 0, "{}", first.text);
    daemon.until("a sample is old enough", |said| said.lines("gpu_sm_active_ratio{", &[]).len() == 1);
}

#[test]
fn the_probe_says_what_it_costs() {
    let stage = Stage::of(&Scenario::load("h100x8").with("include _latency"));
    let daemon = stage.daemon(&[]);
    daemon.until("all answer", |said| said.gpus() == ["ok"; 8]);
    let (calls, seconds) = ("gauged_gpu_driver_calls_total", "gauged_gpu_driver_seconds_total");
    let told = |name| daemon.scrape_anew().value(name).unwrap();
    let before = (told(calls), told(seconds));
    let after = (told(calls), told(seconds));
    // Each figure is two collections after its like.
    let (calls, spent) = ((after.0 - before.0) / 2.0, (after.1 - before.1) / 2.0);
    assert!(calls > 8.0, "{calls}");
    assert!(spent > 0.0 && spent < 0.2, "{spent} s in {calls} calls");
    let resident = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().to_owned();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
    };
    let (probe, own) = (resident(daemon.probes()[0]), resident(daemon.pid()));
    assert!(probe < 40, "{probe} MiB");
    println!("the probe {probe} MiB, the daemon {own} MiB");
    println!("8 GPUs: {calls} calls, {spent} s a collection");
}
