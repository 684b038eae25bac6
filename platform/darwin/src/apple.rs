//! The GPU of a Mac: the services of the class `IOAccelerator` in the I/O Registry and their property
//! `PerformanceStatistics`, whose keys have no header; its memory's limit (sysctl(3) `iogpu.wired_limit_mb`, else
//! Metal), its energy (IOReport) and its temperature (SMC, HID).
//!
//! An Apple GPU works in the host's memory. What it has in use is inside what the host counts as wired or anonymous,
//! so it is never added to that; what a new model could get is what the host has available, and no more than the
//! limit leaves. Where no limit is known, nothing is said of that.
//!
//! GPUs of Intel Macs are shown as far as their drivers tell plainly, which differs. Not read: clocks, whose tables
//! move with each chip, and memory by process, of which the driver tells nothing that can be relied on.

mod gpu;
mod memory;
mod statistics;

use crate::energy::{self, Energy, Motion, Watch};
use crate::question::{Optional, Question};
use crate::registry::services;
use crate::{hid, smc, thermal};
use door::Doors;
use gpu::{Gpu, Vendor};
use memory::Pool;
use schema::families::gpu::{CORES, GpuState, INFO, Of, RESETS, STATE, put_cores, put_resets};
use schema::families::gpu_activity::{ENGINE, UTILIZATION, put_engine, put_utilization};
use schema::families::gpu_memory::{AVAILABLE, LIMIT, TOTAL, USED};
use schema::families::gpu_power::{ENERGY, POWER, Power, TEMPERATURE, put_temperature};
use schema::setting::Kind;
use schema::unit::{Celsius, Count, Joules};
use schema::{Batch, Collector, Error, Lane, Scrape, Setting, Settings, Spec};
use statistics::Statistics;
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "apple",
    about: "the GPU of a Mac (IOAccelerator, IOReport, SMC, Metal)",
    families: &[
        INFO.id(),
        STATE.id(),
        CORES.id(),
        RESETS.id(),
        TOTAL.id(),
        USED.id(),
        AVAILABLE.id(),
        LIMIT.id(),
        UTILIZATION.id(),
        ENGINE.id(),
        POWER.id(),
        ENERGY.id(),
        TEMPERATURE.id(),
    ],
    default_on: true,
    lane: Lane::Thread,
    settings: &[METAL],
    open,
};

const METAL: Setting = Setting {
    key: "collector.apple.metal",
    kind: Kind::Switch,
    default: "true",
    help: "Ask Metal, once, how much memory the GPU may hold, where iogpu.wired_limit_mb does not say.",
};

/// What is asked of each accelerator. Its other properties take a hundred times as long.
const ACCELERATORS: &str = "IOAccelerator model,gpu-core-count,PerformanceStatistics";

struct Apple {
    accelerators: Question,
    gpus: Vec<Gpu>,
    pool: Pool,
    meter: Meter,
    thermometer: Thermometer,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    Ok(Box::new(Apple {
        accelerators: Question::new(doors, "registry", ACCELERATORS),
        gpus: Vec::new(),
        pool: Pool::new(doors, settings.switch(&METAL)),
        meter: Meter {
            energy: Optional::new(doors, "energy", energy::GPU),
            watch: Watch::default(),
            was_busy: false,
        },
        thermometer: Thermometer {
            smc: smc::Temperatures::new(doors, thermal::GPU_KEYS, vec![thermal::GPU_KEYS.to_owned()]),
            hid: hid::Temperatures::new(doors),
        },
    }))
}

impl Collector for Apple {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Apple { accelerators, gpus, pool, meter, thermometer } = self;
        let mut any = false;
        // The energy, the temperature and the limit are those of the chip, which has one GPU.
        let mut of_chip = Some((pool, meter, thermometer));
        for service in accelerators.ask(services)? {
            let Some(gpu) = Gpu::of(gpus, service) else { continue };
            any = true;
            let (of, statistics) = (gpu.labels(), Statistics::of(service));
            gpu.description.put(of, out);
            GpuState::Ok.put(of, out);
            if let Some(cores) = service.count("gpu-core-count") {
                put_cores(of, Count(cores), out);
            }
            statistics.put(of, out);
            let own = if gpu.vendor == Vendor::Apple { of_chip.take() } else { None };
            match own {
                Some((pool, meter, thermometer)) => {
                    pool.put(of, statistics.used, scrape, out);
                    let energy = meter.energy(scrape, &statistics, out);
                    Power { energy, ..Power::default() }.put(of, out);
                    if let Some(core) = thermometer.core(scrape, out) {
                        put_temperature(of, "core", core, out);
                    }
                }
                None => {
                    statistics.own_memory(gpu.vendor).put(of, out);
                    Power { gpu: statistics.power, ..Power::default() }.put(of, out);
                    if let Some(core) = statistics.temperature {
                        put_temperature(of, "core", core, out);
                    }
                }
            }
        }
        if any { Ok(()) } else { Err(Error::Unsupported("no GPU in the I/O Registry")) }
    }
}

impl Statistics {
    fn put(&self, of: Of<'_>, out: &mut Batch) {
        if let Some(busy) = self.busy {
            put_utilization(of, busy, out);
        }
        for (engine, busy) in [("renderer", self.renderer), ("tiler", self.tiler)] {
            if let Some(busy) = busy {
                put_engine(of, engine, busy, out);
            }
        }
        if let Some(resets) = self.resets {
            put_resets(of, resets, out);
        }
    }
}

/// The energy that the chip's GPU has taken.
struct Meter {
    energy: Optional,
    watch: Watch,
    was_busy: bool,
}

impl Meter {
    /// Absent while it stands although the GPU works: a GPU that does nothing may take nothing for hours. A counter
    /// at 0 has never counted.
    fn energy(&mut self, scrape: &Scrape, statistics: &Statistics, out: &mut Batch) -> Option<Joules> {
        let energy = self.energy.ask(scrape, Energy::decode, out)?.gpu?;
        let busy = statistics.busy.is_some_and(|busy| busy.0 > 0.0);
        let worked = busy && self.was_busy;
        self.was_busy = busy;
        let motion = self.watch.follow(scrape.now, energy, worked);
        (motion != Motion::Stands && energy > 0).then(|| Joules::nanojoules(energy))
    }
}

/// The sensors of the chip's GPU.
struct Thermometer {
    smc: smc::Temperatures,
    hid: hid::Temperatures,
}

impl Thermometer {
    /// The warmest of them: of the SMC's, or where that has none, as on an M1, of the HID system's.
    fn core(&mut self, scrape: &Scrape, out: &mut Batch) -> Option<Celsius> {
        let mut warmest = None;
        self.smc.each(scrape, out, |_, celsius, _| warmest = warmer(warmest, celsius));
        if warmest.is_none() {
            self.hid.each(scrape, out, |_, gpu, celsius, _| {
                if gpu {
                    warmest = warmer(warmest, celsius);
                }
            });
        }
        warmest
    }
}

fn warmer(warmest: Option<Celsius>, celsius: Celsius) -> Option<Celsius> {
    match warmest {
        Some(warmest) if warmest >= celsius => Some(warmest),
        _ => Some(celsius),
    }
}

#[cfg(test)]
mod tests;
