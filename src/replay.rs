//! A recorded machine, run through the real gather: every collector, both passes, one snapshot.

use crate::scrape::{LANE_PATIENCE, Scraper};
use crate::slot::{Place, Slot};
use crate::snapshot::Snapshot;
use crate::station::Station;
use door::{Capture, Doors, Malformed, Player, Spawn};
use schema::{Settings, Spec};
use std::sync::Arc;

/// What came of a replay.
#[derive(Debug)]
pub struct Replayed {
    /// The second pass.
    pub snapshot: Arc<Snapshot>,
    /// What collectors asked for and the capture does not have: then it is no capture for this build.
    pub missing: Vec<String>,
}

/// Runs both passes of a capture through these collectors, each inline, and gives the second one's samples: all
/// of the machine, and of the daemon's own series those that do not depend on when and where it runs.
///
/// # Errors
/// The capture lacks what every machine has.
pub fn replay(
    capture: Capture,
    collectors: &[&'static Spec<Doors>],
    settings: &Arc<Settings>,
    spawn: Spawn,
    max_series: usize,
) -> Result<Replayed, Malformed> {
    let player = Arc::new(Player::new(capture));
    let doors = Arc::new(Doors::replaying(&player, spawn)?);
    let station = |spec| Station::new(spec, Arc::clone(&doors), Arc::clone(settings));
    let slots = collectors.iter().map(|spec| Slot::new(spec, Place::Inline(station(spec)))).collect();
    let mut scraper = Scraper::new(doors, slots, None, max_series);
    let mut scrape = |second| {
        player.set_pass(second);
        let flight = scraper.begin(scraper.collectors(), scraper.now() + LANE_PATIENCE);
        scraper.finish(flight, 1)
    };
    scrape(false);
    let snapshot = scrape(true);
    Ok(Replayed { snapshot, missing: player.missing() })
}
