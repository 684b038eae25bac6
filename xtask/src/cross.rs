//! Types and lints for the targets that gauged is built for. Checking needs a target's standard library and no
//! linker, so the code for macOS is checked on Linux, and the other way round.

use crate::{Outcome, cargo};

/// macOS.
pub(crate) const DARWIN: [&str; 2] = ["aarch64-apple-darwin", "x86_64-apple-darwin"];

/// Every target.
pub(crate) const ALL: [&str; 4] =
    ["aarch64-apple-darwin", "x86_64-apple-darwin", "aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu"];

/// Checks the whole workspace for each of these targets. One whose standard library cannot be had is skipped,
/// and said to be.
pub(crate) fn check(targets: &[&str]) -> Outcome {
    for target in targets {
        if !is_there(target) {
            println!("{target}: SKIPPED, its standard library is not there and rustup could not add it");
            continue;
        }
        println!("{target}:");
        let arguments =
            ["clippy", "--workspace", "--all-targets", "--target", target, "--", "-D", "warnings"];
        cargo::run(&arguments)?;
    }
    Ok(())
}

/// The target's standard library is there, or could be added.
pub(crate) fn is_there(target: &str) -> bool {
    let installed = cargo::rustup(&["target", "list", "--installed"]);
    installed.is_some_and(|list| list.lines().any(|line| line == target))
        || cargo::rustup(&["target", "add", target]).is_some()
}
