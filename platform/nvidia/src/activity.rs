//! How busy the parts of a GPU are (GPM, `nvmlGpmMetricsGet`): from Hopper on, where the driver supports it.
//!
//! GPM compares two samples. A sample is taken in each collection and compared with the youngest that is at least
//! 10 s old, so that two servers that scrape one after the other are told the same, and a short interval is not noise.

use crate::ask::{ABSENT_FOR, Asking, Question};
use crate::driver::{Answer, Code, Device};
use crate::plausible;
use crate::question::Number;
use schema::families::gpu::Of;
use schema::families::gpu_activity::{self, Activity};
use schema::unit::{Count, Ratio};
use std::time::Duration;

/// The least that two samples are apart.
const LEAST: Duration = Duration::from_secs(10);
/// Samples are kept at least so far apart (but for the newest), so that the slots reach back beyond [`LEAST`].
const APART: Duration = Duration::from_secs(1);
/// The slots of a device, see [`crate::Driver::gpm_sample`].
const SLOTS: u8 = 16;

/// `NVML_GPM_METRIC_*`: percentages, and the cycles since the driver was loaded of newer drivers.
const METRICS: [u32; 16] = [1, 2, 3, 4, 5, 10, 11, 12, 13, 248, 249, 250, 257, 258, 259, 260];
/// Pipes by their cycles.
const PIPES: [(u32, &str); 6] =
    [(249, "sm"), (250, "tensor"), (258, "fp64"), (259, "fp32"), (260, "fp16"), (257, "integer")];

/// Whether the driver supports GPM for a GPU: asked once, and again after a while if not.
#[derive(Debug, Default)]
pub(crate) struct Support {
    yes: bool,
    ask_again: Duration,
}

impl Support {
    pub(crate) fn is_there(&mut self, asking: &mut Asking<'_>) -> bool {
        if !self.yes && asking.now >= self.ask_again {
            self.yes = asking.plain(Number::GpmSupport) == Some(1);
            self.ask_again = asking.now + ABSENT_FOR;
        }
        self.yes
    }
}

/// The samples of one device.
#[derive(Debug, Default)]
pub(crate) struct Gpm {
    ring: Ring,
    /// What the device told it has; None until it was asked, and again after a while.
    metrics: Vec<u32>,
    metrics_until: Duration,
    answers: Vec<Answer<f64>>,
}

impl Gpm {
    /// Takes a sample and puts what it says with an older one, once there is one.
    ///
    /// # Errors
    /// The driver's code, for what is done about it besides noting it.
    pub(crate) fn collect(
        &mut self,
        asking: &mut Asking<'_>,
        device: Device,
        of: Of<'_>,
    ) -> Result<(), Option<Code>> {
        let newer = self.ring.slot();
        asking.ask(device, Question::GpmSample, |driver| driver.gpm_sample(device, newer))?;
        self.ring.note(newer, asking.now);
        let Some(older) = self.ring.older(asking.now) else { return Ok(()) };
        if self.metrics.is_empty() || asking.now >= self.metrics_until {
            self.metrics.clear();
            self.metrics.extend(METRICS);
            self.metrics_until = asking.now + ABSENT_FOR;
        }
        let Gpm { metrics, answers, .. } = self;
        answers.clear();
        asking.ask(device, Question::Gpm, |driver| driver.gpm(device, older, newer, metrics, answers))?;
        put(metrics, answers, asking, of);
        let mut told = answers.iter();
        metrics
            .retain(|_| told.next().is_none_or(|answer| !matches!(answer, Err(code) if is_absence(*code))));
        Ok(())
    }
}

/// What the driver does not know of is an invalid argument or not found.
fn is_absence(code: Code) -> bool {
    code.is_absence() || matches!(code, Code::INVALID_ARGUMENT | Code::NOT_FOUND)
}

