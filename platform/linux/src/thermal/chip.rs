//! A chip: sensors that are asked one after the other, within a budget, while their device is awake.
//!
//! A chip that has used up its budget is left, and goes on with its next sensor in the next scrape. Limits of
//! temperatures are asked with the first reading of their sensor and kept for an hour, over lists of chips: an
//! NVMe disk needs a command for each, and they change only where somebody sets them.

use super::value::{self, Kind};
use crate::attribute::{gone, removed, silent};
use crate::scan::Expected;
use door::{Buffer, Clock, File};
use schema::families::thermal::{self as family, Limit};
use schema::unit::Celsius;
use schema::{Batch, Errno, Error};
use std::time::Duration;

const WANTED: Expected = Expected { line: 1, what: "a whole number" };

/// How long limits are good for.
const LIMITS: Duration = Duration::from_secs(3600);

/// A chip with its sensors.
#[derive(Debug)]
pub(super) struct Chip {
    /// What it is called; no other chip is.
    pub(super) chip: String,
    /// What its driver calls it.
    pub(super) name: String,
    /// Its directory and the path of its device.
    source: String,
    pub(super) sensors: Vec<Sensor>,
    /// Files that say whether it sleeps.
    pub(super) sleep: Vec<Sleep>,
    /// True for one in a disk that rotates.
    pub(super) rotates: bool,
    /// The sensor with which the next collection begins.
    next: usize,
    pub(super) turn: Turn,
    /// When it was asked last, since boot.
    asked: Option<Duration>,
    /// When its sensors were listed with limits yet to be asked, since boot.
    since: Duration,
    /// True if a sensor was not there, so that what comes next may be another device.
    gone: bool,
}

/// When a chip's turn is: those that were in time before those that were not, and of the latter the one that
/// has waited longest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    late: bool,
    /// The scrape that asked it last.
    asked: u64,
    /// Its place in the list of chips.
    pub(super) place: usize,
}

/// A file that says whether a device sleeps.
#[derive(Debug)]
pub(super) enum Sleep {
    /// The power management's `runtime_status`.
    Runtime(File),
    /// The `state` of a SCSI disk.
    Disk(File),
}

/// A sensor.
#[derive(Debug)]
pub(super) struct Sensor {
    pub(super) kind: Kind,
    /// `temp1`.
    pub(super) sensor: String,
    /// What its driver calls it; may be empty.
    pub(super) label: String,
    pub(super) input: File,
    /// Limits that are yet to be asked.
    pub(super) unasked: Vec<(Limit, File)>,
    pub(super) limits: Vec<(Limit, Celsius)>,
}

/// The time that there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time<'a> {
    pub(super) clock: &'a Clock,
    /// The scrape.
    pub(super) number: u64,
    /// When it began, since boot.
    pub(super) now: Duration,
    /// How often a disk that rotates is asked at most.
    pub(super) rotating: Duration,
    /// For one chip.
    pub(super) budget: Duration,
    /// For all.
    pub(super) end: Duration,
}

impl Chip {
    /// A chip that was never asked.
    pub(super) fn new(chip: String, name: String, source: String, sensors: Vec<Sensor>) -> Chip {
        let (sleep, turn, since) = (Vec::new(), Turn::default(), Duration::ZERO);
        Chip {
            chip,
            name,
            source,
            sensors,
            sleep,
            rotates: false,
            next: 0,
            turn,
            asked: None,
            since,
            gone: false,
        }
    }

    /// Goes on where the last list's chips were, if this is one of them.
    pub(super) fn succeed(&mut self, last: &mut [Chip], now: Duration) {
        self.since = now;
        let sensors = |chip: &Chip| chip.sensors.len();
        let same = |last: &&mut Chip| {
            (&last.source, &last.chip, &last.name) == (&self.source, &self.chip, &self.name)
                && sensors(last) == sensors(self)
                && last.sensors.iter().zip(&self.sensors).all(|(a, b)| a.sensor == b.sensor)
        };
        let Some(last) = last.iter_mut().find(same) else { return };
        (self.next, self.turn, self.asked) = (last.next, last.turn, last.asked);
        if !last.gone && now.saturating_sub(last.since) < LIMITS {
            std::mem::swap(&mut self.sensors, &mut last.sensors);
            self.since = last.since;
        }
    }

