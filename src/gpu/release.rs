//! `gauged gpu-release`: the daemon lets go of the GPUs' driver, so that a GPU can be reset, a driver updated or a
//! device given to a virtual machine, and comes back by itself.
//!
//! The lease is written first and the daemon told then (SIGUSR1), so that a daemon that misses the signal, or is
//! started later, keeps to it all the same. Only a process is signalled that holds the daemon's pid file locked, by
//! what it wrote and by what the kernel says: a number in a file may be an earlier daemon's, and anybody's by now, or
//! of another PID namespace, where it is somebody else's.

use super::lease::{LONGEST, Lease};
use super::{PID_FILE, PROBE_LOCK};
use crate::remote::lock;
use crate::{machine, runtime};
use rustix::process::{Pid, Signal, kill_process};
use schema::Settings;
use std::path::Path;
use std::time::Duration;

/// How long the probe is waited for: a driver that shuts down takes milliseconds, one that hangs for ever.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked at, and for how long nobody may hold the lock, so that a probe that was being started when
/// the lease was granted is not overlooked.
const LOOK: Duration = Duration::from_millis(20);
const QUIET: u32 = 10;

/// Grants the lease for this long, has the daemon let go, and waits until it has; says what came of it.
///
/// # Errors
/// One line: there is no runtime directory or no daemon, it may not be told, or its probe does not end.
pub fn release(settings: &Settings, span: Duration) -> Result<String, String> {
    let directory = runtime::directory(settings)
        .ok_or("there is no runtime directory, where a lease could be; --path.runtime names one")?;
    let lease = Lease::of(&directory);
    let at = |error| format!("{}: {error}", directory.display());
    let live = machine::live()?;
    if span.is_zero() {
        lease.end().map_err(at)?;
        tell(&directory)?;
        return Ok("the lease is ended; the daemon asks the driver again\n".to_owned());
    }
    if span > LONGEST {
        return Err(format!(
            "a lease of {span:?} is longer than {LONGEST:?}; --no-collector.nvidia is for that"
        ));
    }
    lease.grant((live.boottime)(), span).map_err(at)?;
    tell(&directory).map_err(|why| format!("{why}; the lease stands all the same (--for 0s ends it)"))?;
    wait(&directory.join(PROBE_LOCK), live.boottime)?;
    Ok(format!("released for {span:?}: gauged holds no GPU device open\n"))
}

fn tell(directory: &Path) -> Result<(), String> {
    let path = directory.join(PID_FILE);
    let nobody = || format!("no daemon with the runtime directory {} runs", directory.display());
    let pid = lock::holder(&path).map_err(|error| error.to_string())?.flatten().ok_or_else(nobody)?;
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(nobody)?;
    if !lock::is_held_by(&path, pid.as_raw_nonzero().get()) {
        let why = "is not the one that the kernel knows (another PID namespace?)";
        return Err(format!("the daemon, pid {pid}, {why}: it sees the lease in its next scrape"));
    }
    kill_process(pid, Signal::USR1).map_err(|error| format!("the daemon, pid {pid}, cannot be told: {error}"))
}

fn wait(path: &Path, now: fn() -> Duration) -> Result<(), String> {
    let until = now() + PATIENCE;
    let mut quiet = 0;
    while quiet < QUIET {
        match lock::holder(path).map_err(|error| error.to_string())? {
            None => quiet += 1,
            Some(pid) if now() >= until => {
                let pid = pid.map(|pid| format!(", pid {pid},")).unwrap_or_default();
                return Err(format!("the probe{pid} does not end: it hangs in the driver"));
            }
            Some(_) => quiet = 0,
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}
