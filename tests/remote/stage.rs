//! The daemon's side of a test: a directory, a clock, a collector, and what a collection brought.

use door::{Call, Clock, Doors, Live, Paths};
use gauged::remote::{Backoff, Launch, Remote};
use schema::families::{load, own};
use schema::{Batch, Collector, Errno, Error, Reason, Scrape};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long anything is waited for that ought to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);
/// A deadline that is kept on a busy machine too.
pub(crate) const LONG: Duration = Duration::from_secs(5);

pub(crate) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(crate) fn wait_for(what: &str, is: impl Fn() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < PATIENCE, "{what}: waited in vain");
        std::thread::sleep(ms(2));
    }
}

/// A test's directory, name and collector.
pub(crate) struct Stage {
    pub(crate) directory: PathBuf,
    pub(crate) clock: Clock,
    number: u64,
}

struct NoCalls;

impl Call for NoCalls {
    fn call(&self, _: &str, _: &[u8], _: &mut Vec<u8>) -> Result<(), Errno> {
        Err(Errno::IO)
    }
}

fn since_start() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

fn clock() -> Clock {
    let live = Live {
        call: Box::new(NoCalls),
        boottime: since_start,
        spawn: |_, _| Err(std::io::ErrorKind::Unsupported.into()),
        numbers: |_, _| Ok(()),
        page_size: 4096,
        ticks_per_second: 100,
    };
    let path = || "/nonexistent".to_owned();
    Doors::live(live, &Paths { procfs: path(), sysfs: path(), rootfs: path() }).clock
}

/// What a collection brought.
#[derive(Debug)]
pub(crate) struct Brought {
    pub(crate) result: Result<(), Error>,
    pub(crate) load1: Vec<f64>,
    pub(crate) load15: usize,
    pub(crate) restarts: f64,
    pub(crate) failures: usize,
    pub(crate) took: Duration,
}

impl Brought {
    pub(crate) fn error(&self) -> String {
        self.result.as_ref().expect_err("it failed").to_string()
    }

    pub(crate) fn reason(&self) -> Option<Reason> {
        self.result.as_ref().expect_err("it failed").reason()
    }
}

impl Stage {
    pub(crate) fn new(test: &str) -> Stage {
        let directory =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("remote-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        Stage { directory, clock: clock(), number: 0 }
    }

    pub(crate) fn launch(&self, child: &str, name: &str) -> Launch {
        let mut args: Vec<OsString> =
            [child, "--exact", "--ignored", "--nocapture"].map(OsString::from).to_vec();
        args.push(self.directory.clone().into());
        Launch {
            name: name.into(),
            program: std::env::current_exe().unwrap(),
            args,
            lock: Some(self.directory.join("lock")),
            backoff: Backoff { first: ms(100), most: ms(800) },
            hang_after: ms(600),
            restarts: own::GPU_PROBE_RESTARTS,
        }
    }

    /// A collector of the test's name: collectors of one name are taken for one, opened again.
    pub(crate) fn remote(&self, child: &str) -> Remote {
        let name = self.directory.file_name().unwrap().to_string_lossy();
        Remote::new(self.launch(child, &name), self.clock.clone())
    }

    pub(crate) fn collect(&mut self, remote: &mut Remote, patience: Duration) -> Brought {
        self.number += 1;
        let now = self.clock.now();
        let scrape = Scrape {
            number: self.number,
            now,
            deadline: now + patience,
            wall: self.clock.wall(),
            held: false,
        };
        let mut batch = Batch::default();
        let start = Instant::now();
        let result = remote.collect(&scrape, &mut batch);
        let took = start.elapsed();
        let values = |id| batch.rows().filter(move |row| row.family() == id).map(|row| row.value().as_f64());
        Brought {
            result,
            load1: values(load::LOAD1.id()).collect(),
            load15: values(load::LOAD15.id()).count(),
            restarts: values(own::GPU_PROBE_RESTARTS.id()).next().expect("restarts are always told"),
            failures: batch.failures().len(),
            took,
        }
    }

    /// Collects until it succeeds.
    pub(crate) fn collect_until_well(&mut self, remote: &mut Remote) -> Brought {
        let start = Instant::now();
        loop {
            let brought = self.collect(remote, LONG);
            if brought.result.is_ok() {
                return brought;
            }
            assert!(start.elapsed() < PATIENCE, "{brought:?}");
            std::thread::sleep(ms(5));
        }
    }

    pub(crate) fn touch(&self, name: &str) {
        std::fs::write(self.directory.join(name), "").unwrap();
    }

    /// The pid in the lock file, while a child holds it.
    pub(crate) fn holder(&self) -> Option<u32> {
        let file = std::fs::File::options().read(true).write(true).open(self.directory.join("lock")).ok()?;
        if file.try_lock().is_ok() {
            return None;
        }
        std::fs::read_to_string(self.directory.join("lock")).unwrap().trim_end().parse().ok()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Whoever still waits may go on and end; the directory must be there for it to see that.
        if std::thread::panicking() {
            self.touch("wake");
        } else {
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }
}

/// False once the process has ended, reaped or not (proc_pid_stat(5): `Z`). Always false without a `/proc`.
pub(crate) fn lives(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
}
