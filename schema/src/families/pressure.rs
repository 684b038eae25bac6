//! How long tasks have waited for what the host is short of.

use crate::unit::Seconds;
use crate::{Batch, families};

families! {
    /// Seconds in which some, or all (full), of the tasks that were not idle waited for a resource: cpu,
    /// memory, io or irq. Full does not exist for cpu, and some does not exist for irq, on a whole host.
    PRESSURE: counter<Seconds> = "host_pressure_seconds_total" { resource, stall } on [Linux] since "0.1.0";
}

/// How long tasks have waited for one resource; None for what the kernel does not define.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stalls {
    /// At least one task waited.
    pub some: Option<Seconds>,
    /// Every task that was not idle waited.
    pub full: Option<Seconds>,
}

impl Stalls {
    /// The only writer of [`PRESSURE`].
    pub fn put(self, resource: &str, out: &mut Batch) {
        for (stall, seconds) in [("some", self.some), ("full", self.full)] {
            if let Some(seconds) = seconds {
                out.put(&PRESSURE, [resource, stall], seconds);
            }
        }
    }
}
