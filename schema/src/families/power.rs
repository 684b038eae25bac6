//! Energy that the machine takes, its batteries and what it is fed by.

use crate::unit::{Celsius, Count, Info, Joules, Ratio, State, Volts, Watts};
use crate::{Batch, families};

families! {
    /// Energy that a part of the machine has taken, since gauged started; on macOS since the machine did, and absent
    /// while the system does not let it be counted. A domain within another (package-0/core)
    /// is a part of it, and psys holds them all: domains do not add up. On Linux, scrapes further apart than a wrap
    /// of the kernel's counter undercount: max_energy_range_uj at the domain's power, 164 s for an AMD package of
    /// 400 W.
    ENERGY: counter<Joules> = "host_energy_joules_total" { domain } on [Linux, Macos] since "0.1.0";

    /// Power that a part of the machine takes: system is all that there is in the case.
    POWER: gauge<Watts> = "host_power_watts" { domain } on [Macos] since "0.2.0";

    /// How full the battery is, as a part of what it holds when full.
    CHARGE: gauge<Ratio> = "host_battery_charge_ratio" { battery } on [Linux, Macos] since "0.1.0";

    /// What the battery holds when full, as a part of what it was designed to hold.
    HEALTH: gauge<Ratio> = "host_battery_health_ratio" { battery } on [Linux, Macos] since "0.1.0";

    /// Energy in the battery. Absent for a battery that tells charge and no energy.
    BATTERY_ENERGY: gauge<Joules> = "host_battery_energy_joules" { battery } on [Linux] since "0.1.0";

    /// Energy in the battery when it was last full.
    BATTERY_ENERGY_FULL: gauge<Joules> = "host_battery_energy_full_joules" { battery }
        on [Linux] since "0.1.0";

    /// Energy that the battery was designed to hold.
    BATTERY_ENERGY_DESIGN: gauge<Joules> = "host_battery_energy_design_joules" { battery }
        on [Linux] since "0.1.0";

    /// Power that flows into or out of the battery, without a sign: host_battery_state says which way.
    BATTERY_POWER: gauge<Watts> = "host_battery_power_watts" { battery } on [Linux, Macos] since "0.1.0";

    /// The battery's voltage.
    BATTERY_VOLTAGE: gauge<Volts> = "host_battery_voltage_volts" { battery } on [Linux, Macos] since "0.1.0";

    /// How often the battery was charged and discharged, by its own count. Absent where it does not count.
    BATTERY_CYCLES: gauge<Count> = "host_battery_cycles" { battery } on [Linux, Macos] since "0.1.0";

    /// The battery's temperature.
    BATTERY_TEMPERATURE: gauge<Celsius> = "host_battery_temperature_celsius" { battery }
        on [Linux, Macos] since "0.1.0";

    /// 1 for what the battery does: charging, discharging, full or not_charging; 0 for the others. Absent while
    /// it does not know.
    BATTERY_STATE: gauge<State> = "host_battery_state" { battery, state } on [Linux, Macos] since "0.1.0";

    /// What the battery is. Always 1.
    BATTERY_INFO: info<Info> = "host_battery_info" { battery, model, manufacturer, technology }
        on [Linux, Macos] since "0.1.0";

    /// 1 if the machine is fed by this supply, 0 if the supply is off or unplugged.
    ONLINE: gauge<State> = "host_power_supply_online" { supply } on [Linux, Macos] since "0.1.0";

    /// What kind of supply it is: mains, usb, wireless. Always 1.
    SUPPLY_INFO: info<Info> = "host_power_supply_info" { supply, type } on [Linux, Macos] since "0.1.0";
}

/// What a battery does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatteryState {
    /// Energy flows in.
    Charging,
    /// Energy flows out.
    Discharging,
    /// It holds what it can.
    Full,
    /// It is fed and does not charge: at a threshold, or too hot.
    NotCharging,
}

/// What a battery is, as its firmware says; empty for what it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The model.
    pub model: String,
    /// Who made it.
    pub manufacturer: String,
    /// Its chemistry, such as Li-ion.
    pub technology: String,
}

/// One battery; None for what it does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Battery {
    /// How full it is.
    pub charge: Option<Ratio>,
    /// What it still can hold.
    pub health: Option<Ratio>,
    /// Energy in it.
    pub energy: Option<Joules>,
    /// Energy in it when it was last full.
    pub energy_full: Option<Joules>,
    /// Energy by design.
    pub energy_design: Option<Joules>,
    /// Power, without a sign.
    pub power: Option<Watts>,
    /// Voltage.
    pub voltage: Option<Volts>,
    /// Cycles.
    pub cycles: Option<Count>,
    /// Temperature.
    pub temperature: Option<Celsius>,
    /// What it does.
    pub state: Option<BatteryState>,
}

/// The only writer of [`ENERGY`].
pub fn put_energy(domain: &str, energy: Joules, out: &mut Batch) {
    out.put(&ENERGY, [domain], energy);
}

/// The only writer of [`POWER`].
pub fn put_power(domain: &str, power: Watts, out: &mut Batch) {
    out.put(&POWER, [domain], power);
}

/// The only writer of [`ONLINE`] and [`SUPPLY_INFO`]. `online` is None for a supply that does not tell.
pub fn put_supply(supply: &str, kind: &str, online: Option<State>, out: &mut Batch) {
    if let Some(online) = online {
        out.put(&ONLINE, [supply], online);
    }
    out.put(&SUPPLY_INFO, [supply, kind], Info);
}

impl Description {
    /// The only writer of [`BATTERY_INFO`].
    pub fn put(&self, battery: &str, out: &mut Batch) {
        out.put(&BATTERY_INFO, [battery, &self.model, &self.manufacturer, &self.technology], Info);
    }
}

impl Battery {
    /// The only writer of the figures of batteries.
    pub fn put(self, battery: &str, out: &mut Batch) {
        for (family, ratio) in [(&CHARGE, self.charge), (&HEALTH, self.health)] {
            if let Some(ratio) = ratio {
                out.put(family, [battery], ratio);
            }
        }
        let energies = [
            (&BATTERY_ENERGY, self.energy),
            (&BATTERY_ENERGY_FULL, self.energy_full),
            (&BATTERY_ENERGY_DESIGN, self.energy_design),
        ];
        for (family, energy) in energies {
            if let Some(energy) = energy {
                out.put(family, [battery], energy);
            }
        }
        if let Some(power) = self.power {
            out.put(&BATTERY_POWER, [battery], power);
        }
        if let Some(voltage) = self.voltage {
            out.put(&BATTERY_VOLTAGE, [battery], voltage);
        }
        if let Some(cycles) = self.cycles {
            out.put(&BATTERY_CYCLES, [battery], cycles);
        }
        if let Some(temperature) = self.temperature {
            out.put(&BATTERY_TEMPERATURE, [battery], temperature);
        }
        if let Some(now) = self.state {
            let states = [
                ("charging", BatteryState::Charging),
                ("discharging", BatteryState::Discharging),
                ("full", BatteryState::Full),
                ("not_charging", BatteryState::NotCharging),
            ];
            for (word, state) in states {
                out.put(&BATTERY_STATE, [battery, word], State(state == now));
            }
        }
    }
}
