//! Both formats of whole pages: as a person reads them, against each other, and what holds in both.

mod agreement;
mod page;
mod reading;

use super::{Encoder, Format, Names};
use crate::snapshot::{Arranger, Collectors, Snapshot};
use page::Page;
use schema::alias::{Alias, Dialect, alias};
use schema::families::{cpu, filesystem, load, memory, os, own};
use schema::foreign::ForeignKind;
use schema::unit::{Bytes, Count, Info, Plain, Seconds};
use schema::{Batch, Kind};
use std::sync::Arc;

/// One of each: labels renamed, dropped and selecting, scales, two families under one name, kinds that
/// OpenMetrics cannot have, a name of gauged's own.
static OTHER: Dialect = Dialect { name: "other", aliases: ALIASES };

const ALIASES: &[Alias] = &[
    alias(
        &cpu::CPU_SECONDS,
        "other_cpu_seconds_total",
        Kind::Counter,
        &[],
        &[("mode", "state"), ("cpu", "core")],
        1.0,
    ),
    alias(&cpu::CPU_SECONDS, "other_idle", Kind::Counter, &[("mode", "idle")], &[("cpu", "core")], 1e3),
    alias(&cpu::CPUS, "other_cpus", Kind::Unknown, &[], &[], 1.0),
    alias(&load::LOAD1, "other_load", Kind::Gauge, &[], &[], 1.0),
    alias(&load::LOAD5, "other_load_info", Kind::Info, &[], &[], 1.0),
    alias(
        &filesystem::SIZE,
        "other_kib",
        Kind::Gauge,
        &[("fstype", "ext4")],
        &[("mountpoint", "at")],
        0.0625,
    ),
    alias(
        &filesystem::FREE,
        "other_kib",
        Kind::Gauge,
        &[("fstype", "")],
        &[("mountpoint", "at"), ("pool", "of")],
        0.0625,
    ),
    alias(&own::SCRAPES, "gauged_scrapes_total", Kind::Counter, &[], &[], 1.0),
];

const UNIFIED: &[Names] = &[Names::Unified];
const DIALECT: &[Names] = &[Names::Dialect(&OTHER)];

/// A snapshot of two collectors.
fn snapshot(fill: impl FnOnce(&mut Batch, &mut Batch)) -> Arc<Snapshot> {
    let mut snapshot = Snapshot::default();
    snapshot.clear(2);
    let [one, two] = &mut snapshot.parts[..] else { panic!("two parts") };
    fill(&mut one.batch, &mut two.batch);
    Arranger::default().arrange(&mut snapshot, 100_000);
    Arranger::finish(&mut snapshot);
    Arc::new(snapshot)
}

fn encoded(snapshot: &Arc<Snapshot>, names: &[Names], format: Format) -> String {
    let mut out = "what was there before".to_owned();
    Encoder::default().encode(snapshot, Collectors::all(2), names, format, &mut out);
    out
}

fn text(snapshot: &Arc<Snapshot>, names: &[Names]) -> String {
    encoded(snapshot, names, Format::Text)
}

fn openmetrics(snapshot: &Arc<Snapshot>, names: &[Names]) -> String {
    encoded(snapshot, names, Format::OpenMetrics)
}

fn host() -> Arc<Snapshot> {
    snapshot(|one, two| {
        one.put(&os::HOST_INFO, ["linux", "", "", "6.1", "", "a\"b\\c\nd", "é"], Info);
        one.put(&cpu::CPU_SECONDS, ["0", "idle"], Seconds(6.38));
        one.put(&cpu::CPU_SECONDS, ["", "user"], Seconds(1e6));
        one.put(&cpu::CPUS, [], Count(2));
        two.put(&load::LOAD1, [], Plain(0.25));
        two.put(&load::LOAD5, [], Plain(3.0));
        two.put(&memory::OOM_KILLS, [], Count(18_446_744_073_709_551_615));
        two.put(&filesystem::SIZE, ["/dev/a", "/", "ext4", "/dev/a"], Bytes(1024));
        two.put(&filesystem::SIZE, ["/dev/b", "/b", "xfs", "/dev/b"], Bytes(4096));
        two.put(&filesystem::FREE, ["/dev/a", "/", "ext4", "/dev/a"], Bytes(512));
        two.put(&filesystem::FREE, ["tmp", "/tmp", "", "/tmp"], Bytes(100));
        two.put(&own::SCRAPES, [], Count(7));
    })
}

