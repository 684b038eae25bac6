//! The real binary over a driver that is played: a daemon, or one scrape.

use fake_nvml::{Scenario, Staged};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_gauged");
/// How long anything is waited for that ought to come.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// What a scrape said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) took: Duration,
}

impl Said {
    /// The value of the series that begins so, up to its value.
    pub(crate) fn value(&self, series: &str) -> Option<f64> {
        let of = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok();
        self.text.lines().find_map(of)
    }

    /// The lines of series whose name begins so, in which all of these words stand.
    pub(crate) fn lines(&self, name: &str, words: &[&str]) -> Vec<&str> {
        let is = |line: &&str| line.starts_with(name) && words.iter().all(|word| line.contains(word));
        self.text.lines().filter(is).collect()
    }

    /// The state of the driver.
    pub(crate) fn driver(&self) -> Option<&str> {
        let line = *self.lines("gpu_driver_state{", &["} 1"]).first()?;
        line.split('"').nth(1)
    }

    /// The states of the GPUs, in the order of their indices.
    pub(crate) fn gpus(&self) -> Vec<&str> {
        let mut lines = self.lines("gpu_state{", &["} 1"]);
        lines.sort_unstable();
        lines.iter().filter_map(|line| line.split("state=\"").nth(1)?.split('"').next()).collect()
    }

    /// The host's own series are there, whatever the driver does.
    pub(crate) fn has_the_host(&self) -> bool {
        self.value("host_load1").is_some()
            && self.value("host_memory_total_bytes").is_some()
            && !self.lines("host_cpu_seconds_total", &[]).is_empty()
    }
}

/// A scenario, and where a daemon over it keeps its files.
pub(crate) struct Stage {
    pub(crate) staged: Staged,
}

impl Stage {
    pub(crate) fn new(scenario: &str) -> Stage {
        Stage::of(&Scenario::load(scenario))
    }

    pub(crate) fn of(scenario: &Scenario) -> Stage {
        let staged = scenario.stage().unwrap();
        std::fs::create_dir_all(staged.directory().join("run")).unwrap();
        Stage { staged }
    }

    pub(crate) fn runtime(&self) -> PathBuf {
        self.staged.directory().join("run")
    }

    fn command(&self, named: bool) -> Command {
        let mut command = Command::new(PROGRAM);
        for (flag, path) in [
            ("--path.procfs", self.staged.procfs()),
            ("--path.sysfs", self.staged.sysfs()),
            ("--path.rootfs", self.staged.rootfs()),
            ("--path.runtime", self.runtime()),
        ] {
            command.arg(flag).arg(path);
        }
        if named {
            command.arg("--nvml.library-path").arg(self.staged.library());
        }
        command
    }

    /// One scrape.
    pub(crate) fn once(&self) -> Said {
        let start = Instant::now();
        let mut command = self.command(true);
        // A verb comes first.
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        command = Command::new(PROGRAM);
        let output = command.arg("once").args(arguments).output().unwrap();
        assert_eq!(self.staged.error(), None);
        Said { text: String::from_utf8(output.stdout).unwrap(), took: start.elapsed() }
    }

    /// `gauged gpu-release`.
    pub(crate) fn release(&self, span: &str) -> Output {
        let runtime = format!("--path.runtime={}", self.runtime().display());
        Command::new(PROGRAM).args(["gpu-release", "--for", span, &runtime]).output().unwrap()
    }

    /// A daemon whose probe is started again soon.
    pub(crate) fn daemon(&self, flags: &[&str]) -> Daemon {
        self.start(true, flags)
    }

    /// The same, to which nobody said where the library is.
    pub(crate) fn daemon_by_itself(&self) -> Daemon {
        self.start(false, &[])
    }

    fn start(&self, named: bool, flags: &[&str]) -> Daemon {
        let mut command = self.command(named);
        command.args(["--web.listen-address=127.0.0.1:0", "--nvml.backoff=100ms", "--nvml.hang-after=1s"]);
        let mut child = command.args(flags).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("http://") {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it says where it listens");
        }
        let after = line.split("http://").nth(1).unwrap();
        let address = after.split([' ', '"']).next().unwrap().to_owned();
        // Somebody has to read on, or the daemon would have to wait for it.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Daemon { child, address }
    }
}

/// A daemon, killed when the test is over.
pub(crate) struct Daemon {
    child: Child,
    address: String,
}

impl Daemon {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// True while it runs.
    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Scrapes, once the last scrape is no longer as good as new.
    pub(crate) fn scrape(&self) -> Said {
        std::thread::sleep(ms(260));
        self.scrape_now()
    }

    /// Scrapes, once the driver may be asked again.
    pub(crate) fn scrape_anew(&self) -> Said {
        std::thread::sleep(ms(1010));
        self.scrape_now()
    }

    fn scrape_now(&self) -> Said {
        let start = Instant::now();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        Said { text, took: start.elapsed() }
    }

    /// Scrapes until it is so.
    pub(crate) fn until(&self, what: &str, is: impl Fn(&Said) -> bool) -> Said {
        let start = Instant::now();
        loop {
            let said = self.scrape_anew();
            if is(&said) {
                return said;
            }
            let gpus = said.lines("g", &[]).join("\n");
            assert!(start.elapsed() < PATIENCE, "{what}: waited in vain:\n{gpus}");
        }
    }

    /// The daemon's children that run: its probes.
    pub(crate) fn probes(&self) -> Vec<u32> {
        children(self.pid())
    }

    /// Ends it as systemd does.
    pub(crate) fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn children(parent: u32) -> Vec<u32> {
    let pids = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let mut words = stat.rsplit(')').next().unwrap_or("").split_whitespace();
        words.next().is_some_and(|state| state != "Z") && words.next() == Some(&parent.to_string())
    })
    .collect()
}

/// Signals a process of a test's own.
pub(crate) fn tell(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}
