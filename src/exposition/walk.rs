//! A view's families in the names that were asked for: gauged's own, and other exporters' by their aliases.
//!
//! Foreign families are not here, they have no other names: see `foreign.rs`.

use super::Names;
use super::taken::Taken;
use crate::snapshot::{FamilyRows, View};
use schema::alias::Alias;
use schema::{Descriptor, Kind, Row, Value};

/// A family as it is exported.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exported<'a> {
    /// The name of its samples.
    pub(super) name: &'static str,
    /// What it is, and how text 0.0.4 types it.
    pub(super) kind: Kind,
    /// How OpenMetrics types it on this page.
    pub(super) typed: Kind,
    /// Its help, which needs no escape in either format.
    pub(super) help: &'static str,
    view: View<'a>,
    source: Source<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    /// A family of the table, in its own name.
    Own(FamilyRows<'a>),
    /// Families of the table that share another exporter's name.
    Aliases(&'static [Alias]),
}

/// A sample as it is exported.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample<'a> {
    row: Row<'a>,
    alias: Option<&'static Alias>,
}

/// The families that have samples, each name once.
pub(super) fn families<'a>(
    view: View<'a>,
    names: &'a [Names],
    taken: &'a mut Taken,
) -> impl Iterator<Item = Exported<'a>> {
    let all = names.iter().flat_map(move |names| {
        let aliases = match names {
            Names::Unified => &[],
            Names::Dialect(dialect) => dialect.aliases,
        };
        let table = matches!(names, Names::Unified).then(|| view.families());
        let own = table.into_iter().flatten().filter_map(move |rows| Exported::own(view, rows));
        let aliased = aliases.chunk_by(|a, b| a.name == b.name);
        own.chain(aliased.filter_map(move |aliases| Exported::aliased(view, aliases)))
    });
    all.filter_map(|family| Some(Exported { typed: taken.take(family.name, family.typable())?, ..family }))
}

impl<'a> Exported<'a> {
    fn own(view: View<'a>, rows: FamilyRows<'a>) -> Option<Self> {
        let &Descriptor { name, kind, help, unified, .. } = rows.id.descriptor();
        unified.then_some(Exported { name, kind, typed: kind, help, view, source: Source::Own(rows) })
    }

    fn aliased(view: View<'a>, aliases: &'static [Alias]) -> Option<Self> {
        let &Alias { name, kind, family, .. } = aliases.first()?;
        let help = family.descriptor().help;
        let family = Exported { name, kind, typed: kind, help, view, source: Source::Aliases(aliases) };
        family.samples().next().is_some().then_some(family)
    }

    /// The kind that OpenMetrics can give it. An info that says nothing would be written as `name{}`.
    fn typable(&self) -> Kind {
        match self.kind {
            Kind::Info if self.samples().any(|sample| sample.labels().next().is_none()) => Kind::Gauge,
            kind => kind,
        }
    }

    /// The family's row of the table, where it stands in its own name.
    pub(super) fn descriptor(&self) -> Option<&'static Descriptor> {
        match self.source {
            Source::Own(rows) => Some(rows.id.descriptor()),
            Source::Aliases(_) => None,
        }
    }

    /// Its samples.
    pub(super) fn samples(self) -> impl Iterator<Item = Sample<'a>> {
        let (own, aliases) = match self.source {
            Source::Own(rows) => (Some(rows), [].as_slice()),
            Source::Aliases(aliases) => (None, aliases),
        };
        let own = own.into_iter().flat_map(FamilyRows::rows).map(|row| Sample { row, alias: None });
        let aliased = aliases.iter().flat_map(move |alias| {
            let rows = self.view.family(alias.family).rows().filter(|row| selects(alias, row));
            rows.map(|row| Sample { row, alias: Some(alias) })
        });
        own.chain(aliased)
    }
}

impl<'a> Sample<'a> {
    /// The labels that are there, with their names as exported.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        let row = self.row;
        let own = self.alias.is_none().then(|| row.named_labels());
        let renamed = self.alias.map(|alias| alias.labels).into_iter().flatten();
        let renamed = renamed.map(move |(from, to)| (*to, label(&row, from)));
        own.into_iter().flatten().chain(renamed.filter(|(_, value)| !value.is_empty()))
    }

    /// The number, in the exported unit. What is not scaled stays the integer that it was.
    pub(super) fn value(&self) -> Value {
        let value = self.row.value();
        match self.alias {
            // An info says what it says in its labels, whatever family it was made of.
            Some(alias) if alias.kind == Kind::Info => Value::Integer(1),
            Some(alias) if alias.scale != 1.0 => Value::Real(value.as_f64() * alias.scale),
            _ => value,
        }
    }
}

/// True if the alias is a name for this sample; an empty value selects samples that lack the label.
fn selects(alias: &Alias, row: &Row<'_>) -> bool {
    alias.only.iter().all(|(name, value)| label(row, name) == *value)
}

/// The value of a label; empty where the sample lacks it.
fn label<'a>(row: &Row<'a>, name: &str) -> &'a str {
    let names = row.family().descriptor().labels.iter();
    names.zip(row.labels()).find(|(is, _)| **is == name).map_or("", |(_, value)| value)
}
