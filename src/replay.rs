//! A recorded machine: read from its file, and measured as if it were this one, by the collectors of the system that
//! it is of.
//!
//! Its doors answer from the capture. Deadlines, ages and the daemon's own series stay those of the process that
//! plays it: only what a collector is told of the time is recorded, because a machine whose counters stand still
//! and whose clock goes on would be a machine that never was.

use crate::machine;
use crate::scrape::Scraper;
use crate::slot::{Place, Slot};
use crate::snapshot::Snapshot;
use crate::station::Station;
use door::{Capture, Doors, Malformed, Player, Spawn};
use schema::{Settings, Spec};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The largest capture that is read. A server of 64 CPUs and 60 mounts takes half of one MiB.
const MOST_BYTES: u64 = 64 << 20;

/// Why a capture cannot be played.
#[derive(Debug)]
pub enum Unplayable {
    /// It cannot be read.
    Io(io::Error),
    /// It is larger than anything that was recorded.
    Large,
    /// It is not written as captures are.
    Malformed(Malformed),
    /// It is of a system that this build has no collectors for.
    Stranger(String),
}

impl std::fmt::Display for Unplayable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unplayable::Io(error) => error.fmt(f),
            Unplayable::Large => write!(f, "larger than {} MiB, so no capture", MOST_BYTES >> 20),
            Unplayable::Malformed(Malformed { line: 0, what }) => write!(f, "no capture: it lacks {what}"),
            Unplayable::Malformed(malformed) => write!(f, "no capture: {malformed}"),
            Unplayable::Stranger(os) => {
                write!(f, "a capture of {}, which this gauged does not know", os.escape_debug())
            }
        }
    }
}

/// A recorded machine that can be measured.
#[derive(Debug)]
pub struct Recording {
    /// What it is called: its file's name without `.capture`.
    pub name: String,
    /// The collectors of its system.
    pub collectors: Vec<&'static Spec<Doors>>,
    player: Arc<Player>,
}

impl Recording {
    /// Reads a capture.
    ///
    /// # Errors
    /// Says why it cannot be played, without its path.
    pub fn read(path: &Path) -> Result<Recording, Unplayable> {
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(Unplayable::Io)?;
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(Unplayable::Io)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(Unplayable::Large);
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Recording::parse(name, &bytes)
    }

    /// A capture of this name.
    ///
    /// # Errors
    /// As [`Recording::read`].
    pub fn parse(name: String, bytes: &[u8]) -> Result<Recording, Unplayable> {
        // Names that are not UTF-8 stand as hex in a capture; what is not UTF-8 here fails at its line.
        let capture: Capture = String::from_utf8_lossy(bytes).parse().map_err(Unplayable::Malformed)?;
        let os = capture.os().to_owned();
        let collectors = machine::recorded(&os);
        if collectors.is_empty() {
            return Err(Unplayable::Stranger(os));
        }
        let recording = Recording { name, collectors, player: Arc::new(Player::new(capture)) };
        // Without these no collector could be asked, and each would say so in its own words.
        let doors = recording.doors(|_, _| Ok(())).map_err(Unplayable::Malformed)?;
        doors.clock.recorded();
        match doors.missing().into_iter().next() {
            Some(what) => Err(Unplayable::Malformed(Malformed { line: 0, what: format!("the {what}") })),
            None => Ok(recording),
        }
    }

    /// Who answers for the machine.
    pub fn player(&self) -> Arc<Player> {
        Arc::clone(&self.player)
    }

    /// Doors of the machine, for one collector: what it asks for and was not recorded is its failure alone.
    ///
    /// # Errors
    /// The capture lacks what every machine has.
    pub fn doors(&self, spawn: Spawn) -> Result<Arc<Doors>, Malformed> {
        beside(&self.player, spawn)
    }
}

fn beside(player: &Arc<Player>, spawn: Spawn) -> Result<Arc<Doors>, Malformed> {
    Ok(Arc::new(Doors::replaying(&Arc::new(player.beside()), spawn)?))
}

/// What came of a replay.
#[derive(Debug)]
pub struct Replayed {
    /// The second pass.
    pub snapshot: Arc<Snapshot>,
    /// What collectors asked for and the capture does not have: then it is no capture for this build.
    pub missing: Vec<String>,
}

/// Runs both passes of a capture through these collectors, each inline and on the recorded clock, and gives the
/// second one's samples: all of the machine, and of the daemon's own series those that do not depend on when and
/// where it runs.
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
    let doors: Vec<_> = collectors.iter().map(|_| beside(&player, spawn)).collect::<Result<_, _>>()?;
    let clock = Doors::replaying(&player, spawn)?.clock;
    let station = |(spec, doors)| Station::new(spec, Arc::clone(doors), Arc::clone(settings));
    let slots = collectors
        .iter()
        .copied()
        .zip(&doors)
        .map(|(spec, doors)| Slot::new(spec, Place::Inline(station((spec, doors)))));
    let mut scraper = Scraper::new(clock, slots.collect(), None, max_series).replaying(Arc::clone(&player));
    let mut scrape = || {
        // The recorded clock moves on as the scrape begins; until then no deadline is known on it.
        let flight = scraper.begin(scraper.collectors(), Duration::MAX);
        scraper.finish(flight, 1)
    };
    scrape();
    let snapshot = scrape();
    let mut missing: Vec<String> =
        doors.iter().flat_map(|doors| doors.missing()).chain(player.missing()).collect();
    missing.sort_unstable();
    missing.dedup();
    Ok(Replayed { snapshot, missing })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "# gauged capture 1\n== 1 fact page_size ok text\n4096\n\
        == 1 fact ticks_per_second ok text\n100\n== 1 clock boottime ok text\n1.000000000\n\
        == 1 clock wall ok text\n1795220200.750000000\n";

    fn refused(text: &str) -> String {
        Recording::parse("x".to_owned(), text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_capture_that_does_not_say_is_of_linux() {
        let recording = Recording::parse("x".to_owned(), WHOLE.as_bytes()).unwrap();
        assert!(recording.collectors.iter().any(|spec| spec.name == "pressure"));
    }

    #[test]
    fn what_cannot_be_played_is_refused_at_once_and_says_why() {
        assert_eq!(refused(""), "no capture: line 1: expected # gauged capture 1");
        assert_eq!(refused("\u{fffd}"), "no capture: line 1: expected # gauged capture 1");
        assert_eq!(refused("# gauged capture 1\n"), "no capture: it lacks the fact page_size");
        let (facts, _) = WHOLE.split_once("== 1 clock boottime").unwrap();
        assert_eq!(refused(facts), "no capture: it lacks the clock boottime");
        assert_eq!(
            refused(&format!("{WHOLE}== 3 file x ok text\n")),
            "no capture: line 10: expected pass 1 or 2"
        );
        assert_eq!(
            refused(&format!("{WHOLE}== 1 fact os ok text\nplan9\n")),
            "a capture of plan9, which this gauged does not know"
        );
    }

    #[test]
    fn a_file_that_is_no_file_of_ours_is_refused() {
        let refused = |path: &str| Recording::read(Path::new(path)).unwrap_err();
        assert!(matches!(refused("/nonexistent/x.capture"), Unplayable::Io(_)));
        assert!(matches!(refused("/"), Unplayable::Io(_)));
        assert!(matches!(refused("/dev/zero"), Unplayable::Large));
    }
}
