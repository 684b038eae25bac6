//! How fast the CPUs run, from the policies of `/sys/devices/system/cpu/cpufreq` (the kernel's
//! admin-guide/pm/cpufreq). The CPUs of a policy share one clock, so it is asked once for all of them.
//!
//! `cpuinfo_avg_freq` (Linux 6.16) is what the hardware did. Where there is no such file `scaling_cur_freq` is
//! read, which on x86 is measured too and elsewhere is what was last asked for. Where there is one, only it is: it
//! has nothing to say of CPUs that sleep, and what was asked of them instead would make one series of two things.
//! `cpuinfo_cur_freq`, for root alone and slow, is not read.
//!
//! Some kernels take 10 to 20 ms for each reading. So there is a budget: what was not reached within it is absent
//! in this scrape, and the next one begins there. And above [`MANY`] CPUs nothing is read unless asked for.
//! Governors and the time in each state are not read.

use crate::attribute::{gone, keep_numbered, names, once, removed, silent};
use crate::cpu_list::CpuList;
use crate::scan::{Expected, whole, words};
use door::{Buffer, Doors, File, Root, Shape};
use schema::families::cpu::{FREQUENCY, FREQUENCY_MAX, FREQUENCY_MIN, Frequency};
use schema::setting::Kind;
use schema::unit::Hertz;
use schema::{Batch, Collector, Error, Lane, Scrape, Setting, Settings, Spec};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "cpufreq",
    about: "how fast the CPUs run (/sys/devices/system/cpu/cpufreq)",
    families: &[FREQUENCY.id(), FREQUENCY_MIN.id(), FREQUENCY_MAX.id()],
    default_on: true,
    lane: Lane::Thread,
    settings: &[BUDGET, MANY_CPUS],
    open,
};

const BUDGET: Setting = Setting {
    key: "collector.cpufreq.budget",
    kind: Kind::Span,
    default: "500ms",
    help: "Read frequencies for at most this long; the next scrape goes on where this one ended.",
};

const MANY_CPUS: Setting = Setting {
    key: "collector.cpufreq.many-cpus",
    kind: Kind::Switch,
    default: "false",
    help: "Read frequencies also where more than 64 CPUs are online.",
};

/// More CPUs than this are too many to be asked without being told to.
const MANY: usize = 64;

/// How long a list of policies is good for.
const LISTED: Duration = Duration::from_secs(300);

/// What is kept of the time until the deadline for handing the batch over.
const MARGIN: Duration = Duration::from_millis(50);

const NONE: &str = "the kernel sets no CPU frequencies";

/// Where the CPUs are, below `/sys`.
const CPUS: &str = "devices/system/cpu";

struct Cpufreq {
    doors: Arc<Doors>,
    budget: Duration,
    online: CpuList,
    policies: Vec<Policy>,
    listed: Option<Duration>,
    /// The place of the policy with which the next collection begins.
    next: usize,
    buffer: Buffer,
}

#[derive(Debug)]
struct Policy {
    /// The numbers of its CPUs.
    cpus: Vec<String>,
    /// What was measured where the kernel has that, else what was last asked for.
    current: File,
    min: Option<Hertz>,
    max: Option<Hertz>,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let Some(budget) = settings.span(&BUDGET) else { return Err(Error::Unsupported("no budget")) };
    let mut cpufreq = Cpufreq {
        budget,
        online: CpuList::new(doors.sysfs.file(&format!("{CPUS}/online"), Shape::Attr)),
        policies: Vec::new(),
        listed: None,
        next: 0,
        buffer: Buffer::default(),
        doors: Arc::clone(doors),
    };
    let mut policies = Vec::new();
    names(&doors.sysfs, &format!("{CPUS}/cpufreq"), &mut policies)?;
    keep_numbered(&mut policies, "policy");
    if policies.is_empty() {
        return Err(Error::Unsupported(NONE));
    }
    cpufreq.online.refresh(&mut cpufreq.buffer)?;
    if cpufreq.online.cpus().len() > MANY && !settings.switch(&MANY_CPUS) {
        return Err(Error::Unsupported("more than 64 CPUs; ask for it by --collector.cpufreq.many-cpus"));
    }
    Ok(Box::new(cpufreq))
}

