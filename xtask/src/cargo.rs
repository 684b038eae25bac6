//! Cargo and the other programs of the toolchain, started at the workspace's root.

use crate::Outcome;
use crate::tree::root;
use std::path::PathBuf;
use std::process::Command;

/// The cargo that runs us.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs cargo, its output shown.
pub(crate) fn run(arguments: &[&str]) -> Outcome {
    run_with(arguments, &[])
}

/// Runs cargo with something set in its environment.
pub(crate) fn run_with(arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let line = format!("cargo {}", arguments.join(" "));
    let mut command = cargo();
    command.args(arguments).envs(environment.iter().copied());
    let status = command.status().map_err(|error| format!("{line}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{line}: {status}")) }
}

/// Runs cargo and returns what it printed.
pub(crate) fn output(arguments: &[&str]) -> Result<String, String> {
    let line = format!("cargo {}", arguments.join(" "));
    let output = cargo().args(arguments).output().map_err(|error| format!("{line}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{line}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{line}: {error}"))
}

/// Runs rustup and returns what it printed; None where there is no rustup, or it refuses.
pub(crate) fn rustup(arguments: &[&str]) -> Option<String> {
    let output = Command::new("rustup").current_dir(root()).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |path| root().join(path))
}
