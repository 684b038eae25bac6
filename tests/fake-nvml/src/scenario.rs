//! The scenarios of this directory, by name: a capture, faults, or both, each over the scenario that it alters.

use crate::faults::{self, Line};
use crate::stage::Staged;
use crate::tape;
use door::{Capture, Entry};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The machine of `tests/machines` around a scenario that does not name one.
const HOST: &str = "vm";

/// A driver, the machine around it, and what goes wrong.
#[derive(Clone, Debug)]
pub struct Scenario {
    name: String,
    capture: Capture,
    faults: String,
    without: Vec<String>,
    host: String,
}

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

impl Scenario {
    /// The names of all scenarios.
    ///
    /// # Panics
    /// If their directory cannot be listed, as all of this does for what only this repository can be wrong about.
    pub fn names() -> Vec<String> {
        #[expect(clippy::expect_used, reason = "it is there")]
        let entries = std::fs::read_dir(scenarios()).expect("scenarios");
        let names: BTreeSet<String> = entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let known = path.extension().is_some_and(|e| e == "capture" || e == "faults");
                let name = path.file_stem()?.to_str()?.to_owned();
                // Lines for others to include are no scenario.
                known.then_some(name).filter(|name| !name.starts_with('_'))
            })
            .collect();
        names.into_iter().collect()
    }

    /// The scenario of this name.
    ///
    /// # Panics
    /// If there is none, or it cannot be understood.
    #[expect(clippy::panic, reason = "only this repository can be wrong about it")]
    pub fn load(name: &str) -> Scenario {
        let file =
            |extension: &str| std::fs::read_to_string(scenarios().join(format!("{name}.{extension}"))).ok();
        let (capture, faults) = (file("capture"), file("faults"));
        assert!(capture.is_some() || faults.is_some(), "no scenario {name}");
        let own: Capture = capture
            .map(|text| text.parse().unwrap_or_else(|error| panic!("{name}.capture: {error}")))
            .unwrap_or_default();
        let faults = faults.unwrap_or_default();
        let mut scenario = Scenario {
            name: name.to_owned(),
            capture: Capture::default(),
            faults: String::new(),
            without: Vec::new(),
            host: HOST.to_owned(),
        };
        let lines = faults::parse(&faults).unwrap_or_else(|error| panic!("{name}.faults: {error}"));
        if let Some(Line::Base(base)) = lines.iter().find(|line| matches!(line, Line::Base(_))) {
            scenario = Scenario { name: name.to_owned(), ..Scenario::load(base) };
        }
        scenario.capture = altered(&scenario.capture, own);
        scenario.with(&faults)
    }

    /// The scenario with more faults, see [`faults`].
    ///
    /// # Panics
    /// If nobody understands them.
    #[must_use]
    #[expect(clippy::panic, reason = "only a test can be wrong about it")]
    pub fn with(mut self, faults: &str) -> Scenario {
        for text in faults.lines() {
            let mut lines = faults::parse(text).unwrap_or_else(|error| panic!("{}: {error}", self.name));
            match lines.pop() {
                None | Some(Line::Base(_)) => {}
                Some(Line::Host(host)) => self.host = host,
                Some(Line::Without(symbols)) => self.without.extend(symbols),
                Some(Line::Fault(_)) => self.faults += &format!("{text}\n"),
                Some(Line::Include(name)) => {
                    let path = scenarios().join(format!("{name}.faults"));
                    let text =
                        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}.faults: {e}"));
                    self = self.with(&text);
                }
            }
        }
        self
    }

    /// The scenario with another capture: of a real machine, perhaps.
    #[must_use]
    pub fn playing(mut self, capture: &Capture) -> Scenario {
        self.capture = tape::expanded(capture);
        self
    }

    /// What the driver and the machine answer, without wildcards; counters may have rates (see [`tape::frozen`]).
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What goes wrong, without the lines that are of its layout.
    pub(crate) fn faults(&self) -> &str {
        &self.faults
    }

    /// The symbols that the library lacks.
    pub(crate) fn without(&self) -> &[String] {
        &self.without
    }

    /// The capture of the machine around it.
    pub(crate) fn host(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../machines/{}.capture", self.host))
    }

    /// Lays it out in a directory of its own: a copy of the library, because the loader knows libraries by inode,
    /// the scenario beside it, and the machine's files.
    ///
    /// # Errors
    /// The library was not built, or the directory cannot be made.
    pub fn stage(&self) -> std::io::Result<Staged> {
        Staged::new(self, true)
    }

    /// The same without the machine's files, for who asks the library alone.
    ///
    /// # Errors
    /// As of [`Scenario::stage`].
    pub fn stage_library(&self) -> std::io::Result<Staged> {
        Staged::new(self, false)
    }
}

/// The base with what is of one's own in place of what it has of the same key.
fn altered(base: &Capture, own: Capture) -> Capture {
    let count = |capture: &Capture| capture.entries.iter().find(|entry| entry.key == b"count").cloned();
    let mut own = own;
    // Wildcards need to know of what they are.
    let borrowed = count(&own).is_none().then(|| count(base)).flatten();
    own.entries.extend(borrowed);
    let own = tape::expanded(&own);
    // A second pass alone stands beside the first one of the base.
    let replaced = |entry: &Entry| {
        let same = |other: &&Entry| other.door == entry.door && other.key == entry.key;
        own.entries.iter().filter(same).any(|other| other.pass <= entry.pass)
    };
    let mut entries: Vec<Entry> = base.entries.iter().filter(|entry| !replaced(entry)).cloned().collect();
    entries.extend(own.entries);
    let notes = if own.notes.is_empty() { base.notes.clone() } else { own.notes };
    Capture { notes, entries }
}
