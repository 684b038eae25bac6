//! How well the clock is kept, as the kernel knows it: adjtimex(2), read only. What time it is stands in
//! [`crate::os`].
//!
//! Synchronized is what the kernel calls so: neither its state is TIME_ERROR nor STA_UNSYNC set. A daemon
//! that keeps the clock must tell it; chronyd does so only with rtcsync.

use door::{Calls, Doors};
use schema::families::clock as family;
use schema::families::clock::Clock;
use schema::unit::{Ratio, Seconds, State};
use schema::{Batch, Collector, Errno, Error, Lane, Scrape, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "clock",
    about: "whether the clock is synchronized, and its errors (adjtimex, read only)",
    families: &[
        family::SYNCHRONIZED.id(),
        family::OFFSET.id(),
        family::MAX_ERROR.id(),
        family::ESTIMATED_ERROR.id(),
        family::FREQUENCY_ADJUSTMENT.id(),
        family::TAI_OFFSET.id(),
    ],
    default_on: true,
    lane: Lane::Inline,
    settings: &[],
    open,
};

/// TIME_ERROR: the clock is not synchronized.
const TIME_ERROR: i64 = 5;
/// STA_UNSYNC, among the status flags.
const UNSYNCHRONIZED: i64 = 0x0040;
/// STA_NANO: the offset is in nanoseconds, else in microseconds.
const NANOSECONDS: i64 = 0x2000;

struct Adjtimex {
    calls: Calls,
    answer: Vec<u8>,
    /// How errors name the call.
    name: Arc<str>,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    Ok(Box::new(Adjtimex { calls: doors.calls.clone(), answer: Vec::new(), name: "adjtimex".into() }))
}

impl Collector for Adjtimex {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Adjtimex { calls, answer, name } = self;
        let failed = |source| Error::Io { path: Arc::clone(name), source };
        calls.call("adjtimex", &[], answer).map_err(failed)?;
        parse(answer).ok_or_else(|| failed(Errno::IO))?.put(out);
        Ok(())
    }
}

/// The seven words of the call's answer: state, status, offset, frequency, maximum error, estimated error,
/// TAI.
fn parse(answer: &[u8]) -> Option<Clock> {
    let (words, rest) = answer.as_chunks();
    let &[state, status, offset, frequency, max_error, estimated_error, tai] = words else { return None };
    if !rest.is_empty() {
        return None;
    }
    let word = i64::from_le_bytes;
    let micros = |micros: i64| micros.checked_mul(1000).map(Seconds::nanos);
    let [state, status, tai] = [state, status, tai].map(word);
    Some(Clock {
        synchronized: State(state != TIME_ERROR && status & UNSYNCHRONIZED == 0),
        offset: if status & NANOSECONDS == 0 { micros(word(offset))? } else { Seconds::nanos(word(offset)) },
        max_error: micros(word(max_error))?,
        estimated_error: micros(word(estimated_error))?,
        frequency_adjustment: Ratio::scaled_ppm(word(frequency)),
        // The kernel begins at 0, and TAI has not been less than 10 s ahead of UTC since 1972.
        tai_offset: if tai == 0 { None } else { Some(Seconds::whole(i32::try_from(tai).ok()?)) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::replay;
    use proptest::prelude::*;

    fn answer(words: [i64; 7]) -> Vec<u8> {
        words.into_iter().flat_map(i64::to_le_bytes).collect()
    }

    fn clock(words: [i64; 7]) -> Clock {
        parse(&answer(words)).unwrap()
    }

    #[test]
    fn a_clock_kept_by_ntp_is_synchronized_within_its_errors() {
        // STA_PLL and STA_NANO; 250 us behind; made to run 12.5 ppm slower.
        let kept = clock([0, 0x2001, 250_000, -819_200, 131_000, 1500, 37]);
        let wanted = Clock {
            synchronized: State(true),
            offset: Seconds(0.000_25),
            max_error: Seconds(0.131),
            estimated_error: Seconds(0.0015),
            frequency_adjustment: Ratio(-0.000_012_5),
            tai_offset: Some(Seconds(37.0)),
        };
        assert_eq!(kept, wanted);
    }

    #[test]
    fn without_nanoseconds_the_offset_is_in_microseconds() {
        assert_eq!(clock([0, 1, -250, 0, 0, 0, 0]).offset, Seconds(-0.000_25));
    }

    #[test]
    fn either_sign_of_an_unsynchronized_clock_is_enough() {
        assert_eq!(clock([5, 0x2001, 0, 0, 0, 0, 0]).synchronized, State(false));
        assert_eq!(clock([0, 0x40, 0, 0, 0, 0, 0]).synchronized, State(false));
        assert_eq!(clock([1, 0x11, 0, 0, 0, 0, 0]).synchronized, State(true), "a leap second is to come");
    }

    #[test]
    fn a_difference_to_tai_that_nobody_set_is_not_known() {
        assert_eq!(clock([0; 7]).tai_offset, None);
    }

    #[test]
    fn an_answer_of_another_size_or_beyond_reason_is_none() {
        assert_eq!(parse(b""), None);
        assert_eq!(parse(&answer([0; 7])[1..]), None);
        assert_eq!(parse(&[&answer([0; 7])[..], b"x"].concat()), None);
        assert_eq!(parse(&vec![0; 1 << 20]), None);
        assert_eq!(parse(&answer([0, 0, 0, 0, i64::MAX, 0, 0])), None);
    }

    #[test]
    fn a_recorded_machine_gives_its_clock() {
        let hex: String = answer([5, 0x40, 0, 0, 16_000_000, 16_000_000, 0])
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            replay(&SPEC, &format!("== 1 adjtimex \\x ok hex\n{hex}\n")),
            "host_clock_synchronized 0\nhost_clock_offset_seconds 0\nhost_clock_max_error_seconds 16\n\
             host_clock_estimated_error_seconds 16\nhost_clock_frequency_adjustment_ratio 0\n"
        );
    }

    #[test]
    fn a_forbidden_call_is_a_failure_for_want_of_permission() {
        let shown = replay(&SPEC, "== 1 adjtimex \\x 1\n");
        assert_eq!(shown, "failed: adjtimex: Operation not permitted (os error 1)\n");
    }

    proptest! {
        #[test]
        fn any_words_are_a_clock_or_none(words: [i64; 7], bytes: Vec<u8>) {
            let _ = parse(&answer(words));
            let _ = parse(&bytes);
        }
    }
}
