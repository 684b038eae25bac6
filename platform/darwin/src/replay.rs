//! How this crate's tests run a collector over a recorded machine: capture text in, samples out.

use door::{Doors, Player};
use schema::{Batch, Collector, Error, Scrape, Settings, Spec};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// A collector over a recorded machine, which stands at the capture's first pass.
pub(crate) struct Replay {
    collector: Box<dyn Collector>,
    player: Arc<Player>,
    number: u64,
}

impl Replay {
    /// The machine is these entries of a capture, with pages of 16 KiB and 100 ticks a second.
    pub(crate) fn open(spec: &Spec<Doors>, entries: &str) -> Replay {
        Self::set(spec, entries, &Settings::default())
    }

    /// Why there is nothing to open on this machine.
    pub(crate) fn refused(spec: &Spec<Doors>, entries: &str) -> Error {
        (spec.open)(&doors(entries), &Settings::default()).err().unwrap()
    }

    /// The same, with settings.
    pub(crate) fn set(spec: &Spec<Doors>, entries: &str, settings: &Settings) -> Replay {
        let (doors, player) = machine(entries);
        Replay { collector: (spec.open)(&doors, settings).unwrap(), player, number: 0 }
    }

    /// From now on it is the capture's second pass.
    pub(crate) fn second_pass(&mut self) {
        self.player.set_pass(true);
    }

    /// From now on it is the capture's first pass again.
    pub(crate) fn first_pass(&mut self) {
        self.player.set_pass(false);
    }

    /// Collects into an empty batch: the `number`th scrape is at `number` minutes after boot, which was at 1000 s.
    pub(crate) fn collect(&mut self) -> (Result<(), Error>, Batch) {
        self.number += 1;
        let now = Duration::from_secs(60 * self.number);
        let deadline = now + Duration::from_secs(5);
        let wall = Duration::from_secs(1000) + now;
        let scrape = Scrape { number: self.number, now, deadline, wall, held: false };
        let mut out = Batch::default();
        let result = self.collector.collect(&scrape, &mut out);
        (result, out)
    }

    /// Collects, and shows it: a sample a line, then the failures of items, then that of the whole, then what
    /// the capture was asked for and does not have.
    pub(crate) fn shown(&mut self) -> String {
        let (result, out) = self.collect();
        let mut text = String::new();
        for row in out.rows() {
            let labels: Vec<_> =
                row.named_labels().map(|(name, value)| format!("{name}={value:?}")).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let name = row.family().descriptor().name;
            writeln!(text, "{name}{labels} {}", row.value().as_f64()).unwrap();
        }
        for failure in out.failures() {
            writeln!(text, "item failed: {failure}").unwrap();
        }
        if let Err(error) = result {
            writeln!(text, "failed: {error}").unwrap();
        }
        for missing in self.player.missing() {
            writeln!(text, "not recorded: {missing}").unwrap();
        }
        text
    }
}

/// The doors of a recorded machine, for what is no collector.
pub(crate) fn doors(entries: &str) -> Arc<Doors> {
    machine(entries).0
}

fn machine(entries: &str) -> (Arc<Doors>, Arc<Player>) {
    let facts = "== 1 clock boottime ok text\n0.000000000\n== 1 fact os ok text\nmacos\n\
                 == 1 fact page_size ok text\n16384\n== 1 fact ticks_per_second ok text\n100\n";
    let capture = format!("# gauged capture 1\n{facts}{entries}").parse().unwrap();
    let player = Arc::new(Player::new(capture));
    (Arc::new(Doors::replaying(&player, spawn).unwrap()), player)
}

/// One scrape of a recorded machine, see [`Replay::shown`].
pub(crate) fn replay(spec: &Spec<Doors>, entries: &str) -> String {
    Replay::open(spec, entries).shown()
}

/// An entry of a capture's first pass: what a call answered, in bytes.
pub(crate) fn entry(call: &str, argument: &str, answer: &[u8]) -> String {
    let argument = if argument.is_empty() { "\\x" } else { argument };
    let hex: String = answer.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("== 1 {call} {argument} ok hex\n{hex}\n")
}

/// The same for an answer of words of 32 bits.
pub(crate) fn word_entry(call: &str, argument: &str, words: &[u32]) -> String {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    entry(call, argument, &bytes)
}

/// The same for a text, with the NUL that sysctl(3) gives.
pub(crate) fn text_entry(call: &str, argument: &str, text: &str) -> String {
    let nul: &[u8] = if text.is_empty() { b"" } else { b"\0" };
    entry(call, argument, &[text.as_bytes(), nul].concat())
}

/// The entries as of the second pass.
pub(crate) fn second(entries: &str) -> String {
    entries.replace("== 1 ", "== 2 ")
}

/// A thread that touches no machine needs no file table of its own.
#[expect(clippy::disallowed_methods, reason = "a replayed question touches no machine")]
fn spawn(_: &str, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
    std::thread::spawn(work);
    Ok(())
}
