//! Every recorded machine of `tests/machines`, run through the real gather and the real encoder, and compared
//! with what we say of it, byte for byte. `just golden` writes the expectations anew; the diff is the review.

mod common;

use door::Capture;
use expect_test::expect_file;
use gauged::exposition::{Encoder, Format, Names};
use gauged::machine;
use gauged::replay::replay;
use gauged::snapshot::Collectors;
use schema::Settings;
use std::path::Path;
use std::sync::Arc;

/// What we say of a recorded machine, in text 0.0.4.
fn said_of(path: &Path) -> String {
    let replayed = common::replayed(path);
    assert_eq!(replayed.missing, [""; 0], "{}: asked for and not recorded", path.display());
    let mut out = String::new();
    let wanted = Collectors::all(common::collectors_of(path).len());
    Encoder::default().encode(&replayed.snapshot, wanted, &[Names::Unified], Format::Text, &mut out);
    out
}

#[test]
fn every_recorded_machine_reads_as_expected() {
    for path in common::machines() {
        expect_file![path.with_extension("prom")].assert_eq(&said_of(&path));
    }
}

#[test]
fn a_replay_says_the_same_twice() {
    for path in common::machines() {
        assert_eq!(said_of(&path), said_of(&path), "{}", path.display());
    }
}

/// A Mac as its kernel answered: two CPUs, 48 GiB of which 8.48 are available. The rest was not recorded.
const MAC: &str = include_str!("testdata/mac.capture");

#[test]
fn a_mac_is_measured_on_any_host() {
    let capture: Capture = MAC.parse().unwrap();
    let collectors = machine::recorded(capture.os());
    let wanted = ["os", "cpu", "load", "memory", "topology"];
    let collectors: Vec<_> = collectors.into_iter().filter(|spec| wanted.contains(&spec.name)).collect();
    assert_eq!(collectors.len(), wanted.len());
    let settings = Arc::new(Settings::default());
    let replayed = replay(capture, &collectors, &settings, |_, _| Ok(()), 20_000).unwrap();
    assert_eq!(replayed.missing, [""; 0]);
    let mut said = String::new();
    let all = Collectors::all(collectors.len());
    Encoder::default().encode(&replayed.snapshot, all, &[Names::Unified], Format::Text, &mut said);
    for line in [
        "host_info{os=\"darwin\",os_name=\"macos\",os_version=\"27.0.1\",kernel=\"27.0.0\",arch=\"arm64\",\
         hostname=\"masked\",model=\"Mac16,5\"} 1",
        "host_boot_time_seconds 1795217105.25",
        "host_uptime_seconds 3601.0",
        "host_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 991.0",
        "host_cpu_info{cpu=\"1\",package=\"0\",core=\"1\",cluster=\"performance\",model_name=\"Apple M4 Max\"} 1",
        "host_load1 2.5",
        "host_memory_total_bytes 51539607552",
        "host_memory_available_bytes 9101705216",
        "host_memory_pressure_state{state=\"warn\"} 1",
        "gauged_collector_success{collector=\"memory\"} 1",
    ] {
        assert!(said.lines().any(|said| said == line), "{line} is not in\n{said}");
    }
}
