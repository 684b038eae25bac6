//! What hwmon's attributes are called, what their numbers mean and which numbers are none (the kernel's
//! hwmon/sysfs-interface).
//!
//! A driver passes on what the chip said, and chips say many things when they have nothing to say. A number
//! that cannot be a reading is rejected here. A wrong one that could be is shown: which sensors of a board are
//! wired to nothing is known to nobody but its maker.

use crate::scan::whole;
use schema::families::thermal::{Limit, Reading};
use schema::unit::{Amperes, Celsius, Rpm, Volts, Watts};

/// What a sensor measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Temperature,
    Fan,
    Power,
    Voltage,
    Current,
}

/// What an attribute says of its sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The reading at this moment.
    Input,
    /// The chip's own average, for power.
    Average,
    /// Its name.
    Label,
    /// A limit of its temperature.
    Limit(Limit),
}

/// What an attribute is by its name, if it is one that is read here: `temp1_crit` is of the sensor `temp1`.
pub(super) fn attribute(name: &str) -> Option<(Kind, &str, What)> {
    let (sensor, what) = name.split_once('_')?;
    let kind = kind(sensor)?;
    let what = match (what, kind) {
        ("input", _) => What::Input,
        ("average", Kind::Power) => What::Average,
        ("label", _) => What::Label,
        ("max", Kind::Temperature) => What::Limit(Limit::Max),
        ("crit", Kind::Temperature) => What::Limit(Limit::Critical),
        ("emergency", Kind::Temperature) => What::Limit(Limit::Emergency),
        ("min", Kind::Temperature) => What::Limit(Limit::LowDegraded),
        ("lcrit", Kind::Temperature) => What::Limit(Limit::LowCritical),
        _ => return None,
    };
    Some((kind, sensor, what))
}

fn kind(sensor: &str) -> Option<Kind> {
    let digits = sensor.trim_start_matches(|c: char| c.is_ascii_lowercase());
    whole(digits.as_bytes())?;
    match sensor.strip_suffix(digits)? {
        "temp" => Some(Kind::Temperature),
        "fan" => Some(Kind::Fan),
        "power" => Some(Kind::Power),
        "in" => Some(Kind::Voltage),
        "curr" => Some(Kind::Current),
        _ => None,
    }
}

/// The number of an attribute, which may have a sign. None for anything else.
pub(super) fn number(contents: &[u8]) -> Option<i64> {
    let text = contents.trim_ascii();
    match text.strip_prefix(b"-") {
        Some(digits) => 0i64.checked_sub_unsigned(whole(digits)?),
        None => i64::try_from(whole(text)?).ok(),
    }
}

/// The reading that this number is; None if it cannot be one.
pub(super) fn reading(kind: Kind, number: i64) -> Option<Reading> {
    match kind {
        Kind::Temperature => celsius(number).map(Reading::Temperature),
        // A counter of 16 bits that saturated; no fan turns 65,535 times a minute.
        Kind::Fan => u64::try_from(number).ok().filter(|rpm| *rpm < 0xffff).map(|rpm| Reading::Fan(Rpm(rpm))),
        // Microwatts. -1 of 32 bits is what a failed call became in some drivers; a megawatt is a plant.
        Kind::Power => {
            (0..1_000_000_000_000).contains(&number).then_some(())?;
            (number != 0xffff_ffff).then(|| Reading::Power(Watts(scaled(number, 1e6))))
        }
        // Millivolts and milliamperes, both signed: of a negative rail, and of a battery that is charged.
        Kind::Voltage => within(number, 10_000_000).map(|n| Reading::Voltage(Volts(scaled(n, 1e3)))),
        Kind::Current => within(number, 100_000_000).map(|n| Reading::Current(Amperes(scaled(n, 1e3)))),
    }
}

/// Millidegrees. Below absolute zero and above 1000 degrees are words of 16 bits that were never a temperature;
/// -128 and 255 degrees are what a byte says for a diode that is not connected.
pub(super) fn celsius(millidegrees: i64) -> Option<Celsius> {
    match millidegrees {
        ..=-273_000 | 1_000_000.. | -128_000 | 255_000..=255_999 => None,
        _ => Some(Celsius(scaled(millidegrees, 1e3))),
    }
}

/// A limit. An upper one at or below freezing is one that was never set.
pub(super) fn limit(limit: Limit, millidegrees: i64) -> Option<Celsius> {
    let upper = matches!(limit, Limit::Max | Limit::Critical | Limit::Emergency);
    if upper && millidegrees <= 0 { None } else { celsius(millidegrees) }
}

