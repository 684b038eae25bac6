//! Families that are not of the table: what a textfile brings. They are held as validated text, in the
//! escapes that both exposition formats share, and are passed on as they came.

mod rules;

use crate::label;
pub use rules::{ForeignKind, escape};
use rules::{is_escaped, is_label_name, is_metric_name, is_taken, unescape, write_value};

#[derive(Clone, Copy, Debug)]
struct Span {
    from: u32,
    to: u32,
}

#[derive(Clone, Copy, Debug)]
struct FamilyEntry {
    name: Span,
    help: Span,
    kind: ForeignKind,
    first: u32,
}

#[derive(Clone, Copy, Debug)]
struct SampleEntry {
    name: Span,
    labels: Span,
    value: f64,
    /// Its series stands elsewhere already.
    hidden: bool,
}

/// Foreign families with their samples, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Foreign {
    families: Vec<FamilyEntry>,
    samples: Vec<SampleEntry>,
    text: String,
}

/// A foreign family.
#[derive(Clone, Copy, Debug)]
pub struct ForeignFamily<'a> {
    /// The family's name.
    pub name: &'a str,
    /// Its help, escaped as text 0.0.4 wants it; may be empty.
    pub help: &'a str,
    /// Its kind.
    pub kind: ForeignKind,
    foreign: &'a Foreign,
    from: usize,
    to: usize,
}

/// A sample of a foreign family.
#[derive(Clone, Copy, Debug)]
pub struct ForeignSample<'a> {
    /// The sample's name.
    pub name: &'a str,
    /// Its labels, by name, as they stand between the braces; empty for none.
    pub labels: &'a str,
    /// Its value, which may be NaN or infinite: it is not a measurement of ours.
    pub value: f64,
}

/// A place to come back to, see [`Foreign::rollback`].
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    families: usize,
    samples: usize,
    text: usize,
}

