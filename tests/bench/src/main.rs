//! `cargo run --release -p gauged-bench` (`just bench`): what a scrape costs, gauged beside Debian's
//! node_exporter in one run, as a Markdown table with the budgets.
//!
//! Every round scrapes each daemon once, one after the other, so that whatever else the machine does falls on
//! all of them. Rounds are further apart than gauged shares a snapshot for: each scrape is a real one. CPU is
//! that of all threads over all rounds, so what a daemon does after its answer, such as collecting garbage,
//! counts too. Nothing here is a test: it asserts nothing unless `--strict` asks for it.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

mod daemon;
mod floor;
mod http;
mod measure;
mod strace;
mod table;

use daemon::Daemon;
use measure::Cost;
use std::process::ExitCode;
use table::Column;

/// What node_exporter is to collect so that it does what gauged does, and no more.
const SAME: [&str; 12] = [
    "--collector.disable-defaults",
    "--collector.cpu",
    "--collector.meminfo",
    "--collector.vmstat",
    "--collector.loadavg",
    "--collector.stat",
    "--collector.time",
    "--collector.os",
    "--collector.uname",
    "--collector.dmi",
    "--collector.filesystem",
    "--collector.textfile",
];

struct Wishes {
    rounds: u32,
    gauged: Option<String>,
    strict: bool,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|wishes| run(&wishes)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Wishes, String> {
    let mut wishes = Wishes { rounds: 60, gauged: None, strict: false };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => {
                let rounds = arguments.next().and_then(|text| text.parse().ok()).filter(|rounds| *rounds > 0);
                wishes.rounds = rounds.ok_or("--rounds wants a number")?;
            }
            "--gauged" => wishes.gauged = Some(arguments.next().ok_or("--gauged wants a path")?),
            "--strict" => wishes.strict = true,
            other => return Err(format!("{other}? known: --rounds N, --gauged PATH, --strict")),
        }
    }
    Ok(wishes)
}

/// Measures and prints; false if a budget is missed and that is to count.
fn run(wishes: &Wishes) -> Result<bool, String> {
    let mut daemons = vec![Daemon::gauged(wishes.gauged.as_deref())?];
    match daemon::node_exporter() {
        Some(program) => {
            daemons.push(Daemon::start("node_exporter, same collectors", &program, &SAME)?);
            daemons.push(Daemon::start("node_exporter, its defaults", &program, &[])?);
        }
        None => println!("node_exporter: SKIPPED, it is not installed (Debian: prometheus-node-exporter)"),
    }
    let identity = measure::rounds(&daemons, wishes.rounds, false)?;
    let gzip = measure::rounds(&daemons, wishes.rounds, true)?;
    let mut columns = Vec::new();
    let mut files = None;
    for (daemon, (identity, gzip)) in daemons.iter().zip(identity.into_iter().zip(gzip)) {
        // Memory before strace slows the daemon down and moves its threads about.
        let resident = daemon.resident_bytes();
        let traced = strace::trace(daemon)?;
        if let Some(traced) = &traced
            && daemon.name.ends_with("defaults")
        {
            files = Some(traced.files.clone());
        }
        let syscalls = traced.map(|traced| traced.calls_per_scrape);
        columns.push(Column { name: daemon.name, identity, gzip, resident, syscalls });
    }
    if columns.iter().all(|column| column.syscalls.is_none()) {
        println!("syscalls: SKIPPED, strace is not installed or may not attach");
    }
    let floor = floor::measure(files);
    let (text, kept) = table::render(&columns, &floor, wishes.rounds);
    print!("{text}");
    Ok(kept || !wishes.strict)
}

/// The median; None of nothing.
fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a short list")]
    let place = ((sorted.len() as f64 - 1.0) * q).round() as usize;
    sorted.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_what_was_measured() {
        let sorted = [1.0, 2.0, 3.0, 4.0, 50.0];
        assert_eq!(quantile(&sorted, 0.5), Some(3.0));
        assert_eq!(quantile(&sorted, 0.99), Some(50.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn an_unknown_flag_is_told() {
        assert!(parse(["--fast".to_owned()].into_iter()).is_err());
    }
}
