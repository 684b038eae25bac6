//! How fast a GPU runs, what holds it back, and how busy it is.

use crate::ask::{Asking, Question};
use crate::driver::Device;
use crate::fields::Fields;
use crate::plausible;
use crate::question::{Clock, Number};
use schema::families::gpu::Of;
use schema::families::gpu_activity;
use schema::families::gpu_clock::{self, Throttle};
use schema::unit::{Count, Hertz, State};

/// `nvmlClocksEventReason*`.
const REASONS: [(i64, Throttle); 6] = [
    (0x04, Throttle::SwPowerCap),
    (0x08, Throttle::HwSlowdown),
    (0x40, Throttle::HwThermal),
    (0x80, Throttle::HwPowerBrake),
    (0x20, Throttle::SwThermal),
    (0x10, Throttle::SyncBoost),
];
/// `NVML_FI_DEV_PERF_POLICY_*` and `NVML_FI_DEV_CLOCKS_EVENT_REASON_*`, in nanoseconds.
const TIMES: [(u32, Throttle); 5] = [
    (74, Throttle::SwPowerCap),
    (270, Throttle::HwThermal),
    (271, Throttle::HwPowerBrake),
    (269, Throttle::SwThermal),
    (76, Throttle::SyncBoost),
];
/// `NVML_PSTATE_UNKNOWN`.
const STATE_UNKNOWN: i64 = 32;

/// What is read once a minute.
#[derive(Debug, Default)]
pub(crate) struct Slow {
    most: [Option<Hertz>; Clock::ALL.len()],
}

impl Slow {
    pub(crate) fn ask(&mut self, asking: &mut Asking<'_>, scope: Scope) {
        for (most, clock) in self.most.iter_mut().zip(Clock::ALL) {
            if !scope.media && *clock == Clock::Video {
                continue;
            }
            *most = asking.number(Number::ClockMax(*clock), plausible::megahertz);
        }
    }
}

/// What is asked of a GPU's clocks and engines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    /// It has no memory of its own.
    pub(crate) integrated: bool,
    /// What works on pictures is asked beyond encoder and decoder.
    pub(crate) media: bool,
}

/// Clocks, performance state and throttling. An integrated part has no clock of its memory, and may say 0.
pub(crate) fn collect(asking: &mut Asking<'_>, fields: &Fields, slow: &Slow, of: Of<'_>, scope: Scope) {
    for (clock, most) in Clock::ALL.iter().zip(slow.most) {
        if scope.integrated && *clock == Clock::Memory || !scope.media && *clock == Clock::Video {
            continue;
        }
        if let Some(now) = asking.number(Number::Clock(*clock), plausible::megahertz) {
            gpu_clock::put_clock(of, clock.word(), now, asking.out);
        }
        if let Some(most) = most {
            gpu_clock::put_clock_max(of, clock.word(), most, asking.out);
        }
    }
    match asking.plain(Number::PerformanceState) {
        None | Some(STATE_UNKNOWN) => {}
        Some(state) => match u64::try_from(state) {
            Ok(state @ 0..=15) => gpu_clock::put_performance_state(of, Count(state), asking.out),
            _ => asking.out.reject(),
        },
    }
    // All bits set, or a number beyond `i64`, is no set of reasons.
    let reasons = asking.plain(Number::ThrottleReasons);
    if let Some(reasons) =
        reasons.and_then(|set| asking.plausible((0..1 << 32).contains(&set).then_some(set)))
    {
        for (bit, reason) in REASONS {
            gpu_clock::put_throttled(of, reason, State(reasons & bit != 0), asking.out);
        }
    }
    for (id, reason) in TIMES {
        if let Some(time) = fields.plausible(id, 0, asking, plausible::nanoseconds) {
            gpu_clock::put_throttle_seconds(of, reason, time, asking.out);
        }
    }
}

/// How busy the whole GPU is. The memory of an integrated part is always told as idle.
pub(crate) fn utilization(asking: &mut Asking<'_>, of: Of<'_>, scope: Scope) {
    let gpu = asking.gpu;
    let busy = asking.ask(Device::gpu(gpu), Question::Utilization, |driver| driver.utilization(gpu));
    if let Ok(busy) = busy {
        if let Some(busy) = asking.plausible(plausible::percent(i128::from(busy.gpu))) {
            gpu_activity::put_utilization(of, busy, asking.out);
        }
        if !scope.integrated
            && let Some(busy) = asking.plausible(plausible::percent(i128::from(busy.memory)))
        {
            gpu_activity::put_engine(of, "memory", busy, asking.out);
        }
    }
    let engines = [
        (Number::Encoder, "encoder"),
        (Number::Decoder, "decoder"),
        (Number::Jpeg, "jpeg"),
        (Number::Ofa, "ofa"),
    ];
    for (number, engine) in engines {
        if !scope.media && matches!(number, Number::Jpeg | Number::Ofa) {
            continue;
        }
        if let Some(busy) = asking.number(number, plausible::percent) {
            gpu_activity::put_engine(of, engine, busy, asking.out);
        }
    }
}
