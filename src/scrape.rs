//! One scrape, from deadline to snapshot: idle lanes get their batch, inline collectors run in order, lanes are
//! awaited, what came is arranged.
//!
//! Nothing here waits: the core (`core.rs`) decides when a flight is over.

use crate::lane::Answer;
use crate::own::Own;
use crate::slot::{Slot, Work};
use crate::snapshot::{Arranger, Collectors, Outcome, Snapshot};
use door::{Clock, Player};
use schema::Scrape;
use std::sync::Arc;
use std::time::Duration;

/// How long lanes are awaited, whatever the requests' deadlines are.
pub const LANE_PATIENCE: Duration = Duration::from_secs(2);

/// A snapshot of at most this age is as good as a new one.
pub const FRESH: Duration = Duration::from_millis(250);

/// Snapshots that are kept for use again: one for the next scrape, one that is shared, and some that slow
/// clients still read.
const SPARE: usize = 8;

/// Everything that a scrape needs.
#[derive(Debug)]
pub struct Scraper {
    /// Of deadlines and ages.
    clock: Clock,
    /// The machine that is measured, where it is a recorded one.
    player: Option<Arc<Player>>,
    slots: Vec<Slot>,
    /// None where only the machine is of interest and not who measures it: in golden files.
    own: Option<Own>,
    arranger: Arranger,
    max_series: usize,
    number: u64,
    serial: u64,
    pool: Vec<Arc<Snapshot>>,
}

/// A scrape that is under way.
#[derive(Debug)]
pub struct Flight {
    /// When it began.
    pub began: Duration,
    /// When lanes are no longer awaited.
    pub cutoff: Duration,
    /// The collectors that were asked.
    pub wanted: Collectors,
    /// Lanes whose answer is awaited.
    pending: Collectors,
    number: u64,
    snapshot: Arc<Snapshot>,
}

impl Flight {
    /// True if nothing is awaited any more.
    pub fn complete(&self) -> bool {
        self.pending == Collectors::default()
    }
}

impl Scraper {
    /// A scraper over these collectors, in this order.
    pub fn new(clock: Clock, slots: Vec<Slot>, own: Option<Own>, max_series: usize) -> Scraper {
        Scraper {
            clock,
            player: None,
            slots,
            own,
            arranger: Arranger::default(),
            max_series,
            number: 0,
            serial: 0,
            pool: Vec::new(),
        }
    }

    /// The same over a recorded machine: the first scrape reads its first pass, all others its second.
    #[must_use]
    pub fn replaying(self, player: Arc<Player>) -> Scraper {
        Scraper { player: Some(player), ..self }
    }

    /// Every collector of this scraper.
    pub fn collectors(&self) -> Collectors {
        Collectors::all(self.slots.len())
    }

    /// Now, on the clock of deadlines.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Begins a scrape: the lanes first, so that they work while the inline collectors do.
    pub fn begin(&mut self, wanted: Collectors, deadline: Duration) -> Flight {
        self.number += 1;
        if let Some(player) = &self.player {
            player.set_pass(self.number > 1);
        }
        let began = self.now();
        let cutoff = deadline.min(began + LANE_PATIENCE);
        let mut flight = Flight {
            began,
            cutoff,
            wanted,
            pending: Collectors::default(),
            number: self.number,
            snapshot: self.blank(),
        };
        let wall = self.clock.wall();
        let scrape = Scrape { number: self.number, now: began, deadline: cutoff, wall, held: false };
        let Some(snapshot) = Arc::get_mut(&mut flight.snapshot) else { return flight };
        snapshot.taken = began;
        snapshot.covers = wanted;
        for inline in [false, true] {
            let asked = self.slots.iter_mut().enumerate().zip(&mut snapshot.parts);
            for ((place, slot), part) in
                asked.filter(|((place, slot), _)| wanted.has(*place) && slot.is_inline() == inline)
            {
                if slot.ask(&scrape, &self.clock, part) == Work::Awaited {
                    flight.pending = flight.pending.with(place);
                }
            }
        }
        flight
    }

