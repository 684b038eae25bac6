//! Which values of a driver can be measurements. Drivers answer with all bits set where they know nothing, with
//! figures of a register that was not read, and with a success beside both; what is out of range is not shown, and is
//! counted by [`schema::Batch::reject`].
//!
//! Each function here makes a quantity of a plain number in the driver's unit, or None of one that cannot be.

use schema::unit::{Bytes, BytesPerSecond, Celsius, Count, Hertz, Joules, Ratio, Rpm, Seconds, State, Watts};

/// No board takes 10 kW.
const MOST_MILLIWATTS: u32 = 10_000_000;
/// No part of a GPU runs at 50 GHz. (GDDR6X is told as 10.5, GDDR7 as 14.)
const MOST_MEGAHERTZ: u64 = 50_000;
/// No sensor of a GPU that works is beyond these.
const CELSIUS: std::ops::RangeInclusive<i16> = -50..=200;
/// The driver promises that a fan may be told to run above 100 %, not how far.
const MOST_FAN_PERCENT: u8 = 150;
/// No GPU's memory is beyond 1 PiB.
const MOST_BYTES: u64 = 1 << 50;
/// Energy since a driver was loaded: 10 kW for 30 years.
const MOST_MILLIJOULES: u64 = 10_000_000 * 30 * 366 * 86_400;

/// A part of the time, from percent.
pub(crate) fn percent(n: i128) -> Option<Ratio> {
    u8::try_from(n).ok().filter(|n| *n <= 100).map(|n| Ratio::percent(f64::from(n)))
}

/// A part of the time, from percent with a fraction. GPM computes it from counters that are not read at the same
/// instant, so a little above the whole is the whole.
pub(crate) fn fine_percent(x: f64) -> Option<Ratio> {
    (0.0..=101.0).contains(&x).then(|| Ratio::percent(x.min(100.0)))
}

/// What a fan is told, from percent.
pub(crate) fn fan(n: i128) -> Option<Ratio> {
    u8::try_from(n).ok().filter(|n| *n <= MOST_FAN_PERCENT).map(|n| Ratio::percent(f64::from(n)))
}

/// A fan's speed.
pub(crate) fn rpm(n: i128) -> Option<Rpm> {
    u64::try_from(n).ok().filter(|n| *n <= 100_000).map(Rpm)
}

/// Power, from milliwatts.
pub(crate) fn milliwatts(n: i128) -> Option<Watts> {
    u32::try_from(n).ok().filter(|n| *n < MOST_MILLIWATTS).map(Watts::milliwatts)
}

/// Energy, from millijoules.
pub(crate) fn millijoules(n: i128) -> Option<Joules> {
    counted(n).filter(|n| *n <= MOST_MILLIJOULES).map(Joules::millijoules)
}

/// A temperature or a difference of two.
pub(crate) fn celsius(n: i128) -> Option<Celsius> {
    i16::try_from(n).ok().filter(|n| CELSIUS.contains(n)).map(|n| Celsius(f64::from(n)))
}

/// A temperature of memory. What has no sensor says 0, and the memory of a GPU that runs is never that cold.
pub(crate) fn memory_celsius(n: i128) -> Option<Celsius> {
    celsius(n).filter(|_| n != 0)
}

/// A clock, from megahertz.
pub(crate) fn megahertz(n: i128) -> Option<Hertz> {
    u64::try_from(n).ok().filter(|n| *n < MOST_MEGAHERTZ).and_then(Hertz::megahertz)
}

/// A number that only grows, or a number of things.
pub(crate) fn count(n: i128) -> Option<Count> {
    counted(n).map(Count)
}

/// Bytes counted.
pub(crate) fn bytes(n: i128) -> Option<Bytes> {
    counted(n).map(Bytes)
}

/// Bytes counted, from KiB.
pub(crate) fn kib(n: i128) -> Option<Bytes> {
    counted(n).and_then(Bytes::kib)
}

/// A span counted, from nanoseconds.
pub(crate) fn nanoseconds(n: i128) -> Option<Seconds> {
    counted(n).map(Seconds::counted_nanos)
}

/// The size of a memory, or of a part of it.
pub(crate) fn size(n: u64) -> Option<Bytes> {
    (n <= MOST_BYTES).then_some(Bytes(n))
}

/// A link's speed, from megabytes per second: 10 TB/s at most.
pub(crate) fn megabytes_per_second(n: i128) -> Option<BytesPerSecond> {
    u64::try_from(n).ok().filter(|n| *n <= 10_000_000).and_then(BytesPerSecond::megabytes)
}

