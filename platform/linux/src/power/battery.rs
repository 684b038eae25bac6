//! The figures of one battery, from the attributes that its driver has: millionths of watts, volts, watt-hours
//! and ampere-hours, tenths of degrees.
//!
//! How full it is comes from energy, else from charge, else from the percentage that the driver rounds. What it
//! holds when full is an estimate, and a battery can hold more: that is 1, not more. A battery that tells charge
//! and no energy has no energy here: its voltage changes as it empties, so no product of the two is the energy.

use super::is_gone;
use super::supply::is_silent;
use crate::scan::{Expected, whole};
use door::{Buffer, File};
use schema::families::power::{Battery, BatteryState};
use schema::unit::{Celsius, Count, Joules, Ratio, Volts, Watts};
use schema::{Batch, Error};

/// The attributes that are numbers, in the order of [`Readings::numbers`].
const NUMBERS: [&str; 14] = [
    // The first, because an empty bay says 0 and is asked no further.
    "present",
    "capacity",
    "energy_now",
    "energy_full",
    "energy_full_design",
    "charge_now",
    "charge_full",
    "charge_full_design",
    "power_now",
    "current_now",
    "voltage_now",
    "cycle_count",
    "temp",
    // Not a number: its place says that the file `status` is read.
    "status",
];

/// The files of a battery's attributes, those that it has.
#[derive(Debug)]
pub(super) struct Attributes(Vec<(usize, File)>);

/// What a battery said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Readings {
    numbers: [Option<i64>; NUMBERS.len()],
    state: Option<BatteryState>,
}

impl Attributes {
    /// Those that this directory has. What the kernel shows of them in hwmon too is no sensor of the collector
    /// `thermal`.
    pub(super) fn of(listed: &[String], file: impl Fn(&str) -> File) -> Attributes {
        let has = |name: &str| listed.iter().any(|listed| listed == name);
        let energy = has("energy_now") && has("energy_full");
        let wanted = |name: &str| match name {
            "charge_now" | "charge_full" | "charge_full_design" => !energy,
            _ => true,
        };
        let names = NUMBERS.iter().enumerate().filter(|(_, name)| has(name) && wanted(name));
        Attributes(names.map(|(place, name)| (place, file(name))).collect())
    }

    /// Reads them. What the driver does not know now is absent; what it fails to read is noted in `out`. An empty
    /// bay is not asked for more than that.
    ///
    /// # Errors
    /// The battery has gone: not one of them answered. A driver says of single attributes too that there is no
    /// such device, as the kernel's drivers/acpi/battery.c of a power that it does not know.
    pub(super) fn read(
        &mut self,
        buffer: &mut Buffer,
        readings: &mut Readings,
        out: &mut Batch,
    ) -> Result<(), Error> {
        let (mut answered, mut gone) = (false, None);
        for (place, file) in &mut self.0 {
            let contents = match file.read(buffer) {
                Ok(contents) => contents.trim_ascii(),
                Err(error) if is_gone(&error) => {
                    gone = Some(error);
                    continue;
                }
                Err(error) => {
                    answered = true;
                    if !is_silent(&error) {
                        out.fail(error);
                    }
                    continue;
                }
            };
            answered = true;
            if *place == STATUS {
                readings.state = state(contents);
                continue;
            }
            match (signed(contents), readings.numbers.get_mut(*place)) {
                (Ok(number), Some(room)) => *room = Some(number),
                (Err(expected), _) => out.fail(expected.of(file)),
                (Ok(_), None) => {}
            }
            if !readings.is_present() {
                break;
            }
        }
        match gone {
            Some(error) if !answered => Err(error),
            _ => Ok(()),
        }
    }
}

const STATUS: usize = NUMBERS.len() - 1;

impl Readings {
    /// False for a bay without a battery.
    pub(super) fn is_present(&self) -> bool {
        let [present, ..] = self.numbers;
        present != Some(0)
    }

