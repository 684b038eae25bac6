//! The devices that the last scrape met, with what does not change while they are there: whether they are shown,
//! their names as text, which they are.

use super::description::Description;
use super::diskstats::Line;
use schema::Batch;
use schema::families::disk::{self, put_mapper};
use schema::label;
use std::time::Duration;

/// The devices, in the kernel's order.
#[derive(Debug, Default)]
pub(super) struct Table {
    devices: Vec<Device>,
    /// How many devices there ever were: the next one's identity.
    known: u64,
    /// Where in this scrape's order the next device is expected.
    cursor: usize,
}

/// One device.
#[derive(Debug)]
pub(super) struct Device {
    /// Names are used again, this is not.
    pub(super) identity: u64,
    /// Major and minor number.
    pub(super) number: [u64; 2],
    name: Vec<u8>,
    /// The name as a label.
    label: String,
    shown: bool,
    met: bool,
    /// Requests completed, as of the last scrape.
    completed: u64,
    sequence: Sequence,
    pub(super) description: Option<Description>,
    pub(super) stage: Stage,
}

/// The kernel's number of the disk that stands under the device's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sequence {
    NotAsked,
    Is(Option<u64>),
}

/// How far it is known which device it is. Times are since boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// To be asked at this time.
    Due(Duration),
    /// Asked at this time, and not answered.
    Asked(Duration),
    /// Asked, not answered in time, and said so.
    Late,
}

impl Table {
    /// Begins a scrape.
    pub(super) fn begin(&mut self) {
        self.cursor = 0;
        for device in &mut self.devices {
            device.met = false;
        }
    }

    /// Ends a scrape: what was not met is gone.
    pub(super) fn end(&mut self) {
        self.devices.retain(|device| device.met);
    }

    /// Meets a device, and gives its name if it is to be shown. A device whose line comes twice, as it may where
    /// others came while the file was read, is met once. Where its counters have stepped back it is another device of
    /// the same name. `shows` is asked once for each device.
    pub(super) fn meet(
        &mut self,
        line: &Line<'_>,
        now: Duration,
        shows: impl FnOnce(&str) -> bool,
    ) -> Option<&str> {
        let place = self.place(line, now, shows);
        let device = self.devices.get_mut(place)?;
        if device.met {
            return None;
        }
        device.met = true;
        self.cursor = place + 1;
        let completed = line.stats.reads.completed.wrapping_add(line.stats.writes.completed);
        if completed < device.completed {
            self.known += 1;
            device.begin_anew(self.known, now);
        }
        device.completed = completed;
        device.shown.then_some(device.label.as_str())
    }

    /// Where the device stands, mostly right behind the one before; a new one is put there.
    fn place(&mut self, line: &Line<'_>, now: Duration, shows: impl FnOnce(&str) -> bool) -> usize {
        let is_it = |device: &Device| device.number == line.number && device.name == line.name;
        if self.devices.get(self.cursor).is_some_and(is_it) {
            return self.cursor;
        }
        if let Some(place) = self.devices.iter().position(is_it) {
            return place;
        }
        let label = label::text(line.name).into_owned();
        let shown = shows(&label);
        self.known += 1;
        let device = Device {
            identity: self.known,
            number: line.number,
            name: line.name.to_vec(),
            label,
            shown,
            met: false,
            completed: 0,
            sequence: Sequence::NotAsked,
            description: None,
            stage: Stage::Due(now),
        };
        let place = self.cursor.min(self.devices.len());
        self.devices.insert(place, device);
        place
    }

    /// Asks for the kernel's number of each device that is shown and has none yet, or of all. Where it is another one
    /// than before it is another disk of the same name.
    pub(super) fn number(&mut self, again: bool, now: Duration, mut ask: impl FnMut(&Device) -> Option<u64>) {
        for device in self.devices.iter_mut().filter(|device| device.shown) {
            if !again && device.sequence != Sequence::NotAsked {
                continue;
            }
            let before = match device.sequence {
                Sequence::Is(before) => before,
                Sequence::NotAsked => None,
            };
            let after = ask(device);
            device.sequence = Sequence::Is(after.or(before));
            if before.is_some() && after.is_some() && before != after {
                self.known += 1;
                device.begin_anew(self.known, now);
            }
        }
    }

    /// The devices that are shown.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Device> {
        self.devices.iter().filter(|device| device.shown)
    }

    /// The same, for who asks which they are.
    pub(super) fn shown_mut(&mut self) -> impl Iterator<Item = &mut Device> {
        self.devices.iter_mut().filter(|device| device.shown)
    }

    /// The device of this identity, if it is still there.
    pub(super) fn device_mut(&mut self, identity: u64) -> Option<&mut Device> {
        self.devices.iter_mut().find(|device| device.identity == identity)
    }
}

impl Device {
    /// What it is called below `/sys/block`, which has no slash in a name: `cciss!c0d0`.
    pub(super) fn sysfs_name(&self) -> impl Iterator<Item = char> {
        self.label.chars().map(|c| if c == '/' { '!' } else { c })
    }

    /// The name as a label.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    fn begin_anew(&mut self, identity: u64, now: Duration) {
        self.identity = identity;
        self.description = None;
        self.stage = Stage::Due(now);
    }

    /// Says which it is, as far as that is known.
    pub(super) fn put_description(&self, out: &mut Batch) {
        let Some(description) = &self.description else { return };
        let Description { model, serial, wwn, rotational, mapper } = description;
        let known = disk::Description { model, serial, wwn, rotational: *rotational };
        known.put(&self.label, out);
        if !mapper.is_empty() {
            put_mapper(&self.label, mapper, out);
        }
    }
}
