//! Where the CPUs spend their time, from the `cpuN` lines of `/proc/stat` (proc_stat(5)).
//!
//! CPUs are known by their number, which has gaps where some are offline, never by their place. Time of guests
//! has a family of its own, because the kernel counts it in user and nice already. The line of all CPUs is a sum
//! that a query can make.
//!
//! Kernels count idle and iowait from two sources and sometimes step back by a few ticks; shown as it is, that
//! would be a counter's reset and a spike of hours in every rate. So a step back of less than [`HELD`] seconds
//! is held at the most that was seen; a larger one (a checkpoint restored, a CPU's counters begun anew) is shown.
//! Nothing is remembered of a CPU that has gone offline.

use crate::scan::{Expected, lines, split_once, whole, words};
use door::{Doors, Shape, Shared};
use schema::families::cpu::{CPU_SECONDS, CPUS, GUEST_SECONDS, Times};
use schema::setting::Kind;
use schema::unit::{Count, Seconds};
use schema::{Batch, Collector, Error, Lane, Scrape, Setting, Settings, Spec};
use std::fmt::Write as _;
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "cpu",
    about: "time that each CPU spends in each mode (/proc/stat)",
    families: &[CPU_SECONDS.id(), GUEST_SECONDS.id(), CPUS.id()],
    default_on: true,
    lane: Lane::Inline,
    settings: &[GUEST],
    open,
};

const GUEST: Setting = Setting {
    key: "collector.cpu.guest",
    kind: Kind::Switch,
    default: "true",
    help: "Show the time that CPUs spend in virtual machines of this host.",
};

/// A step back of fewer seconds than this is held.
const HELD: u64 = 3;

/// user, nice, system, idle, iowait, irq, softirq, steal, guest (in user too), guest_nice (in nice too).
const MODES: usize = 10;

/// How many of them every kernel has; iowait to softirq came with 2.6, steal with 2.6.11, guest with 2.6.24 and
/// guest_nice with 2.6.33.
const OLDEST: usize = 4;

/// One CPU's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cpu {
    number: u64,
    /// None for a mode that this kernel does not count.
    ticks: [Option<u64>; MODES],
}

struct Stat {
    stat: Arc<Shared>,
    ticks_per_second: u64,
    /// Whether time of guests is shown.
    guest: bool,
    /// What was shown in the scrape before, and what is read in this one.
    before: Vec<Cpu>,
    now: Vec<Cpu>,
    label: String,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    Ok(Box::new(Stat {
        stat: doors.procfs.shared("stat", Shape::Whole),
        ticks_per_second: doors.ticks_per_second,
        guest: settings.switch(&GUEST),
        before: Vec::new(),
        now: Vec::new(),
        label: String::new(),
    }))
}

impl Collector for Stat {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Stat { stat, ticks_per_second, guest, before, now, label } = self;
        stat.read(scrape.number, |file, contents| {
            parse(contents, now).map_err(|expected| expected.of(file))
        })?;
        let held = ticks_per_second.saturating_mul(HELD);
        for (place, cpu) in now.iter_mut().enumerate() {
            if let Some(before) = find(before, place, cpu.number) {
                cpu.hold(before, held);
            }
            label.clear();
            // Writing to a String does not fail.
            let _ = write!(label, "{}", cpu.number);
            let mut times = cpu.times(*ticks_per_second);
            if !*guest {
                (times.guest_user, times.guest_nice) = (None, None);
            }
            times.put(label, out);
        }
        out.put(&CPUS, [], Count(now.len() as u64));
        std::mem::swap(before, now);
        Ok(())
    }
}

/// The CPU of this number, which mostly stands where it stood.
fn find(cpus: &[Cpu], place: usize, number: u64) -> Option<&Cpu> {
    let there = cpus.get(place).filter(|cpu| cpu.number == number);
    there.or_else(|| cpus.iter().find(|cpu| cpu.number == number))
}

impl Cpu {
    fn hold(&mut self, before: &Cpu, held: u64) {
        for (now, before) in self.ticks.iter_mut().zip(before.ticks) {
            if let (Some(now), Some(before)) = (now, before)
                && *now < before
                && before - *now < held
            {
                *now = before;
            }
        }
    }

