//! `cargo run --release -p gauged-bench` (`just bench`): what a scrape costs, gauged beside Debian's
//! node_exporter in one run, as a Markdown table with the budgets.
//!
//! Every round scrapes each daemon once, one after the other, so that whatever else the machine does falls on
//! all of them. Rounds are further apart than gauged shares a snapshot for: each scrape is a real one. CPU is
//! that of all threads over all rounds, so what a daemon does after its answer, such as collecting garbage,
//! counts too. `--big` measures on a machine with 500 interfaces and 1,000 processes, `--series N` adds that many
//! series of other programs (gauged takes 10,000), `--storm` sends a thousand requests a second. Nothing here is a test: it asserts nothing unless `--strict` asks for it.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

mod big;
mod daemon;
mod floor;
mod http;
mod measure;
mod scene;
mod series;
mod storm;
mod strace;
mod table;

use daemon::Daemon;
use measure::Cost;
use scene::Scene;
use series::Files;
use std::path::PathBuf;
use std::process::ExitCode;
use table::Column;

/// What is to be measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum What {
    #[default]
    Small,
    Big,
    /// The machine that [`big::build`] makes, from within its namespaces.
    Inside,
    Storm,
}

struct Wishes {
    what: What,
    rounds: u32,
    /// Series of other programs, in files.
    series: usize,
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
    let mut wishes = Wishes { what: What::Small, rounds: 60, series: 0, gauged: None, strict: false };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => {
                let rounds = arguments.next().and_then(|text| text.parse().ok()).filter(|rounds| *rounds > 0);
                wishes.rounds = rounds.ok_or("--rounds wants a number")?;
            }
            "--series" => {
                let series = arguments.next().and_then(|text| text.parse().ok()).filter(|series| *series > 0);
                wishes.series = series.ok_or("--series wants a number")?;
            }
            "--big" => wishes.what = What::Big,
            "--inside" => wishes.what = What::Inside,
            "--storm" => wishes.what = What::Storm,
            "--gauged" => wishes.gauged = Some(arguments.next().ok_or("--gauged wants a path")?),
            "--strict" => wishes.strict = true,
            other => {
                let known = "--rounds N, --big, --series N, --storm, --gauged PATH, --strict";
                return Err(format!("{other}? known: {known}"));
            }
        }
    }
    Ok(wishes)
}

/// Measures and prints; false if a budget is missed and that is to count.
fn run(wishes: &Wishes) -> Result<bool, String> {
    let gauged = wishes.gauged.as_ref().map_or_else(daemon::release, |path| Ok(PathBuf::from(path)))?;
    let kept = match wishes.what {
        What::Small => measured(Scene::small(gauged), wishes)?,
        What::Big => {
            let (rounds, series) = (wishes.rounds.to_string(), wishes.series.to_string());
            let gauged = gauged.display().to_string();
            let mut arguments = vec!["--inside", "--gauged", &gauged, "--rounds", &rounds];
            if wishes.series > 0 {
                arguments.extend(["--series", &series]);
            }
            if wishes.strict {
                arguments.push("--strict");
            }
            match big::enter(&arguments)? {
                Some(status) => status.success(),
                None => {
                    println!("big: SKIPPED, namespaces want root, unshare(1) and ip(8)");
                    true
                }
            }
        }
        What::Inside => {
            let _sleepers = big::build()?;
            measured(Scene::big(gauged), wishes)?
        }
        What::Storm => {
            let scene = Scene::small(gauged);
            let daemon = Daemon::start(scene.cast.first().ok_or("nobody to send a storm to")?)?;
            let (text, kept) = storm::run(&daemon)?;
            print!("{text}");
            kept
        }
    };
    Ok(kept || !wishes.strict)
}

/// Measures a scene and prints the table; false if a budget is missed.
fn measured(mut scene: Scene, wishes: &Wishes) -> Result<bool, String> {
    let rounds = wishes.rounds;
    let files = (wishes.series > 0).then(|| Files::write(wishes.series)).transpose()?;
    if let Some(files) = &files {
        scene.add(files);
    }
    let daemons = scene.cast.iter().map(Daemon::start).collect::<Result<Vec<_>, _>>()?;
    if daemons.len() == 1 {
        println!("node_exporter: SKIPPED, it is not installed (Debian: prometheus-node-exporter)");
    }
    let identity = measure::rounds(&daemons, rounds, false)?;
    let gzip = measure::rounds(&daemons, rounds, true)?;
    let mut columns = Vec::new();
    let mut opened = None;
    for (daemon, (identity, gzip)) in daemons.iter().zip(identity.into_iter().zip(gzip)) {
        // Memory before strace slows the daemon down and moves its threads about.
        let resident = daemon.resident_bytes();
        let traced = strace::trace(daemon)?;
        if let Some(traced) = &traced
            && daemon.name.ends_with("defaults")
        {
            opened = Some(traced.files.clone());
        }
        let syscalls = traced.map(|traced| traced.calls_per_scrape);
        columns.push(Column { name: daemon.name, identity, gzip, resident, syscalls });
    }
    if columns.iter().all(|column| column.syscalls.is_none()) {
        println!("syscalls: SKIPPED, strace is not installed or may not attach");
    }
    let floor = floor::measure(opened);
    let (text, kept) = table::render(&columns, &floor, &scene.limits, rounds);
    print!("{text}");
    Ok(kept)
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