impl Foreign {
    /// Begins a family; the samples that follow are its own. The help is plain text. A family may be begun
    /// again, for samples that stand apart from its first ones.
    ///
    /// # Errors
    /// Says what was expected instead: the name is malformed, or is one of gauged's own.
    pub fn family(&mut self, name: &str, kind: ForeignKind, help: &str) -> Result<(), &'static str> {
        self.begin(name, kind, help, |help, out| {
            for c in help.chars() {
                match c {
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    c => out.push(c),
                }
            }
        })
    }

    /// The same with help as it stands in a file of text 0.0.4, where `\\` and `\n` are the only escapes: what is
    /// well-formed there is what [`ForeignFamily::help`] holds, and need not be unescaped to be escaped again.
    ///
    /// # Errors
    /// Those of [`Foreign::family`], and an escape that the format does not have.
    pub fn family_escaped(&mut self, name: &str, kind: ForeignKind, help: &str) -> Result<(), &'static str> {
        if !is_escaped(help, b"\\n") {
            return Err("help with no other escapes than \\\\ and \\n");
        }
        self.begin(name, kind, help, |help, out| out.push_str(help))
    }

    fn begin(
        &mut self,
        name: &str,
        kind: ForeignKind,
        help: &str,
        write: fn(&str, &mut String),
    ) -> Result<(), &'static str> {
        if !is_metric_name(name) {
            return Err("a metric name of letters, digits, _ and :, which begins with no digit");
        }
        if is_taken(name) {
            return Err("a metric name that is not gauged's own");
        }
        let name = self.push(name);
        let from = self.text.len();
        write(help, &mut self.text);
        let help = self.since(from);
        self.families.push(FamilyEntry { name, help, kind, first: short(self.samples.len()) });
        Ok(())
    }

    /// Adds a sample to the family that was begun last, and sorts its labels by name. Label values are plain
    /// text; empty ones are left out.
    ///
    /// # Errors
    /// Says what was expected instead.
    pub fn sample(
        &mut self,
        name: &str,
        labels: &mut [(&str, &str)],
        value: f64,
    ) -> Result<(), &'static str> {
        self.add(name, labels, value, write_value)
    }

    /// The same with label values as they stand between quotes in a file of text 0.0.4, where `\\`, `\"` and
    /// `\n` are the only escapes.
    ///
    /// # Errors
    /// Says what was expected instead.
    pub fn sample_escaped(
        &mut self,
        name: &str,
        labels: &mut [(&str, &str)],
        value: f64,
    ) -> Result<(), &'static str> {
        if !labels.iter().all(|(_, text)| is_escaped(text, b"\\n\"")) {
            return Err("label values with no other escapes than \\\\, \\\" and \\n");
        }
        self.add(name, labels, value, |text, out| match text.len() {
            0..=label::MAX_BYTES => out.push_str(text),
            _ => write_value(&unescape(text), out),
        })
    }

    fn add(
        &mut self,
        name: &str,
        labels: &mut [(&str, &str)],
        value: f64,
        write: fn(&str, &mut String),
    ) -> Result<(), &'static str> {
        let Some(&FamilyEntry { name: family, kind, .. }) = self.families.last() else {
            return Err("a family before its samples");
        };
        let same = self.at(family) == name;
        if !kind.owns(self.at(family), name) {
            return Err("a sample whose name belongs to its family");
        }
        labels.sort_unstable_by_key(|(label, _)| *label);
        if labels.windows(2).any(|pair| matches!(pair, [(one, _), (two, _)] if one == two)) {
            return Err("each label once in a sample");
        }
        if !labels.iter().all(|(label, _)| is_label_name(label)) {
            return Err("label names of letters, digits and _, which begin with no digit and no __");
        }
        let name = if same { family } else { self.push(name) };
        let from = self.text.len();
        for (label, text) in labels.iter().filter(|(_, text)| !text.is_empty()) {
            if self.text.len() > from {
                self.text.push(',');
            }
            self.text.push_str(label);
            self.text.push_str("=\"");
            write(text, &mut self.text);
            self.text.push('"');
        }
        let labels = self.since(from);
        self.samples.push(SampleEntry { name, labels, value, hidden: false });
        Ok(())
    }

    /// Where we are.
    pub fn mark(&self) -> Mark {
        Mark { families: self.families.len(), samples: self.samples.len(), text: self.text.len() }
    }

    /// Forgets everything since the mark: a bad file gives nothing rather than half of itself.
    pub fn rollback(&mut self, mark: Mark) {
        self.families.truncate(mark.families);
        self.samples.truncate(mark.samples);
        self.text.truncate(mark.text);
    }

    /// The families.
    pub fn families(&self) -> impl Iterator<Item = ForeignFamily<'_>> {
        (0..self.families.len()).filter_map(|place| self.family_at(place))
    }

    /// The family at this place.
    pub fn family_at(&self, place: usize) -> Option<ForeignFamily<'_>> {
        let family = self.families.get(place)?;
        Some(ForeignFamily {
            name: self.at(family.name),
            help: self.at(family.help),
            kind: family.kind,
            foreign: self,
            from: family.first as usize,
            to: self.families.get(place + 1).map_or(self.samples.len(), |next| next.first as usize),
        })
    }

    /// How many families were begun.
    pub fn family_count(&self) -> usize {
        self.families.len()
    }

    /// The sample at this place, whichever its family.
    pub fn sample_at(&self, place: usize) -> Option<ForeignSample<'_>> {
        self.samples.get(place).map(|sample| self.shown(sample))
    }

    /// Shows the sample at this place no more: its series stands elsewhere already.
    pub fn hide(&mut self, place: usize) {
        if let Some(sample) = self.samples.get_mut(place) {
            sample.hidden = true;
        }
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// True without a sample.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.families.clear();
        self.samples.clear();
        self.text.clear();
    }

    pub(crate) fn append(&mut self, other: &Foreign) {
        for family in other.families() {
            let entry = FamilyEntry {
                name: self.push(family.name),
                help: self.push(family.help),
                kind: family.kind,
                first: short(self.samples.len()),
            };
            self.families.push(entry);
            for sample in family.samples() {
                let entry = SampleEntry {
                    name: self.push(sample.name),
                    labels: self.push(sample.labels),
                    value: sample.value,
                    hidden: false,
                };
                self.samples.push(entry);
            }
        }
    }

    fn shown(&self, sample: &SampleEntry) -> ForeignSample<'_> {
        ForeignSample { name: self.at(sample.name), labels: self.at(sample.labels), value: sample.value }
    }

    fn push(&mut self, text: &str) -> Span {
        let from = self.text.len();
        self.text.push_str(text);
        self.since(from)
    }

    fn since(&self, from: usize) -> Span {
        Span { from: short(from), to: short(self.text.len()) }
    }

    fn at(&self, span: Span) -> &str {
        self.text.get(span.from as usize..span.to as usize).unwrap_or("")
    }
}

impl<'a> ForeignFamily<'a> {
    /// The family's samples.
    pub fn samples(&self) -> impl Iterator<Item = ForeignSample<'a>> + Clone + use<'a> {
        let foreign = self.foreign;
        let samples = foreign.samples.get(self.from..self.to).unwrap_or(&[]);
        samples.iter().filter(|sample| !sample.hidden).map(move |sample| foreign.shown(sample))
    }