fn put(metrics: &[u32], answers: &[Answer<f64>], asking: &mut Asking<'_>, of: Of<'_>) {
    let mut failed = None;
    let mut told = |metric: u32| -> Option<f64> {
        let (_, answer) = metrics.iter().zip(answers).find(|(id, _)| **id == metric)?;
        match *answer {
            Ok(value) => Some(value),
            Err(code) if is_absence(code) => None,
            Err(code) => {
                failed = Some(code);
                None
            }
        }
    };
    let [graphics, sm, occupancy, integer, tensor, dram, fp64, fp32, fp16] =
        [1, 2, 3, 4, 5, 10, 11, 12, 13].map(&mut told);
    let elapsed = told(248);
    let pipes = PIPES.map(|(metric, pipe)| (pipe, told(metric)));
    let mut ratio = |told: Option<f64>| -> Option<Ratio> { asking.plausible(plausible::fine_percent(told?)) };
    let activity = Activity {
        graphics: ratio(graphics),
        sm: ratio(sm),
        occupancy: ratio(occupancy),
        tensor: ratio(tensor),
        dram: ratio(dram),
        fp64: ratio(fp64),
        fp32: ratio(fp32),
        fp16: ratio(fp16),
        integer: ratio(integer),
    };
    activity.put(of, asking.out);
    if let Some(cycles) = elapsed.and_then(|x| asking.plausible(cycles(x))) {
        gpu_activity::put_cycles(of, cycles, asking.out);
    }
    for (pipe, told) in pipes {
        if let Some(cycles) = told.and_then(|x| asking.plausible(cycles(x))) {
            gpu_activity::put_active_cycles(of, pipe, cycles, asking.out);
        }
    }
    if let Some(code) = failed {
        asking.failed("nvmlGpmMetricsGet", code);
    }
}

/// A counter that the driver tells as a double.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 0 and 2^63")]
fn cycles(x: f64) -> Option<Count> {
    (0.0..9e18).contains(&x).then_some(Count(x as u64))
}

/// When which slot was filled, the oldest first.
#[derive(Debug, Default)]
struct Ring(Vec<(u8, Duration)>);

impl Ring {
    /// The slot for a new sample: that of the newest where it is too near to the one before it to be worth keeping,
    /// else a free one, else that of the oldest.
    fn slot(&self) -> u8 {
        if let [.., before, last] = self.0.as_slice()
            && last.1.saturating_sub(before.1) < APART
        {
            return last.0;
        }
        let free = (0..SLOTS).find(|slot| self.0.iter().all(|(used, _)| used != slot));
        free.or(self.0.first().map(|(slot, _)| *slot)).into_iter().sum()
    }

    fn note(&mut self, slot: u8, at: Duration) {
        self.0.retain(|(used, _)| *used != slot);
        self.0.push((slot, at));
    }

    /// The youngest sample that is old enough.
    fn older(&self, now: Duration) -> Option<u8> {
        self.0.iter().rev().find(|(_, at)| now.saturating_sub(*at) >= LEAST).map(|(slot, _)| *slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(moments: impl IntoIterator<Item = u64>) -> Ring {
        let mut ring = Ring::default();
        for at in moments {
            ring.note(ring.slot(), Duration::from_millis(at));
        }
        ring
    }

    #[test]
    fn the_youngest_sample_of_ten_seconds_is_compared_with() {
        let ring = after([0, 4_000, 8_000, 12_000, 14_000]);
        let older = ring.older(Duration::from_secs(14)).unwrap();
        assert_eq!(ring.0.iter().find(|(slot, _)| *slot == older).unwrap().1, Duration::from_secs(4));
        assert_eq!(ring.older(Duration::from_millis(9_999)), None, "never before there is one");
    }

    #[test]
    fn two_servers_that_scrape_one_after_the_other_compare_with_the_same_age() {
        let ring = after((0..10).flat_map(|n| [n * 15_000, n * 15_000 + 50]));
        let ages = [135_000, 135_050].map(|now| {
            let now = Duration::from_millis(now);
            let older = ring.older(now).unwrap();
            now - ring.0.iter().find(|(slot, _)| *slot == older).unwrap().1
        });
        assert!(ages.iter().all(|age| (14_900..=15_100).contains(&age.as_millis())), "{ages:?}");
    }

    #[test]
    fn cycles_are_whole_and_not_below_nothing() {
        assert_eq!(cycles(1.5e12), Some(Count(1_500_000_000_000)));
        assert_eq!((cycles(-1.0), cycles(f64::NAN), cycles(1e19)), (None, None, None));
    }

    proptest! {
        #[test]
        fn however_often_it_is_scraped_there_is_a_sample_of_ten_seconds(gaps in prop::collection::vec(1u64..3_000, 20..300)) {
            let mut ring = Ring::default();
            let mut now = 0;
            for gap in gaps {
                now += gap;
                let slot = ring.slot();
                prop_assert!(slot < SLOTS);
                ring.note(slot, Duration::from_millis(now));
                if now > 15_000 {
                    let older = ring.older(Duration::from_millis(now));
                    prop_assert!(older.is_some_and(|older| older != slot));
                }
            }
        }
    }
}
