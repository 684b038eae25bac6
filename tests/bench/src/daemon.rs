//! A daemon under measurement: started on a free port of the loopback interface, watched through /proc (proc(5)),
//! killed at the end.

use crate::http;
use crate::scene::Cast;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running daemon. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    /// What the table calls it.
    pub(crate) name: &'static str,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Daemon {
    /// Starts a program and waits until it answers.
    pub(crate) fn start(cast: &Cast) -> Result<Daemon, String> {
        let Cast { name, program, flags } = cast;
        let address = free_address().map_err(|error| format!("{name}: no free port: {error}"))?;
        let mut command = Command::new(program);
        command.arg(format!("--web.listen-address={address}")).args(flags);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
        let mut daemon = Daemon { name, address, child };
        daemon.wait_until_it_answers()?;
        Ok(daemon)
    }

    fn wait_until_it_answers(&mut self) -> Result<(), String> {
        let patience = Instant::now() + Duration::from_secs(10);
        loop {
            let scrape = http::Client::connect(self.address).and_then(|mut client| client.scrape(false));
            let Err(failure) = scrape else { return Ok(()) };
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("{} ended: {status}", self.name));
            }
            if Instant::now() > patience {
                return Err(format!("{} does not answer within 10 s: {failure}", self.name));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The CPU time of all its threads, in seconds: /proc/PID/task/*/schedstat, which counts nanoseconds, and
    /// where the kernel lacks that /proc/PID/stat, which counts ticks.
    pub(crate) fn cpu_seconds(&self) -> Option<f64> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).ok()?;
        // A thread that ends on the way is left out; a kernel without schedstat has none at all.
        let nanoseconds: Vec<u64> = tasks
            .filter_map(|task| {
                let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
                text.split_whitespace().next()?.parse().ok()
            })
            .collect();
        if nanoseconds.is_empty() {
            return self.cpu_ticks();
        }
        Some(nanoseconds.iter().sum::<u64>() as f64 / 1e9)
    }

    fn cpu_ticks(&self) -> Option<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).ok()?;
        // The name, in parentheses, may have spaces: fields are counted from its end.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |place: usize| fields.get(place)?.parse::<u64>().ok();
        Some((ticks(11)? + ticks(12)?) as f64 / 100.0)
    }

    /// Its memory in RAM: VmRSS of /proc/PID/status.
    pub(crate) fn resident_bytes(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// The release build, made now if cargo runs us, else beside us.
pub(crate) fn release() -> Result<PathBuf, String> {
    if let Some(cargo) = std::env::var_os("CARGO") {
        let status = Command::new(cargo)
            .args(["build", "--release", "-p", "gauged"])
            .status()
            .map_err(|error| format!("cargo build: {error}"))?;
        if !status.success() {
            return Err(format!("cargo build --release -p gauged: {status}"));
        }
    }
    let this = std::env::current_exe().map_err(|error| format!("our own path: {error}"))?;
    Ok(this.with_file_name(format!("gauged{}", std::env::consts::EXE_SUFFIX)))
}

/// node_exporter, by its name in Debian or its own, where one is installed.
pub(crate) fn node_exporter() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["prometheus-node-exporter", "node_exporter"];
    std::env::split_paths(&path)
        .flat_map(|directory| names.map(|name| directory.join(name)))
        .find(|program| program.is_file())
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
