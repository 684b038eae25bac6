//! Load averages, from sysctl(3) `vm.loadavg`: `struct loadavg` of <sys/sysctl.h>, which getloadavg(3) reads too.
//!
//! They count threads that run or want to. Threads that wait for a disk, which Linux counts, are not among them.

use crate::question::Question;
use crate::raw::{Expected, Raw};
use door::Doors;
use schema::families::load::{LOAD1, LOAD5, LOAD15, Load};
use schema::unit::Plain;
use schema::{Batch, Collector, Error, Lane, Scrape, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "load",
    about: "load averages (vm.loadavg)",
    families: &[LOAD1.id(), LOAD5.id(), LOAD15.id()],
    default_on: true,
    lane: Lane::Inline,
    settings: &[],
    open,
};

/// Where `fscale` stands, behind three words and four bytes of padding. It is a C long.
const SCALE: usize = 16;

struct Loadavg(Question);

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    Ok(Box::new(Loadavg(Question::sysctl(doors, "vm.loadavg"))))
}

impl Collector for Loadavg {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        self.0.ask(decode)?.put(out);
        Ok(())
    }
}

fn decode(raw: Raw<'_>) -> Result<Load, Expected> {
    let wrong = Expected("three load averages and their scale");
    let scale = raw.u64(SCALE).and_then(|scale| u32::try_from(scale).ok()).filter(|scale| *scale > 0);
    let average = |place| Some(Plain(f64::from(raw.word(place)?) / f64::from(scale?)));
    match (average(0), average(1), average(2)) {
        (Some(one), Some(five), Some(fifteen)) => Ok(Load { one, five, fifteen }),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{replay, word_entry};
    use proptest::prelude::*;

    /// 2.5, 2.25 and 2 at the kernel's scale of 2^11.
    const WORDS: [u32; 6] = [5120, 4608, 4096, 0, 2048, 0];

    #[test]
    fn a_recorded_machine_gives_its_load() {
        let shown = replay(&SPEC, &word_entry("sysctl", "vm.loadavg", &WORDS));
        assert_eq!(shown, "host_load1 2.5\nhost_load5 2.25\nhost_load15 2\n");
    }

    #[test]
    fn a_torn_answer_or_one_without_a_scale_is_an_error() {
        let wrong = "failed: sysctl vm.loadavg: expected three load averages and their scale\n";
        for words in [&WORDS[..5], &[], &[1, 2, 3, 0, 0, 0], &[1, 2, 3, 0, 2048, 1]] {
            assert_eq!(replay(&SPEC, &word_entry("sysctl", "vm.loadavg", words)), wrong);
        }
        let shown = replay(&SPEC, "== 1 sysctl vm.loadavg 1\n");
        assert_eq!(shown, "failed: sysctl vm.loadavg: Operation not permitted (os error 1)\n");
    }

    proptest! {
        #[test]
        fn any_bytes_are_three_averages_or_an_error(bytes: Vec<u8>) {
            let _ = decode(Raw(&bytes));
        }
    }
}
