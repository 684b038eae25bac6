//! How warm the machine is: the thermal pressure that the system announces (notify(3),
//! `com.apple.system.thermalpressurelevel` of <libkern/OSThermalNotification.h>), the temperatures and fans of the
//! SMC, and the temperatures of the HID sensors that Macs with Apple silicon have.
//!
//! A sensor of the SMC is named by its key, because what a key measures is told nowhere and is another thing on
//! another chip; HID sensors have names. The two overlap. Of the SMC's keys those are shown by default which begin as
//! those of CPU cores, memory, storage, battery and surroundings do on the Macs that are known: an M4 has 360 in all.
//! Those of an Apple GPU stand in gpu_temperature_celsius and nowhere else. A sensor whose temperature cannot be, because
//! it is off, has none.
//!
//! Not read: IOPMCopyCPUPowerStatus, which Apple silicon does not have, and speeds set for fans.

use crate::question::{Optional, Question};
use crate::raw::{Expected, Raw};
use crate::{hid, smc};
use door::Doors;
use schema::families::thermal::{FAN_SPEED, PRESSURE_STATE, Pressure, Reading, Sensor, TEMPERATURE};
use schema::setting::Kind;
use schema::unit::Rpm;
use schema::{Batch, Collector, Error, Lane, Scrape, Setting, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "thermal",
    about: "thermal pressure, temperatures, fans (notify, SMC, HID sensors)",
    families: &[PRESSURE_STATE.id(), TEMPERATURE.id(), FAN_SPEED.id()],
    default_on: true,
    lane: Lane::Thread,
    settings: &[KEYS],
    open,
};

const KEYS: Setting = Setting {
    key: "collector.thermal.smc-keys",
    kind: Kind::List,
    default: "TA,TB,TC,TG0D,TG0P,TH,TM,TN,TW,Ta,Te,Tf,Tm,Tp,Ts",
    help: "Show the temperatures of the SMC whose keys begin so; T is all of them, some 360.",
};

const LEVEL: &str = "com.apple.system.thermalpressurelevel";

/// Macs have eight at most.
const MOST_FANS: u32 = 16;

/// No fan turns faster: what says so is no reading.
const FASTEST: f64 = 30_000.0;

/// Which keys begin GPUs' temperatures.
pub(crate) const GPU_KEYS: &str = "Tg";

struct Thermal {
    doors: Arc<Doors>,
    pressure: Question,
    smc: smc::Temperatures,
    hid: hid::Temperatures,
    count: Optional,
    /// None until it is known how many there are.
    fans: Option<Vec<(String, Question)>>,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    Ok(Box::new(Thermal {
        pressure: Question::new(doors, "notify_state", LEVEL),
        smc: smc::Temperatures::new(doors, "T", settings.list(&KEYS)),
        hid: hid::Temperatures::new(doors),
        count: Optional::new(doors, "smc", "FNum"),
        fans: None,
        doors: Arc::clone(doors),
    }))
}

impl Collector for Thermal {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        if let Some(pressure) = out.keep(self.pressure.ask(decode)) {
            pressure.put(out);
        }
        self.smc.each(scrape, out, |key, celsius, out| {
            if !key.starts_with(GPU_KEYS) {
                Sensor { chip: "smc", sensor: key }.put(Reading::Temperature(celsius), out);
            }
        });
        self.hid.each(scrape, out, |name, gpu, celsius, out| {
            if !gpu {
                Sensor { chip: "hid", sensor: name }.put(Reading::Temperature(celsius), out);
            }
        });
        if self.fans.is_none() {
            let count = self.count.ask(scrape, smc::number, out);
            self.fans = count.map(|count| fans(&self.doors, count));
        }
        for (key, question) in self.fans.iter_mut().flatten() {
            if let Some(Some(Some(speed))) = out.keep(question.ask_if_there(speed)) {
                Sensor { chip: "smc", sensor: key }.put(Reading::Fan(speed), out);
            }
        }
        Ok(())
    }
}

/// So many fans. A Mac without one says 0.
fn fans(doors: &Doors, count: f64) -> Vec<(String, Question)> {
    let fan = |number: u32| {
        let key = format!("F{number:X}Ac");
        let question = smc::question(doors, &key);
        (key, question)
    };
    (0..MOST_FANS).take_while(|number| f64::from(*number) < count).map(fan).collect()
}

/// A speed that a fan can have; 0 where it stands still.
#[expect(clippy::cast_possible_truncation, reason = "FASTEST is far below 2^64")]
#[expect(clippy::cast_sign_loss, reason = "it is not below 0")]
fn speed(raw: Raw<'_>) -> Result<Option<Rpm>, Expected> {
    let rpm = smc::number(raw)?;
    Ok((0.0..=FASTEST).contains(&rpm).then(|| Rpm(rpm.round() as u64)))
}

