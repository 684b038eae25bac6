//! Where the CPUs spend their time: host_processor_info(PROCESSOR_CPU_LOAD_INFO) of <mach/mach_host.h>; and how many
//! of them are online: sysctl(3) `hw.activecpu`.
//!
//! The kernel's order is user, system, idle, nice. Nice is 0 on every Mac, because its scheduler does not count it,
//! and so is not shown. Time in interrupts is in system; there is no iowait and no steal.
//!
//! The kernel answers for every CPU, also for one that is out of use, whose times stand still. One that has 0 in every
//! mode has never run, or its times are not told now: it is not shown, and goes on where it was when they are.

use crate::question::Question;
use crate::raw::{Expected, Raw};
use crate::ticks::{Ticks, none_has_wrapped};
use door::Doors;
use schema::families::cpu::{CPU_SECONDS, CPUS, Times};
use schema::unit::{Count, Seconds};
use schema::{Batch, Collector, Error, Lane, Scrape, Settings, Spec};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "cpu",
    about: "time that each CPU spends in each mode (host_processor_info)",
    families: &[CPU_SECONDS.id(), CPUS.id()],
    default_on: true,
    lane: Lane::Inline,
    settings: &[],
    open,
};

/// Modes that are shown: user, system, idle. They are the first of the four that the kernel has.
const MODES: usize = 3;

/// Bytes of a CPU, and of the count before them.
const CPU_BYTES: usize = 16;
const COUNT_BYTES: usize = 4;

struct Load {
    times: Question,
    online: Question,
    ticks_per_second: u64,
    /// By number; None for a CPU that has not been seen yet.
    cpus: Vec<Option<[Ticks; MODES]>>,
    label: String,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    Ok(Box::new(Load {
        times: Question::new(doors, "processor_cpu_load_info", ""),
        online: Question::sysctl(doors, "hw.activecpu"),
        ticks_per_second: doors.ticks_per_second,
        cpus: Vec::new(),
        label: String::new(),
    }))
}

impl Collector for Load {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Load { times, online, ticks_per_second, cpus, label } = self;
        let none_has_wrapped = none_has_wrapped(ticks(scrape.now, *ticks_per_second));
        if let Some(online) = out.keep(online.ask(count)) {
            out.put(&CPUS, [], online);
        }
        let readings = times.ask(decode)?;
        for (number, reading) in readings.enumerate() {
            if cpus.len() <= number {
                cpus.push(None);
            }
            let (Some(known), Some(reading)) = (cpus.get_mut(number), reading) else { continue };
            let known = known.get_or_insert_with(|| reading.map(|now| Ticks::begin(now, none_has_wrapped)));
            let mut seconds = [Seconds(0.0); MODES];
            for ((seconds, known), now) in seconds.iter_mut().zip(known).zip(reading) {
                *seconds = Seconds::ticks(known.follow(now), *ticks_per_second);
            }
            label.clear();
            // Writing to a String does not fail.
            let _ = write!(label, "{number}");
            let [user, system, idle] = seconds.map(Some);
            Times { user, system, idle, ..Times::default() }.put(label, out);
        }
        Ok(())
    }
}

fn ticks(span: Duration, per_second: u64) -> u64 {
    span.as_secs().saturating_mul(per_second)
}

/// One CPU's ticks; None if they are not told.
type Reading = Option<[u32; MODES]>;

fn count(raw: Raw<'_>) -> Result<Count, Expected> {
    let count = raw.u32(0).filter(|count| *count > 0);
    count.map(|count| Count(count.into())).ok_or(Expected("how many CPUs are online"))
}

