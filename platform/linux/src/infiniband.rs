//! Ports of InfiniBand and RoCE adapters, from `/sys/class/infiniband` (the kernel's
//! Documentation/ABI/stable/sysfs-class-infiniband).
//!
//! Each counter is a file of its own, and some of them a command to the adapter's firmware; hence the lane. Files
//! are looked for every five minutes and kept open. Ports that the scrape has no time for are late, and the first
//! of the next scrape. It asks no subnet manager and sends nothing into the fabric,
//! and it leaves out what drivers count beyond what somebody would want to be woken for.

mod attribute;
mod counters;
mod port;
#[cfg(test)]
mod tests;

use crate::attribute::names;
use door::{Buffer, Doors, Filter, Root};
use port::Port;
use schema::families::infiniband as families;
use schema::setting::Kind;
use schema::{Batch, Collector, Error, Lane, Scrape, Setting, Settings, Spec};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "infiniband",
    about: "traffic, errors and state of InfiniBand and RoCE ports (/sys/class/infiniband)",
    families: families::ALL,
    default_on: true,
    lane: Lane::Thread,
    settings: &[DEVICE_INCLUDE, DEVICE_EXCLUDE],
    open,
};

const DEVICE_INCLUDE: Setting = Setting {
    key: "collector.infiniband.device-include",
    kind: Kind::Pattern,
    default: "",
    help: "Show only adapters whose whole name (mlx5_0) matches.",
};

const DEVICE_EXCLUDE: Setting = Setting {
    key: "collector.infiniband.device-exclude",
    kind: Kind::Pattern,
    default: "",
    help: "Leave out adapters whose whole name matches; they are not asked.",
};

const ABSENT: Error = Error::Unsupported("no InfiniBand or RoCE adapter");

/// How long a list of files is good for.
const LISTED: Duration = Duration::from_secs(300);

/// How long it is at least, if a file was gone: a file that is listed and never there is no reason to list all
/// the time.
const LISTED_AT_LEAST: Duration = Duration::from_secs(30);

/// What is kept of the time until the deadline for handing the batch over: it is also what one more port may take.
const MARGIN: Duration = Duration::from_millis(100);

/// How many files are kept open: a port has about fifty, an adapter can have a hundred virtual ones, and a
/// process has 1,024 descriptors by default. Beyond, files are opened each time.
const MOST_OPEN: usize = 512;

struct Infiniband {
    doors: Arc<Doors>,
    filter: Filter,
    devices: Vec<String>,
    ports: Vec<Port>,
    /// The place of the port with which the next collection begins.
    next: usize,
    /// When files were looked for, since boot.
    listed: Option<Duration>,
    /// True if one of them was not there any more, or could not be looked for.
    gone: bool,
    buffer: Buffer,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let filter = Filter::of(settings, &DEVICE_INCLUDE, &DEVICE_EXCLUDE)?;
    let mut devices = Vec::new();
    shown(&doors.sysfs, &filter, &mut devices)?;
    if devices.is_empty() {
        return Err(ABSENT);
    }
    Ok(Box::new(Infiniband {
        doors: Arc::clone(doors),
        filter,
        devices,
        ports: Vec::new(),
        next: 0,
        listed: None,
        gone: false,
        buffer: Buffer::default(),
    }))
}

impl Collector for Infiniband {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let good = if std::mem::take(&mut self.gone) { LISTED_AT_LEAST } else { LISTED };
        if self.listed.is_none_or(|listed| scrape.now.saturating_sub(listed) >= good) {
            self.listed = Some(scrape.now);
            self.list(out)?;
        }
        if self.devices.is_empty() {
            return Err(ABSENT);
        }
        let end = scrape.deadline.saturating_sub(MARGIN);
        let count = self.ports.len();
        let Some(first) = self.next.checked_rem(count) else { return Ok(()) };
        let mut reached = 0;
        for step in 0..count {
            let Some(port) = self.ports.get_mut((first + step) % count) else { continue };
            // One is asked however late it is, so that each has its turn.
            if step > 0 && self.doors.clock.now() >= end {
                out.fail(port.late());
                break;
            }
            reached += 1;
            self.gone |= port.put(&self.doors.sysfs, &mut self.buffer, out);
        }
        self.next = first + reached;
        Ok(())
    }
}

/// The adapters that are to be shown.
fn shown(sysfs: &Root, filter: &Filter, devices: &mut Vec<String>) -> Result<(), Error> {
    names(sysfs, "class/infiniband", devices)?;
    devices.retain(|device| filter.passes(device));
    Ok(())
}

impl Infiniband {
    /// Looks for adapters, ports and files. An adapter that cannot be looked at costs itself only.
    fn list(&mut self, out: &mut Batch) -> Result<(), Error> {
        self.ports.clear();
        shown(&self.doors.sysfs, &self.filter, &mut self.devices)?;
        let mut open = MOST_OPEN;
        for device in &self.devices {
            match Port::of_device(&self.doors.sysfs, device, &mut open, &mut self.buffer, out) {
                Ok(ports) => self.ports.extend(ports),
                Err(error) => {
                    self.gone = true;
                    out.fail(error);
                }
            }
        }
        Ok(())
    }
}
