//! A file of text 0.0.4, with what must hold between its lines and between the files of one collection.
//!
//! The work grows with the size of the file, whatever is in it: families and series are found by hash, and a
//! family's help is kept once, however often its samples stand apart.

use crate::index::Index;
use crate::line::{self, Labels, Line, number};
use schema::foreign::{Foreign, ForeignKind};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

/// The most series of all files. node_exporter has none, and took 869 MB for a file of 34 MB.
pub(crate) const MAX_SERIES: usize = 10_000;

/// What samples of a histogram or summary may have behind the family's name.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

/// Why a file is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// This line, from 1, is not what was expected.
    Line(u32, &'static str),
    /// The file breaks this rule.
    Rule(&'static str),
}

/// Reads files into foreign families, and holds the memory that it takes.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    hasher: RandomState,
    /// The families of the files of this collection, by their places in what is written to.
    earlier: Index,
    /// The families that this file names.
    families: Vec<Family>,
    by_name: Index,
    /// The file's samples, by their places in what is written to.
    series: Index,
    histograms: Vec<Histogram>,
    name: String,
}

/// A family of the file that is being read.
#[derive(Clone, Copy, Debug)]
struct Family {
    name: Span,
    help: Option<Span>,
    kind: ForeignKind,
    has_type: bool,
    /// The line that first names it.
    line: u32,
    /// Its first place in what is written to; None before its first sample.
    place: Option<usize>,
}

/// A sample of a histogram.
#[derive(Clone, Copy, Debug)]
struct Histogram {
    /// Of the family and all labels but `le`. It is keyed at random and has 64 bits: two are one.
    hash: u64,
    line: u32,
    /// True for the bucket that has all: every histogram has one.
    is_infinite: bool,
}

/// A part of the file. (A borrowed text would cost an allocation a file, as no list of such outlives it.)
#[derive(Clone, Copy, Debug)]
struct Span {
    from: usize,
    to: usize,
}

impl Span {
    fn of(part: &str, content: &str) -> Span {
        let from = part.as_ptr().addr().saturating_sub(content.as_ptr().addr());
        Span { from, to: from + part.len() }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "no reading: a span is of the content that it was made from"
    )]
    fn in_(self, content: &str) -> &str {
        content.get(self.from..self.to).unwrap_or("")
    }
}

impl Parser {
    /// Begins a collection, in which no file was read yet.
    pub(crate) fn begin(&mut self) {
        self.earlier.clear();
    }

    /// Reads a file into `out`, which has what the collection's earlier files brought.
    ///
    /// # Errors
    /// Why the file is refused; `out` is then as it was.
    pub(crate) fn file(&mut self, content: &[u8], out: &mut Foreign) -> Result<(), Wrong> {
        let mark = out.mark();
        let read = self.read(content, out);
        if read.is_err() {
            out.rollback(mark);
        }
        read
    }

    fn read(&mut self, content: &[u8], out: &mut Foreign) -> Result<(), Wrong> {
        self.families.clear();
        self.by_name.clear();
        self.series.clear();
        self.histograms.clear();
        let content = std::str::from_utf8(content).map_err(|error| {
            let (before, _) = content.split_at(error.valid_up_to());
            let newlines = before.iter().filter(|byte| **byte == b'\n').count();
            Wrong::Line(short(newlines).saturating_add(1), "UTF-8")
        })?;
        let mut labels = Labels::new();
        let mut current = None;
        let mut rest = content;
        for number in 1.. {
            let Some((line, tail)) = rest.split_once('\n') else {
                if rest.trim_matches([' ', '\t']).is_empty() {
                    break;
                }
                // What was cut in the middle of a number is a number too: without its newline, no line is whole.
                return Err(Wrong::Line(number, "a newline at the end: the file may be half-written"));
            };
            rest = tail;
            let line = if let Some(line) = line.strip_suffix('\r') { line } else { line };
            let wrong = |what| Wrong::Line(number, what);
            match line::read(line, &mut labels).map_err(wrong)? {
                Line::Nothing => {}
                Line::Help { name, text } => {
                    let place = self.named(name, number, content);
                    let Some(family) = self.families.get_mut(place) else { continue };
                    if family.help.is_some() {
                        return Err(wrong("one HELP line a family"));
                    }
                    family.help = Some(Span::of(text, content));
                }
                Line::Type { name, kind } => {
                    let place = self.named(name, number, content);
                    let Some(family) = self.families.get_mut(place) else { continue };
                    if family.has_type || family.place.is_some() {
                        return Err(wrong("one TYPE line a family, before its samples"));
                    }
                    family.kind = kind;
                    family.has_type = true;
                }
                Line::Sample { name, value } => {
                    if out.len() >= MAX_SERIES {
                        return Err(Wrong::Rule("with it, the textfiles have more than 10,000 series"));
                    }
                    let owner = self.owner(name, current, number, content);
                    if current != Some(owner) {
                        current = Some(owner);
                        self.begin_family(owner, content, out).map_err(wrong)?;
                    }
                    out.sample_escaped(name, labels.as_mut(), value).map_err(wrong)?;
                    self.check(name, owner, &labels, number, content, out).map_err(wrong)?;
                }
            }
        }
        self.check_histograms()?;
        self.check_families(content, out)?;
        self.keep(content, out);
        Ok(())
    }

