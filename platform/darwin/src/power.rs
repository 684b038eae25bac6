//! What the machine takes, and what it is fed by: the power of the whole machine (the SMC's key `PSTR`), energy by
//! parts of the chip (IOReport, see `energy.rs`), batteries and UPSes.
//!
//! A counter of energy is shown from the scrape on in which it has been seen to move, and no longer when it has
//! stood for a minute: the CPU worked in between, because this program did, so it is not counted for us. The neural
//! engine may well have done nothing; the same right lets both be counted, so it is shown while the CPU's moves.
//! That of the GPU stands in gpu_energy_joules_total.

mod battery;

use crate::energy::{self, Energy, Motion, Watch};
use crate::question::Optional;
use crate::raw::{Expected, Raw};
use crate::smc;
use battery::Batteries;
use door::Doors;
use schema::families::power as family;
use schema::families::power::{put_energy, put_power};
use schema::unit::{Joules, Watts};
use schema::{Batch, Collector, Error, Lane, Scrape, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "power",
    about: "power of the machine, energy by parts of the chip, batteries (SMC, IOReport, IOPowerSources)",
    families: &[
        family::ENERGY.id(),
        family::POWER.id(),
        family::CHARGE.id(),
        family::HEALTH.id(),
        family::BATTERY_POWER.id(),
        family::BATTERY_VOLTAGE.id(),
        family::BATTERY_CYCLES.id(),
        family::BATTERY_TEMPERATURE.id(),
        family::BATTERY_STATE.id(),
        family::BATTERY_INFO.id(),
        family::ONLINE.id(),
        family::SUPPLY_INFO.id(),
    ],
    default_on: true,
    lane: Lane::Thread,
    settings: &[],
    open,
};

/// The power that the whole machine takes.
const SYSTEM: &str = "PSTR";

/// No Mac has a supply of more.
const MOST_WATTS: f64 = 3000.0;

struct Power {
    system: Optional,
    energy: Optional,
    cpu: Watch,
    dram: Watch,
    batteries: Batteries,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    Ok(Box::new(Power {
        system: Optional::new(doors, "smc", SYSTEM),
        energy: Optional::new(doors, "energy", energy::HOST),
        cpu: Watch::default(),
        dram: Watch::default(),
        batteries: Batteries::new(doors),
    }))
}

impl Collector for Power {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        if let Some(watts) = self.system.ask(scrape, watts, out).flatten() {
            put_power("system", watts, out);
        }
        if let Some(energy) = self.energy.ask(scrape, Energy::decode, out) {
            self.put(energy, scrape, out);
        }
        let batteries = self.batteries.collect(out);
        let batteries = out.keep(batteries);
        if !self.system.is_there() && !self.energy.is_there() && batteries == Some(0) {
            return Err(Error::Unsupported("no power of the machine, energy counters or batteries"));
        }
        Ok(())
    }
}

impl Power {
    fn put(&mut self, energy: Energy, scrape: &Scrape, out: &mut Batch) {
        let moves = |watch: &mut Watch, counter: Option<u64>| {
            counter.filter(|counter| watch.follow(scrape.now, *counter, true) == Motion::Moves)
        };
        let cpu = moves(&mut self.cpu, energy.cpu);
        let dram = moves(&mut self.dram, energy.dram);
        let ane = energy.ane.filter(|_| cpu.is_some());
        for (domain, counter) in [("cpu", cpu), ("ane", ane), ("dram", dram)] {
            if let Some(counter) = counter {
                put_energy(domain, Joules::nanojoules(counter), out);
            }
        }
    }
}

/// Power that a machine can take. One that answers takes some.
fn watts(raw: Raw<'_>) -> Result<Option<Watts>, Expected> {
    let watts = smc::number(raw)?;
    Ok((watts > 0.0 && watts <= MOST_WATTS).then_some(Watts(watts)))
}

#[cfg(test)]
mod tests;
