//! How fast a GPU runs, and what holds it back.

use super::gpu::Of;
use crate::unit::{Count, Hertz, Seconds, State};
use crate::{Batch, families};

families! {
    /// How fast a part of the GPU runs now: graphics, sm, memory, and where asked for video.
    CLOCK: gauge<Hertz> = "gpu_clock_hertz" { gpu, uuid, clock } on [Linux] since "0.1.0";

    /// How fast a part of the GPU could run. Read once a minute.
    CLOCK_MAX: gauge<Hertz> = "gpu_clock_max_hertz" { gpu, uuid, clock } on [Linux] since "0.1.0";

    /// The performance state: 0 is the fastest, 15 the slowest.
    PERFORMANCE_STATE: gauge<Count> = "gpu_performance_state" { gpu, uuid } on [Linux] since "0.1.0";

    /// 1 for each reason for which the GPU runs below its clocks now, 0 for the others: sw_power_cap, hw_slowdown,
    /// hw_thermal, hw_power_brake, sw_thermal, sync_boost.
    THROTTLED: gauge<State> = "gpu_throttled" { gpu, uuid, reason } on [Linux] since "0.1.0";

    /// How long the GPU has run below its clocks for a reason, since its driver was loaded.
    THROTTLE_SECONDS: counter<Seconds> = "gpu_throttle_seconds_total" { gpu, uuid, reason }
        on [Linux] since "0.1.0";
}

/// Why a GPU runs below its clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttle {
    /// Its power limit.
    SwPowerCap,
    /// The hardware slowed it: too hot, or too much power.
    HwSlowdown,
    /// The hardware slowed it: too hot.
    HwThermal,
    /// The hardware slowed it: the supply asked for it.
    HwPowerBrake,
    /// The driver slowed it: too hot.
    SwThermal,
    /// It runs as slowly as others of its group.
    SyncBoost,
}

impl Throttle {
    /// Every reason with its label value.
    pub const ALL: [(Throttle, &'static str); 6] = [
        (Throttle::SwPowerCap, "sw_power_cap"),
        (Throttle::HwSlowdown, "hw_slowdown"),
        (Throttle::HwThermal, "hw_thermal"),
        (Throttle::HwPowerBrake, "hw_power_brake"),
        (Throttle::SwThermal, "sw_thermal"),
        (Throttle::SyncBoost, "sync_boost"),
    ];

    /// The label value.
    pub fn word(self) -> &'static str {
        Throttle::ALL.iter().find(|(reason, _)| *reason == self).map_or("", |(_, word)| word)
    }
}

/// The only writer of [`CLOCK`].
pub fn put_clock(of: Of<'_>, clock: &str, now: Hertz, out: &mut Batch) {
    out.put(&CLOCK, [of.gpu, of.uuid, clock], now);
}

/// The only writer of [`CLOCK_MAX`].
pub fn put_clock_max(of: Of<'_>, clock: &str, most: Hertz, out: &mut Batch) {
    out.put(&CLOCK_MAX, [of.gpu, of.uuid, clock], most);
}

/// The only writer of [`PERFORMANCE_STATE`].
pub fn put_performance_state(of: Of<'_>, state: Count, out: &mut Batch) {
    out.put(&PERFORMANCE_STATE, of.board(), state);
}

/// The only writer of [`THROTTLED`].
pub fn put_throttled(of: Of<'_>, reason: Throttle, now: State, out: &mut Batch) {
    out.put(&THROTTLED, [of.gpu, of.uuid, reason.word()], now);
}

/// The only writer of [`THROTTLE_SECONDS`].
pub fn put_throttle_seconds(of: Of<'_>, reason: Throttle, time: Seconds, out: &mut Batch) {
    out.put(&THROTTLE_SECONDS, [of.gpu, of.uuid, reason.word()], time);
}
