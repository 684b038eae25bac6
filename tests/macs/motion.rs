//! Between the passes of a Mac its counters go on, as those of a machine that works.

use crate::{MACS, Mac};
use door::Capture;
use gauged::exposition::{Encoder, Format, Names};
use gauged::machine;
use gauged::replay::replay;
use gauged::snapshot::Collectors;
use schema::Settings;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What has to move on any machine that does something.
const MOVING: [&str; 6] = [
    "host_cpu_seconds_total",
    "host_disk_read_bytes_total",
    "host_memory_faults_total",
    "host_network_receive_bytes_total",
    "host_network_transmit_bytes_total",
    "host_process_cpu_seconds_total",
];

/// The counters that are shown of a machine after its second pass, which is the first one again where it has none.
fn counters(capture: Capture) -> BTreeMap<String, f64> {
    let collectors = machine::recorded(capture.os());
    let settings = Arc::new(Settings::default());
    #[expect(clippy::disallowed_methods, reason = "a replayed probe touches no machine")]
    let spawn = |name: &str, work| std::thread::Builder::new().name(name.into()).spawn(work).map(drop);
    let replayed = replay(capture, &collectors, &settings, spawn, 20_000).unwrap();
    let mut text = String::new();
    let all = Collectors::all(collectors.len());
    Encoder::default().encode(&replayed.snapshot, all, &[Names::Unified], Format::Text, &mut text);
    let typed = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"));
    let typed: BTreeSet<&str> = typed.filter(|family| !family.starts_with("gauged_")).collect();
    let samples = text.lines().filter_map(|line| line.rsplit_once(' '));
    let counted = samples.filter(|(series, _)| typed.contains(series.split('{').next().unwrap()));
    counted.map(|(series, value)| (series.to_owned(), value.parse().unwrap())).collect()
}

#[test]
fn counters_go_on_and_none_steps_back() {
    for mac in MACS {
        let Mac { name, .. } = mac;
        let later = counters(mac.capture());
        let mut first = mac.capture();
        first.entries.retain(|entry| entry.pass == 1);
        let first = counters(first);
        for (series, before) in &first {
            assert!(later[series] >= *before, "{name}: {series} steps back from {before}");
        }
        let moved: BTreeSet<&str> = later
            .iter()
            .filter(|(series, now)| first.get(*series).is_some_and(|before| *now > before))
            .map(|(series, _)| series.split('{').next().unwrap())
            .collect();
        // What a Mac's own daemon alone is asked of does next to nothing.
        let still: Vec<_> = MOVING.iter().filter(|family| !moved.contains(*family)).collect();
        let expected: &[&str] = if name == "mac-intel" { &["host_process_cpu_seconds_total"] } else { &[] };
        assert_eq!(still.into_iter().copied().collect::<Vec<_>>(), expected, "{name}: these stand still");
    }
}