    pub(super) fn battery(&self) -> Battery {
        let [_, capacity, energy, energy_full, energy_design, charge, charge_full, charge_design, rest @ ..] =
            self.numbers;
        let [power, current, voltage, cycles, temperature, _] = rest;
        let whole = ratio(energy, energy_full).or_else(|| ratio(charge, charge_full));
        Battery {
            charge: whole.or_else(|| ratio(capacity, Some(100))).map(|full| Ratio(full.min(1.0))),
            health: ratio(energy_full, energy_design)
                .or_else(|| ratio(charge_full, charge_design))
                .map(Ratio),
            energy: joules(energy),
            energy_full: joules(energy_full),
            energy_design: joules(energy_design),
            power: power
                .map(micro)
                .or_else(|| Some(micro(current?) * micro(voltage?)))
                .map(|w| Watts(w.abs())),
            voltage: voltage.filter(|voltage| *voltage > 0).map(|voltage| Volts(micro(voltage))),
            // Firmware that does not count says 0, or less.
            cycles: cycles.and_then(|cycles| u64::try_from(cycles).ok()).filter(|n| *n > 0).map(Count),
            temperature: temperature.map(tenths),
            state: self.state,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a battery's figures have seven digits")]
fn ratio(part: Option<i64>, of: Option<i64>) -> Option<f64> {
    let (part, of) = (part.filter(|part| *part >= 0)?, of.filter(|of| *of > 0)?);
    Some(part as f64 / of as f64)
}

fn joules(microwatt_hours: Option<i64>) -> Option<Joules> {
    u64::try_from(microwatt_hours?).ok().map(Joules::microwatt_hours)
}

#[expect(clippy::cast_precision_loss, reason = "a battery's figures have seven digits")]
fn micro(number: i64) -> f64 {
    number as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "a temperature has three digits")]
fn tenths(number: i64) -> Celsius {
    Celsius(number as f64 / 10.0)
}

/// A whole number, which may be below nought: drivers tell the direction of a current by its sign.
fn signed(contents: &[u8]) -> Result<i64, Expected> {
    let (digits, negative) = match contents.strip_prefix(b"-") {
        Some(digits) => (digits, true),
        None => (contents, false),
    };
    let number = whole(digits).and_then(|number| i64::try_from(number).ok());
    let number = number.ok_or(Expected { line: 1, what: "a whole number" })?;
    Ok(if negative { -number } else { number })
}

/// None for `Unknown`, and for words of kernels to come.
fn state(word: &[u8]) -> Option<BatteryState> {
    match word {
        b"Charging" => Some(BatteryState::Charging),
        b"Discharging" => Some(BatteryState::Discharging),
        b"Full" => Some(BatteryState::Full),
        b"Not charging" => Some(BatteryState::NotCharging),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(numbers: &[(&str, i64)]) -> Battery {
        let mut readings = Readings::default();
        for (name, number) in numbers {
            readings.numbers[NUMBERS.iter().position(|known| known == name).unwrap()] = Some(*number);
        }
        readings.battery()
    }

    #[test]
    fn energy_is_told_in_joules_and_says_how_full_it_is() {
        let battery = said(&[
            ("capacity", 49),
            ("energy_now", 25_000_000),
            ("energy_full", 50_000_000),
            ("energy_full_design", 57_000_000),
            ("power_now", 7_250_000),
            ("voltage_now", 11_400_000),
            ("cycle_count", 312),
            ("temp", 315),
        ]);
        assert_eq!(battery.charge, Some(Ratio(0.5)));
        assert_eq!(battery.health, Some(Ratio(50.0 / 57.0)));
        assert_eq!(battery.energy, Some(Joules(90_000.0)));
        assert_eq!(battery.energy_design, Some(Joules(205_200.0)));
        assert_eq!((battery.power, battery.voltage), (Some(Watts(7.25)), Some(Volts(11.4))));
        assert_eq!((battery.cycles, battery.temperature), (Some(Count(312)), Some(Celsius(31.5))));
    }

    #[test]
    fn charge_says_how_full_it_is_and_no_energy() {
        let battery = said(&[
            ("charge_now", 3_000_000),
            ("charge_full", 4_000_000),
            ("charge_full_design", 5_000_000),
            ("current_now", -1_500_000),
            ("voltage_now", 12_000_000),
        ]);
        assert_eq!((battery.charge, battery.health), (Some(Ratio(0.75)), Some(Ratio(0.8))));
        assert_eq!((battery.energy, battery.power), (None, Some(Watts(18.0))));
    }

    #[test]
    fn a_percentage_is_better_than_nothing() {
        assert_eq!(said(&[("capacity", 80)]), Battery { charge: Some(Ratio(0.8)), ..Battery::default() });
        assert_eq!(said(&[]), Battery::default());
    }

    #[test]
    fn what_firmware_does_not_know_is_absent() {
        let battery = said(&[
            ("capacity", -1),
            ("energy_now", 5),
            ("energy_full", 0),
            ("cycle_count", 0),
            ("voltage_now", 0),
            ("current_now", 5),
        ]);
        assert_eq!((battery.charge, battery.health), (None, None));
        assert_eq!((battery.cycles, battery.voltage), (None, None));
        assert_eq!(said(&[("cycle_count", -1)]).cycles, None);
    }

    #[test]
    fn a_battery_that_holds_more_than_it_reckons_is_full() {
        assert_eq!(said(&[("energy_now", 51), ("energy_full", 50)]).charge, Some(Ratio(1.0)));
    }

    #[test]
    fn a_number_may_be_below_nought_and_nothing_else() {
        assert_eq!(signed(b"-1500000"), Ok(-1_500_000));
        for wrong in [&b""[..], b"-", b"--1", b"1.5", b"9223372036854775808", b"\xff"] {
            assert!(signed(wrong).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_numbers_are_a_battery(numbers: [Option<i64>; NUMBERS.len()]) {
            let battery = Readings { numbers, state: None }.battery();
            prop_assert!(battery.charge.is_none_or(|charge| (0.0..=1.0).contains(&charge.0)));
            prop_assert!(battery.power.is_none_or(|power| power.0 >= 0.0 && power.0.is_finite()));
        }

        #[test]
        fn any_bytes_are_a_number_or_an_error(bytes: Vec<u8>) {
            let _ = (signed(&bytes), state(&bytes));
        }
    }
}
