//! Batteries and UPSes, from the call `power_sources` (IOPowerSources.h, IOPSKeys.h), and what the gauge of a Mac's
//! own battery says beside it: the service `AppleSmartBattery` of the I/O Registry, whose properties have no header.

use crate::question::Question;
use crate::registry::{Property, Service, services};
use door::Doors;
use schema::families::power::{Battery, BatteryState, Description, put_supply};
use schema::unit::{Celsius, Count, Ratio, State, Volts, Watts};
use schema::{Batch, Error};

/// What is asked of a power source.
const SOURCE: &str =
    "Name,Type,Is Present,Current Capacity,Max Capacity,Is Charging,Is Charged,Power Source State";

/// What is asked of the gauge.
const GAUGE: &str = "AppleSmartBattery CycleCount,Voltage,InstantAmperage,Amperage,Temperature,DesignCapacity,\
    AppleRawMaxCapacity,MaxCapacity,DeviceName,Manufacturer";

/// kIOPSInternalBatteryType: the one that the gauge is of.
const INTERNAL: &str = "InternalBattery";

/// Nothing a Mac has flows stronger, in mA, or is under more tension, in mV. The gauge of one that sleeps says what
/// it likes.
const MOST_CURRENT: u64 = 50_000;
const MOST_VOLTAGE: u64 = 60_000;

/// A battery that holds more than one and a half times what it was designed for is a gauge that errs.
const BEST_HEALTH: f64 = 1.5;

pub(super) struct Batteries {
    sources: Question,
    gauge: Question,
    /// What the gauge's battery is, which does not change.
    described: Option<Description>,
}

impl Batteries {
    pub(super) fn new(doors: &Doors) -> Batteries {
        let sources = Question::new(doors, "power_sources", SOURCE);
        Batteries { sources, gauge: Question::new(doors, "registry", GAUGE), described: None }
    }

    /// Puts all that there are, and says how many.
    ///
    /// # Errors
    /// The system did not tell which there are. What the gauge fails to tell is noted instead.
    pub(super) fn collect(&mut self, out: &mut Batch) -> Result<usize, Error> {
        let Batteries { sources, gauge, described } = self;
        let mut count = 0;
        for source in sources.ask(services)? {
            if is(source, "Is Present") == Some(false) {
                continue;
            }
            let Some(name) = string(source, "Name") else { continue };
            let mut battery = Battery { charge: charge(source), state: state(source), ..Battery::default() };
            if string(source, "Type") == Some(INTERNAL) {
                let gauge = out.keep(gauge.ask(services)).and_then(|mut gauges| gauges.next());
                if let Some(gauge) = gauge {
                    battery = gauged(gauge, battery);
                    described.get_or_insert_with(|| description(gauge)).put(name, out);
                }
            }
            battery.put(name, out);
            // The mains are one, whichever battery is asked of them.
            if count == 0
                && let Some(online) = fed(source)
            {
                put_supply("ac", "mains", Some(State(online)), out);
            }
            count += 1;
        }
        Ok(count)
    }
}

fn string<'a>(service: Service<'a>, path: &str) -> Option<&'a str> {
    match service.property(path)? {
        Property::Text(text) => Some(text),
        _ => None,
    }
}

fn is(service: Service<'_>, path: &str) -> Option<bool> {
    match service.property(path)? {
        Property::Truth(truth) => Some(truth),
        Property::Whole(number) => Some(number != 0),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "capacities and currents are far below 2^53")]
fn real(number: u64) -> f64 {
    number as f64
}

/// Both are percent, or both what the battery counts in.
fn charge(source: Service<'_>) -> Option<Ratio> {
    let most = source.count("Max Capacity").filter(|most| *most > 0)?;
    Some(Ratio((real(source.count("Current Capacity")?) / real(most)).min(1.0)))
}

/// Whether the mains feed the machine; None where that is not told (kIOPSOffLineValue).
fn fed(source: Service<'_>) -> Option<bool> {
    match string(source, "Power Source State")? {
        "AC Power" => Some(true),
        "Battery Power" => Some(false),
        _ => None,
    }
}

fn state(source: Service<'_>) -> Option<BatteryState> {
    if is(source, "Is Charging") == Some(true) {
        return Some(BatteryState::Charging);
    }
    match fed(source)? {
        false => Some(BatteryState::Discharging),
        true if is(source, "Is Charged") == Some(true) => Some(BatteryState::Full),
        true => Some(BatteryState::NotCharging),
    }
}

/// The battery with what its gauge says: mV, mA, mAh, hundredths of a degree.
fn gauged(gauge: Service<'_>, battery: Battery) -> Battery {
    let voltage = gauge.count("Voltage").filter(|voltage| (1..=MOST_VOLTAGE).contains(voltage));
    let volts = voltage.map(|voltage| real(voltage) / 1e3);
    Battery {
        health: health(gauge),
        voltage: volts.map(Volts),
        power: volts.zip(amperes(gauge)).map(|(volts, amperes)| Watts(volts * amperes)),
        cycles: gauge.count("CycleCount").map(Count),
        temperature: temperature(gauge),
        ..battery
    }
}

/// What flows, whichever way.
fn amperes(gauge: Service<'_>) -> Option<f64> {
    let property = gauge.property("InstantAmperage").or_else(|| gauge.property("Amperage"));
    match property? {
        Property::Whole(current) => Some(current.unsigned_abs()).filter(|current| *current <= MOST_CURRENT),
        _ => None,
    }
    .map(|milliamperes| real(milliamperes) / 1e3)
}

/// What it holds when full over what it was designed for. `MaxCapacity` is mAh on Intel Macs, and 100 on others.
fn health(gauge: Service<'_>) -> Option<Ratio> {
    let design = gauge.count("DesignCapacity").filter(|design| *design > 0)?;
    let full = match gauge.count("AppleRawMaxCapacity") {
        Some(full) => full,
        None => gauge.count("MaxCapacity").filter(|full| *full > 100)?,
    };
    let health = real(full) / real(design);
    (health > 0.0 && health <= BEST_HEALTH).then_some(Ratio(health))
}

fn temperature(gauge: Service<'_>) -> Option<Celsius> {
    let hundredths = gauge.count("Temperature")?;
    (1..=10_000).contains(&hundredths).then(|| Celsius(real(hundredths) / 100.0))
}

fn description(gauge: Service<'_>) -> Description {
    let text = |path| string(gauge, path).into_iter().collect();
    Description { model: text("DeviceName"), manufacturer: text("Manufacturer"), technology: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Raw;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_properties_are_a_battery_whose_figures_can_be(
            lines in "((Max Capacity|Current Capacity|Voltage|InstantAmperage|DesignCapacity|MaxCapacity|Temperature)=n:-?[0-9]{1,19}\n|Is Charging=b:[01]\n|.{0,6}\n){0,9}",
        ) {
            let text = format!("@ 1 x\n{lines}");
            for service in services(Raw(text.as_bytes())).unwrap() {
                let battery = gauged(service, Battery { charge: charge(service), ..Battery::default() });
                prop_assert!(battery.charge.is_none_or(|charge| (0.0..=1.0).contains(&charge.0)));
                prop_assert!(battery.health.is_none_or(|health| health.0 > 0.0 && health.0 <= 1.5));
                prop_assert!(battery.power.is_none_or(|power| (0.0..=3000.0).contains(&power.0)));
                prop_assert!(battery.temperature.is_none_or(|t| t.0 <= 100.0));
                let _ = state(service);
            }
        }
    }
}