/// Yes or no, where it stands as 1 or 0.
pub(crate) fn state(n: i128) -> Option<State> {
    match n {
        0 => Some(State(false)),
        1 => Some(State(true)),
        _ => None,
    }
}

/// Whether there are any of what is counted.
pub(crate) fn any(n: i128) -> Option<State> {
    counted(n).map(|n| State(n > 0))
}

/// A generation of PCIe.
pub(crate) fn generation(n: i128) -> Option<Count> {
    u64::try_from(n).ok().filter(|n| (1..=16).contains(n)).map(Count)
}

/// Lanes of PCIe.
pub(crate) fn lanes(n: i128) -> Option<Count> {
    u64::try_from(n).ok().filter(|n| (1..=32).contains(n)).map(Count)
}

/// All bits set, with and without that of the sign, in 32 or 64 bits; and nothing was counted to 2^63.
fn counted(n: i128) -> Option<u64> {
    u64::try_from(n).ok().filter(|n| *n < i64::MAX.unsigned_abs() && *n != u64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_drivers_say_for_not_knowing_is_no_measurement() {
        for sentinel in [i128::from(u32::MAX), i128::from(u64::MAX), -1, i128::MIN, i128::MAX] {
            assert_eq!(percent(sentinel), None);
            assert_eq!(fan(sentinel), None);
            assert_eq!(rpm(sentinel), None);
            assert_eq!(milliwatts(sentinel), None);
            assert_eq!(millijoules(sentinel), None);
            assert_eq!(megahertz(sentinel), None);
            assert_eq!(count(sentinel), None);
            assert_eq!(bytes(sentinel), None);
            assert_eq!(kib(sentinel), None);
            assert_eq!(nanoseconds(sentinel), None);
            assert_eq!(megabytes_per_second(sentinel), None);
            assert_eq!(state(sentinel), None);
            assert_eq!(super::any(sentinel), None);
            assert_eq!(generation(sentinel), None);
            assert_eq!(lanes(sentinel), None);
        }
        assert_eq!(celsius(i128::from(u32::MAX)), None);
        assert_eq!(size(u64::MAX), None);
        assert_eq!(fine_percent(f64::NAN), None);
        assert_eq!(fine_percent(f64::INFINITY), None);
    }

    #[test]
    fn ranges_end_where_nature_does() {
        assert_eq!((percent(100), percent(101)), (Some(Ratio(1.0)), None));
        assert_eq!((fan(118), fan(151)), (Some(Ratio(1.18)), None));
        assert_eq!((milliwatts(87_880), milliwatts(10_000_000)), (Some(Watts(87.88)), None));
        assert_eq!(
            (celsius(-8), celsius(200), celsius(201)),
            (Some(Celsius(-8.0)), Some(Celsius(200.0)), None)
        );
        assert_eq!((celsius(-50), celsius(-51)), (Some(Celsius(-50.0)), None));
        assert_eq!((memory_celsius(39), memory_celsius(0)), (Some(Celsius(39.0)), None));
        assert_eq!((megahertz(14_001), megahertz(50_000)), (Some(Hertz(14_001_000_000)), None));
        assert_eq!(
            (generation(1), generation(0), lanes(16), lanes(0)),
            (Some(Count(1)), None, Some(Count(16)), None)
        );
        assert_eq!(fine_percent(100.4), Some(Ratio(1.0)), "a little above the whole is the whole");
        assert_eq!((fine_percent(-0.5), fine_percent(140.0)), (None, None));
        assert_eq!((size(1 << 50), size((1 << 50) + 1)), (Some(Bytes(1 << 50)), None));
    }

    proptest! {
        #[test]
        fn no_number_makes_a_ratio_beyond_its_range(n: i128, x: f64) {
            prop_assert!(percent(n).is_none_or(|Ratio(ratio)| (0.0..=1.0).contains(&ratio)));
            prop_assert!(fan(n).is_none_or(|Ratio(ratio)| (0.0..=1.5).contains(&ratio)));
            prop_assert!(fine_percent(x).is_none_or(|Ratio(ratio)| (0.0..=1.0).contains(&ratio)));
        }

        #[test]
        fn what_is_counted_comes_back_as_it_was(n in 0u64..u64::from(u32::MAX)) {
            prop_assert_eq!(count(i128::from(n)), Some(Count(n)));
            prop_assert_eq!(bytes(i128::from(n)), Some(Bytes(n)));
        }
    }
}