/// The number of CPUs, then four words for each, of which none is missing and none too many.
fn decode(raw: Raw<'_>) -> Result<impl Iterator<Item = Reading> + use<'_>, Expected> {
    let wrong = Expected("a count of CPUs and four words for each");
    let cpus = raw.0.get(COUNT_BYTES..).ok_or(wrong)?;
    let (cpus, rest) = cpus.as_chunks::<CPU_BYTES>();
    let count = raw.u32(0).and_then(|count| usize::try_from(count).ok());
    if cpus.is_empty() || count != Some(cpus.len()) || !rest.is_empty() {
        return Err(wrong);
    }
    Ok(cpus.iter().map(|cpu| {
        let cpu = Raw(cpu);
        let ticks = [cpu.word(0)?, cpu.word(1)?, cpu.word(2)?];
        (ticks != [0; MODES] || cpu.word(3)? != 0).then_some(ticks)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Replay, replay, second, word_entry};
    use proptest::prelude::*;

    /// A machine of these CPUs: user, system, idle, nice.
    fn machine(cpus: &[[u32; 4]]) -> String {
        let mut words = vec![u32::try_from(cpus.len()).unwrap()];
        words.extend(cpus.iter().flatten());
        [word_entry("processor_cpu_load_info", "", &words), word_entry("sysctl", "hw.activecpu", &[2])]
            .concat()
    }

    #[test]
    fn a_recorded_machine_gives_its_times() {
        let shown = replay(&SPEC, &machine(&[[1234, 500, 99_000, 0], [7, 8, 100_009, 0]]));
        assert_eq!(
            shown,
            "\
host_cpus 2
host_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 12.34
host_cpu_seconds_total{cpu=\"0\",mode=\"system\"} 5
host_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 990
host_cpu_seconds_total{cpu=\"1\",mode=\"user\"} 0.07
host_cpu_seconds_total{cpu=\"1\",mode=\"system\"} 0.08
host_cpu_seconds_total{cpu=\"1\",mode=\"idle\"} 1000.09
"
        );
    }

    #[test]
    fn a_counter_that_wraps_between_two_scrapes_goes_on() {
        let passes = [machine(&[[u32::MAX, 0, 0, 0]]), second(&machine(&[[99, 0, 0, 0]]))].concat();
        let mut machine = Replay::open(&SPEC, &passes);
        assert!(machine.shown().contains("mode=\"user\"} 42949672.95\n"));
        machine.second_pass();
        assert!(machine.shown().contains("mode=\"user\"} 42949673.95\n"));
    }

    #[test]
    fn a_cpu_whose_times_are_not_told_is_not_shown_and_goes_on_where_it_was() {
        let passes =
            [machine(&[[1, 1, 1, 0], [500, 0, 0, 0]]), second(&machine(&[[1, 1, 1, 0], [0; 4]]))].concat();
        let mut machine = Replay::open(&SPEC, &passes);
        let first = machine.shown();
        assert!(first.contains("cpu=\"1\",mode=\"user\"} 5\n"));
        machine.second_pass();
        let without = machine.shown();
        assert!(without.contains("cpu=\"0\"") && !without.contains("cpu=\"1\""), "{without}");
        machine.first_pass();
        assert_eq!(machine.shown(), first);
    }

    #[test]
    fn a_wrong_count_or_a_torn_cpu_is_an_error() {
        let wrong = "host_cpus 2\n\
                     failed: processor_cpu_load_info: expected a count of CPUs and four words for each\n";
        for words in [
            &[][..],
            &[0],
            &[1],
            &[1, 2, 3, 4],
            &[2, 1, 2, 3, 4],
            &[1, 1, 2, 3, 4, 5],
            &[u32::MAX, 1, 2, 3, 4],
        ] {
            let machine = word_entry("processor_cpu_load_info", "", words);
            let machine = [machine, word_entry("sysctl", "hw.activecpu", &[2])].concat();
            assert_eq!(replay(&SPEC, &machine), wrong);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_cpus_or_an_error(bytes: Vec<u8>) {
            if let Ok(cpus) = decode(Raw(&bytes)) {
                prop_assert_eq!(4 + 16 * cpus.count(), bytes.len());
            }
        }
    }
}
