//! The counts of critical errors, by GPU and number.

use crate::events::ALERTED;
use schema::Batch;
use schema::families::gpu::Of;
use schema::families::gpu_health::put_xid;
use schema::unit::{Count, Seconds};
use std::fmt::Write as _;

/// Kinds of errors that are told apart: a driver that makes up numbers must not fill memory.
const MOST: usize = 1024;
/// Errors in the log of GPUs that nobody has told of yet.
const MOST_UNCLAIMED: usize = 64;

/// One kind of error of one GPU.
#[derive(Debug)]
struct Tally {
    uuid: String,
    xid: String,
    /// By the driver's events, as those before counted them.
    earlier: u64,
    /// By the driver's events, as who asks now counts them.
    now: u64,
    /// By the kernel's log.
    logged: u64,
    last: Option<Seconds>,
}

#[derive(Debug)]
struct Unclaimed {
    place: String,
    xid: u32,
    errors: u64,
    last: Seconds,
}

/// All counts.
#[derive(Debug, Default)]
pub(super) struct Faults {
    tallies: Vec<Tally>,
    unclaimed: Vec<Unclaimed>,
    text: String,
    /// The kernel's log is read: then there was no error that nobody told of.
    pub(super) log_is_read: bool,
}

impl Faults {
    /// The driver's events, as who asks it counts them.
    pub(super) fn counted(&mut self, uuid: &str, xid: Option<&str>, errors: u64) {
        if let Some(tally) = xid.and_then(|xid| self.tally(uuid, xid)) {
            // It cannot have fallen: whoever begins anew is announced.
            tally.now = tally.now.max(errors);
        }
    }

    /// When the last was told.
    pub(super) fn seen(&mut self, uuid: &str, xid: Option<&str>, wall: f64) {
        if let Some(tally) = xid.and_then(|xid| self.tally(uuid, xid)) {
            tally.last = later(tally.last, Seconds(wall));
        }
    }

    pub(super) fn begin_anew(&mut self) {
        for tally in &mut self.tallies {
            tally.earlier += std::mem::take(&mut tally.now);
        }
    }

    pub(super) fn logged(&mut self, place: &str, xid: u32, wall: Seconds) {
        if let Some(fault) = self.unclaimed.iter_mut().find(|fault| fault.place == place && fault.xid == xid)
        {
            fault.errors += 1;
            fault.last = wall;
        } else if self.unclaimed.len() < MOST_UNCLAIMED {
            self.unclaimed.push(Unclaimed { place: place.to_owned(), xid, errors: 1, last: wall });
        }
    }

    /// Counts what the log told for the GPUs that are known by now.
    pub(super) fn resolve(&mut self, whose: impl Fn(&str) -> Option<String>) {
        let mut place = 0;
        while let Some(fault) = self.unclaimed.get(place) {
            let Some(uuid) = whose(&fault.place) else {
                place += 1;
                continue;
            };
            let fault = self.unclaimed.swap_remove(place);
            if let Some(tally) = self.tally_of(&uuid, u64::from(fault.xid)) {
                tally.logged += fault.errors;
                tally.last = later(tally.last, fault.last);
            }
        }
    }

    /// Puts the counts of this GPU. Those that alerts use are there from the start, because `increase` does not see a
    /// counter that begins at 1; but only where somebody watches: the driver's events say so themselves.
    pub(super) fn put(&mut self, of: Of<'_>, out: &mut Batch) {
        if self.log_is_read {
            for xid in ALERTED {
                self.tally_of(of.uuid, xid);
            }
        }
        for tally in self.tallies.iter().filter(|tally| tally.uuid == of.uuid) {
            put_xid(of, &tally.xid, Count(tally.logged.max(tally.earlier + tally.now)), tally.last, out);
        }
    }

    fn tally_of(&mut self, uuid: &str, xid: u64) -> Option<&mut Tally> {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        // Writing to a string does not fail.
        let _ = write!(text, "{xid}");
        let there = self.tally(uuid, &text).is_some();
        self.text = text;
        if there {
            self.tallies.iter_mut().find(|tally| tally.uuid == uuid && tally.xid == self.text)
        } else {
            None
        }
    }

    fn tally(&mut self, uuid: &str, xid: &str) -> Option<&mut Tally> {
        let place = self.tallies.iter().position(|tally| tally.uuid == uuid && tally.xid == xid);
        match place {
            Some(place) => self.tallies.get_mut(place),
            None if self.tallies.len() < MOST => {
                let (uuid, xid) = (uuid.to_owned(), xid.to_owned());
                self.tallies.push(Tally { uuid, xid, earlier: 0, now: 0, logged: 0, last: None });
                self.tallies.last_mut()
            }
            None => None,
        }
    }
}

fn later(before: Option<Seconds>, wall: Seconds) -> Option<Seconds> {
    match before {
        Some(before) if before.0 > wall.0 => Some(before),
        _ => Some(wall),
    }
}
