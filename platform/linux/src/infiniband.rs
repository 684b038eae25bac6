//! Ports of InfiniBand and RoCE adapters, from `/sys/class/infiniband` (the kernel's
//! Documentation/ABI/stable/sysfs-class-infiniband).
//!
//! Each counter is a file of its own, and some of them a command to the adapter's firmware; hence the lane. Files
//! are looked for every five minutes and kept open. It asks no subnet manager and sends nothing into the fabric,
//! and it leaves out what drivers count beyond what somebody would want to be woken for.

mod attribute;
mod counters;
mod port;
#[cfg(test)]
mod tests;

use crate::attribute::names;
use door::{Buffer, Doors};
use port::Port;
use schema::families::infiniband as families;
use schema::{Batch, Collector, Error, Lane, Scrape, Settings, Spec};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "infiniband",
    about: "traffic, errors and state of InfiniBand and RoCE ports (/sys/class/infiniband)",
    families: families::ALL,
    default_on: true,
    lane: Lane::Thread,
    settings: &[],
    open,
};

const ABSENT: Error = Error::Unsupported("no InfiniBand or RoCE adapter");

/// How long a list of files is good for.
const LISTED: Duration = Duration::from_secs(300);

/// How long it is at least, if a file was gone: a file that is listed and never there is no reason to list all
/// the time.
const LISTED_AT_LEAST: Duration = Duration::from_secs(30);

/// How many files are kept open: a port has about fifty, an adapter can have a hundred virtual ones, and a
/// process has 1,024 descriptors by default. Beyond, files are opened each time.
const MOST_OPEN: usize = 512;

struct Infiniband {
    doors: Arc<Doors>,
    devices: Vec<String>,
    ports: Vec<Port>,
    /// When files were looked for, since boot.
    listed: Option<Duration>,
    /// True if one of them was not there any more, or could not be looked for.
    gone: bool,
    buffer: Buffer,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    let mut devices = Vec::new();
    names(&doors.sysfs, "class/infiniband", &mut devices)?;
    if devices.is_empty() {
        return Err(ABSENT);
    }
    Ok(Box::new(Infiniband {
        doors: Arc::clone(doors),
        devices,
        ports: Vec::new(),
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
        for port in &mut self.ports {
            self.gone |= port.put(&self.doors.sysfs, &mut self.buffer, out);
        }
        Ok(())
    }
}

impl Infiniband {
    /// Looks for adapters, ports and files. An adapter that cannot be looked at costs itself only.
    fn list(&mut self, out: &mut Batch) -> Result<(), Error> {
        self.ports.clear();
        names(&self.doors.sysfs, "class/infiniband", &mut self.devices)?;
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