impl Collector for Cpufreq {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let changed = self.online.refresh(&mut self.buffer)?;
        if changed || self.listed.is_none_or(|listed| scrape.now.saturating_sub(listed) >= LISTED) {
            self.listed = None;
            self.policies = list(&self.doors.sysfs, &mut self.buffer, out)?;
            self.listed = Some(scrape.now);
        }
        let count = self.policies.len();
        let Some(first) = self.next.checked_rem(count) else { return Err(Error::Unsupported(NONE)) };
        let clock = &self.doors.clock;
        let end = (clock.now() + self.budget).min(scrape.deadline.saturating_sub(MARGIN));
        let mut reached = 0;
        for step in 0..count {
            let Some(policy) = self.policies.get_mut((first + step) % count) else { continue };
            let mut now = None;
            // One is asked however small the budget is, so that each has its turn.
            if step == 0 || (reached == step && clock.now() < end) {
                reached += 1;
                match policy.read(&mut self.buffer) {
                    Ok(hertz) => now = hertz,
                    Err(error) if gone(&error) => {
                        if removed(&error) {
                            self.listed = None;
                        }
                    }
                    Err(error) => out.fail(error),
                }
            }
            let frequency = Frequency { now, min: policy.min, max: policy.max };
            for cpu in &policy.cpus {
                frequency.put(cpu, out);
            }
        }
        self.next = first + reached;
        Ok(())
    }
}

impl Policy {
    /// The frequency now; None where nobody can tell.
    fn read(&mut self, buffer: &mut Buffer) -> Result<Option<Hertz>, Error> {
        match self.current.read(buffer) {
            Ok(contents) => parse(contents).map_err(|expected| expected.of(&self.current)),
            // The CPUs sleep, or their policy is being changed.
            Err(error) if silent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The policies that have a CPU that is online.
fn list(sysfs: &Root, buffer: &mut Buffer, out: &mut Batch) -> Result<Vec<Policy>, Error> {
    let mut policies = Vec::new();
    names(sysfs, &format!("{CPUS}/cpufreq"), &mut policies)?;
    keep_numbered(&mut policies, "policy");
    let policy = |name: &String| {
        let path = |attribute: &str| format!("{CPUS}/cpufreq/{name}/{attribute}");
        let cpus = out.keep(once(sysfs, &path("affected_cpus"), buffer)).flatten()?;
        let cpus: Vec<_> = cpus_of(cpus).collect();
        if cpus.is_empty() {
            return None;
        }
        let mut limit = |attribute: &str| {
            let file = sysfs.file(&path(attribute), Shape::Attr);
            let value = out.keep(once(sysfs, &path(attribute), buffer)).flatten()?;
            out.keep(parse(value).map_err(|expected| expected.of(&file))).flatten()
        };
        let (min, max) = (limit("cpuinfo_min_freq"), limit("cpuinfo_max_freq"));
        let mut measured = sysfs.file(&path("cpuinfo_avg_freq"), Shape::Attr);
        // An old kernel has no such file, and a processor that does not count its cycles has none either.
        let absent = measured.read(buffer).is_err_and(|error| gone(&error));
        let current = if absent { sysfs.file(&path("scaling_cur_freq"), Shape::Attr) } else { measured };
        Some(Policy { cpus, current, min, max })
    };
    Ok(policies.iter().filter_map(policy).collect())
}

/// The CPUs of a policy: `0 1 2 3`.
fn cpus_of(contents: &[u8]) -> impl Iterator<Item = String> {
    words(contents).filter_map(whole).map(|cpu| cpu.to_string())
}

/// A frequency in kHz. `<unknown>`, and 0 where a driver could not tell, are none.
fn parse(contents: &[u8]) -> Result<Option<Hertz>, Expected> {
    match contents.trim_ascii() {
        b"<unknown>" => Ok(None),
        number => match whole(number).map(|khz| khz.checked_mul(1000)) {
            Some(Some(0)) => Ok(None),
            Some(Some(hertz)) => Ok(Some(Hertz(hertz))),
            _ => Err(Expected { line: 1, what: "a frequency in kHz" }),
        },
    }
}

#[cfg(test)]
mod tests;
