//! The rounds: every daemon scraped in turn, its time, size and CPU noted.

use crate::daemon::Daemon;
use crate::http::Client;
use crate::quantile;
use std::time::{Duration, Instant};

/// How far apart rounds are: a little more than the age up to which gauged shares a snapshot (250 ms).
const APART: Duration = Duration::from_millis(300);

/// Rounds before those that count.
const WARM_UP: u32 = 5;

/// What scrapes of one daemon cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// CPU a scrape, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// The median time of a scrape, in milliseconds.
    pub(crate) median_ms: f64,
    /// The 99th percentile.
    pub(crate) p99_ms: f64,
    /// The body's size.
    pub(crate) bytes: usize,
    /// Series in it; 0 where it is compressed.
    pub(crate) series: usize,
}

/// Scrapes each daemon in turn, this many times.
pub(crate) fn rounds(daemons: &[Daemon], rounds: u32, gzip: bool) -> Result<Vec<Cost>, String> {
    let mut watched =
        daemons.iter().map(|daemon| Watched::new(daemon, gzip)).collect::<Result<Vec<_>, _>>()?;
    for _ in 0..WARM_UP {
        round(&mut watched)?;
    }
    for one in &mut watched {
        one.milliseconds.clear();
        one.cpu_before = one.daemon.cpu_seconds();
    }
    for _ in 0..rounds {
        round(&mut watched)?;
    }
    watched.into_iter().map(|one| one.cost(rounds)).collect()
}

fn round(watched: &mut [Watched<'_>]) -> Result<(), String> {
    for one in watched {
        one.scrape()?;
    }
    std::thread::sleep(APART);
    Ok(())
}

struct Watched<'a> {
    daemon: &'a Daemon,
    client: Client,
    gzip: bool,
    milliseconds: Vec<f64>,
    body: Vec<u8>,
    cpu_before: Option<f64>,
}

impl Watched<'_> {
    fn new(daemon: &Daemon, gzip: bool) -> Result<Watched<'_>, String> {
        let client = Client::connect(daemon.address).map_err(|error| format!("{}: {error}", daemon.name))?;
        Ok(Watched { daemon, client, gzip, milliseconds: Vec::new(), body: Vec::new(), cpu_before: None })
    }

    fn scrape(&mut self) -> Result<(), String> {
        let start = Instant::now();
        self.body =
            self.client.scrape(self.gzip).map_err(|error| format!("{}: {error}", self.daemon.name))?;
        self.milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
        Ok(())
    }

    fn cost(mut self, rounds: u32) -> Result<Cost, String> {
        self.milliseconds.sort_by(f64::total_cmp);
        let told = "the kernel does not tell its CPU time";
        let cpu = self.daemon.cpu_seconds().zip(self.cpu_before).ok_or(told)?;
        Ok(Cost {
            cpu_ms: (cpu.0 - cpu.1) * 1e3 / f64::from(rounds),
            median_ms: quantile(&self.milliseconds, 0.5).ok_or("no round was run")?,
            p99_ms: quantile(&self.milliseconds, 0.99).ok_or("no round was run")?,
            bytes: self.body.len(),
            series: series(&self.body),
        })
    }
}

/// Lines of the text format that are samples.
fn series(body: &[u8]) -> usize {
    let lines = body.split(|byte| *byte == b'\n');
    lines.filter(|line| line.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_no_series() {
        assert_eq!(series(b"# HELP a A.\na 1\nb{c=\"d\"} 2\n"), 2);
    }
}
