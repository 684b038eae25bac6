//! Energy by parts of the chip, from the call `energy`: a line `VALUE UNIT NAME` for each channel of IOReport's
//! "Energy Model". The values go on from the machine's start.
//!
//! A chip of several dies has a channel for each of them: `CPU Energy`, or `DIE_0_CPU Energy` and so on; `DRAM0`, or
//! `DRAM0_0` and so on. A part is its one channel where there is that, and else the sum of its pieces.
//!
//! macOS 27 lets all but the GPU's be counted only for programs of Apple's: for others they stand still. A counter
//! that stands would be read as a part that takes no power, so [`Motion`] says which ones move.

use crate::raw::{Expected, Raw};
use std::time::Duration;

/// The parts of names to ask for, for [`Energy::decode`].
pub(crate) const HOST: &str = "CPU Energy,ANE,DRAM";
/// The same for the GPU alone.
pub(crate) const GPU: &str = "GPU Energy";

/// How long a counter may stand while its part works. The system brings the counters up to date every half second
/// (M1) to every 2.2 s (M5).
const PATIENCE: Duration = Duration::from_mins(1);

/// Energy of a part, as it is added up: in nanojoules.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    whole: Option<u64>,
    pieces: Option<u64>,
    /// A channel of it was not understood, so the rest is not its energy.
    broken: bool,
}

impl Sum {
    fn add(&mut self, whole: bool, nanojoules: Option<u64>) {
        let to = if whole { &mut self.whole } else { &mut self.pieces };
        let sum = nanojoules.and_then(|more| match *to {
            None => Some(more),
            Some(sum) => sum.checked_add(more),
        });
        *to = sum;
        self.broken |= sum.is_none();
    }

    fn nanojoules(self) -> Option<u64> {
        self.whole.or(self.pieces).filter(|_| !self.broken)
    }
}

/// Nanojoules since the machine started, of each part that there is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Energy {
    /// The CPU cores.
    pub(crate) cpu: Option<u64>,
    /// The GPU.
    pub(crate) gpu: Option<u64>,
    /// The neural engine.
    pub(crate) ane: Option<u64>,
    /// Memory.
    pub(crate) dram: Option<u64>,
}

impl Energy {
    /// Decodes an answer; lines that are of no known part are skipped.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub(crate) fn decode(raw: Raw<'_>) -> Result<Energy, Expected> {
        let text = std::str::from_utf8(raw.0).map_err(|_| Expected("UTF-8"))?;
        let [mut cpu, mut gpu, mut ane, mut dram] = [Sum::default(); 4];
        for line in text.lines() {
            let Some((value, rest)) = line.split_once(' ') else { continue };
            let Some((unit, name)) = rest.split_once(' ') else { continue };
            let (name, of_die) = without_die(name);
            let (part, whole) = match name {
                "CPU Energy" => (&mut cpu, !of_die),
                "GPU Energy" => (&mut gpu, !of_die),
                _ => match (piece(name, "ANE"), piece(name, "DRAM")) {
                    (Some(whole), _) => (&mut ane, whole && !of_die),
                    (_, Some(whole)) => (&mut dram, whole && !of_die),
                    _ => continue,
                },
            };
            part.add(whole, nanojoules(value, unit));
        }
        let [cpu, gpu, ane, dram] = [cpu, gpu, ane, dram].map(Sum::nanojoules);
        Ok(Energy { cpu, gpu, ane, dram })
    }
}

/// The name without the die that it may begin with, and whether it did.
fn without_die(name: &str) -> (&str, bool) {
    let die = name.strip_prefix("DIE_").and_then(|rest| rest.split_once('_'));
    match die {
        Some((number, name)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
            (name, true)
        }
        _ => (name, false),
    }
}

/// Whether a name that is this part's is the whole of it; None for a name that is not.
fn piece(name: &str, part: &str) -> Option<bool> {
    let number = name.strip_prefix(part)?;
    number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_').then_some(number.is_empty())
}

fn nanojoules(value: &str, unit: &str) -> Option<u64> {
    let size = match unit {
        "mJ" => 1_000_000,
        // As it is written, and as it may be: with the micro sign, or with the letter.
        "uJ" | "\u{b5}J" | "\u{3bc}J" => 1000,
        "nJ" => 1,
        _ => return None,
    };
    value.parse::<u64>().ok()?.checked_mul(size)
}

/// What is known of a counter's motion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Motion {
    /// It has not moved yet, and may.
    Unknown,
    /// It moves.
    Moves,
    /// It stands, although its part works.
    Stands,
}

/// Watches whether a counter moves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watch {
    last: Option<u64>,
    /// When `last` was read.
    read: Duration,
    /// Since when it has stood while it should have moved.
    standing: Option<Duration>,
    motion: Option<Motion>,
}