    /// The family of this name, which may be a new one.
    fn named(&mut self, name: &str, line: u32, content: &str) -> usize {
        if let Some(place) = self.find(name, content) {
            return place;
        }
        let place = self.families.len();
        let kind = ForeignKind::Untyped;
        let name_span = Span::of(name, content);
        self.families.push(Family { name: name_span, help: None, kind, has_type: false, line, place: None });
        self.by_name.insert(self.hasher.hash_one(name), short(place));
        place
    }

    fn find(&self, name: &str, content: &str) -> Option<usize> {
        let is = |place: u32| {
            self.families.get(place as usize).is_some_and(|family| family.name.in_(content) == name)
        };
        self.by_name.find(self.hasher.hash_one(name), is).map(|place| place as usize)
    }

    /// The family that a sample belongs to: the current one, the one of its name, the histogram or summary of
    /// which it is a part, or a new one without a TYPE.
    fn owner(&mut self, name: &str, current: Option<usize>, line: u32, content: &str) -> usize {
        let owns = |place: &usize| {
            let family = self.families.get(*place);
            family.is_some_and(|family| family.kind.owns(family.name.in_(content), name))
        };
        if let Some(place) = current.filter(owns) {
            return place;
        }
        if let Some(place) = self.find(name, content) {
            return place;
        }
        let whole = PARTS.iter().find_map(|part| self.find(name.strip_suffix(part)?, content).filter(owns));
        if let Some(place) = whole { place } else { self.named(name, line, content) }
    }

