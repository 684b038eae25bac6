//! The whole table of one build: the daemon's settings, a switch for each collector, and each collector's own.
//!
//! An entry knows its three names: `collector.cpu` behind `--`, `GAUGED_COLLECTOR_CPU` in the environment,
//! `collector.cpu.enabled` in the file. The last differs because a TOML key cannot be a value and a table at once.

use super::{DIALECT, HIDDEN, LISTEN_ADDRESS, MAX_SCRAPE_TIMEOUT, SETTINGS, TELEMETRY_PATH, UNIFIED};
use crate::http;
use regex_lite::Regex;
use schema::Spec;
use schema::alias::DIALECTS;
use schema::setting::{Invalid, Kind, Setting, Value, parse};
use std::collections::BTreeSet;

/// What a collector adds to the table: a [`Spec`] without its doors.
#[derive(Clone, Copy, Debug)]
pub struct Contribution {
    /// The collector's name.
    pub name: &'static str,
    /// What it reads, for `--help`.
    pub about: &'static str,
    /// On without being asked for.
    pub default_on: bool,
    /// Its own settings.
    pub settings: &'static [Setting],
}

impl<D> From<&Spec<D>> for Contribution {
    fn from(spec: &Spec<D>) -> Self {
        Self { name: spec.name, about: spec.about, default_on: spec.default_on, settings: spec.settings }
    }
}

/// One setting with its names.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The flag without its dashes, and the key in [`schema::Settings`].
    pub key: String,
    /// The key in the file.
    pub file_key: String,
    /// The environment variable.
    pub variable: String,
    /// What may stand there.
    pub kind: Kind,
    /// What stands there if nobody says anything; empty for none.
    pub default: &'static str,
    /// A sentence.
    pub help: &'static str,
    /// True for a collector's own setting: `-h` leaves it out.
    pub detail: bool,
    /// True for what no help shows.
    pub hidden: bool,
}

impl Entry {
    fn new(setting: &Setting, detail: bool) -> Entry {
        Entry {
            key: setting.key.to_owned(),
            file_key: setting.key.to_owned(),
            variable: variable(setting.key),
            kind: setting.kind,
            default: setting.default,
            help: setting.help,
            detail,
            hidden: HIDDEN.iter().any(|hidden| hidden.key == setting.key),
        }
    }

    fn switch(collector: &Contribution) -> Entry {
        let key = switch(collector.name);
        Entry {
            file_key: format!("{key}.enabled"),
            variable: variable(&key),
            key,
            kind: Kind::Switch,
            default: if collector.default_on { "true" } else { "false" },
            help: collector.about,
            detail: false,
            hidden: false,
        }
    }

    /// Reads a value, by its kind and by the rules that this key alone has.
    ///
    /// # Errors
    /// Says what was found and what is wanted, not where it stood.
    pub fn read(&self, text: &str) -> Result<Value, Invalid> {
        parse(self.kind, text).and_then(|value| self.checked(value))
    }

    /// The value, if it keeps the rules that its kind does not know.
    ///
    /// # Errors
    /// As [`Entry::read`].
    pub fn checked(&self, value: Value) -> Result<Value, Invalid> {
        match &value {
            Value::Text(pattern) if self.kind == Kind::Pattern => compiles(pattern)?,
            Value::Text(path) if self.key == TELEMETRY_PATH.key && !http::is_telemetry_path(path) => {
                return Err(Invalid::new(path, "a path such as /metrics (letters, digits and -._~/)"));
            }
            Value::Span(span) if self.key == MAX_SCRAPE_TIMEOUT.key && *span < http::LEAST_PATIENCE => {
                return Err(Invalid::new(format!("{}ms", span.as_millis()), "a span of at least 250ms"));
            }
            Value::List(addresses) if self.key == LISTEN_ADDRESS.key && addresses.is_empty() => {
                return Err(Invalid::new("", "an address such as :10100"));
            }
            Value::List(dialects) if self.key == DIALECT.key => {
                let names = || std::iter::once(UNIFIED).chain(DIALECTS.iter().map(|dialect| dialect.name));
                let stranger = match dialects.iter().find(|name| !names().any(|known| known == *name)) {
                    None if dialects.is_empty() => "",
                    None => return Ok(value),
                    Some(stranger) => stranger,
                };
                return Err(Invalid::new(
                    stranger,
                    format!("one of {}", names().collect::<Vec<_>>().join(", ")),
                ));
            }
            _ => {}
        }
        Ok(value)
    }
}

