//! A machine with 500 interfaces and 1,000 processes, made in a network namespace of its own, where nothing of
//! this machine's network changes, and gone with it (unshare(1), ip-link(8); root).

use std::io::Write;
use std::process::{Child, Command, ExitStatus, Stdio};

/// Pairs of virtual interfaces.
const PAIRS: u32 = 250;
/// Sleeping processes.
const SLEEPERS: usize = 1000;
/// How long they sleep if nobody ends them.
const SECONDS: &str = "3600";

/// Runs this program again, with these arguments, in namespaces of its own; None where that is not possible.
pub(crate) fn enter(arguments: &[&str]) -> Result<Option<ExitStatus>, String> {
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--"]);
        command
    };
    let probe = unshare().args(["ip", "link", "show"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let this = std::env::current_exe().map_err(|error| format!("our own path: {error}"))?;
    unshare().arg(this).args(arguments).status().map(Some).map_err(|error| format!("unshare: {error}"))
}

/// Processes that sleep until this is dropped.
#[derive(Debug)]
pub(crate) struct Sleepers(Vec<Child>);

impl Drop for Sleepers {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _killed = child.kill();
        }
        for child in &mut self.0 {
            let _ended = child.wait();
        }
    }
}

/// Makes the interfaces and starts the processes, in the namespaces that [`enter`] made.
pub(crate) fn build() -> Result<Sleepers, String> {
    // /sys shows the interfaces of the namespace in which it was mounted.
    command("mount", &["-t", "sysfs", "sysfs", "/sys"])?;
    let mut ip = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| format!("ip: {error}"))?;
    let mut batch = "link set lo up\n".to_owned();
    for pair in 0..PAIRS {
        batch +=
            &format!("link add bench{pair}a up type veth peer name bench{pair}b\nlink set bench{pair}b up\n");
    }
    if let Some(mut input) = ip.stdin.take() {
        input.write_all(batch.as_bytes()).map_err(|error| format!("ip: {error}"))?;
    }
    ended("ip", ip.wait())?;
    let mut sleepers = Sleepers(Vec::new());
    for _ in 0..SLEEPERS {
        let child = Command::new("sleep").arg(SECONDS).stdin(Stdio::null()).spawn();
        sleepers.0.push(child.map_err(|error| format!("sleep: {error}"))?);
    }
    Ok(sleepers)
}

fn command(program: &str, arguments: &[&str]) -> Result<(), String> {
    ended(program, Command::new(program).args(arguments).status())
}

fn ended(program: &str, status: std::io::Result<ExitStatus>) -> Result<(), String> {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program}: {status}")),
        Err(error) => Err(format!("{program}: {error}")),
    }
}