/// The numbers of OSThermalPressureLevel, which on macOS go from 0 to 4.
fn decode(raw: Raw<'_>) -> Result<Pressure, Expected> {
    let place = raw.u64(0).and_then(|level| usize::try_from(level).ok());
    let level = place.and_then(|place| Pressure::ALL.get(place));
    level.map(|(pressure, _)| *pressure).ok_or(Expected("a level from 0 to 4"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{entry, replay, second};
    use crate::smc::tests::{float, key, keys};
    use proptest::prelude::*;

    fn pressure(level: u64) -> String {
        entry("notify_state", LEVEL, &level.to_le_bytes())
    }

    const NO_SMC: &str = "== 1 smc_keys T 2\n== 1 smc FNum 2\n";
    const NO_HID: &str = "== 1 hid_temperatures \\x 2\n";
    const NOMINAL: &str = "\
host_thermal_pressure_state{state=\"nominal\"} 1
host_thermal_pressure_state{state=\"moderate\"} 0
host_thermal_pressure_state{state=\"heavy\"} 0
host_thermal_pressure_state{state=\"trapping\"} 0
host_thermal_pressure_state{state=\"sleeping\"} 0
";

    #[test]
    fn a_laptop_with_apple_silicon_shows_its_sensors_and_fans() {
        let machine = [
            pressure(0),
            keys(
                "T",
                &[
                    (b"TB0T", b"flt ", 4),
                    (b"Tg05", b"flt ", 4),
                    (b"Tp01", b"flt ", 4),
                    (b"Tp09", b"flt ", 4),
                    (b"TVER", b"ch8*", 8),
                    (b"TVD0", b"flt ", 4),
                ],
            ),
            float("TB0T", 31.5),
            float("Tp01", 48.25),
            float("Tp09", 6.7),
            entry(
                "hid_temperatures",
                "",
                b"7 51.82000732421875 PMU tcal\n8 32.0 NAND CH0 temp\n9 -9200.0 PMU tdie1\n10 39.0 GPU MTR Temp Sensor1\n",
            ),
            key("FNum", b"ui8 ", &[2]),
            float("F0Ac", 0.0),
            float("F1Ac", 1349.6),
        ]
        .concat();
        let sensors = "\
host_temperature_celsius{chip=\"smc\",sensor=\"TB0T\"} 31.5
host_temperature_celsius{chip=\"smc\",sensor=\"Tp01\"} 48.25
host_temperature_celsius{chip=\"hid\",sensor=\"PMU tcal\"} 51.82000732421875
host_temperature_celsius{chip=\"hid\",sensor=\"NAND CH0 temp\"} 32
host_fan_speed_rpm{chip=\"smc\",sensor=\"F0Ac\"} 0
host_fan_speed_rpm{chip=\"smc\",sensor=\"F1Ac\"} 1350
";
        assert_eq!(replay(&SPEC, &machine), [NOMINAL, sensors].concat());
    }

    #[test]
    fn an_intel_mac_shows_the_numbers_of_its_own_types() {
        let machine = [
            pressure(2),
            keys("T", &[(b"TC0P", b"sp78", 2)]),
            key("TC0P", b"sp78", &[0x32, 0x80]),
            key("FNum", b"ui8 ", &[1]),
            key("F0Ac", b"fpe2", &[0x13, 0x88]),
            NO_HID.to_owned(),
        ]
        .concat();
        let shown = replay(&SPEC, &machine);
        assert!(shown.contains("host_thermal_pressure_state{state=\"heavy\"} 1\n"), "{shown}");
        assert!(shown.contains("state=\"nominal\"} 0\n"), "{shown}");
        assert!(shown.contains("host_temperature_celsius{chip=\"smc\",sensor=\"TC0P\"} 50.5\n"), "{shown}");
        assert!(shown.ends_with("host_fan_speed_rpm{chip=\"smc\",sensor=\"F0Ac\"} 1250\n"), "{shown}");
    }

    #[test]
    fn a_virtual_machine_has_no_sensors_and_that_is_no_failure() {
        assert_eq!(replay(&SPEC, &[&pressure(0), NO_SMC, NO_HID].concat()), NOMINAL);
    }

    #[test]
    fn other_keys_are_shown_to_who_wants_them_but_for_those_of_the_gpu() {
        let keys = keys("T", &[(b"TVD0", b"flt ", 4), (b"Tg05", b"flt ", 4)]);
        let sensors = [float("TVD0", 33.0), float("Tg05", 44.0)].concat();
        let machine = [&pressure(0), &keys, &sensors, "== 1 smc FNum 2\n", NO_HID].concat();
        let mut settings = Settings::default();
        settings.set(KEYS.key, schema::setting::parse(KEYS.kind, "T").unwrap());
        let shown = crate::replay::Replay::set(&SPEC, &machine, &settings).shown();
        assert!(shown.ends_with("0\nhost_temperature_celsius{chip=\"smc\",sensor=\"TVD0\"} 33\n"), "{shown}");
    }

    #[test]
    fn one_source_that_fails_hides_no_other() {
        let refused = "== 1 smc_keys T 1\n== 1 smc FNum 5\n";
        let machine = [&pressure(9), refused, &entry("hid_temperatures", "", b"7 40.0 PMU tcal\n")].concat();
        assert_eq!(
            replay(&SPEC, &machine),
            "\
host_temperature_celsius{chip=\"hid\",sensor=\"PMU tcal\"} 40
item failed: notify_state com.apple.system.thermalpressurelevel: expected a level from 0 to 4
item failed: smc_keys T: Operation not permitted (os error 1)
item failed: smc FNum: Input/output error (os error 5)
"
        );
    }

    #[test]
    fn a_sensor_that_comes_does_not_change_the_names_of_others() {
        let before = entry("hid_temperatures", "", b"7 40.0 tdie\n8 41.0 tdie\n");
        let after = second(&entry("hid_temperatures", "", b"7 40.0 tdie\n8 41.0 tdie\n9 42.0 tdie\n"));
        let machine = [&pressure(0), NO_SMC, &before, &after].concat();
        let mut machine = crate::replay::Replay::open(&SPEC, &machine);
        let first = machine.shown();
        assert!(
            first.ends_with(
                "sensor=\"tdie\"} 40\nhost_temperature_celsius{chip=\"hid\",sensor=\"tdie#2\"} 41\n"
            )
        );
        machine.second_pass();
        let shown = machine.shown();
        assert!(shown.starts_with(&first) && shown.ends_with("sensor=\"tdie#3\"} 42\n"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_level_and_a_speed_or_an_error(bytes: Vec<u8>) {
            let _ = (decode(Raw(&bytes)), speed(Raw(&bytes)));
        }
    }
}