/// A pattern is tried as it stands and as it will be used, around a whole name: `a)(b` compiles only there.
fn compiles(pattern: &str) -> Result<(), Invalid> {
    Regex::new(pattern)
        .and_then(|_| Regex::new(&format!("^(?:{pattern})$")))
        .map(|_| ())
        .map_err(|error| Invalid::new(pattern, format!("a regular expression: {error}")))
}

/// A collector's switch: `collector.<name>`.
pub(crate) fn switch(collector: &str) -> String {
    format!("collector.{collector}")
}

fn variable(key: &str) -> String {
    let upper = key.chars().map(|c| if c == '.' || c == '-' { '_' } else { c.to_ascii_uppercase() });
    "GAUGED_".chars().chain(upper).collect()
}

/// Every setting of this build.
#[derive(Clone, Debug)]
pub struct Table {
    /// In the order of `--help`: the daemon's, then each collector's switch and settings.
    pub entries: Vec<Entry>,
}

impl Table {
    /// The daemon's settings and those that the collectors contribute.
    pub fn new(collectors: &[Contribution]) -> Table {
        let own = SETTINGS.iter().chain(HIDDEN).map(|setting| Entry::new(setting, false));
        let of_collectors = collectors.iter().flat_map(|collector| {
            let details = collector.settings.iter().map(|setting| Entry::new(setting, true));
            std::iter::once(Entry::switch(collector)).chain(details)
        });
        Table { entries: own.chain(of_collectors).collect() }
    }

    /// The entry with this flag.
    pub fn by_key(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The entry with this environment variable.
    pub fn by_variable(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.variable == name)
    }

    /// The entry with this key in the file.
    pub fn by_file_key(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.file_key == key)
    }

    /// What is wrong with the table itself, for a test over the real collectors: names that two entries share,
    /// a key that would be both a value and a table in TOML, a default that is not of its kind.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let (mut keys, mut variables) = (BTreeSet::new(), BTreeSet::new());
        for entry in &self.entries {
            let key = &entry.key;
            if !keys.insert(&entry.file_key) || self.by_key(key).is_some_and(|e| !std::ptr::eq(e, entry)) {
                faults.push(format!("{key} stands twice"));
            }
            if !variables.insert(&entry.variable) {
                faults.push(format!("{key} shares {}", entry.variable));
            }
            let below = format!("{}.", entry.file_key);
            if let Some(child) = self.entries.iter().find(|other| other.file_key.starts_with(&below)) {
                faults.push(format!("{key} is both a value and the table of {}", child.key));
            }
            if !entry.default.is_empty() && entry.read(entry.default).is_err() {
                faults.push(format!("{key}: the default {:?} is not {}", entry.default, entry.kind.wanted()));
            }
            let switch = |name: &str| self.by_file_key(&format!("collector.{name}.enabled")).is_some();
            if entry.detail && !key.split('.').nth(1).is_some_and(switch) {
                faults.push(format!("{key} is below no collector's name"));
            }
            if !key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b)) {
                faults.push(format!("{key} is not made of a-z, 0-9 and -._"));
            }
        }
        faults
    }
}

/// The word that was probably meant: one that ends in this one, or else the nearest, by edits in what is left
/// after the segments that both begin with. A far one is not offered.
pub(crate) fn near<'a>(
    word: &str,
    separator: char,
    words: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let mut nearest: Option<(usize, &str)> = None;
    for candidate in words {
        let shorter = candidate.strip_suffix(word).is_some_and(|head| head.ends_with(separator));
        let (left, right) = different(word, candidate, separator);
        let edits = if shorter { 0 } else { strsim::osa_distance(left, right) };
        let few = edits <= (left.chars().count() / 3).max(1);
        if few && !word.is_empty() && nearest.is_none_or(|(least, _)| edits < least) {
            nearest = Some((edits, candidate));
        }
    }
    nearest.map(|(_, candidate)| candidate)
}

