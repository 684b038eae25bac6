//! The table for people, in Markdown, and the verdicts on the budgets.

use crate::Cost;
use crate::floor::Floor;
use crate::scene::Limits;
use std::fmt::Write;

/// What was measured of one daemon. The first column is gauged's.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// Whose.
    pub(crate) name: &'static str,
    /// Scrapes without compression.
    pub(crate) identity: Cost,
    /// Scrapes with gzip.
    pub(crate) gzip: Cost,
    /// Memory in RAM after all of them.
    pub(crate) resident: Option<u64>,
    /// System calls a scrape.
    pub(crate) syscalls: Option<f64>,
}

/// One row: its words, its value of a column.
type Row = (&'static str, fn(&Column) -> Option<String>);

const ROWS: [Row; 9] = [
    ("series", |column| Some(column.identity.series.to_string())),
    ("bytes, identity", |column| Some(column.identity.bytes.to_string())),
    ("bytes, gzip", |column| Some(column.gzip.bytes.to_string())),
    ("CPU a scrape, identity (ms)", |column| Some(format!("{:.3}", column.identity.cpu_ms))),
    ("CPU a scrape, gzip (ms)", |column| Some(format!("{:.3}", column.gzip.cpu_ms))),
    ("latency, identity, median / p99 (ms)", |column| Some(latency(&column.identity))),
    ("latency, gzip, median / p99 (ms)", |column| Some(latency(&column.gzip))),
    ("syscalls a scrape", |column| Some(format!("{:.0}", column.syscalls?))),
    ("RSS (MB)", |column| Some(format!("{:.1}", column.resident? as f64 / 1e6))),
];

fn latency(cost: &Cost) -> String {
    format!("{:.3} / {:.3}", cost.median_ms, cost.p99_ms)
}

/// A budget: what is held to it, the measure, the limit. A measure of None is none: it was not possible.
struct Budget {
    what: String,
    measured: Option<f64>,
    limit: f64,
}

/// The whole report; true if every budget that could be measured is kept.
pub(crate) fn render(columns: &[Column], floor: &Floor, limits: &Limits, rounds: u32) -> (String, bool) {
    let mut text = String::new();
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n{rounds} scrapes each of identity and gzip, in turn, 300 ms apart\n");
    let _ = writeln!(text, "| | {} |\n|---{}|", names.join(" | "), "|--:".repeat(columns.len()));
    for (what, value) in ROWS {
        let cells: Vec<String> =
            columns.iter().map(|column| value(column).unwrap_or_else(|| "-".into())).collect();
        let _ = writeln!(text, "| {what} | {} |", cells.join(" | "));
    }
    let list = if floor.seen { "that node_exporter opens here" } else { "of the usual list (no strace)" };
    if let Some(median) = floor.median_ms {
        let _ =
            writeln!(text, "\nfloor: open, read, close of the {} files {list}: {median:.3} ms", floor.files);
    }
    let _ = writeln!(text, "\n| budget | measured | limit | verdict |\n|---|--:|--:|---|");
    let mut kept = true;
    for Budget { what, measured, limit } in budgets(columns, floor, limits) {
        let verdict = match measured {
            Some(measured) if measured <= limit => "kept",
            Some(_) => "MISSED",
            None => "SKIPPED",
        };
        kept &= verdict != "MISSED";
        let shown = measured.map_or_else(|| "-".to_owned(), |measured| format!("{measured:.3}"));
        let _ = writeln!(text, "| {what} | {shown} | {limit:.3} | {verdict} |");
    }
    (text, kept)
}

fn budgets(columns: &[Column], floor: &Floor, limits: &Limits) -> Vec<Budget> {
    let Some((gauged, others)) = columns.split_first() else { return Vec::new() };
    let mut budgets = Vec::new();
    let mut hold = |what: &str, measured: Option<f64>, limit: Option<f64>| {
        budgets.extend(limit.map(|limit| Budget { what: what.to_owned(), measured, limit }));
    };
    // The last is node_exporter as it comes, which is what people run.
    if let Some(other) = others.last() {
        for (coding, ours, theirs, limit) in [
            ("identity", &gauged.identity, &other.identity, limits.cpu),
            ("gzip", &gauged.gzip, &other.gzip, limits.cpu_gzip),
        ] {
            let ratio = Some(ours.cpu_ms / theirs.cpu_ms).filter(|ratio| ratio.is_finite());
            hold(&format!("CPU, {coding}, of that of {}", other.name), ratio, limit);
        }
    }
    let over_floor = floor.median_ms.filter(|_| floor.seen).map(|floor| gauged.identity.median_ms / floor);
    hold("latency, median, of the floor", over_floor, limits.floor);
    hold("syscalls a scrape", gauged.syscalls, limits.syscalls);
    hold("RSS (MB)", gauged.resident.map(|bytes| bytes as f64 / 1e6), limits.resident_mb);
    budgets
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        cpu: Some(0.1),
        cpu_gzip: None,
        floor: Some(1.0),
        syscalls: Some(120.0),
        resident_mb: Some(7.0),
    };

    fn column(name: &'static str, cpu_ms: f64) -> Column {
        let cost = Cost { cpu_ms, median_ms: 0.2, p99_ms: 0.4, bytes: 10, series: 1 };
        Column { name, identity: cost, gzip: cost, resident: Some(5_000_000), syscalls: None }
    }

    #[test]
    fn a_budget_that_is_missed_is_said() {
        let floor = Floor { median_ms: Some(0.3), files: 100, seen: true };
        let (text, kept) = render(&[column("gauged", 1.0), column("other", 4.0)], &floor, &LIMITS, 3);
        assert!(!kept);
        assert!(text.contains("| CPU, identity, of that of other | 0.250 | 0.100 | MISSED |"), "{text}");
        assert!(text.contains("| syscalls a scrape | - | 120.000 | SKIPPED |"), "{text}");
        assert!(text.contains("| RSS (MB) | 5.000 | 7.000 | kept |"), "{text}");
    }

    #[test]
    fn what_could_not_be_measured_misses_nothing() {
        let floor = Floor { median_ms: None, files: 0, seen: false };
        assert!(render(&[column("gauged", 1.0)], &floor, &LIMITS, 3).1);
    }
}
