//! A storm: many requests a second for some seconds, whatever the answers do (an open loop), and what they cost.

use crate::daemon::Daemon;
use crate::http::Client;
use crate::quantile;
use std::time::{Duration, Instant};

/// Requests a second.
const RATE: u32 = 1000;
/// For so long.
const SECONDS: u32 = 5;
/// Connections, each with its share of the requests.
const CONNECTIONS: u32 = 20;

/// Sends the storm and tells what came; true if the budgets are kept.
pub(crate) fn run(daemon: &Daemon) -> Result<(String, bool), String> {
    let told = || "the kernel does not tell its CPU time".to_owned();
    let before = (collections(daemon)?, daemon.cpu_seconds().ok_or_else(told)?);
    let start = Instant::now() + Duration::from_millis(50);
    let parts: Vec<Result<Vec<f64>, String>> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..CONNECTIONS).map(|number| scope.spawn(move || requests(daemon, start, number))).collect();
        let gone = |_| Err("a thread of the storm panicked".to_owned());
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(gone)).collect()
    });
    let seconds = (start.elapsed()).as_secs_f64();
    let after = (daemon.cpu_seconds().ok_or_else(told)?, collections(daemon)?);
    let mut milliseconds: Vec<f64> =
        parts.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    milliseconds.sort_by(f64::total_cmp);
    let p99 = quantile(&milliseconds, 0.99).ok_or("no answer came")?;
    let median = quantile(&milliseconds, 0.5).ok_or("no answer came")?;
    let rate = (after.1 - before.0) / seconds;
    let (cpu, answers) = ((after.0 - before.1) / seconds, milliseconds.len());
    let text = format!(
        "\n{answers} requests in {seconds:.1} s over {CONNECTIONS} connections: {rate:.1} collections a second, \
         latency from when each was due {median:.2} / {p99:.2} ms (median / p99), {:.1} % of a CPU, {:.3} ms a request\n",
        cpu * 100.0,
        cpu * seconds * 1e3 / answers as f64
    );
    // The two that count the collections are collections too.
    Ok((text, rate <= 4.0 + 2.0 / seconds && p99 <= 50.0))
}

/// One connection's requests; how late each answer was, in milliseconds after the request was due.
fn requests(daemon: &Daemon, start: Instant, number: u32) -> Result<Vec<f64>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", daemon.name);
    let mut client = Client::connect(daemon.address).map_err(failed)?;
    let apart = Duration::from_secs(1) * CONNECTIONS / RATE;
    let first = start + apart * number / CONNECTIONS;
    (0..RATE * SECONDS / CONNECTIONS)
        .map(|request| {
            let due = first + apart * request;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            client.scrape(false).map_err(failed)?;
            Ok(due.elapsed().as_secs_f64() * 1e3)
        })
        .collect()
}

/// How often it has measured the machine.
fn collections(daemon: &Daemon) -> Result<f64, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", daemon.name);
    let body = Client::connect(daemon.address).and_then(|mut client| client.scrape(false)).map_err(failed)?;
    let body = String::from_utf8_lossy(&body);
    let line = body.lines().find_map(|line| line.strip_prefix("gauged_collections_total "));
    line.and_then(|value| value.parse().ok()).ok_or_else(|| "no gauged_collections_total".to_owned())
}