/// What two names have after the segments that both begin with.
fn different<'a, 'b>(mut a: &'a str, mut b: &'b str, separator: char) -> (&'a str, &'b str) {
    while let (Some((head_a, rest_a)), Some((head_b, rest_b))) =
        (a.split_once(separator), b.split_once(separator))
        && head_a == head_b
    {
        (a, b) = (rest_a, rest_b);
    }
    (a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPU: Contribution =
        Contribution { name: "cpu", about: "CPU time.", default_on: true, settings: &[] };

    #[test]
    fn the_daemons_own_table_has_no_fault() {
        assert_eq!(Table::new(&[CPU]).faults(), [""; 0]);
    }

    #[test]
    fn an_entry_has_three_names() {
        let table = Table::new(&[CPU]);
        let names = |key| {
            let entry = table.by_key(key).unwrap();
            (entry.variable.as_str(), entry.file_key.as_str())
        };
        assert_eq!(names("web.listen-address"), ("GAUGED_WEB_LISTEN_ADDRESS", "web.listen-address"));
        assert_eq!(names("path.udev.data"), ("GAUGED_PATH_UDEV_DATA", "path.udev.data"));
        assert_eq!(names("collector.cpu"), ("GAUGED_COLLECTOR_CPU", "collector.cpu.enabled"));
    }

    #[test]
    fn a_table_that_cannot_be_written_is_told() {
        const CLASHES: &[Setting] = &[
            Setting { key: "collector.cpu.enabled", kind: Kind::Switch, default: "", help: "." },
            Setting { key: "collector.cpu.x", kind: Kind::Number(1, 2), default: "3", help: "." },
            Setting { key: "collector.cpu.x.y", kind: Kind::Text, default: "", help: "." },
            Setting { key: "collector.cpu.x-y", kind: Kind::Text, default: "", help: "." },
            Setting { key: "collector.mem.x", kind: Kind::Text, default: "", help: "." },
        ];
        let table = Table::new(&[Contribution { settings: CLASHES, ..CPU }]);
        assert_eq!(
            table.faults(),
            [
                "collector.cpu.enabled stands twice",
                "collector.cpu.x is both a value and the table of collector.cpu.x.y",
                "collector.cpu.x: the default \"3\" is not a whole number from 1 to 2",
                "collector.cpu.x-y shares GAUGED_COLLECTOR_CPU_X_Y",
                "collector.mem.x is below no collector's name",
            ]
        );
    }

    #[test]
    fn a_near_word_is_offered_and_a_far_one_is_not() {
        let words = ["collector.cpu", "collector.filesystem", "log.level", "web.listen-address"];
        let near = |word| near(word, '.', words);
        assert_eq!(near("collector.cpuu"), Some("collector.cpu"));
        assert_eq!(near("colector.cpu"), Some("collector.cpu"));
        assert_eq!(near("log.lvel"), Some("log.level"));
        assert_eq!(near("filesystem"), Some("collector.filesystem"));
        assert_eq!(near("collector.gpx"), None);
        assert_eq!(near("x"), None);
        assert_eq!(near(""), None);
    }

    #[test]
    fn some_keys_have_rules_of_their_own() {
        let table = Table::new(&[]);
        let read = |key, text| table.by_key(key).unwrap().read(text).map_err(|e| e.to_string());
        assert!(read("web.telemetry-path", "/gauged/metrics").is_ok());
        for bad in ["", "metrics", "/-/ready", "/{x}", "/a b"] {
            let wanted = "is not a path such as /metrics (letters, digits and -._~/)";
            assert_eq!(read("web.telemetry-path", bad), Err(format!("{bad:?} {wanted}")));
        }
        assert_eq!(
            read("web.max-scrape-timeout", "0s"),
            Err("\"0ms\" is not a span of at least 250ms".into())
        );
        assert_eq!(read("web.listen-address", ","), Err("\"\" is not an address such as :10100".into()));
        assert!(read("dialect", "unified").is_ok());
        assert!(
            read("dialect", "unified,klingon").unwrap_err().starts_with("\"klingon\" is not one of unified")
        );
        assert!(read("dialect", "").unwrap_err().starts_with("\"\" is not one of unified"));
    }

    #[test]
    fn a_pattern_must_compile_by_itself() {
        assert_eq!(compiles("a|b"), Ok(()));
        assert_eq!(compiles(""), Ok(()));
        assert!(compiles("a)(b").is_err());
        assert!(compiles("(").unwrap_err().to_string().starts_with("\"(\" is not a regular expression: "));
    }
}