    fn begin_family(&mut self, at: usize, content: &str, out: &mut Foreign) -> Result<(), &'static str> {
        let Some(family) = self.families.get_mut(at) else { return Ok(()) };
        // The first piece has the help: were it written again for each, a file of 1 MiB could bring gigabytes.
        let help = family.help.filter(|_| family.place.is_none());
        let help = if let Some(help) = help { help.in_(content) } else { "" };
        out.family_escaped(family.name.in_(content), family.kind, help)?;
        family.place = family.place.or(out.family_count().checked_sub(1));
        Ok(())
    }

    /// What must hold of the sample that was just written.
    fn check(
        &mut self,
        name: &str,
        owner: usize,
        labels: &Labels<'_>,
        line: u32,
        content: &str,
        out: &Foreign,
    ) -> Result<(), &'static str> {
        let Some(family) = self.families.get(owner) else { return Ok(()) };
        let label = |wanted| labels.as_ref().iter().find(|(name, _)| *name == wanted).map(|(_, text)| *text);
        let is_whole = family.name.to - family.name.from == name.len();
        match family.kind {
            ForeignKind::Histogram => {
                let is_infinite = match (name.ends_with("_bucket"), label("le").map(number)) {
                    (true, Some(Some(bound))) if !bound.is_nan() => bound == f64::INFINITY,
                    (false, None) => false,
                    _ => return Err("a number as the label le of a bucket, and no le elsewhere"),
                };
                let mut hasher = self.hasher.build_hasher();
                family.name.in_(content).hash(&mut hasher);
                let others = labels.as_ref().iter().filter(|(name, text)| *name != "le" && !text.is_empty());
                others.for_each(|label| label.hash(&mut hasher));
                self.histograms.push(Histogram { hash: hasher.finish(), line, is_infinite });
            }
            ForeignKind::Summary => {
                let quantile = label("quantile").map(number);
                let holds = match quantile {
                    None => !is_whole,
                    Some(quantile) => is_whole && quantile.is_some_and(|q| (0.0..=1.0).contains(&q)),
                };
                if !holds {
                    return Err("a label quantile from 0 to 1 of a summary's quantile, and none elsewhere");
                }
            }
            ForeignKind::Counter | ForeignKind::Gauge | ForeignKind::Untyped => {}
        }
        let Some(place) = out.len().checked_sub(1) else { return Ok(()) };
        let series = |place| out.sample_at(place).map(|sample| (sample.name, sample.labels));
        let new = series(place);
        let hash = self.hasher.hash_one(new);
        if self.series.find(hash, |earlier| series(earlier as usize) == new).is_some() {
            return Err("each series once in a file");
        }
        self.series.insert(hash, short(place));
        Ok(())
    }

    fn check_histograms(&mut self) -> Result<(), Wrong> {
        self.histograms.sort_unstable_by_key(|sample| (sample.hash, sample.line));
        let mut histograms = self.histograms.chunk_by(|a, b| a.hash == b.hash);
        match histograms.find(|samples| !samples.iter().any(|sample| sample.is_infinite)) {
            Some([first, ..]) => Err(Wrong::Line(first.line, "a histogram with a bucket of le=\"+Inf\"")),
            _ => Ok(()),
        }
    }

    /// What must hold between this file's families, and between them and those of earlier files.
    fn check_families(&mut self, content: &str, out: &Foreign) -> Result<(), Wrong> {
        let mut joined = std::mem::take(&mut self.name);
        let mut check = |family: &Family| {
            let name = family.name.in_(content);
            if self.earlier(name, out).is_some_and(|kind| kind != family.kind) {
                return Err(Wrong::Line(family.line, "the TYPE that an earlier textfile gives this family"));
            }
            let is_part = PARTS.iter().filter_map(|part| name.strip_suffix(part)).any(|whole| {
                let here = self.find(whole, content).and_then(|place| self.families.get(place));
                let here = here.filter(|family| family.place.is_some()).map(|family| family.kind);
                let kinds = [here, self.earlier(whole, out)];
                kinds.into_iter().flatten().any(|kind| kind.owns(whole, name))
            });
            let has_part = PARTS.iter().any(|part| {
                joined.clear();
                joined.push_str(name);
                joined.push_str(part);
                family.kind.owns(name, &joined) && self.earlier(&joined, out).is_some()
            });
            if is_part || has_part {
                return Err(Wrong::Line(family.line, "no family that is named as a part of another"));
            }
            Ok(())
        };
        let checked = self.families.iter().filter(|family| family.place.is_some()).try_for_each(&mut check);
        self.name = joined;
        checked
    }

    /// The kind of an earlier file's family.
    fn earlier(&self, name: &str, out: &Foreign) -> Option<ForeignKind> {
        let is = |place: u32| out.family_at(place as usize).is_some_and(|family| family.name == name);
        let place = self.earlier.find(self.hasher.hash_one(name), is)?;
        out.family_at(place as usize).map(|family| family.kind)
    }

    /// The file is good: its families are now an earlier file's.
    fn keep(&mut self, content: &str, out: &Foreign) {
        for family in &self.families {
            let (name, Some(place)) = (family.name.in_(content), family.place) else { continue };
            if self.earlier(name, out).is_none() {
                self.earlier.insert(self.hasher.hash_one(name), short(place));
            }
        }
    }
}

/// A file has at most 1 MiB: its lines and families can be counted so.
#[expect(clippy::cast_possible_truncation, reason = "see above")]
fn short(n: usize) -> u32 {
    n as u32
}

#[cfg(test)]
mod tests;
