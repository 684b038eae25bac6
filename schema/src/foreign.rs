//! Families that are not of the table: what a textfile brings. They are held as validated text, in the
//! escapes that both exposition formats share, and are passed on as they came.

use crate::label;

/// What a textfile's TYPE line may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignKind {
    /// `counter`
    Counter,
    /// `gauge`
    Gauge,
    /// `histogram`: its samples end in `_bucket`, `_sum` and `_count`.
    Histogram,
    /// `summary`: its samples have a `quantile`, or end in `_sum` and `_count`.
    Summary,
    /// `untyped`, or no TYPE line.
    Untyped,
}

impl ForeignKind {
    /// The word of the text 0.0.4 TYPE line.
    pub const fn word(self) -> &'static str {
        match self {
            ForeignKind::Counter => "counter",
            ForeignKind::Gauge => "gauge",
            ForeignKind::Histogram => "histogram",
            ForeignKind::Summary => "summary",
            ForeignKind::Untyped => "untyped",
        }
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<ForeignKind> {
        [Self::Counter, Self::Gauge, Self::Histogram, Self::Summary, Self::Untyped]
            .into_iter()
            .find(|kind| kind.word() == word)
    }

    /// What a sample's name may have behind the family's.
    const fn suffixes(self) -> &'static [&'static str] {
        match self {
            ForeignKind::Counter | ForeignKind::Gauge | ForeignKind::Untyped => &[""],
            ForeignKind::Histogram => &["_bucket", "_sum", "_count"],
            ForeignKind::Summary => &["", "_sum", "_count"],
        }
    }

    /// True if a sample of this name belongs to a family of this name and kind.
    pub fn owns(self, family: &str, sample: &str) -> bool {
        sample.strip_prefix(family).is_some_and(|rest| self.suffixes().contains(&rest))
    }
}

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
    /// Begins a family; the samples that follow are its own. The help is plain text.
    ///
    /// # Errors
    /// Says which rule was broken: the name is malformed, or is one of gauged's own.
    pub fn family(&mut self, name: &str, kind: ForeignKind, help: &str) -> Result<(), &'static str> {
        if !is_metric_name(name) {
            return Err("a metric name is made of letters, digits, _ and :, and starts with no digit");
        }
        if is_taken(name) {
            return Err("a metric of this name is gauged's own");
        }
        let name = self.push(name);
        let from = self.text.len();
        for c in help.chars() {
            match c {
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                c => self.text.push(c),
            }
        }
        let help = self.since(from);
        self.families.push(FamilyEntry { name, help, kind, first: short(self.samples.len()) });
        Ok(())
    }

    /// Adds a sample to the family that was begun last. Label values are plain text; empty ones are left out.
    ///
    /// # Errors
    /// Says which rule was broken.
    pub fn sample(
        &mut self,
        name: &str,
        labels: &mut [(&str, &str)],
        value: f64,
    ) -> Result<(), &'static str> {
        let Some(family) = self.families.last() else {
            return Err("a sample without a family");
        };
        if !family.kind.owns(self.at(family.name), name) {
            return Err("the sample's name does not belong to its family");
        }
        labels.sort_unstable_by_key(|(label, _)| *label);
        if labels.windows(2).any(|pair| matches!(pair, [(one, _), (two, _)] if one == two)) {
            return Err("a label stands twice in a sample");
        }
        if !labels.iter().all(|(label, _)| is_label_name(label)) {
            return Err("a label name is made of letters, digits and _, and starts with no digit and no __");
        }
        let name = self.push(name);
        let from = self.text.len();
        for (label, text) in labels.iter().filter(|(_, text)| !text.is_empty()) {
            if self.text.len() > from {
                self.text.push(',');
            }
            self.text.push_str(label);
            self.text.push_str("=\"");
            match label::cut(text) {
                None => escape(text, &mut self.text),
                Some((head, tail)) => {
                    escape(head, &mut self.text);
                    self.text.push_str(&tail);
                }
            }
            self.text.push('"');
        }
        let labels = self.since(from);
        self.samples.push(SampleEntry { name, labels, value });
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
                };
                self.samples.push(entry);
            }
        }
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
    pub fn samples(&self) -> impl ExactSizeIterator<Item = ForeignSample<'a>> + use<'a> {
        let foreign = self.foreign;
        let samples = foreign.samples.get(self.from..self.to).unwrap_or(&[]);
        samples.iter().map(move |sample| ForeignSample {
            name: foreign.at(sample.name),
            labels: foreign.at(sample.labels),
            value: sample.value,
        })
    }
}

/// Writes a label value's text as both formats want it: backslash, quote and newline escaped.
pub fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

/// A file of 4 GiB is refused long before; the text's places fit.
fn short(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn is_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b':')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
}

fn is_label_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with("__")
}

/// A name of the table wins over a foreign one, in either format.
fn is_taken(name: &str) -> bool {
    crate::TABLE.iter().any(|family| family.name == name || family.openmetrics_name() == name)
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
    fn a_histogram_owns_its_parts_only() {
        assert!(ForeignKind::Histogram.owns("x", "x_bucket"));
        assert!(!ForeignKind::Histogram.owns("x", "x"));
        assert!(ForeignKind::Summary.owns("x", "x"));
        assert!(!ForeignKind::Gauge.owns("x", "x_sum"));
    }
}