    /// Takes a lane's answer: into the flight that asked for it, else to be shown once, late.
    pub fn answer(&mut self, flight: Option<&mut Flight>, answer: Answer) {
        let place = answer.place;
        let Some(slot) = self.slots.get_mut(place) else { return };
        let awaited = flight.filter(|flight| flight.number == answer.number && flight.pending.has(place));
        let Some(flight) = awaited else { return slot.came_late(answer) };
        flight.pending = flight.pending.without(place);
        let part = Arc::get_mut(&mut flight.snapshot).and_then(|snapshot| snapshot.parts.get_mut(place));
        if let Some(part) = part {
            slot.came(answer, part);
        }
    }

    /// Ends a scrape with what has come, for this many requests.
    pub fn finish(&mut self, mut flight: Flight, requests: u64) -> Arc<Snapshot> {
        let now = self.now();
        if let Some(snapshot) = Arc::get_mut(&mut flight.snapshot) {
            for (place, (slot, part)) in self.slots.iter_mut().zip(&mut snapshot.parts).enumerate() {
                if flight.pending.has(place) {
                    slot.missed(now, part);
                }
                if !flight.wanted.has(place) {
                    continue;
                }
                if self.own.is_some() {
                    slot.put_status(now, part);
                    slot.log(part);
                } else {
                    slot.put_outcome(part);
                }
            }
            let left_out = self.arranger.arrange(snapshot, self.max_series);
            if let Some(own) = &mut self.own {
                own.collected(requests, left_out);
                own.put(self.number, &mut snapshot.own);
            }
            Arranger::finish(snapshot);
        }
        if self.pool.len() < SPARE {
            self.pool.push(Arc::clone(&flight.snapshot));
        }
        flight.snapshot
    }

    /// What has come so far, for a request that cannot wait for the rest. The flight goes on. What the request wants
    /// and this flight does not ask is late, but for inline collectors, which answer at once.
    pub fn so_far(&mut self, flight: &Flight, wanted: Collectors) -> Arc<Snapshot> {
        let mut partial = Snapshot::default();
        partial.clear(self.slots.len());
        self.serial += 1;
        partial.serial = self.serial;
        partial.taken = flight.began;
        partial.covers = flight.wanted.union(wanted);
        let now = self.now();
        self.number += 1;
        let wall = self.clock.wall();
        let scrape = Scrape { number: self.number, now, deadline: now, wall, held: false };
        let parts = self.slots.iter_mut().zip(&flight.snapshot.parts).zip(&mut partial.parts).enumerate();
        for (place, ((slot, came), part)) in parts.filter(|(place, _)| partial.covers.has(*place)) {
            if !flight.wanted.has(place) && slot.is_inline() {
                slot.ask(&scrape, &self.clock, part);
            } else if flight.pending.has(place) || !flight.wanted.has(place) {
                part.report.outcome = Outcome::Late;
            } else {
                part.batch.append(&came.batch);
                part.report = came.report.clone();
                let age = now.saturating_sub(flight.began);
                part.report.age = part.report.age.or((age > FRESH).then_some(age));
            }
            slot.put_status(now, part);
        }
        self.arranger.arrange(&mut partial, self.max_series);
        if let Some(own) = &mut self.own {
            own.scraped(1);
            own.put(self.number, &mut partial.own);
        }
        Arranger::finish(&mut partial);
        Arc::new(partial)
    }

    /// Counts requests that shared a snapshot.
    pub fn shared(&mut self, requests: u64) {
        if let Some(own) = &mut self.own {
            own.scraped(requests);
        }
    }

    /// An empty snapshot that nobody else holds.
    fn blank(&mut self) -> Arc<Snapshot> {
        let unshared = self.pool.iter_mut().position(|snapshot| Arc::get_mut(snapshot).is_some());
        let mut snapshot = match unshared {
            Some(place) => self.pool.swap_remove(place),
            None => Arc::default(),
        };
        if let Some(snapshot) = Arc::get_mut(&mut snapshot) {
            snapshot.clear(self.slots.len());
            self.serial += 1;
            snapshot.serial = self.serial;
        }
        snapshot
    }
}
