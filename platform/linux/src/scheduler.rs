//! How long tasks ran on each CPU and how long they waited for it: `/proc/schedstat` of kernels that were built
//! with CONFIG_SCHEDSTATS (Documentation/scheduler/sched-stats.rst). Unlike the rest of that file these three
//! are counted whether or not kernel.sched_schedstats is set.
//!
//! Read are the lines `cpuN` of the versions 14 to 17, for CPUs that are online: their last three numbers are
//! nanoseconds running, nanoseconds waiting and timeslices, behind six others, or nine in version 14. A later
//! kernel that puts more behind them is an error rather than a guess. (Before 2.6.23 times were jiffies, under
//! the same version; gauged does not run on such kernels.) The lines of domains, which are nearly all of the
//! file where there are many CPUs, are passed over.

use crate::per_cpu::{Cpus, PerCpu, name};
use crate::scan::{Expected, lines, whole, words};
use door::{Buffer, Doors, File, Shape};
use schema::families::scheduler::{RUNNING, Scheduled, TIMESLICES, WAITING};
use schema::unit::{Count, Seconds};
use schema::{Batch, Collector, Error, Lane, Scrape, Setting, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "scheduler",
    about: "time that tasks run on each CPU and wait for it (/proc/schedstat)",
    families: &[RUNNING.id(), WAITING.id(), TIMESLICES.id()],
    default_on: true,
    lane: Lane::Inline,
    settings: &[PER_CPU],
    open,
};

const PER_CPU: Setting = PerCpu::setting("collector.scheduler.per-cpu");

/// How many numbers stand on a CPU's line: since version 15, and in version 14.
const NUMBERS: [usize; 2] = [9, 12];

/// What a CPU's line says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counters {
    /// Nanoseconds.
    running: u64,
    /// Nanoseconds.
    waiting: u64,
    timeslices: u64,
}

struct Schedstat {
    file: File,
    buffer: Buffer,
    per_cpu: PerCpu,
    lines: Vec<(u64, Counters)>,
    cpus: Cpus<Counters>,
    label: String,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let mut buffer = Buffer::default();
    let mut file = doors.procfs.file("schedstat", Shape::Table);
    if let Err(error @ Error::Io { .. }) = file.read(&mut buffer) {
        return Err(error.absent_if_missing("the kernel was built without CONFIG_SCHEDSTATS"));
    }
    Ok(Box::new(Schedstat {
        file,
        buffer,
        per_cpu: PerCpu::of(settings, &PER_CPU),
        lines: Vec::new(),
        cpus: Cpus::default(),
        label: String::new(),
    }))
}

impl Collector for Schedstat {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Schedstat { file, buffer, per_cpu, lines, cpus, label } = self;
        parse(file.read(buffer)?, lines).map_err(|expected| expected.of(file))?;
        let each = per_cpu.each(lines.len());
        for (place, (number, counters)) in lines.iter().enumerate() {
            *cpus.at(place, *number) = *counters;
            if each {
                counters.scheduled().put(name(*number, label), out);
            }
        }
        if !each {
            sum(cpus.all()).put("", out);
        }
        Ok(())
    }
}

impl Counters {
    fn scheduled(self) -> Scheduled {
        Scheduled {
            running: Seconds::counted_nanos(self.running),
            waiting: Seconds::counted_nanos(self.waiting),
            timeslices: Count(self.timeslices),
        }
    }
}

/// Added up as seconds, because nanoseconds of a large machine that is short of CPUs fill 64 bits within years.
fn sum<'a>(cpus: impl Iterator<Item = &'a Counters>) -> Scheduled {
    let mut all = Counters::default().scheduled();
    for one in cpus.map(|counters| counters.scheduled()) {
        all.running.0 += one.running.0;
        all.waiting.0 += one.waiting.0;
        all.timeslices.0 = all.timeslices.0.saturating_add(one.timeslices.0);
    }
    all
}

