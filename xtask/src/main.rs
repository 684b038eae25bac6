//! `cargo xtask VERB`: what this repository can do. Rust, so that it runs wherever gauged builds.
//!
//! It starts cargo and reads files; it installs nothing but, where rustup is there, a target to check against, and
//! below `target` what linking for macOS needs.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

mod cargo;
mod cross;
mod darwin;
mod dependencies;
mod dist;
mod docs;
mod families;
mod golden;
mod licence;
mod tidy;
mod tree;

use std::process::ExitCode;

/// What went wrong, in words for whoever ran the verb.
type Outcome = Result<(), String>;

/// A check: what it saw, or what is to be mended.
type Check = fn() -> Result<String, String>;

/// The verbs, as `--help` shows them.
const VERBS: &[(&str, &str)] = &[
    ("check", "format, lints and `checks`: what to run before a commit"),
    ("checks", "the rules that no compiler knows: sizes, cfg, unsafe, words, names, licences"),
    ("test", "every test; needs nothing but Rust"),
    ("docs [--check]", "METRICS.md from the schema; --check fails when it is stale"),
    ("golden", "regenerate golden files; the diff is the review"),
    ("record [..]", "this machine as a capture (gauged record)"),
    ("bench [..]", "cost per scrape against node_exporter, as a table"),
    ("cross", "type check and lints for every target that gauged is built for"),
    ("darwin", "the same for macOS only"),
    (
        "link-darwin [--bless]",
        "gauged for macOS, linked here; what it asks of macOS is held to a list; --bless writes that",
    ),
    ("dist", "the release binary, and its size against the budget"),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Outcome {
    match arguments {
        ["check"] => {
            cargo::run(&["fmt", "--all", "--check"])?;
            cargo::run(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
            checks()
        }
        ["checks"] => checks(),
        ["test", rest @ ..] => cargo::run(&[&["test", "--workspace"], rest].concat()),
        ["docs"] => docs::write(),
        ["docs", "--check"] => docs::check(),
        ["golden"] => golden::regenerate(),
        ["record", rest @ ..] => {
            cargo::run(&[&["run", "--release", "-p", "gauged", "--", "record"], rest].concat())
        }
        ["bench", rest @ ..] => {
            cargo::run(&[&["run", "--release", "-p", "gauged-bench", "--"], rest].concat())
        }
        ["cross"] => cross::check(&cross::ALL),
        ["darwin"] => cross::check(&cross::DARWIN),
        ["link-darwin"] => darwin::link(false),
        ["link-darwin", "--bless"] => darwin::link(true),
        ["dist"] => dist::build(),
        [] | ["help" | "--help" | "-h"] => {
            for (verb, about) in VERBS {
                println!("cargo xtask {verb:<21} {about}");
            }
            Ok(())
        }
        other => Err(format!("no such verb: {}; cargo xtask --help lists them", other.join(" "))),
    }
}

/// Every check, so that one run shows all there is to mend.
fn checks() -> Outcome {
    let checks: [(&str, Check); 3] =
        [("tidy", tidy::check), ("families", families::check), ("dependencies", dependencies::check)];
    let mut failed = Vec::new();
    for (name, check) in checks {
        match check() {
            Ok(seen) => println!("{name}: ok, {seen}"),
            Err(why) => {
                eprintln!("{name}: {why}");
                failed.push(name);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}