impl Watch {
    /// Takes the reading of now. `works` says that the part has worked since the last one: the CPU always has.
    pub(crate) fn follow(&mut self, now: Duration, counter: u64, works: bool) -> Motion {
        let Watch { last, read, standing, motion } = self;
        let mut known = match *motion {
            Some(known) => known,
            None => Motion::Unknown,
        };
        if last.is_some_and(|last| last != counter) {
            known = Motion::Moves;
            *standing = None;
        } else if last.is_some() && works {
            let since = *standing.get_or_insert(*read);
            if now.saturating_sub(since) >= PATIENCE {
                known = Motion::Stands;
            }
        } else {
            *standing = None;
        }
        (*last, *read, *motion) = (Some(counter), now, Some(known));
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(text: &str) -> Energy {
        Energy::decode(Raw(text.as_bytes())).unwrap()
    }

    #[test]
    fn units_are_those_of_each_channel() {
        // The names and units of an M5 Max on macOS 27.
        let text = "7497 mJ CPU Energy\n5 mJ GPU0\n12 mJ ANE0\n34 mJ DRAM0\n9 uJ PCIe Port 0 Energy\n8123456789 nJ GPU Energy\n";
        let energy = decode(text);
        assert_eq!(energy.cpu, Some(7_497_000_000));
        assert_eq!(energy.gpu, Some(8_123_456_789));
        assert_eq!((energy.ane, energy.dram), (Some(12_000_000), Some(34_000_000)));
    }

    #[test]
    fn dies_are_added_up() {
        // The names of an M1 Ultra.
        let text = "1 mJ DIE_0_CPU Energy\n2 mJ DIE_1_CPU Energy\n5 mJ DIE_0_EACC_CPU\n3 mJ ANE0_0\n4 mJ ANE0_1\n\
            5 mJ DRAM0_0\n6 mJ DRAM0_1\n7 mJ GPU SRAM0_0\n8 nJ GPU Energy\n";
        let expected =
            Energy { cpu: Some(3_000_000), gpu: Some(8), ane: Some(7_000_000), dram: Some(11_000_000) };
        assert_eq!(decode(text), expected);
        assert_eq!(decode("1 mJ DIE_0_CPU Energy\n9 mJ CPU Energy\n").cpu, Some(9_000_000), "not twice");
    }

    #[test]
    fn a_part_of_which_a_channel_is_not_understood_is_absent() {
        assert_eq!(decode("1 mJ ANE0_0\n2 kJ ANE0_1\n").ane, None);
        assert_eq!(decode("1 mJ DRAM0_0\n-2 mJ DRAM0_1\n").dram, None);
        assert_eq!(decode("18446744073709551615 mJ CPU Energy\n").cpu, None);
        assert_eq!(decode("5 \u{b5}J ANE0\n").ane, Some(5000));
        assert_eq!(decode("1 mJ DRAMATIC\n1 mJ DIE_x_CPU Energy\n"), Energy::default());
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_counter_that_stands_for_a_minute_while_its_part_works_is_told_apart() {
        let mut watch = Watch::default();
        assert_eq!(watch.follow(at(0), 5, true), Motion::Unknown);
        assert_eq!(watch.follow(at(1), 5, true), Motion::Unknown);
        assert_eq!(watch.follow(at(2), 6, true), Motion::Moves);
        assert_eq!(watch.follow(at(61), 6, true), Motion::Moves);
        assert_eq!(watch.follow(at(62), 6, true), Motion::Stands, "since it was last seen to move");
        assert_eq!(watch.follow(at(63), 7, true), Motion::Moves);
        assert_eq!(watch.follow(at(163), 7, true), Motion::Stands, "scraped seldom");
    }

    #[test]
    fn a_counter_may_stand_while_its_part_does_nothing() {
        let mut watch = Watch::default();
        watch.follow(at(0), 5, false);
        assert_eq!(watch.follow(at(1000), 5, false), Motion::Unknown);
        assert_eq!(watch.follow(at(1030), 5, true), Motion::Unknown);
        assert_eq!(watch.follow(at(1040), 5, false), Motion::Unknown);
        assert_eq!(watch.follow(at(1060), 5, true), Motion::Unknown);
        assert_eq!(watch.follow(at(1100), 5, true), Motion::Stands);
        assert_eq!(watch.follow(at(1200), 5, false), Motion::Stands, "until it moves");
    }

    proptest! {
        #[test]
        fn any_text_is_energy_or_none(text in "([-0-9]{1,21} [munk]J (DIE_[0-9]_)?(CPU Energy|ANE|DRAM)[0-9_]{0,3}\n|.{0,9}\n){0,9}") {
            let _ = decode(&text);
        }

        #[test]
        fn a_counter_that_always_moves_is_never_withdrawn(steps in proptest::collection::vec((1_u64..10_000, 1_u64..9), 1..50)) {
            let (mut watch, mut now, mut counter) = (Watch::default(), 0, 0);
            watch.follow(at(now), counter, true);
            for (seconds, energy) in steps {
                now += seconds;
                counter += energy;
                prop_assert_eq!(watch.follow(at(now), counter, true), Motion::Moves);
            }
        }
    }
}