    /// Asks the chip. True if a sensor has gone, so that chips are to be listed anew.
    pub(super) fn collect(&mut self, time: Time<'_>, buffer: &mut Buffer, out: &mut Batch) -> bool {
        let mut listing = false;
        let began = time.clock.now();
        if began < time.end && self.is_due(time) && !self.asleep(buffer) {
            self.turn.asked = time.number;
            self.asked = Some(time.now);
            let end = (began + time.budget).min(time.end);
            let count = self.sensors.len();
            let mut reached = 0;
            for step in 0..count {
                if step > 0 && time.clock.now() >= end {
                    break;
                }
                reached += 1;
                if let Some(sensor) = self.sensors.get_mut((self.next + step) % count) {
                    match sensor.read(&self.chip, buffer, out) {
                        Err(error) if removed(&error) => (listing, self.gone) = (true, true),
                        Err(error) if gone(&error) => self.gone = true,
                        Err(error) if no_reading(&error) => {}
                        Err(error) => out.fail(error),
                        Ok(()) => {}
                    }
                }
            }
            self.next = (self.next + reached) % count.max(1);
            self.turn.late = time.clock.now().saturating_sub(began) > time.budget;
        }
        for sensor in &self.sensors {
            sensor.put(&self.chip, &self.name, out);
        }
        listing
    }

    /// True if it may be asked so soon after the last time.
    fn is_due(&self, time: Time<'_>) -> bool {
        let since = self.asked.map(|asked| time.now.saturating_sub(asked));
        !self.rotates || since.is_none_or(|since| since >= time.rotating)
    }

    /// True while asking it would wake a device.
    fn asleep(&mut self, buffer: &mut Buffer) -> bool {
        self.sleep.iter_mut().any(|sleep| match sleep {
            Sleep::Runtime(file) => matches!(
                file.read(buffer).map(<[u8]>::trim_ascii),
                Ok(b"suspended" | b"suspending" | b"resuming")
            ),
            Sleep::Disk(file) => matches!(file.read(buffer), Ok(state) if state.trim_ascii() != b"running"),
        })
    }
}

impl Sensor {
    fn names<'a>(&'a self, chip: &'a str) -> family::Sensor<'a> {
        family::Sensor { chip, sensor: &self.sensor }
    }

    /// Asks the sensor, and for its limits if they are not known yet.
    ///
    /// # Errors
    /// It has no reading, for whatever reason.
    fn read(&mut self, chip: &str, buffer: &mut Buffer, out: &mut Batch) -> Result<(), Error> {
        let number = number(&mut self.input, buffer)?;
        match value::reading(self.kind, number) {
            Some(reading) => self.names(chip).put(reading, out),
            None => out.reject(),
        }
        while let Some((limit, mut file)) = self.unasked.pop() {
            match self::number(&mut file, buffer) {
                Ok(number) => self.limits.extend(value::limit(limit, number).map(|celsius| (limit, celsius))),
                Err(error) if gone(&error) || no_reading(&error) => {}
                Err(error) => out.fail(error),
            }
        }
        Ok(())
    }

    /// What is known of the sensor without asking it.
    fn put(&self, chip: &str, name: &str, out: &mut Batch) {
        let names = self.names(chip);
        for (limit, celsius) in &self.limits {
            names.put_limit(*limit, *celsius, out);
        }
        names.put_info(name, &self.label, out);
    }
}

/// True if the chip has nothing to say. EIO is what many drivers say of a chip that did not answer on its bus, some
/// of them for ever: of a sensor that is not wired, or a board whose firmware holds the bus.
fn no_reading(error: &Error) -> bool {
    silent(error) || matches!(error, Error::Io { source: Errno::IO, .. })
}

fn number(file: &mut File, buffer: &mut Buffer) -> Result<i64, Error> {
    let contents = file.read(buffer)?;
    value::number(contents).ok_or_else(|| WANTED.of(file))
}
