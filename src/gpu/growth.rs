//! Whether the probe grows: a driver's library that leaks in it is let go with it, and a new probe begins small.
//!
//! What counts is growth since its first answer, not size: how much a library takes for itself is the driver's affair.

use schema::families::own;
use schema::{Batch, Value};

/// A library may have so much more than at the probe's first answer, in bytes. What one takes up in its first minutes is a
/// few MiB.
const MOST: u64 = 64 << 20;

/// The probe's first answer.
#[derive(Debug, Default)]
pub(super) struct Growth {
    /// Which of the probes it was, and how much memory it had.
    first: Option<(u64, u64)>,
}

impl Growth {
    /// True if this probe, of so many that were started, has grown too large, by what it says of itself.
    pub(super) fn is_too_much(&mut self, starts: u64, brought: &Batch) -> bool {
        let memory = brought.rows().find(|row| row.family() == own::GPU_PROBE_MEMORY.id());
        let Some(Value::Integer(now)) = memory.map(|row| row.value()) else { return false };
        match self.first {
            Some((of, first)) if of == starts => now.saturating_sub(first) > MOST,
            _ => {
                self.first = Some((starts, now));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::unit::{Bytes, Count, Seconds};

    fn told(memory: Option<u64>) -> Batch {
        let mut batch = Batch::default();
        let memory = memory.map(Bytes);
        own::GpuProbe { calls: Count(1), driver: Seconds(0.1), cpu: None, memory }.put(&mut batch);
        batch
    }

    #[test]
    fn a_probe_may_be_large_and_may_not_grow() {
        let mut growth = Growth::default();
        let mib = |n: u64| told(Some(n << 20));
        for (starts, memory, too_much) in [
            (1, mib(500), false),
            (1, mib(564), false),
            (1, told(None), false),
            (1, mib(565), true),
            (2, mib(565), false),
            (2, mib(20), false),
            (2, mib(629), false),
            (2, mib(630), true),
        ] {
            assert_eq!(growth.is_too_much(starts, &memory), too_much);
        }
    }
}
