//! What each CPU does with received packets: `/proc/net/softnet_stat`, a line of hexadecimal columns for each
//! CPU that is online (net/core/net-procfs.c). The counters are of the whole machine, whatever network
//! namespace asks.
//!
//! Only kernels since 5.10 say whose line it is. Before that lines are in the order of the CPUs that are
//! online, and which those are stands elsewhere; all are then shown as one sum. So they are where there are
//! many CPUs, unless a setting asks for each of them: see [`crate::per_cpu`].
//!
//! The kernel counts in 32 bits, which a busy CPU fills within days. A CPU's own counters are shown as they are;
//! those that are summed are extended: see [`Wide`].

use crate::per_cpu::{Cpus, PerCpu, name};
use crate::scan::{Expected, hex, lines, words};
use crate::wide::Wide;
use door::{Buffer, Doors, File, Shape};
use schema::families::softnet as family;
use schema::families::softnet::Softnet;
use schema::unit::Count;
use schema::{Batch, Collector, Error, Lane, Scrape, Setting, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "softnet",
    about: "packets processed, dropped and left over by each CPU (/proc/net/softnet_stat)",
    families: &[
        family::PROCESSED.id(),
        family::DROPPED.id(),
        family::SQUEEZED.id(),
        family::RECEIVED_RPS.id(),
        family::FLOW_LIMITED.id(),
        family::BACKLOG.id(),
    ],
    default_on: true,
    lane: Lane::Inline,
    settings: &[PER_CPU],
    open,
};

const PER_CPU: Setting = PerCpu::setting("collector.softnet.per-cpu");

/// Where the counters stand: processed, dropped, squeezed, woken by others, limited by flow. Between them are
/// columns that are always 0 by now.
const COUNTERS: [usize; 5] = [0, 1, 2, 9, 10];
/// Where the length of the backlog and the CPU's number stand, since Linux 5.10.
const BACKLOG: usize = 11;
const NUMBER: usize = 12;
/// How many columns the oldest kernels have, and the most that are looked at.
const OLDEST: usize = 9;
const COLUMNS: usize = NUMBER + 1;

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    /// None for a kernel that does not say.
    number: Option<u64>,
    counters: [Option<u64>; COUNTERS.len()],
    backlog: Option<u64>,
}

/// A CPU's part of the sums. Before Linux 5.10 CPUs are known by their line.
#[derive(Clone, Copy, Debug, Default)]
struct Cpu {
    counters: [Option<Wide>; COUNTERS.len()],
}

struct SoftnetStat {
    file: File,
    buffer: Buffer,
    per_cpu: PerCpu,
    lines: Vec<Line>,
    cpus: Cpus<Cpu>,
    label: String,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let mut buffer = Buffer::default();
    let mut file = doors.procfs.file("net/softnet_stat", Shape::Rows);
    if let Err(error @ Error::Io { .. }) = file.read(&mut buffer) {
        return Err(error.absent_if_missing("the kernel has no network"));
    }
    Ok(Box::new(SoftnetStat {
        file,
        buffer,
        per_cpu: PerCpu::of(settings, &PER_CPU),
        lines: Vec::new(),
        cpus: Cpus::default(),
        label: String::new(),
    }))
}

impl Collector for SoftnetStat {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let SoftnetStat { file, buffer, per_cpu, lines, cpus, label } = self;
        parse(file.read(buffer)?, lines).map_err(|expected| expected.of(file))?;
        let numbered = lines.iter().all(|line| line.number.is_some());
        if !numbered && lines.len() != cpus.len() {
            // A CPU came or went, and which of these lines were whose is not known any more. The sums begin
            // again at 0, which costs what was counted since the last scrape and no more.
            cpus.clear();
        }
        let each = numbered && per_cpu.each(lines.len());
        let mut backlog = None;
        for (place, line) in lines.iter().enumerate() {
            let number = match line.number {
                Some(number) => number,
                None => place as u64,
            };
            if each {
                softnet(line.counters, line.backlog).put(name(number, label), out);
            } else {
                cpus.at(place, number).extend(line);
                backlog = sum(backlog, line.backlog);
            }
        }
        if !each {
            let mut sums = [None; COUNTERS.len()];
            for cpu in cpus.all() {
                for (all, one) in sums.iter_mut().zip(cpu.values()) {
                    *all = sum(*all, one);
                }
            }
            softnet(sums, backlog).put("", out);
        }
        Ok(())
    }
}

impl Cpu {
    fn extend(&mut self, line: &Line) {
        for (wide, now) in self.counters.iter_mut().zip(line.counters) {
            if let Some(now) = now {
                wide.get_or_insert_default().extend(now);
            }
        }
    }

    fn values(&self) -> [Option<u64>; COUNTERS.len()] {
        self.counters.map(|wide| wide.map(|wide| wide.value()))
    }
}

fn softnet(counters: [Option<u64>; COUNTERS.len()], backlog: Option<u64>) -> Softnet {
    let [processed, dropped, squeezed, received_rps, flow_limited] = counters.map(|count| count.map(Count));
    Softnet { processed, dropped, squeezed, received_rps, flow_limited, backlog: backlog.map(Count) }
}

/// A part that is not counted adds nothing.
fn sum(all: Option<u64>, one: Option<u64>) -> Option<u64> {
    match (all, one) {
        (Some(all), Some(one)) => Some(all.saturating_add(one)),
        _ => all.or(one),
    }
}

fn parse(contents: &[u8], into: &mut Vec<Line>) -> Result<(), Expected> {
    into.clear();
    for (line, text) in lines(contents) {
        let wrong = Expected { line, what: "a CPU's hexadecimal columns, nine or more" };
        let mut columns = [None; COLUMNS];
        let mut seen = 0;
        for (column, word) in columns.iter_mut().zip(words(text)) {
            *column = Some(hex(word).ok_or(wrong)?);
            seen += 1;
        }
        if seen < OLDEST {
            return Err(wrong);
        }
        let at = |place: usize| columns.get(place).copied().flatten();
        into.push(Line { number: at(NUMBER), counters: COUNTERS.map(at), backlog: at(BACKLOG) });
    }
    if into.is_empty() { Err(Expected { line: 0, what: "a line for each CPU" }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