    fn times(&self, ticks_per_second: u64) -> Times {
        let seconds = |ticks: Option<u64>| ticks.map(|ticks| Seconds::ticks(ticks, ticks_per_second));
        let [user, nice, system, idle, iowait, irq, softirq, steal, guest_user, guest_nice] =
            self.ticks.map(seconds);
        Times { user, nice, system, idle, iowait, irq, softirq, steal, guest_user, guest_nice }
    }
}

/// Reads the lines of single CPUs into `cpus`. They are the file's first; what follows them is not looked at,
/// because the line of interrupts is long where there are many CPUs.
fn parse(contents: &[u8], cpus: &mut Vec<Cpu>) -> Result<(), Expected> {
    cpus.clear();
    for (line, text) in lines(contents) {
        let Some((name, ticks)) = text.strip_prefix(b"cpu").and_then(|text| split_once(text, b' ')) else {
            break;
        };
        if name.is_empty() {
            continue;
        }
        let number = whole(name).ok_or(Expected { line, what: "the number of a CPU" })?;
        let ticks =
            parse_ticks(ticks).ok_or(Expected { line, what: "a CPU's ticks in four modes or more" })?;
        cpus.push(Cpu { number, ticks });
    }
    if cpus.is_empty() { Err(Expected { line: 0, what: "a line for each CPU" }) } else { Ok(()) }
}