    /// The places of its samples, hidden ones too, for [`Foreign::sample_at`].
    pub fn places(&self) -> std::ops::Range<u32> {
        short(self.from)..short(self.to)
    }
}

/// A file of 4 GiB is refused long before; the text's places fit.
fn short(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_back_with_sorted_escaped_labels() {
        let mut foreign = Foreign::default();
        foreign.family("backup_age_seconds", ForeignKind::Gauge, "Age.\nOf it").unwrap();
        foreign.sample("backup_age_seconds", &mut [("b", "x\"y\\z\n"), ("a", "1"), ("c", "")], 3.5).unwrap();
        let family = foreign.families().next().unwrap();
        assert_eq!(family.help, "Age.\\nOf it");
        let sample = family.samples().next().unwrap();
        assert_eq!(sample.labels, r#"a="1",b="x\"y\\z\n""#);
    }

    #[test]
    fn names_of_ours_and_malformed_ones_are_refused() {
        let mut foreign = Foreign::default();
        assert!(foreign.family("host_load1", ForeignKind::Gauge, "").is_err());
        assert!(foreign.family("host_cpu_seconds", ForeignKind::Gauge, "").is_err());
        assert!(foreign.family("9lives", ForeignKind::Gauge, "").is_err());
        foreign.family("ok", ForeignKind::Gauge, "").unwrap();
        assert!(foreign.sample("other", &mut [], 1.0).is_err());
        assert!(foreign.sample("ok", &mut [("a", "1"), ("a", "2")], 1.0).is_err());
        assert!(foreign.sample("ok", &mut [("__name__", "x")], 1.0).is_err());
    }

    #[test]
    fn a_rollback_forgets_half_a_file() {
        let mut foreign = Foreign::default();
        foreign.family("one", ForeignKind::Gauge, "").unwrap();
        foreign.sample("one", &mut [], 1.0).unwrap();
        let mark = foreign.mark();
        foreign.family("two", ForeignKind::Gauge, "").unwrap();
        foreign.sample("two", &mut [("a", "b")], 1.0).unwrap();
        foreign.rollback(mark);
        assert_eq!(foreign.families().map(|f| f.name.to_owned()).collect::<Vec<_>>(), ["one"]);
        assert_eq!(foreign.len(), 1);
    }

    #[test]
    fn escaped_text_is_checked_and_kept_as_it_is() {
        let mut foreign = Foreign::default();
        foreign.family_escaped("x", ForeignKind::Gauge, r#"A "word"\\, \n"#).unwrap();
        foreign.sample_escaped("x", &mut [("b", r#"\"\\\n"#), ("a", "é")], 1.0).unwrap();
        assert_eq!(foreign.family_at(0).unwrap().help, r#"A "word"\\, \n"#);
        assert_eq!(foreign.sample_at(0).unwrap().labels, r#"a="é",b="\"\\\n""#);
        assert!(foreign.family_escaped("x", ForeignKind::Gauge, r"\q").is_err());
        assert!(foreign.family_escaped("x", ForeignKind::Gauge, r#"\""#).is_err());
        assert!(foreign.family_escaped("x", ForeignKind::Gauge, r"\").is_err());
        for value in [r"\q", r"\", "\"", "\n", r#"\\""#] {
            assert!(foreign.sample_escaped("x", &mut [("a", value)], 1.0).is_err(), "{value:?}");
        }
        assert_eq!(foreign.len(), 1);
    }

    #[test]
    fn a_long_value_is_cut_alike_however_it_came() {
        let plain = "\"\n".repeat(150);
        let escaped = r#"\"\n"#.repeat(150);
        let mut foreign = Foreign::default();
        foreign.family("x", ForeignKind::Gauge, "").unwrap();
        foreign.sample("x", &mut [("a", &plain)], 1.0).unwrap();
        foreign.sample_escaped("x", &mut [("a", &escaped)], 1.0).unwrap();
        let labels = |place| foreign.sample_at(place).unwrap().labels;
        assert_eq!(labels(0), labels(1));
        assert!(labels(0).len() < 2 * 256 + 10);
    }

    #[test]
    fn a_family_may_come_in_pieces() {
        let mut foreign = Foreign::default();
        for (name, value) in [("a", 1.0), ("b", 2.0), ("a", 3.0)] {
            foreign.family(name, ForeignKind::Gauge, "").unwrap();
            foreign.sample(name, &mut [], value).unwrap();
        }
        assert_eq!(foreign.family_count(), 3);
        let values: Vec<_> = foreign.families().flat_map(|f| f.samples().map(|s| s.value)).collect();
        assert_eq!(values, [1.0, 2.0, 3.0]);
    }
}
