//! Whether another disk stands under a device's name, as the kernel numbers disks: `/sys/block/X/diskseq` (Linux
//! 5.15), which no two disks and no two media since boot have in common.
//!
//! A disk does not come without an event for udev, so one number (`/sys/kernel/uevent_seqnum`, the last event's) tells
//! whether to look. All of it is kernel memory without a lock that a driver holds.

use super::table::Table;
use crate::scan::whole;
use door::{Buffer, Doors, File, Shape};
use std::sync::Arc;
use std::time::Duration;

/// What is looked at, with room for it.
#[derive(Debug)]
pub(super) struct Sequences {
    doors: Arc<Doors>,
    events: File,
    /// How many events there were when disks were looked at; None where the kernel does not say.
    last: Option<u64>,
    buffer: Buffer,
    path: String,
}

impl Sequences {
    /// Looks at nothing yet.
    pub(super) fn new(doors: &Arc<Doors>) -> Sequences {
        Sequences {
            doors: Arc::clone(doors),
            events: doors.sysfs.file("kernel/uevent_seqnum", Shape::Attr),
            last: None,
            buffer: Buffer::default(),
            path: String::new(),
        }
    }

    /// Tells the table which disks are others than before. Without an event only new ones are looked at.
    pub(super) fn refresh(&mut self, table: &mut Table, now: Duration) {
        // What cannot be read tells nothing; descriptions are looked up again in any case.
        let events = self.events.read(&mut self.buffer).ok().and_then(|text| whole(text.trim_ascii()));
        let again = events != self.last;
        self.last = events;
        let Sequences { doors, buffer, path, .. } = self;
        table.number(again, now, |device| {
            path.clear();
            path.push_str("block/");
            path.extend(device.sysfs_name());
            path.push_str("/diskseq");
            doors.sysfs.read_once(path, buffer).ok().and_then(|text| whole(text.trim_ascii()))
        });
    }
}