fn within(number: i64, most: u64) -> Option<i64> {
    (number.unsigned_abs() < most).then_some(number)
}

#[expect(clippy::cast_precision_loss, reason = "readings are far below 2^53")]
fn scaled(number: i64, unit: f64) -> f64 {
    number as f64 / unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_attribute_is_known_by_its_name() {
        assert_eq!(attribute("temp1_input"), Some((Kind::Temperature, "temp1", What::Input)));
        assert_eq!(
            attribute("temp12_crit"),
            Some((Kind::Temperature, "temp12", What::Limit(Limit::Critical)))
        );
        assert_eq!(attribute("in0_input"), Some((Kind::Voltage, "in0", What::Input)));
        assert_eq!(attribute("power1_average"), Some((Kind::Power, "power1", What::Average)));
        assert_eq!(attribute("fan2_label"), Some((Kind::Fan, "fan2", What::Label)));
        for other in [
            "name",
            "temp1",
            "temp_input",
            "temp1_crit_alarm",
            "temp1_crit_hyst",
            "fan1_max",
            "power1_average_interval",
            "intrusion0_alarm",
            "pwm1",
            "trip_point_0_temp",
            "temp1é_input",
            "temp99999999999999999999_input",
            "_input",
            "",
        ] {
            assert_eq!(attribute(other), None, "{other}");
        }
    }

    #[test]
    fn a_number_may_have_a_sign_and_nothing_else() {
        assert_eq!(number(b"-5000\n"), Some(-5000));
        assert_eq!(number(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(number(b"-9223372036854775808"), Some(i64::MIN));
        for wrong in
            [&b""[..], b"\n", b"--1", b"-", b"+1", b"1.5", b"9223372036854775808", b"N/A", b"\xff", b"1 2"]
        {
            assert_eq!(number(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn numbers_become_base_units() {
        assert_eq!(reading(Kind::Temperature, 45_500), Some(Reading::Temperature(Celsius(45.5))));
        assert_eq!(reading(Kind::Temperature, -40_000), Some(Reading::Temperature(Celsius(-40.0))));
        assert_eq!(reading(Kind::Fan, 0), Some(Reading::Fan(Rpm(0))));
        assert_eq!(reading(Kind::Power, 1_250_000), Some(Reading::Power(Watts(1.25))));
        assert_eq!(reading(Kind::Voltage, -12_000), Some(Reading::Voltage(Volts(-12.0))));
        assert_eq!(reading(Kind::Current, 1500), Some(Reading::Current(Amperes(1.5))));
    }

    #[test]
    fn what_cannot_be_a_reading_is_none() {
        for wrong in
            [-274_000, -273_150, -128_000, 255_000, 255_500, 32_767_000, 65_535_000, i64::MIN, i64::MAX]
        {
            assert_eq!(reading(Kind::Temperature, wrong), None, "{wrong}");
        }
        for (kind, wrong) in [
            (Kind::Fan, -1),
            (Kind::Fan, 65_535),
            (Kind::Power, -1),
            (Kind::Power, 4_294_967_295),
            (Kind::Power, i64::MAX),
            (Kind::Voltage, i64::MIN),
            (Kind::Current, i64::MAX),
        ] {
            assert_eq!(reading(kind, wrong), None, "{kind:?} {wrong}");
        }
    }

    #[test]
    fn a_limit_that_was_never_set_is_none() {
        assert_eq!(limit(Limit::Critical, 100_000), Some(Celsius(100.0)));
        assert_eq!(limit(Limit::Max, 0), None);
        assert_eq!(limit(Limit::Max, 65_261_850), None, "an NVMe disk without a limit");
        assert_eq!(limit(Limit::LowDegraded, -273_150), None);
        assert_eq!(limit(Limit::LowDegraded, 0), Some(Celsius(0.0)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_number_or_none(bytes: Vec<u8>) {
            let _ = number(&bytes);
        }

        #[test]
        fn any_name_is_an_attribute_or_none(name in "[a-z]{0,6}[0-9]{0,3}_?[a-z_]{0,9}") {
            if let Some((_, sensor, _)) = attribute(&name) {
                prop_assert!(name.starts_with(sensor));
            }
        }

        #[test]
        fn a_number_is_read_as_rust_does(n: i64) {
            prop_assert_eq!(number(n.to_string().as_bytes()), Some(n));
            for kind in [Kind::Temperature, Kind::Fan, Kind::Power, Kind::Voltage, Kind::Current] {
                let _ = reading(kind, n);
            }
        }
    }
}
