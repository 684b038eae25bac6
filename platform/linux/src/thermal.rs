//! Sensors of the machine: temperatures with their limits, fans, power, voltage and current of the chips of
//! hwmon, and the thermal zones that no chip of hwmon shows.
//!
//! Asking a sensor may be a transfer on a slow bus, a call of firmware or a command to a disk, so each chip has
//! a budget, all have the scrape's deadline, and slow ones are asked last. A device that sleeps is not woken: a
//! graphics card or disk that the power management suspended has no readings until it is awake again. (A disk
//! that went to standby by itself is not known to the kernel; most answer without spinning up. But some count being
//! asked as work and would never go to standby, so disks that rotate can be asked less often.)
//!
//! A sensor that is busy, off or not connected has no reading and is no failure. What cannot be a reading is
//! dropped and counted. Chips are listed every five minutes, and when one has gone. Not read: alarms and speeds
//! set for fans (they ask the same hardware again), energy, humidity, and batteries, which the collector of
//! power supplies has.

mod chip;
mod hwmon;
mod name;
mod value;
mod zone;

use crate::attribute::{keep_numbered, names};
use chip::{Chip, Time};
use door::{Buffer, Doors, Filter};
use schema::families::thermal::{
    CURRENT, FAN_SPEED, POWER, SENSOR_INFO, TEMPERATURE, TEMPERATURE_LIMIT, VOLTAGE,
};
use schema::setting::Kind;
use schema::{Batch, Collector, Error, Lane, Scrape, Setting, Settings, Spec};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "thermal",
    about: "temperatures, fans, power, voltages (/sys/class/hwmon, /sys/class/thermal)",
    families: &[
        TEMPERATURE.id(),
        TEMPERATURE_LIMIT.id(),
        FAN_SPEED.id(),
        POWER.id(),
        VOLTAGE.id(),
        CURRENT.id(),
        SENSOR_INFO.id(),
    ],
    default_on: true,
    lane: Lane::Thread,
    settings: &[CHIP_INCLUDE, CHIP_EXCLUDE, CHIP_BUDGET, ROTATING],
    open,
};

const CHIP_INCLUDE: Setting = Setting {
    key: "collector.thermal.chip-include",
    kind: Kind::Pattern,
    default: "",
    help: "Show only chips whose whole name (the label chip) matches.",
};

const CHIP_EXCLUDE: Setting = Setting {
    key: "collector.thermal.chip-exclude",
    kind: Kind::Pattern,
    default: "",
    help: "Leave out chips whose whole name (the label chip) matches; they are not asked. Some disks \
           never spin down while they are asked for their temperature (drivetemp).",
};

const CHIP_BUDGET: Setting = Setting {
    key: "collector.thermal.chip-budget",
    kind: Kind::Span,
    default: "200ms",
    help: "Ask a chip's sensors for at most this long; the next scrape goes on where this one ended.",
};

const ROTATING: Setting = Setting {
    key: "collector.thermal.rotating-disk-interval",
    kind: Kind::Span,
    default: "0s",
    help: "Ask disks that rotate for their temperature (drivetemp) at most this often; it is absent in between. \
           Being asked resets the timer by which some of them spin down: where they should, say 30m.",
};

/// How long a list of chips is good for.
const LISTED: Duration = Duration::from_secs(300);

/// What is kept of the time until the deadline for handing the batch over.
const MARGIN: Duration = Duration::from_millis(100);

struct Thermal {
    doors: Arc<Doors>,
    filter: Filter,
    budget: Duration,
    rotating: Duration,
    chips: Vec<Chip>,
    listed: Option<Duration>,
    buffer: Buffer,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let filter = Filter::of(settings, &CHIP_INCLUDE, &CHIP_EXCLUDE)?;
    let (Some(budget), Some(rotating)) = (settings.span(&CHIP_BUDGET), settings.span(&ROTATING)) else {
        return Err(Error::Unsupported("no budget"));
    };
    let mut there = Vec::new();
    for (directory, prefix) in [("class/hwmon", "hwmon"), ("class/thermal", "thermal_zone")] {
        let mut listed = Vec::new();
        names(&doors.sysfs, directory, &mut listed)?;
        keep_numbered(&mut listed, prefix);
        there.extend(listed);
    }
    if there.is_empty() {
        return Err(Error::Unsupported("no sensors"));
    }
    let (doors, chips, buffer) = (Arc::clone(doors), Vec::new(), Buffer::default());
    Ok(Box::new(Thermal { doors, filter, budget, rotating, chips, listed: None, buffer }))
}

impl Collector for Thermal {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        if self.listed.is_none_or(|listed| scrape.now.saturating_sub(listed) >= LISTED) {
            self.listed = None;
            self.list(scrape.now, out)?;
            self.listed = Some(scrape.now);
        }
        let time = Time {
            clock: &self.doors.clock,
            number: scrape.number,
            now: scrape.now,
            rotating: self.rotating,
            budget: self.budget,
            end: scrape.deadline.saturating_sub(MARGIN),
        };
        for chip in &mut self.chips {
            if chip.collect(time, &mut self.buffer, out) {
                self.listed = None;
            }
        }
        self.chips.sort_unstable_by_key(|chip| chip.turn);
        Ok(())
    }
}

impl Thermal {
    /// Lists the chips. One that was there before keeps its turn, and its limits unless they are old.
    fn list(&mut self, now: Duration, out: &mut Batch) -> Result<(), Error> {
        let Thermal { doors, filter, buffer, .. } = self;
        let found = hwmon::list(&doors.sysfs, buffer, out)?;
        let zones = zone::list(&doors.sysfs, &found, buffer, out)?;
        let mut chips: Vec<_> = found.into_iter().map(|found| found.chip).chain(zones).collect();
        chips.retain(|chip| filter.passes(&chip.chip) && !chip.sensors.is_empty());
        for (place, chip) in chips.iter_mut().enumerate() {
            chip.succeed(&mut self.chips, now);
            chip.turn.place = place;
        }
        self.chips = chips;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
