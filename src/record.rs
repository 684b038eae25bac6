//! This machine as a capture: for a test of ours, or for a bug report. Two passes a second apart, so that
//! counters move.

mod mask;

pub use mask::mask;

use crate::machine;
use crate::scrape::LANE_PATIENCE;
use crate::station::Station;
use door::{Capture, Doors, Paths, Recorder};
use schema::{Batch, Scrape, Settings, Spec};
use std::sync::Arc;
use std::time::Duration;

/// Between the passes.
const PAUSE: Duration = Duration::from_secs(1);
/// The same where a GPU tells its activity: that is of two samples at least 10 s apart.
const ACTIVITY_PAUSE: Duration = Duration::from_secs(11);

/// Records what these collectors ask of the machine and what it answers.
///
/// # Errors
/// Says that gauged cannot measure this system.
pub fn record(
    collectors: &[&'static Spec<Doors>],
    settings: &Arc<Settings>,
    paths: &Paths,
) -> Result<Capture, &'static str> {
    let recorder = Arc::new(Recorder::default());
    recorder.system(machine::OS);
    let doors = Arc::new(Doors::recording(machine::live()?, paths, &recorder));
    let mut stations: Vec<_> =
        collectors.iter().map(|spec| Station::new(spec, Arc::clone(&doors), Arc::clone(settings))).collect();
    for number in [1, 2] {
        if number == 2 {
            std::thread::sleep(if samples_activity(&recorder) { ACTIVITY_PAUSE } else { PAUSE });
            recorder.second_pass();
        }
        let (now, wall) = (doors.clock.now(), doors.clock.wall());
        let scrape = Scrape { number, now, deadline: now + LANE_PATIENCE, wall, held: false };
        for station in &mut stations {
            // What fails is recorded as it failed; the samples are of no interest here.
            drop(station.collect(&scrape, &mut Batch::default()));
        }
    }
    let mut capture = recorder.capture();
    capture.notes.push(format!("recorded by gauged {}", crate::own::VERSION));
    Ok(capture)
}
/// True if a sample of a GPU's activity was taken.
fn samples_activity(recorder: &Recorder) -> bool {
    let capture = recorder.capture();
    capture.entries.iter().any(|entry| {
        entry.door == nvidia::DOOR && entry.key.starts_with(nvidia::ACTIVITY_KEY) && entry.answer.is_ok()
    })
}
