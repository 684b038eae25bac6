//! How well the clock is kept, as the kernel knows it: the call `ntp_adjtime` (<sys/timex.h>). What time it is stands
//! in [`crate::os`].
//!
//! The kernel knows what it is told, and macOS's own timed keeps the clock without telling it: STA_UNSYNC then stays
//! set from the start on, however right the clock is. So nothing is said until somebody (chronyd) has once cleared it.
//! Synchronized is then what it is on Linux: STA_UNSYNC is clear, and the maximum error, which grows without news, is
//! below 16 s. Darwin does not see to the latter itself.

use crate::question::Question;
use crate::raw::{Expected, Raw};
use door::Doors;
use schema::families::clock as family;
use schema::families::clock::Clock;
use schema::unit::{Ratio, Seconds, State};
use schema::{Batch, Collector, Error, Lane, Scrape, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "clock",
    about: "whether the clock is synchronized, and its errors, where the kernel is told (ntp_adjtime, read only)",
    families: &[
        family::SYNCHRONIZED.id(),
        family::OFFSET.id(),
        family::MAX_ERROR.id(),
        family::ESTIMATED_ERROR.id(),
        family::FREQUENCY_ADJUSTMENT.id(),
    ],
    default_on: true,
    lane: Lane::Inline,
    settings: &[],
    open,
};

/// TIME_ERROR: the kernel takes its clock to be wrong.
const TIME_ERROR: i64 = 5;
/// STA_UNSYNC, among the status flags.
const UNSYNCHRONIZED: i64 = 0x0040;
/// STA_NANO: the offset is in nanoseconds, else in microseconds.
const NANOSECONDS: i64 = 0x2000;
/// Beyond this, in microseconds, Linux takes a clock to be unsynchronized.
const MOST_ERROR: i64 = 16_000_000;

struct Kept {
    question: Question,
    /// Somebody has told the kernel how well its clock is kept.
    told: bool,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    Ok(Box::new(Kept { question: Question::new(doors, "ntp_adjtime", ""), told: false }))
}

impl Collector for Kept {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let (clock, told) = self.question.ask(decode)?;
        self.told |= told;
        if !self.told {
            return Err(Error::Unsupported(
                "nobody tells the kernel how well its clock is kept; timed does not",
            ));
        }
        clock.put(out);
        Ok(())
    }
}

/// The clock, and whether the kernel has been told of it.
fn decode(raw: Raw<'_>) -> Result<(Clock, bool), Expected> {
    let word = |place: usize| raw.i64(place * 8);
    let decoded = (|| {
        let (state, status, max_error) = (word(0)?, word(1)?, word(4)?);
        let micros = |micros: i64| micros.checked_mul(1000).map(Seconds::nanos);
        let told = state != TIME_ERROR && status & UNSYNCHRONIZED == 0;
        let clock = Clock {
            synchronized: State(told && max_error < MOST_ERROR),
            offset: if status & NANOSECONDS == 0 { micros(word(2)?)? } else { Seconds::nanos(word(2)?) },
            max_error: micros(max_error)?,
            estimated_error: micros(word(5)?)?,
            frequency_adjustment: Ratio::scaled_ppm(word(3)?),
            // ntp_gettime() has one, and begins at 0 as the kernel of Linux does; nobody on a Mac sets it.
            tai_offset: None,
        };
        Some((clock, told))
    })();
    decoded.ok_or(Expected("six numbers of 64 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Replay, entry, replay, second};
    use proptest::prelude::*;

    fn machine(words: [i64; 6]) -> String {
        entry("ntp_adjtime", "", &words.map(i64::to_le_bytes).concat())
    }

    /// As timed leaves it: an error of half a second, and five hundred millionths of the time since.
    const UNTOLD: [i64; 6] = [5, 0x40, 0, 0, 900_500_000, 500_000];
    /// As chronyd does: nanoseconds; 250 µs behind; made to run 12.5 ppm slower.
    const TOLD: [i64; 6] = [0, 0x2000, 250_000, -819_200, 131_000, 1500];

    #[test]
    fn a_kernel_that_nobody_tells_of_its_clock_knows_nothing_of_it() {
        let shown = replay(&SPEC, &machine(UNTOLD));
        assert_eq!(shown, "failed: nobody tells the kernel how well its clock is kept; timed does not\n");
    }

    #[test]
    fn a_clock_that_is_kept_has_its_errors() {
        assert_eq!(
            replay(&SPEC, &machine(TOLD)),
            "host_clock_synchronized 1\nhost_clock_offset_seconds 0.00025\nhost_clock_max_error_seconds 0.131\n\
             host_clock_estimated_error_seconds 0.0015\nhost_clock_frequency_adjustment_ratio -0.0000125\n"
        );
        let (clock, _) = decode(Raw(&[0, 0, -250, 0, 0, 0].map(i64::to_le_bytes).concat())).unwrap();
        assert_eq!(clock.offset, Seconds(-0.000_25), "in microseconds without STA_NANO");
    }

    #[test]
    fn a_clock_that_is_no_longer_kept_is_not_synchronized() {
        for lost in [UNTOLD, [0, 0x2000, 0, 0, 16_000_000, 1500]] {
            let mut machine = Replay::open(&SPEC, &[machine(TOLD), second(&machine(lost))].concat());
            assert!(machine.shown().starts_with("host_clock_synchronized 1\n"));
            machine.second_pass();
            assert!(machine.shown().starts_with("host_clock_synchronized 0\n"), "{lost:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_clock_or_an_error(bytes: Vec<u8>) {
            let _ = decode(Raw(&bytes));
        }
    }
}
