//! Which system calls a scrape takes, by strace(1): how many, and which files are opened.

use crate::daemon::Daemon;
use crate::http::Client;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Scrapes under strace.
const SCRAPES: u32 = 5;

/// What strace saw.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Traced {
    /// Calls, of all threads, for one scrape.
    pub(crate) calls_per_scrape: f64,
    /// Files of /proc and /sys that were opened.
    pub(crate) files: Vec<String>,
}

/// Attaches strace for a few scrapes; None where there is none or it may not.
pub(crate) fn trace(daemon: &Daemon) -> Result<Option<Traced>, String> {
    let failed = |error: std::io::Error| format!("{} under strace: {error}", daemon.name);
    let output = std::env::temp_dir().join(format!("gauged-bench-{}.strace", daemon.pid()));
    let mut client = Client::connect(daemon.address).map_err(failed)?;
    client.scrape(false).map_err(failed)?;
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-s", "256", "-o"]).arg(&output).arg("-p").arg(daemon.pid().to_string());
    let Ok(mut strace) = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn() else { return Ok(None) };
    // Attaching says nothing with -qq; half a second is many times what it takes.
    std::thread::sleep(Duration::from_millis(500));
    if matches!(strace.try_wait(), Ok(Some(_))) {
        return Ok(None);
    }
    for _ in 0..SCRAPES {
        client.scrape(false).map_err(failed)?;
        std::thread::sleep(Duration::from_millis(300));
    }
    end(&mut strace);
    let text = std::fs::read(&output).map_err(failed)?;
    let _removed = std::fs::remove_file(&output);
    Ok(Some(read(&String::from_utf8_lossy(&text), SCRAPES)))
}

/// SIGTERM lets strace detach; SIGKILL would leave the daemon stopped.
fn end(strace: &mut Child) {
    let _asked = Command::new("kill").arg(strace.id().to_string()).status();
    let _ended = strace.wait();
    if let Some(words) = strace.stderr.take() {
        BufReader::new(words).lines().for_each(drop);
    }
}

fn read(text: &str, scrapes: u32) -> Traced {
    let mut calls = 0u32;
    let mut files = BTreeSet::new();
    for line in text.lines() {
        let call = line.split_once(' ').map_or(line, |(_thread, call)| call.trim_start());
        if call.starts_with(|c: char| c.is_ascii_alphabetic()) {
            calls += 1;
        }
        if let Some(path) = call.strip_prefix("openat(").and_then(|call| call.split('"').nth(1))
            && (path.starts_with("/proc/") || path.starts_with("/sys/"))
        {
            files.insert(path.to_owned());
        }
    }
    Traced { calls_per_scrape: f64::from(calls) / f64::from(scrapes), files: files.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_resumed_counts_once() {
        let text = "7 read(3,  <unfinished ...>\n8 openat(AT_FDCWD, \"/proc/stat\", O_RDONLY) = 9\n\
                    7 <... read resumed>\"\", 4096) = 0\n7 --- SIGURG {si_signo=SIGURG} ---\n7 +++ exited with 0 +++\n";
        let traced = read(text, 2);
        assert_eq!(traced, Traced { calls_per_scrape: 1.0, files: vec!["/proc/stat".to_owned()] });
    }
}
