//! How this crate's tests make a machine whose helper threads never come back: live doors over a directory of files,
//! and threads that are never run.

use door::{Call, Doors, Live, Paths};
use schema::{Errno, Scrape};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A directory with `proc` and `sys` below it, gone when the test ends.
pub(crate) struct Machine {
    directory: PathBuf,
    pub(crate) doors: Arc<Doors>,
}

struct NoCalls;

impl Call for NoCalls {
    fn call(&self, _: &str, _: &[u8], _: &mut Vec<u8>) -> Result<(), Errno> {
        Err(Errno(38))
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's clock and files")]
impl Machine {
    /// The files with their contents, such as `proc/diskstats`.
    pub(crate) fn new(test: &str, files: &[(&str, &str)]) -> Machine {
        let directory = std::env::temp_dir().join(format!("gauged-{test}-{}", std::process::id()));
        let live = Live {
            call: Box::new(NoCalls),
            boottime: Machine::now,
            // The work is never done and its channels stay open, as with a thread that hangs.
            spawn: |_, work| {
                std::mem::forget(work);
                Ok(())
            },
            numbers: |_, _| Ok(()),
            page_size: 4096,
            ticks_per_second: 100,
        };
        let at = |name: &str| directory.join(name).to_str().unwrap().to_owned();
        let paths = Paths { procfs: at("proc"), sysfs: at("sys"), rootfs: at("root") };
        let machine = Machine { doors: Arc::new(Doors::live(live, &paths)), directory };
        for (path, contents) in files {
            machine.write(path, contents);
        }
        machine
    }

    /// Gives a file these contents.
    pub(crate) fn write(&self, path: &str, contents: &str) {
        let path = self.directory.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }

    pub(crate) fn now() -> Duration {
        static START: Mutex<Option<Instant>> = Mutex::new(None);
        START.lock().unwrap().get_or_insert_with(Instant::now).elapsed()
    }

    /// A scrape of now.
    pub(crate) fn scrape() -> Scrape {
        let now = Machine::now();
        Scrape {
            number: 1,
            now,
            deadline: now + Duration::from_secs(60),
            wall: Duration::from_secs(1000),
            held: false,
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