/// What two textfiles bring.
fn files() -> Arc<Snapshot> {
    snapshot(|one, two| {
        let put = |batch: &mut Batch, name: &str, kind, help: &str, samples: &[(&str, &str, f64)]| {
            batch.foreign().family(name, kind, help).unwrap();
            for (sample, label, value) in samples {
                batch.foreign().sample(sample, &mut [("l", label)], *value).unwrap();
            }
        };
        use ForeignKind::{Counter, Gauge, Histogram, Summary, Untyped};
        put(one, "age_seconds", Gauge, "Say \"when\",\nor \\.", &[("age_seconds", "a\"\\\n", 3.5)]);
        put(two, "age_seconds", Gauge, "Another.", &[("age_seconds", "two", f64::NEG_INFINITY)]);
        put(one, "runs_total", Counter, "Runs.", &[("runs_total", "", 2.0)]);
        put(one, "runs", Counter, "Runs too.", &[("runs", "", 2.0)]);
        put(one, "steps_total", Counter, "Steps.", &[("steps_total", "", 1e18)]);
        put(one, "odd_total", Counter, "", &[("odd_total", "", f64::NAN)]);
        put(one, "any", Untyped, "", &[("any", "", f64::INFINITY)]);
        put(
            one,
            "took",
            Histogram,
            "Took.",
            &[
                ("took_bucket", "1", 1.0),
                ("took_sum", "1", 0.5),
                ("took_count", "1", 1.0),
                ("took_bucket", "2", 2.0),
            ],
        );
        put(two, "quick", Summary, "Quick.", &[("quick", "0.5", 1.0), ("quick_sum", "", 5.0)]);
        put(two, "other_load", Gauge, "A dialect's name.", &[("other_load", "mine", 1.0)]);
        put(two, "host_load1_total", Counter, "A gauge's family.", &[("host_load1_total", "", 1.0)]);
        two.put(&load::LOAD1, [], Plain(0.25));
    })
}

#[test]
fn several_names_show_a_family_once() {
    let all = [Names::Unified, Names::Dialect(&OTHER), Names::Unified, Names::Dialect(&OTHER)];
    let page = Page::parse(&text(&host(), &all));
    page.check_text();
    let [own, other] = [UNIFIED, DIALECT].map(|names| Page::parse(&text(&host(), names)).samples().len());
    assert_eq!(page.samples().len(), own + other - 1, "gauged_scrapes_total is a name of both");
    Page::parse(&openmetrics(&host(), &all)).check_openmetrics();
}

#[test]
fn a_dialects_name_wins_over_a_textfiles() {
    for (names, shown) in [(UNIFIED, "other_load{l=\"mine\"} 1.0\n"), (DIALECT, "other_load 0.25\n")] {
        for page in [text(&files(), names), openmetrics(&files(), names)] {
            let lines: Vec<_> = page.lines().filter(|line| line.starts_with("other_load")).collect();
            assert_eq!(lines, [shown.trim_end()]);
            assert_eq!(page.matches("# TYPE other_load ").count(), 1);
        }
    }
}

#[test]
fn a_filter_holds_in_both_formats() {
    let snapshot = files();
    let mut out = String::new();
    for format in [Format::Text, Format::OpenMetrics] {
        Encoder::default().encode(&snapshot, Collectors::default().with(0), UNIFIED, format, &mut out);
        assert!(out.contains("age_seconds") && !out.contains("quick") && !out.contains("host_load1"));
    }
}

#[test]
fn an_empty_snapshot_is_an_empty_page() {
    let empty = snapshot(|_, _| ());
    assert_eq!(text(&empty, UNIFIED), "");
    assert_eq!(openmetrics(&empty, UNIFIED), "# EOF\n");
}

#[test]
fn a_sample_without_labels_has_no_braces() {
    let bare = snapshot(|one, _| {
        one.put(&os::HOST_INFO, [""; 7], Info);
        one.put(&cpu::CPU_SECONDS, ["", ""], Seconds(0.0));
    });
    for page in [text(&bare, UNIFIED), openmetrics(&bare, UNIFIED)] {
        assert!(
            page.contains("\nhost_info 1\n") && page.contains("\nhost_cpu_seconds_total 0.0\n"),
            "{page}"
        );
    }
}

#[test]
fn a_snapshot_is_given_back() {
    let snapshot = host();
    let mut encoder = Encoder::default();
    let mut out = String::new();
    encoder.encode(&snapshot, Collectors::all(2), UNIFIED, Format::OpenMetrics, &mut out);
    assert_eq!(Arc::strong_count(&snapshot), 1);
    let first = out.clone();
    encoder.encode(&snapshot, Collectors::all(2), UNIFIED, Format::OpenMetrics, &mut out);
    assert_eq!(out, first);
}
