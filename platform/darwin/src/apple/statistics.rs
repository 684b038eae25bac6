//! `PerformanceStatistics`: what a driver tells of its GPU now. Which keys there are differs from driver to driver.

use super::gpu::Vendor;
use crate::registry::{Property, Service};
use crate::smc::plausible;
use schema::families::gpu_memory::Memory;
use schema::unit::{Bytes, Celsius, Count, Ratio, Watts};

/// Before each key, as the call `registry` writes it.
const PREFIX: &str = "PerformanceStatistics/";

/// No graphics card in a Mac takes more.
const MOST_WATTS: f64 = 1000.0;

/// None for what the driver does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Statistics {
    pub(super) busy: Option<Ratio>,
    pub(super) renderer: Option<Ratio>,
    pub(super) tiler: Option<Ratio>,
    /// Of the host's memory.
    pub(super) used: Option<Bytes>,
    vram_used: Option<Bytes>,
    vram_free: Option<Bytes>,
    pub(super) resets: Option<Count>,
    pub(super) temperature: Option<Celsius>,
    pub(super) power: Option<Watts>,
}

impl Statistics {
    pub(super) fn of(service: Service<'_>) -> Statistics {
        let mut told = Statistics::default();
        for (path, value) in service.properties() {
            let Some(key) = path.strip_prefix(PREFIX) else { continue };
            match key {
                "Device Utilization %" => told.busy = part(value),
                // AMD's, beside or in place of the above.
                "GPU Activity(%)" => told.busy = told.busy.or(part(value)),
                "Renderer Utilization %" => told.renderer = part(value),
                "Tiler Utilization %" => told.tiler = part(value),
                "In use system memory" => told.used = bytes(value),
                "vramUsedBytes" => told.vram_used = bytes(value),
                "vramFreeBytes" => told.vram_free = bytes(value),
                "recoveryCount" => told.resets = whole(value).map(Count),
                "Temperature(C)" => told.temperature = real(value).and_then(plausible),
                "Total Power(W)" => {
                    told.power = real(value).filter(|watts| *watts > 0.0 && *watts <= MOST_WATTS).map(Watts);
                }
                _ => {}
            }
        }
        told
    }

    /// The memory of a GPU that is not the chip's: a card's own, or what an Intel GPU has in use of the host's.
    pub(super) fn own_memory(&self, vendor: Vendor) -> Memory {
        match (vendor, self.vram_used, self.vram_free) {
            (Vendor::Amd | Vendor::Nvidia, used, free) => {
                let total = used.zip(free).and_then(|(used, free)| used.0.checked_add(free.0));
                Memory { total: total.map(Bytes), used, available: free, ..Memory::default() }
            }
            _ => Memory { used: self.used, ..Memory::default() },
        }
    }
}

fn whole(value: Property<'_>) -> Option<u64> {
    match value {
        Property::Whole(number) => u64::try_from(number).ok(),
        _ => None,
    }
}

fn bytes(value: Property<'_>) -> Option<Bytes> {
    whole(value).map(Bytes)
}

#[expect(clippy::cast_precision_loss, reason = "percents, degrees and watts are far below 2^53")]
fn real(value: Property<'_>) -> Option<f64> {
    match value {
        Property::Whole(number) => Some(number as f64),
        Property::Real(number) => Some(number),
        _ => None,
    }
}

/// A part of the whole, of percent. Some drivers count beyond a hundred.
fn part(value: Property<'_>) -> Option<Ratio> {
    real(value).filter(|percent| *percent >= 0.0).map(|percent| Ratio(percent.min(100.0) / 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Raw;
    use crate::registry::services;
    use proptest::prelude::*;

    fn of(lines: &str) -> Statistics {
        let text = format!("@ 1 AGXAccelerator\n{lines}");
        let service = services(Raw(text.as_bytes())).unwrap().next().unwrap();
        Statistics::of(service)
    }

    #[test]
    fn more_than_all_is_all() {
        let told = of(
            "PerformanceStatistics/Device Utilization %=n:127\nPerformanceStatistics/Tiler Utilization %=n:-1\n",
        );
        assert_eq!((told.busy, told.tiler), (Some(Ratio(1.0)), None));
    }

    #[test]
    fn what_the_driver_itself_has_in_use_is_not_what_the_gpu_has() {
        // As a G16G told it.
        let told = of("PerformanceStatistics/Alloc system memory=n:7524302848\n\
            PerformanceStatistics/Device Utilization %=n:88\n\
            PerformanceStatistics/In use system memory (driver)=n:0\n\
            PerformanceStatistics/SplitSceneCount=n:0\n");
        assert_eq!(told, Statistics { busy: Some(Ratio(0.88)), ..Statistics::default() });
    }

    proptest! {
        #[test]
        fn any_statistics_are_within_what_can_be(
            lines in "(PerformanceStatistics/(Device Utilization %|Renderer Utilization %|GPU Activity\\(%\\)|Temperature\\(C\\)|Total Power\\(W\\)|vramUsedBytes|vramFreeBytes|recoveryCount)=[nr]:-?[0-9]{1,19}\n|.{0,9}\n){0,9}",
        ) {
            let told = of(&lines);
            let all = 0.0..=1.0;
            prop_assert!(told.busy.is_none_or(|busy| all.contains(&busy.0)));
            prop_assert!(told.renderer.is_none_or(|busy| all.contains(&busy.0)));
            prop_assert!(told.power.is_none_or(|power| power.0 > 0.0 && power.0 <= 1000.0));
            prop_assert!(told.temperature.is_none_or(|t| t.0 <= 120.0));
            let _ = told.own_memory(Vendor::Amd);
        }
    }
}
