//! Sensors of the machine: temperatures with their limits, fans, power, voltage, current.

use crate::unit::{Amperes, Celsius, Info, Rpm, State, Volts, Watts};
use crate::{Batch, families};

families! {
    /// Temperature that a sensor tells. Being asked keeps some disks that rotate from spinning down; how often they
    /// are asked can be set, and in between they have none.
    TEMPERATURE: gauge<Celsius> = "host_temperature_celsius" { chip, sensor } on [Linux, Macos] since "0.1.0";

    /// A temperature at which the hardware, or who set it up, sees trouble: limit is max, critical, emergency,
    /// low.degraded or low.critical. Read with the first reading of the sensor and then once an hour, because some
    /// devices are slow to tell.
    TEMPERATURE_LIMIT: gauge<Celsius> = "host_temperature_limit_celsius" { chip, sensor, limit }
        on [Linux] since "0.1.0";

    /// Speed of a fan. 0 for a fan that stands still.
    FAN_SPEED: gauge<Rpm> = "host_fan_speed_rpm" { chip, sensor } on [Linux, Macos] since "0.1.0";

    /// Power that a sensor tells: at this moment, or where the chip tells no such thing, its own short average.
    /// One may be part of another, so a sum means nothing.
    POWER: gauge<Watts> = "host_sensor_power_watts" { chip, sensor } on [Linux] since "0.1.0";

    /// Voltage that a sensor tells.
    VOLTAGE: gauge<Volts> = "host_sensor_voltage_volts" { chip, sensor } on [Linux] since "0.1.0";

    /// Current that a sensor tells.
    CURRENT: gauge<Amperes> = "host_sensor_current_amperes" { chip, sensor } on [Linux] since "0.1.0";

    /// What a sensor is called: chip_name by its driver, label by its driver or firmware. It is also there while
    /// the sensor tells nothing, for example because its device sleeps. The label chip of thermal zones, NVMe
    /// controllers, SCSI disks and chips on I2C has a number that may be another after a boot; select those by
    /// chip_name and label.
    SENSOR_INFO: info<Info> = "host_sensor_info" { chip, sensor, chip_name, label }
        on [Linux] since "0.1.0";

    /// 1 for how much the system slows the machine because it is warm: nominal (not at all), moderate, heavy, trapping
    /// (it is about to sleep or turn off) or sleeping; 0 for the others.
    PRESSURE_STATE: gauge<State> = "host_thermal_pressure_state" { state } on [Macos] since "0.2.0";
}

/// Which sensor, in every family of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sensor<'a> {
    /// The chip: on macOS smc or hid, on Linux by its place among the devices. That stays the same from boot to boot, except where the
    /// kernel numbers devices as it finds them: thermal zones, NVMe controllers, buses of I2C, SCSI hosts.
    pub chip: &'a str,
    /// The sensor on the chip: on macOS the key of the SMC, or the name that a sensor has there.
    pub sensor: &'a str,
}

/// What a sensor tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// A temperature.
    Temperature(Celsius),
    /// The speed of a fan.
    Fan(Rpm),
    /// Power.
    Power(Watts),
    /// Voltage.
    Voltage(Volts),
    /// Current.
    Current(Amperes),
}

/// Which limit of a temperature, in OpenTelemetry's words where it has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// The most that is fine.
    Max,
    /// Damage or a shutdown is near.
    Critical,
    /// Beyond critical: the machine is turned off.
    Emergency,
    /// The least that is fine.
    LowDegraded,
    /// Too cold to work.
    LowCritical,
}

impl Limit {
    /// The label value.
    pub const fn word(self) -> &'static str {
        match self {
            Limit::Max => "max",
            Limit::Critical => "critical",
            Limit::Emergency => "emergency",
            Limit::LowDegraded => "low.degraded",
            Limit::LowCritical => "low.critical",
        }
    }
}

impl Sensor<'_> {
    /// The only writer of the families of readings.
    pub fn put(&self, reading: Reading, out: &mut Batch) {
        let labels = [self.chip, self.sensor];
        match reading {
            Reading::Temperature(celsius) => out.put(&TEMPERATURE, labels, celsius),
            Reading::Fan(rpm) => out.put(&FAN_SPEED, labels, rpm),
            Reading::Power(watts) => out.put(&POWER, labels, watts),
            Reading::Voltage(volts) => out.put(&VOLTAGE, labels, volts),
            Reading::Current(amperes) => out.put(&CURRENT, labels, amperes),
        }
    }

    /// The only writer of [`TEMPERATURE_LIMIT`].
    pub fn put_limit(&self, limit: Limit, celsius: Celsius, out: &mut Batch) {
        out.put(&TEMPERATURE_LIMIT, [self.chip, self.sensor, limit.word()], celsius);
    }

    /// The only writer of [`SENSOR_INFO`]; an empty text where there is no such name.
    pub fn put_info(&self, chip_name: &str, label: &str, out: &mut Batch) {
        out.put(&SENSOR_INFO, [self.chip, self.sensor, chip_name, label], Info);
    }
}

/// How much the system slows the machine because it is warm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressure {
    /// Not at all.
    Nominal,
    /// A little.
    Moderate,
    /// Much.
    Heavy,
    /// As much as there is: next it sleeps or turns off.
    Trapping,
    /// It sleeps because of it.
    Sleeping,
}

impl Pressure {
    /// Every state with its label value, in macOS's order.
    pub const ALL: [(Pressure, &'static str); 5] = [
        (Pressure::Nominal, "nominal"),
        (Pressure::Moderate, "moderate"),
        (Pressure::Heavy, "heavy"),
        (Pressure::Trapping, "trapping"),
        (Pressure::Sleeping, "sleeping"),
    ];

    /// The only writer of [`PRESSURE_STATE`].
    pub fn put(self, out: &mut Batch) {
        for (state, word) in Pressure::ALL {
            out.put(&PRESSURE_STATE, [word], State(state == self));
        }
    }
}