/// Reads the number and counters of each CPU into `into`.
fn parse(contents: &[u8], into: &mut Vec<(u64, Counters)>) -> Result<(), Expected> {
    into.clear();
    for (line, text) in lines(contents) {
        let Some(text) = text.strip_prefix(b"cpu") else { continue };
        let cpu = parse_cpu(text);
        into.push(cpu.ok_or(Expected { line, what: "a CPU's number and nine counters" })?);
    }
    if into.is_empty() { Err(Expected { line: 0, what: "a line for each CPU" }) } else { Ok(()) }
}

fn parse_cpu(text: &[u8]) -> Option<(u64, Counters)> {
    let mut words = words(text);
    let number = whole(words.next()?)?;
    let (mut last, mut seen) = ([0; 3], 0);
    for word in words {
        let [_, before, now] = last;
        last = [before, now, whole(word)?];
        seen += 1;
    }
    let [running, waiting, timeslices] = last;
    NUMBERS.contains(&seen).then_some((number, Counters { running, waiting, timeslices }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Replay, replay};
    use proptest::prelude::*;
    use schema::setting::Value;

    /// Linux 6.8, CPU 1 is offline.
    const V15: &str = "\
version 15
timestamp 4295669731
cpu0 0 0 0 0 0 0 1624589500000 32017250000 482133
domain0 003 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
cpu2 1 0 2 3 4 5 1700000000001 9 482134
domain0 003 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
domain1 fff 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
";

    fn parsed(contents: &[u8]) -> Result<Vec<(u64, Counters)>, Expected> {
        let mut cpus = Vec::new();
        parse(contents, &mut cpus).map(|()| cpus)
    }

    fn machine(pass: u8, contents: &str) -> String {
        format!("== {pass} file proc/schedstat ok text\n{contents}")
    }

    fn set(word: &str) -> Settings {
        let mut settings = Settings::default();
        settings.set(PER_CPU.key, Value::Text(word.to_owned()));
        settings
    }

    #[test]
    fn each_cpu_has_its_number_its_times_and_its_timeslices() {
        let first = Counters { running: 1_624_589_500_000, waiting: 32_017_250_000, timeslices: 482_133 };
        let second = Counters { running: 1_700_000_000_001, waiting: 9, timeslices: 482_134 };
        assert_eq!(parsed(V15.as_bytes()), Ok(vec![(0, first), (2, second)]));
    }

    #[test]
    fn all_versions_are_read() {
        let wanted = Ok(vec![(7, Counters { running: 70, waiting: 80, timeslices: 90 })]);
        for version in [
            "version 14\ntimestamp 1\ncpu7 1 2 3 4 5 6 7 8 9 70 80 90\ndomain0 3 1 2\n",
            "version 15\ntimestamp 1\ncpu7 1 0 3 4 5 6 70 80 90\ndomain0 00000003 1 2\n",
            "version 16\ntimestamp 1\ncpu7 1 0 3 4 5 6 70 80 90\ndomain0 00000003 1 2\n",
            "version 17\ntimestamp 1\ncpu7 1 0 3 4 5 6 70 80 90\ndomain0 SMT 00000003 1 2\n",
        ] {
            assert_eq!(parsed(version.as_bytes()), wanted, "{version}");
        }
    }

    #[test]
    fn a_file_without_cpus_is_an_error() {
        let long = vec![b'd'; 1 << 20];
        for empty in [&b""[..], b"\n", b"version 15\ntimestamp 1\n", b"\0\0", b"\xff\xfe cpu0", &long] {
            assert_eq!(parsed(empty), Err(Expected { line: 0, what: "a line for each CPU" }));
        }
    }

    #[test]
    fn a_torn_line_and_one_of_a_layout_that_nobody_knows_are_errors_that_name_it() {
        for torn in [
            "cpu",
            "cpu1",
            "cpu1 1 2 3 4 5 6 7 8",
            "cpu1 1 2 3 4 5 6 7 8 9 10",
            "cpu1 1 2 3 4 5 6 7 8 9 10 11 12 13",
            "cpu1 1 2 3 4 5 6 -7 8 9",
            "cpu1 1 2 3 4 5 6 7 8 18446744073709551616",
            "cpux 1 2 3 4 5 6 7 8 9",
        ] {
            let contents = format!("version 15\ncpu0 1 2 3 4 5 6 7 8 9\n{torn}\n");
            let wanted = Expected { line: 3, what: "a CPU's number and nine counters" };
            assert_eq!(parsed(contents.as_bytes()), Err(wanted), "{torn}");
        }
    }

    #[test]
    fn a_recorded_machine_gives_seconds() {
        assert_eq!(
            replay(&SPEC, &machine(1, V15)),
            "host_cpu_running_seconds_total{cpu=\"0\"} 1624.5895\n\
             host_cpu_waiting_seconds_total{cpu=\"0\"} 32.01725\n\
             host_cpu_timeslices_total{cpu=\"0\"} 482133\n\
             host_cpu_running_seconds_total{cpu=\"2\"} 1700.000000001\n\
             host_cpu_waiting_seconds_total{cpu=\"2\"} 0.000000009\n\
             host_cpu_timeslices_total{cpu=\"2\"} 482134\n"
        );
    }

    #[test]
    fn many_cpus_are_a_sum_unless_a_setting_asks_for_each() {
        let line = |cpu| format!("cpu{cpu} 0 0 0 0 0 0 1500000000 500000000 2\ndomain0 f 1\n");
        let many = machine(1, &(0..65).map(line).collect::<String>());
        assert_eq!(
            replay(&SPEC, &many),
            "host_cpu_running_seconds_total 97.5\nhost_cpu_waiting_seconds_total 32.5\n\
             host_cpu_timeslices_total 130\n"
        );
        assert_eq!(Replay::set(&SPEC, &many, &set("always")).shown().lines().count(), 65 * 3);
        let few = Replay::set(&SPEC, &machine(1, V15), &set("never")).shown();
        assert!(few.contains("host_cpu_timeslices_total 964267\n"), "{few}");
    }

    #[test]
    fn a_sum_beyond_64_bits_of_nanoseconds_is_no_step_back() {
        let lines = format!("cpu0 0 0 0 0 0 0 {0} {0} {0}\ncpu1 0 0 0 0 0 0 {0} {0} {0}\n", u64::MAX);
        let shown = Replay::set(&SPEC, &machine(1, &lines), &set("never")).shown();
        assert!(shown.starts_with("host_cpu_running_seconds_total 36893488147"), "{shown}");
    }

    #[test]
    fn a_cpu_that_goes_offline_takes_nothing_from_the_sum() {
        let line = |cpu, running| format!("cpu{cpu} 0 0 0 0 0 0 {running}000000000 0 0\n");
        let before = line(0, 10) + &line(1, 20) + &line(2, 30);
        let after = line(0, 11) + &line(2, 32);
        let mut replayed = Replay::set(&SPEC, &(machine(1, &before) + &machine(2, &after)), &set("never"));
        assert!(replayed.shown().starts_with("host_cpu_running_seconds_total 60\n"));
        replayed.second_pass();
        assert!(replayed.shown().starts_with("host_cpu_running_seconds_total 63\n"));
    }

    #[test]
    fn a_kernel_that_does_not_count_it_has_nothing_to_open() {
        let error = Replay::refused(&SPEC, "== 1 file proc/schedstat 2\n");
        assert_eq!(error, Error::Unsupported("the kernel was built without CONFIG_SCHEDSTATS"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_cpus_or_an_error(bytes: Vec<u8>) {
            let _ = parsed(&bytes);
            let _ = parsed(&[b"cpu0 ", &bytes[..]].concat());
        }

        #[test]
        fn any_line_of_a_cpu_is_one_or_an_error(rest in "[ 0-9a-z.-]{0,60}") {
            let _ = parsed(format!("cpu{rest}\n").as_bytes());
        }
    }
}