fn parse_ticks(text: &[u8]) -> Option<[Option<u64>; MODES]> {
    let mut ticks = [None; MODES];
    let mut modes = 0;
    for (mode, word) in ticks.iter_mut().zip(words(text)) {
        *mode = Some(whole(word)?);
        modes += 1;
    }
    (modes >= OLDEST).then_some(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Replay, replay};
    use proptest::prelude::*;
    use schema::setting::Value;

    fn parsed(contents: &[u8]) -> Result<Vec<Cpu>, Expected> {
        let mut cpus = Vec::new();
        parse(contents, &mut cpus).map(|()| cpus)
    }

    fn cpu(number: u64, ticks: [u64; MODES]) -> Cpu {
        Cpu { number, ticks: ticks.map(Some) }
    }

    const STAT: &str = "\
cpu  23865 0 9659 323124 922 0 142 944 0 0
cpu0 11441 0 3868 163210 230 0 16 401 0 0
cpu3 12424 0 5791 159913 692 0 126 543 7 0
intr 353320 0 0
ctxt 562593
btime 1795217105
";

    #[test]
    fn each_cpu_has_its_own_number_and_ten_modes() {
        let cpus = parsed(STAT.as_bytes()).unwrap();
        assert_eq!(
            cpus,
            [
                cpu(0, [11441, 0, 3868, 163_210, 230, 0, 16, 401, 0, 0]),
                cpu(3, [12424, 0, 5791, 159_913, 692, 0, 126, 543, 7, 0])
            ]
        );
        let times = cpus[1].times(100);
        assert_eq!((times.user, times.steal), (Some(Seconds(124.24)), Some(Seconds(5.43))));
        assert_eq!((times.guest_user, times.guest_nice), (Some(Seconds(0.07)), Some(Seconds(0.0))));
    }

    #[test]
    fn a_mode_that_an_old_kernel_does_not_count_is_absent() {
        let times = parsed(b"cpu 4 3 2 1\ncpu0 4 3 2 1\n").unwrap()[0].times(1);
        assert_eq!((times.idle, times.iowait, times.steal), (Some(Seconds(1.0)), None, None));
        let times = parsed(b"cpu0 4 3 2 1 9 8 7\n").unwrap()[0].times(1);
        assert_eq!((times.softirq, times.steal), (Some(Seconds(7.0)), None));
        let times = parsed(b"cpu0 4 3 2 1 9 8 7 6 5\n").unwrap()[0].times(1);
        assert_eq!((times.guest_user, times.guest_nice), (Some(Seconds(5.0)), None));
    }

    #[test]
    fn a_file_without_cpus_is_an_error() {
        let wanted = Err(Expected { line: 0, what: "a line for each CPU" });
        let long = vec![b'c'; 1 << 20];
        for empty in
            [&b""[..], b"\n", b"cpu 1 2 3 4\n", b"intr 1\n", b"\0\0\0", b"\xff\xfe cpu0", b"cpu0", &long]
        {
            assert_eq!(parsed(empty), wanted);
        }
    }

    #[test]
    fn a_torn_line_is_an_error_that_names_it() {
        for torn in
            ["cpu1 1 2 3", "cpu1 1 2 -3 4", "cpu1 1 2 3 4 x", "cpu1 1 2 3 99999999999999999999", "cpu1 "]
        {
            let contents = format!("cpu 1 2 3 4\ncpu0 1 2 3 4\n{torn}\n");
            let wanted = Expected { line: 3, what: "a CPU's ticks in four modes or more" };
            assert_eq!(parsed(contents.as_bytes()), Err(wanted), "{torn}");
        }
        let wanted = Expected { line: 1, what: "the number of a CPU" };
        assert_eq!(parsed(b"cpufreq 1 2 3 4\n"), Err(wanted));
    }

    /// A machine whose CPUs have these idle ticks, scrape by scrape.
    fn idle(scrapes: &[&[(u64, u64)]]) -> Vec<Vec<u64>> {
        let (mut before, mut shown) = (Vec::<Cpu>::new(), Vec::new());
        for scrape in scrapes {
            let mut now: Vec<_> = scrape
                .iter()
                .map(|(number, idle)| cpu(*number, [9, 9, 9, *idle, 9, 9, 9, 9, 9, 9]))
                .collect();
            for (place, cpu) in now.iter_mut().enumerate() {
                if let Some(before) = find(&before, place, cpu.number) {
                    cpu.hold(before, 300);
                }
            }
            shown.push(now.iter().filter_map(|cpu| cpu.ticks[3]).collect());
            before = now;
        }
        shown
    }

    #[test]
    fn a_small_step_back_is_held_at_the_most_that_was_seen() {
        assert_eq!(
            idle(&[&[(0, 1000)], &[(0, 900)], &[(0, 701)], &[(0, 999)], &[(0, 1001)]]),
            [[1000], [1000], [1000], [1000], [1001]]
        );
    }

    #[test]
    fn a_step_back_of_three_seconds_is_a_reset() {
        assert_eq!(
            idle(&[&[(0, 1000)], &[(0, 701)], &[(0, 700)], &[(0, 750)]]),
            [[1000], [1000], [700], [750]]
        );
    }

    #[test]
    fn a_cpu_that_went_offline_begins_anew() {
        let with = &[(0, 500), (1, 1000), (2, 2000)][..];
        let without = &[(0, 500), (2, 1990)][..];
        let back = &[(0, 500), (1, 950), (2, 2001)][..];
        assert_eq!(
            idle(&[with, without, back]),
            [vec![500, 1000, 2000], vec![500, 2000], vec![500, 950, 2001]]
        );
    }

    #[test]
    fn a_recorded_machine_gives_its_times() {
        let shown = replay(&SPEC, &format!("== 1 file proc/stat ok text\n{STAT}"));
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines.len(), 21);
        assert_eq!(lines[0], "host_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 114.41");
        assert_eq!(lines[13], "host_cpu_seconds_total{cpu=\"3\",mode=\"idle\"} 1599.13");
        assert_eq!(lines[18], "host_cpu_guest_seconds_total{cpu=\"3\",mode=\"user\"} 0.07");
        assert_eq!(lines[19], "host_cpu_guest_seconds_total{cpu=\"3\",mode=\"nice\"} 0");
        assert_eq!(lines[20], "host_cpus 2");
    }

    #[test]
    fn time_of_guests_can_be_left_out() {
        let mut settings = Settings::default();
        settings.set(GUEST.key, Value::Switch(false));
        let machine = format!("== 1 file proc/stat ok text\n{STAT}");
        let shown = Replay::set(&SPEC, &machine, &settings).shown();
        assert_eq!(shown.lines().count(), 17);
        assert!(!shown.contains("guest"), "{shown}");
    }

    #[test]
    fn what_was_shown_is_held_from_scrape_to_scrape() {
        let mut machine = Replay::open(
            &SPEC,
            "== 1 file proc/stat ok text\ncpu0 1 2 3 400\n== 2 file proc/stat ok text\ncpu0 1 2 3 390\n",
        );
        assert!(machine.shown().contains("mode=\"idle\"} 4\n"));
        machine.second_pass();
        assert!(machine.shown().contains("mode=\"idle\"} 4\n"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_cpus_or_an_error(bytes: Vec<u8>) {
            let _ = parsed(&bytes);
        }

        #[test]
        fn any_line_of_a_cpu_is_one_or_an_error(rest in "[ 0-9a-z.-]{0,60}") {
            let _ = parsed(format!("cpu{rest}\n").as_bytes());
        }
    }
}
