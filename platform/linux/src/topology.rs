//! What the CPUs are, which of them are online, and what heat cost them: `/sys/devices/system/cpu` (the kernel's
//! ABI/testing/sysfs-devices-system-cpu, admin-guide/cputopology) and the models in `/proc/cpuinfo`.
//!
//! In each scrape two lists of CPUs are read and a counter for each core and package: masks and counters of the
//! kernel's own, printed without a lock (show_cpus_attr in drivers/base/cpu.c, therm_throt_device_show_* in
//! arch/x86/kernel/cpu/mce/therm_throt.c), so they are read on the scraping thread. What a CPU is is read once, and
//! anew when a list has changed or a minute after something could not be read. That is some hundred files of the same
//! kind, and on kernels before 5.18 the text of cpuinfo takes 10 ms and an interrupt of each CPU: a scrape that is so
//! much slower each time a CPU comes or goes costs less than a thread that is woken for two short lists in all others.
//!
//! Whether a CPU is online stands in the list and not in its own `online`, which CPU 0 mostly lacks and which
//! waits for a lock while the CPU goes. Counters of throttling are of the core or package and shown by each of
//! its CPUs; one of them is asked. Memory nodes and caches are not read.

mod cores;
mod cpuinfo;
mod identity;
mod parts;

use crate::attribute::{gone, once, silent};
use crate::cpu_list::CpuList;
use crate::scan::{Expected, whole};
use door::{Buffer, Doors, File, Root, Shape};
use identity::Cpu;
use schema::families::cpu::{
    CORE_THROTTLES, CPU_INFO, ONLINE, PACKAGE_THROTTLE_SECONDS, PACKAGE_THROTTLES, Throttled, put_online,
};
use schema::unit::{Count, Seconds};
use schema::{Batch, Collector, Error, Lane, Scrape, Settings, Spec};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "topology",
    about: "what each CPU is, whether it is online, throttling by heat (/sys/devices/system/cpu)",
    families: &[
        CPU_INFO.id(),
        ONLINE.id(),
        CORE_THROTTLES.id(),
        PACKAGE_THROTTLES.id(),
        PACKAGE_THROTTLE_SECONDS.id(),
    ],
    default_on: true,
    lane: Lane::Inline,
    settings: &[],
    open,
};

/// How long what could not be read is left alone: most of it costs what reading all of it costs.
const RETRY: Duration = Duration::from_secs(60);

/// Where the CPUs are, below `/sys`.
const CPUS: &str = "devices/system/cpu";

struct Topology {
    doors: Arc<Doors>,
    online: CpuList,
    present: CpuList,
    /// True while what follows is not of these lists.
    stale: bool,
    /// When to look again for what could not be read, since boot.
    again: Option<Duration>,
    cpus: Vec<Cpu>,
    counters: Vec<Counter>,
    buffer: Buffer,
}

/// A file that counts throttling, and of what.
#[derive(Debug)]
struct Counter {
    file: File,
    counts: Counts,
    package: String,
    core: String,
}

#[derive(Clone, Copy, Debug)]
enum Counts {
    Core,
    Package,
    PackageMilliseconds,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    let list = |name: &str| CpuList::new(doors.sysfs.file(&format!("{CPUS}/{name}"), Shape::Attr));
    Ok(Box::new(Topology {
        online: list("online"),
        present: list("present"),
        stale: true,
        again: None,
        cpus: Vec::new(),
        counters: Vec::new(),
        buffer: Buffer::default(),
        doors: Arc::clone(doors),
    }))
}

impl Collector for Topology {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let absent = |error: Error| error.absent_if_missing("no list of CPUs");
        self.stale |= self.online.refresh(&mut self.buffer).map_err(absent)?;
        self.stale |= self.present.refresh(&mut self.buffer).map_err(absent)?;
        self.stale |= self.again.is_some_and(|again| scrape.now >= again);
        if self.stale {
            let before = failures(out);
            let Topology { doors, online, present, buffer, .. } = self;
            self.cpus = identity::read(doors, online, present, buffer, out);
            self.counters = counters(&doors.sysfs, &self.cpus, buffer, out);
            self.again = (failures(out) > before).then(|| scrape.now + RETRY);
            self.stale = false;
        }
        for cpu in &self.cpus {
            put_online(&cpu.label, cpu.online, out);
            if cpu.online {
                cpu.identity().put(&cpu.label, out);
            }
        }
        for counter in &mut self.counters {
            counter.put(&mut self.buffer, out);
        }
        Ok(())
    }
}

/// How many failures are noted so far.
fn failures(out: &Batch) -> u64 {
    out.failed().map(|(_, times)| u64::from(times)).sum()
}

impl Counter {
    fn put(&mut self, buffer: &mut Buffer, out: &mut Batch) {
        let Counter { file, counts, package, core } = self;
        let contents = match file.read(buffer) {
            // A CPU that has just gone offline; the list will say so next time. Its file is then empty or gone.
            Ok(b"") => return,
            Err(error) if gone(&error) || silent(&error) => return,
            read => out.keep(read),
        };
        let Some(contents) = contents else { return };
        match whole(contents.trim_ascii()) {
            Some(n) => match counts {
                Counts::Core => Throttled::Core { package, core, times: Count(n) },
                Counts::Package => Throttled::Package { package, times: Count(n) },
                Counts::PackageMilliseconds => {
                    Throttled::PackageTime { package, time: Seconds::ticks(n, 1000) }
                }
            }
            .put(out),
            None => out.fail(Expected { line: 1, what: "a number" }.of(file)),
        }
    }
}

/// The counters of throttling, one for each core and two for each package. A machine has them on all CPUs or,
/// without an Intel processor, on none.
fn counters(sysfs: &Root, cpus: &[Cpu], buffer: &mut Buffer, out: &mut Batch) -> Vec<Counter> {
    let path = |cpu: &Cpu, name: &str| format!("{CPUS}/cpu{}/thermal_throttle/{name}", cpu.label);
    let mut has = |cpu: &Cpu, name: &str| out.keep(once(sysfs, &path(cpu, name), buffer)).flatten().is_some();
    let Some(first) = cpus.iter().find(|cpu| cpu.online) else { return Vec::new() };
    let files = [
        ("core_throttle_count", Counts::Core),
        ("package_throttle_count", Counts::Package),
        ("package_throttle_total_time_ms", Counts::PackageMilliseconds),
    ]
    .map(|(name, counts)| has(first, name).then_some((name, counts)));
    let mut seen = BTreeSet::new();
    let mut counters = Vec::new();
    for cpu in cpus.iter().filter(|cpu| cpu.online && !cpu.package.is_empty()) {
        for (name, counts) in files.iter().copied().flatten() {
            let core = if matches!(counts, Counts::Core) { cpu.core.as_str() } else { "" };
            if seen.insert((name, cpu.package.as_str(), core)) {
                counters.push(Counter {
                    file: sysfs.file(&path(cpu, name), Shape::Attr),
                    counts,
                    package: cpu.package.clone(),
                    core: core.to_owned(),
                });
            }
        }
    }
    counters
}

#[cfg(test)]
mod tests;
