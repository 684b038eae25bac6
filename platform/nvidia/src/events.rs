//! Critical errors (Xid) that the driver told, counted since this began. They are a process's own counts: who keeps
//! them beyond that process adds them up.

use crate::driver::{Answer, Driver};
use crate::reply::Event;
use schema::families::gpu::Of;
use schema::families::gpu_health::put_xid;
use schema::unit::{Count, Seconds};
use schema::{Batch, Error, Scrape};
use std::collections::BTreeMap;
use std::time::Duration;

/// Numbers that alerts are written for: memory (48 double-bit error, 63 and 64 rows and pages, 92 many single-bit
/// errors, 94 and 95 contained and uncontained, 140 unrecovered), 74 NVLink, 79 off the bus, 119 and 120 the GPU's own
/// processor, 154 a recovery is asked for. They begin at 0, so that the first is an increase.
pub const ALERTED: [u64; 12] = [48, 63, 64, 74, 79, 92, 94, 95, 119, 120, 140, 154];

/// NVIDIA's catalogue has fewer than 200.
const MOST_XID: u64 = 9_999;
/// How many counts are kept: of 16 GPUs, more than a dozen each beside those above.
const MOST_COUNTS: usize = 512;

/// The driver's critical errors, counted since this was made.
#[derive(Debug, Default)]
pub struct Events {
    /// By index and number: how many, and when the last.
    counts: BTreeMap<(u32, u64), (u64, Duration)>,
    found: Vec<Event>,
}

impl Events {
    /// None counted yet.
    pub fn new() -> Events {
        Events::default()
    }

    /// Asks for what came since the last time and puts the counts of all GPUs in `uuids`, by the driver's index. An
    /// event of another GPU is kept until its UUID is known. Where events cannot be asked for, nothing is put: none
    /// told is not none.
    ///
    /// # Errors
    /// The driver's code, which is noted already.
    pub fn collect(
        &mut self,
        driver: &dyn Driver,
        uuids: &BTreeMap<u32, String>,
        scrape: &Scrape,
        out: &mut Batch,
    ) -> Answer<()> {
        self.found.clear();
        let told = driver.events(&mut self.found);
        self.count(scrape.wall, out);
        if let Err(code) = told {
            if !code.is_absence() {
                out.fail(Error::Driver { call: "nvmlEventSetWait_v2", code: code.0 });
            }
            return Err(code);
        }
        for (gpu, uuid) in uuids.iter().filter(|(_, uuid)| !uuid.is_empty()) {
            let index = gpu.to_string();
            let of = Of { gpu: &index, uuid, mig: "" };
            for xid in ALERTED {
                if !self.counts.contains_key(&(*gpu, xid)) {
                    put_xid(of, &xid.to_string(), Count(0), None, out);
                }
            }
            for ((_, xid), (count, last)) in self.counts.range((*gpu, 0)..=(*gpu, u64::MAX)) {
                put_xid(of, &xid.to_string(), Count(*count), Some(Seconds::span(*last)), out);
            }
        }
        Ok(())
    }

    fn count(&mut self, wall: Duration, out: &mut Batch) {
        for Event { gpu, xid } in self.found.drain(..) {
            let known = self.counts.contains_key(&(gpu, xid));
            if !known && (xid > MOST_XID || self.counts.len() >= MOST_COUNTS) {
                out.reject();
                continue;
            }
            let (count, last) = self.counts.entry((gpu, xid)).or_default();
            *count = count.saturating_add(1);
            *last = wall;
        }
    }
}
