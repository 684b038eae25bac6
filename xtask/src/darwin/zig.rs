//! Zig, as the package `ziglang` of PyPI: macOS's own list of what libSystem has, and a compiler of C that needs
//! no SDK. Python's package manager is how it is had everywhere by name and version; we use nothing else of it.

use crate::cargo;
use std::path::PathBuf;
use std::process::Command;

/// The package, in the version whose list we hold to. A newer one is a newer macOS, and a decision.
pub(super) const PACKAGE: &str = "ziglang==0.17.0";

/// An unpacked Zig.
#[derive(Debug)]
pub(super) struct Zig {
    root: PathBuf,
}

impl Zig {
    /// Finds it where an earlier run has put it, or installs it into a virtual environment below `target`.
    pub(super) fn install() -> Result<Self, String> {
        let environment = cargo::target().join("ziglang");
        let python = environment.join("bin/python3");
        let find = || {
            let file = "import ziglang; print(ziglang.__path__[0])";
            run(Command::new(&python).args(["-c", file])).map(|path| PathBuf::from(path.trim()))
        };
        // A package of another version has a list of another macOS; pip sees which it is, in a second.
        let pip = || {
            let asked = ["-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check", PACKAGE];
            run(Command::new(&python).args(asked))
        };
        if !python.exists() || pip().is_err() {
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
            pip()?;
        }
        Ok(Self { root: find()? })
    }

    /// What the libSystem of macOS has, as TAPI's text.
    pub(super) fn system(&self) -> Result<String, String> {
        let path = self.root.join("lib/libc/darwin/libSystem.tbd");
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The environment by which the cc crate compiles a dependency's C for this target. Zig's names of targets are
    /// not clang's, so that it is told one, with the oldest macOS that Rust builds for: else its code would ask for
    /// the newest one's.
    pub(super) fn compiler(&self, target: &str) -> Result<Vec<(String, String)>, String> {
        let deployment =
            run(Command::new("rustc").args(["--print", "deployment-target", "--target", target]))?;
        let zig = self.root.join("zig");
        Ok(compiler(&zig.to_string_lossy(), target, deployment.trim()))
    }
}

fn compiler(zig: &str, target: &str, deployment: &str) -> Vec<(String, String)> {
    let (cpu, _) = target.split_once('-').unwrap_or((target, ""));
    let oldest = deployment.rsplit('=').next().unwrap_or(deployment);
    let suffix = target.replace('-', "_");
    vec![
        (format!("CC_{suffix}"), format!("{zig} cc")),
        (format!("CFLAGS_{suffix}"), format!("--target={cpu}-macos.{oldest}")),
        (format!("AR_{suffix}"), format!("{zig} ar")),
    ]
}

/// Runs a program and returns what it printed.
fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{name}: {}: {}", output.status, said.trim()));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_is_compiled_for_the_oldest_macos_that_rust_builds_for() {
        assert_eq!(
            compiler("/zig", "aarch64-apple-darwin", "MACOSX_DEPLOYMENT_TARGET=11.0"),
            [
                ("CC_aarch64_apple_darwin".to_owned(), "/zig cc".to_owned()),
                ("CFLAGS_aarch64_apple_darwin".to_owned(), "--target=aarch64-macos.11.0".to_owned()),
                ("AR_aarch64_apple_darwin".to_owned(), "/zig ar".to_owned()),
            ]
        );
    }
}
