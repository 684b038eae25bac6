//! Energy and what it comes from: the powercap zones of RAPL (`/sys/class/powercap`, the kernel's
//! power/powercap), batteries and supplies (`/sys/class/power_supply`, the kernel's ABI of that name).
//!
//! A thread lane, because batteries are asked through an embedded controller that can take its time, and RAPL
//! by an interrupt of the package's CPU. Nothing is written, and no device is woken for it: the readings of one
//! that is suspended at runtime are absent until it wakes for something else.
//!
//! Power is not worked out from energy here: a query does that.

mod battery;
mod rapl;
mod supply;
mod wrap;

use door::{Buffer, Doors};
use rapl::Zones;
use schema::families::power as family;
use schema::{Batch, Collector, Error, Id, Lane, Scrape, Settings, Spec};
use std::sync::Arc;
use supply::Supplies;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "power",
    about: "energy by RAPL, batteries and power supplies (/sys/class/powercap, /sys/class/power_supply)",
    families: &FAMILIES,
    default_on: true,
    lane: Lane::Thread,
    settings: supply::SETTINGS,
    open,
};

const FAMILIES: [Id; 14] = [
    family::ENERGY.id(),
    family::CHARGE.id(),
    family::HEALTH.id(),
    family::BATTERY_ENERGY.id(),
    family::BATTERY_ENERGY_FULL.id(),
    family::BATTERY_ENERGY_DESIGN.id(),
    family::BATTERY_POWER.id(),
    family::BATTERY_VOLTAGE.id(),
    family::BATTERY_CYCLES.id(),
    family::BATTERY_TEMPERATURE.id(),
    family::BATTERY_STATE.id(),
    family::BATTERY_INFO.id(),
    family::ONLINE.id(),
    family::SUPPLY_INFO.id(),
];

/// ENODEV: the device went while its file was open.
const ENODEV: i32 = 19;

struct Power {
    doors: Arc<Doors>,
    zones: Zones,
    supplies: Supplies,
    buffer: Buffer,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let mut power = Power {
        zones: Zones::default(),
        supplies: Supplies::of(settings)?,
        buffer: Buffer::default(),
        doors: Arc::clone(doors),
    };
    let now = doors.clock.now();
    power.zones.list(&doors.sysfs, now, &mut power.buffer)?;
    power.supplies.list(&doors.sysfs, now, &mut power.buffer)?;
    power.anything()?;
    Ok(Box::new(power))
}

impl Power {
    fn anything(&self) -> Result<(), Error> {
        if self.zones.is_empty() && self.supplies.is_empty() {
            return Err(Error::Unsupported("no RAPL zones, batteries or power supplies"));
        }
        Ok(())
    }
}

impl Collector for Power {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Power { doors, zones, supplies, buffer } = self;
        // One subsystem's trouble does not hide the other's figures.
        let energy = zones.collect(&doors.sysfs, scrape, buffer, out);
        out.keep(energy);
        let supplied = supplies.collect(doors, scrape, buffer, out);
        out.keep(supplied);
        self.anything()
    }
}

/// True where what was asked is not there any more: the file, or the device behind it.
fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.0 == ENODEV || source.0 == 2)
}

#[cfg(test)]
mod tests;
