//! What a GPU takes, how warm it is, and what cools it.

use crate::ask::Asking;
use crate::fields::{Fields, GPU, MEMORY, MODULE};
use crate::plausible;
use crate::question::{Number, Threshold};
use schema::families::gpu::Of;
use schema::families::gpu_power::{self, Power};
use schema::unit::{Celsius, Watts};

/// `NVML_FI_DEV_POWER_*_LIMIT` by the word of the limit, and the call that older drivers have for it.
const LIMITS: [(u32, &str, Number); 5] = [
    (190, "enforced", Number::PowerLimitEnforced),
    (192, "requested", Number::PowerLimitRequested),
    (189, "default", Number::PowerLimitDefault),
    (187, "min", Number::PowerLimitMin),
    (188, "max", Number::PowerLimitMax),
];
/// `NVML_FI_DEV_TEMPERATURE_*_TLIMIT`.
const MARGIN_LIMITS: [(u32, &str); 4] =
    [(193, "shutdown"), (194, "slowdown"), (195, "memory_max"), (196, "gpu_max")];
/// Labels of fans; no board has as many.
const FANS: [&str; 16] =
    ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"];

/// What is read once a minute.
#[derive(Debug, Default)]
pub(crate) struct Slow {
    limits: [Option<Watts>; LIMITS.len()],
    thresholds: [Option<Celsius>; Threshold::ALL.len()],
    fans: u32,
}

impl Slow {
    /// Asks for the limits, of which the fields were asked for already.
    pub(crate) fn ask(&mut self, asking: &mut Asking<'_>, fields: &Fields) {
        for (limit, (id, _, number)) in self.limits.iter_mut().zip(LIMITS) {
            *limit = match fields.get(id, GPU) {
                Some(_) => fields.plausible(id, GPU, asking, plausible::milliwatts),
                None => asking.number(number, plausible::milliwatts),
            };
        }
        for (threshold, which) in self.thresholds.iter_mut().zip(Threshold::ALL) {
            *threshold = asking.number(Number::Threshold(*which), plausible::celsius);
        }
        // A number that cannot be is none of fans.
        let fans = asking.plain(Number::Fans).and_then(|fans| u32::try_from(fans).ok());
        self.fans = fans.into_iter().filter(|fans| *fans as usize <= FANS.len()).sum();
    }
}

/// Asks for what the fields do not tell, and puts all of it. Of integrated parts the limits mislead.
pub(crate) fn collect(asking: &mut Asking<'_>, fields: &Fields, slow: &Slow, of: Of<'_>, integrated: bool) {
    put_power(asking, fields, of);
    if let Some(core) = asking.number(Number::Temperature, plausible::celsius) {
        gpu_power::put_temperature(of, "core", core, asking.out);
    }
    // What has no sensor says 0: no measurement, and nothing to count.
    if fields.get(82, 0) != Some(0)
        && let Some(memory) = fields.plausible(82, 0, asking, plausible::memory_celsius)
    {
        gpu_power::put_temperature(of, "memory", memory, asking.out);
    }
    if let Some(margin) = asking.number(Number::Margin, plausible::celsius) {
        gpu_power::put_margin(of, margin, asking.out);
    }
    for (label, fan) in FANS.into_iter().zip(0..slow.fans) {
        let ratio = asking.number(Number::Fan(fan), plausible::fan);
        let speed = asking.number(Number::FanRpm(fan), plausible::rpm);
        gpu_power::put_fan(of, label, ratio, speed, asking.out);
    }
    for (threshold, limit) in Threshold::ALL.iter().zip(slow.thresholds) {
        if let Some(limit) = limit {
            gpu_power::put_temperature_limit(of, threshold.word(), limit, asking.out);
        }
    }
    for (id, word) in MARGIN_LIMITS {
        if let Some(limit) = fields.plausible(id, 0, asking, plausible::celsius) {
            gpu_power::put_margin_limit(of, word, limit, asking.out);
        }
    }
    if integrated {
        return;
    }
    for ((id, word, _), limit) in LIMITS.into_iter().zip(slow.limits) {
        if let Some(limit) = limit {
            gpu_power::put_power_limit(of, word, limit, asking.out);
        }
        if let Some(limit) = fields.plausible(id, MODULE, asking, plausible::milliwatts) {
            gpu_power::put_module_power_limit(of, word, limit, asking.out);
        }
    }
}

/// The average of a second where the board has it, else what it is at this instant.
fn put_power(asking: &mut Asking<'_>, fields: &Fields, of: Of<'_>) {
    let of_scope = |scope: u32, asking: &mut Asking<'_>| {
        let average = fields.plausible(185, scope, asking, plausible::milliwatts);
        average.or_else(|| fields.plausible(186, scope, asking, plausible::milliwatts))
    };
    let gpu = of_scope(GPU, asking).or_else(|| asking.number(Number::Power, plausible::milliwatts));
    // Boards without a sensor for a scope succeed with 0; nothing that is powered takes nothing.
    let other = |scope: u32, asking: &mut Asking<'_>| of_scope(scope, asking).filter(|power| power.0 > 0.0);
    let energy = [191, 83].into_iter().find(|id| fields.get(*id, 0).is_some());
    let energy = match energy {
        Some(id) => fields.plausible(id, 0, asking, plausible::millijoules),
        None => asking.number(Number::Energy, plausible::millijoules),
    };
    let power = Power { gpu, memory: other(MEMORY, asking), module: other(MODULE, asking), energy };
    power.put(of, asking.out);
}
