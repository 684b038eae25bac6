//! What a GPU takes, how warm it is, and what cools it.

use super::gpu::Of;
use crate::unit::{Celsius, Joules, Ratio, Rpm, Watts};
use crate::{Batch, families};

families! {
    /// Power that the GPU takes, its memory and board included where the driver counts them in.
    POWER: gauge<Watts> = "gpu_power_watts" { gpu, uuid } on [Linux, Macos] since "0.1.0";

    /// Power that the GPU's memory takes. A part of gpu_power_watts or beside it, as the board has it.
    MEMORY_POWER: gauge<Watts> = "gpu_memory_power_watts" { gpu, uuid } on [Linux] since "0.1.0";

    /// Power that the whole module takes: GPU, memory and, on Grace Hopper, the CPU.
    MODULE_POWER: gauge<Watts> = "gpu_module_power_watts" { gpu, uuid } on [Linux] since "0.1.0";

    /// Limits of gpu_power_watts: enforced (in force now), requested, default, min and max (what may be requested).
    /// Read once a minute.
    POWER_LIMIT: gauge<Watts> = "gpu_power_limit_watts" { gpu, uuid, limit } on [Linux] since "0.1.0";

    /// Limits of gpu_module_power_watts, as those of gpu_power_limit_watts. Read once a minute.
    MODULE_POWER_LIMIT: gauge<Watts> = "gpu_module_power_limit_watts" { gpu, uuid, limit } on [Linux] since "0.1.0";

    /// Energy that the GPU has taken since its driver was loaded.
    ENERGY: counter<Joules> = "gpu_energy_joules_total" { gpu, uuid } on [Linux, Macos] since "0.1.0";

    /// How warm a part of the GPU is: core, memory.
    TEMPERATURE: gauge<Celsius> = "gpu_temperature_celsius" { gpu, uuid, sensor } on [Linux, Macos] since "0.1.0";

    /// Temperatures at which something happens: shutdown, slowdown, memory_max, gpu_max, acoustic. Read once a
    /// minute; absent on boards that tell margins only.
    TEMPERATURE_LIMIT: gauge<Celsius> = "gpu_temperature_limit_celsius" { gpu, uuid, limit } on [Linux] since "0.1.0";

    /// How much warmer the GPU may become before it slows itself (NVIDIA's T.Limit).
    MARGIN: gauge<Celsius> = "gpu_temperature_margin_celsius" { gpu, uuid } on [Linux] since "0.1.0";

    /// At which gpu_temperature_margin_celsius something happens: shutdown, slowdown, memory_max, gpu_max. Read once
    /// a minute.
    MARGIN_LIMIT: gauge<Celsius> = "gpu_temperature_margin_limit_celsius" { gpu, uuid, limit }
        on [Linux] since "0.1.0";

    /// How fast a fan is told to turn, as a part of its full speed.
    FAN: gauge<Ratio> = "gpu_fan_speed_ratio" { gpu, uuid, fan } on [Linux] since "0.1.0";

    /// How fast a fan turns.
    FAN_SPEED: gauge<Rpm> = "gpu_fan_speed_rpm" { gpu, uuid, fan } on [Linux] since "0.1.0";
}

/// What a GPU takes; None for what is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Power {
    /// The GPU.
    pub gpu: Option<Watts>,
    /// Its memory.
    pub memory: Option<Watts>,
    /// The whole module.
    pub module: Option<Watts>,
    /// Energy since the driver was loaded.
    pub energy: Option<Joules>,
}

impl Power {
    /// The only writer of [`POWER`], [`MEMORY_POWER`], [`MODULE_POWER`] and [`ENERGY`].
    pub fn put(self, of: Of<'_>, out: &mut Batch) {
        let scopes = [(&POWER, self.gpu), (&MEMORY_POWER, self.memory), (&MODULE_POWER, self.module)];
        for (family, power) in scopes {
            if let Some(power) = power {
                out.put(family, of.board(), power);
            }
        }
        if let Some(energy) = self.energy {
            out.put(&ENERGY, of.board(), energy);
        }
    }
}

/// The only writer of [`POWER_LIMIT`].
pub fn put_power_limit(of: Of<'_>, limit: &str, power: Watts, out: &mut Batch) {
    out.put(&POWER_LIMIT, [of.gpu, of.uuid, limit], power);
}

/// The only writer of [`MODULE_POWER_LIMIT`].
pub fn put_module_power_limit(of: Of<'_>, limit: &str, power: Watts, out: &mut Batch) {
    out.put(&MODULE_POWER_LIMIT, [of.gpu, of.uuid, limit], power);
}

/// The only writer of [`TEMPERATURE`].
pub fn put_temperature(of: Of<'_>, sensor: &str, temperature: Celsius, out: &mut Batch) {
    out.put(&TEMPERATURE, [of.gpu, of.uuid, sensor], temperature);
}

/// The only writer of [`TEMPERATURE_LIMIT`].
pub fn put_temperature_limit(of: Of<'_>, limit: &str, temperature: Celsius, out: &mut Batch) {
    out.put(&TEMPERATURE_LIMIT, [of.gpu, of.uuid, limit], temperature);
}

/// The only writer of [`MARGIN`].
pub fn put_margin(of: Of<'_>, margin: Celsius, out: &mut Batch) {
    out.put(&MARGIN, of.board(), margin);
}

/// The only writer of [`MARGIN_LIMIT`].
pub fn put_margin_limit(of: Of<'_>, limit: &str, margin: Celsius, out: &mut Batch) {
    out.put(&MARGIN_LIMIT, [of.gpu, of.uuid, limit], margin);
}

/// The only writer of [`FAN`] and [`FAN_SPEED`]; None for what is not told.
pub fn put_fan(of: Of<'_>, fan: &str, ratio: Option<Ratio>, speed: Option<Rpm>, out: &mut Batch) {
    if let Some(ratio) = ratio {
        out.put(&FAN, [of.gpu, of.uuid, fan], ratio);
    }
    if let Some(speed) = speed {
        out.put(&FAN_SPEED, [of.gpu, of.uuid, fan], speed);
    }
}
