//! Textfiles' families, grouped for writing. Families of one name, which several files may bring, are one group
//! whose kind and help are the first one's.
//!
//! OpenMetrics cannot type all that text 0.0.4 can: a counter must end in `_total` and count from 0, histograms
//! and summaries must be whole. A gauge stays a gauge, a counter stays one where it can, and all else is
//! `unknown` there, a family for each name of a sample, so that sample names are the same in both formats.

use super::taken::Taken;
use schema::Kind;
use schema::foreign::{ForeignFamily, ForeignKind, ForeignSample};

/// What a sample's name can have behind its family's.
const SUFFIXES: [&str; 4] = ["", "_bucket", "_sum", "_count"];

/// Families of one name.
#[derive(Clone, Debug)]
pub(super) struct Group<'a, I> {
    /// Their name in text 0.0.4.
    pub(super) name: &'a str,
    /// Their help, escaped as text 0.0.4 wants it; may be empty.
    pub(super) help: &'a str,
    /// Their kind in text 0.0.4.
    pub(super) kind: ForeignKind,
    families: I,
    typed: [Option<Kind>; SUFFIXES.len()],
}

/// The groups of these families, of which those of one name stand together; without what has a name that the
/// page has used.
pub(super) fn groups<'a, I>(
    families: I,
    taken: &mut Taken,
) -> impl Iterator<Item = Group<'a, impl Iterator<Item = ForeignFamily<'a>> + Clone>>
where
    I: Iterator<Item = ForeignFamily<'a>> + Clone,
{
    let mut rest = families;
    let groups = std::iter::from_fn(move || {
        let from = rest.clone();
        let first = rest.next()?;
        let mut len = 1;
        while rest.clone().next().is_some_and(|next| next.name == first.name) {
            rest.next();
            len += 1;
        }
        let ForeignFamily { name, help, kind, .. } = first;
        Some(Group { name, help, kind, families: from.take(len), typed: [None; SUFFIXES.len()] })
    });
    groups.filter_map(|mut group| {
        group.take_names(taken);
        group.typed.iter().any(Option::is_some).then_some(group)
    })
}

impl<'a, I: Iterator<Item = ForeignFamily<'a>> + Clone> Group<'a, I> {
    /// The names of its samples behind its own, with the type of each in OpenMetrics.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&'static str, Kind)> {
        SUFFIXES.into_iter().zip(self.typed).filter_map(|(suffix, kind)| Some((suffix, kind?)))
    }

    /// The samples of one part, in the order of the files.
    pub(super) fn part(&self, suffix: &'static str) -> impl Iterator<Item = ForeignSample<'a>> {
        let name = self.name;
        let all = self.families.clone().flat_map(|family| family.samples());
        all.filter(move |sample| sample.name.strip_prefix(name) == Some(suffix))
    }

    /// The samples of all parts, in the order of the files.
    pub(super) fn samples(&self) -> impl Iterator<Item = ForeignSample<'a>> {
        let name = self.name;
        let typed = self.typed;
        let shown = move |sample: &ForeignSample<'a>| {
            let suffix = sample.name.strip_prefix(name);
            SUFFIXES.iter().zip(typed).any(|(is, kind)| kind.is_some() && suffix == Some(*is))
        };
        self.families.clone().flat_map(|family| family.samples()).filter(shown)
    }

    fn take_names(&mut self, taken: &mut Taken) {
        // A histogram has no sample of its own name, and still must not have a header that is there already.
        if taken.has(self.name) {
            return;
        }
        for (place, suffix) in SUFFIXES.into_iter().enumerate() {
            let Some(sample) = self.part(suffix).next() else { continue };
            let counts = || self.part(suffix).all(|sample| sample.value >= 0.0);
            let kind = match self.kind {
                ForeignKind::Gauge if suffix.is_empty() => Kind::Gauge,
                ForeignKind::Counter if suffix.is_empty() && counts() => Kind::Counter,
                _ => Kind::Unknown,
            };
            if let Some(typed) = self.typed.get_mut(place) {
                *typed = taken.take(sample.name, kind);
            }
        }
    }
}
