//! One scrape's samples, arranged for encoding: sorted into the schema's order, without duplicates, within the
//! cap on series. Shared by every request that it answers; what a request filters out is skipped on the way.

mod arrange;
mod seen;

pub use arrange::{Arranger, LeftOut};

use schema::foreign::ForeignFamily;
use schema::{Batch, Id, Row};
use std::time::Duration;

/// A set of collectors, by their place in the list of collectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collectors(pub u64);

impl Collectors {
    /// Every collector of a list this long.
    pub const fn all(count: usize) -> Collectors {
        if count >= 64 { Collectors(u64::MAX) } else { Collectors((1 << count) - 1) }
    }

    /// With this collector too.
    #[must_use]
    pub const fn with(self, place: usize) -> Collectors {
        Collectors(self.0 | 1 << place)
    }

    /// Without this collector.
    #[must_use]
    pub const fn without(self, place: usize) -> Collectors {
        Collectors(self.0 & !(1 << place))
    }

    /// Those of both sets.
    #[must_use]
    pub const fn union(self, other: Collectors) -> Collectors {
        Collectors(self.0 | other.0)
    }

    /// True if this collector is one of them.
    pub const fn has(self, place: usize) -> bool {
        self.0 >> place & 1 == 1
    }

    /// True if every one of the others is one of these.
    pub const fn covers(self, others: Collectors) -> bool {
        others.0 & !self.0 == 0
    }
}

/// How a collector fared in a scrape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// It was not asked.
    #[default]
    NotAsked,
    /// It answered.
    Ok,
    /// The machine has nothing for it to read.
    Absent,
    /// It failed.
    Failed,
    /// It had not answered when the scrape was.
    Late,
}

/// What the status page says of a collector.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How it fared.
    pub outcome: Outcome,
    /// How long it took.
    pub duration: Option<Duration>,
    /// How old its samples are, where they are not of this scrape.
    pub age: Option<Duration>,
    /// Why it failed or is absent, or the first of its items that failed.
    pub reason: Option<schema::Error>,
}

/// What one collector brought, and what the daemon says of it.
#[derive(Debug, Default)]
pub struct Part {
    /// The collector's samples.
    pub batch: Batch,
    /// `gauged_collector_*` of this collector.
    pub status: Batch,
    /// The same for people.
    pub report: Report,
}

/// One scrape's samples.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Tells it from every other snapshot of this process, for what is kept of it elsewhere.
    pub serial: u64,
    /// When the scrape began, on the clock of [`door::Clock::now`].
    pub taken: Duration,
    /// The collectors that were asked.
    pub covers: Collectors,
    /// A part for each collector, in the order of the list of collectors.
    pub parts: Vec<Part>,
    /// What the daemon says of itself, whatever collectors were asked for.
    pub own: Batch,
    places: Vec<Place>,
    foreign: Vec<ForeignPlace>,
}

/// Where a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    family: Id,
    source: Source,
    row: u32,
}

/// The daemon's word comes before a collector's, so that nothing can stand in for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Own,
    Status(u16),
    Batch(u16),
}

/// Where a foreign family is.
#[derive(Clone, Copy, Debug)]
struct ForeignPlace {
    part: u16,
    family: u32,
}

impl Snapshot {
    /// Empties the snapshot and keeps its memory, for `collectors` parts.
    pub fn clear(&mut self, collectors: usize) {
        self.parts.resize_with(collectors, Part::default);
        for part in &mut self.parts {
            part.batch.clear();
            part.status.clear();
            part.report = Report::default();
        }
        self.own.clear();
        self.places.clear();
        self.foreign.clear();
        self.covers = Collectors::default();
    }

    /// What a request sees that asked for these collectors.
    pub fn view(&self, wanted: Collectors) -> View<'_> {
        View { snapshot: self, wanted }
    }

    /// How many samples there are, of all collectors, in gauged's own names.
    pub fn series(&self) -> usize {
        let unified = self.places.iter().filter(|place| place.family.descriptor().unified).count();
        unified + self.foreign_families().map(|family| family.samples().count()).sum::<usize>()
    }

    fn row(&self, place: Place) -> Option<Row<'_>> {
        let batch = match place.source {
            Source::Own => &self.own,
            Source::Status(part) => &self.parts.get(usize::from(part))?.status,
            Source::Batch(part) => &self.parts.get(usize::from(part))?.batch,
        };
        batch.row(place.row as usize)
    }

    fn foreign_families(&self) -> impl Iterator<Item = ForeignFamily<'_>> {
        self.foreign.iter().filter_map(|place| self.foreign_family(*place))
    }

    fn foreign_family(&self, place: ForeignPlace) -> Option<ForeignFamily<'_>> {
        let batch = &self.parts.get(usize::from(place.part))?.batch;
        batch.foreign_families().family_at(place.family as usize)
    }

    /// Adds the places of a batch's rows.
    fn list(places: &mut Vec<Place>, source: Source, batch: &Batch) {
        for (row, sample) in (0u32..).zip(batch.rows()) {
            places.push(Place { family: sample.family(), source, row });
        }
    }
}

/// A snapshot as one request sees it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    snapshot: &'a Snapshot,
    wanted: Collectors,
}

/// A family with its samples.
#[derive(Clone, Copy, Debug)]
pub struct FamilyRows<'a> {
    /// The family.
    pub id: Id,
    view: View<'a>,
    places: &'a [Place],
}

impl<'a> View<'a> {
    /// The families that have samples, in the schema's order.
    pub fn families(self) -> impl Iterator<Item = FamilyRows<'a>> {
        let chunks = self.snapshot.places.chunk_by(|a, b| a.family == b.family);
        chunks.filter_map(move |places| {
            let id = places.first()?.family;
            let rows = FamilyRows { id, view: self, places };
            rows.rows().next().is_some().then_some(rows)
        })
    }

    /// The samples of one family, which may be none.
    pub fn family(self, id: Id) -> FamilyRows<'a> {
        let places = &self.snapshot.places;
        let from = places.partition_point(|place| place.family < id);
        let to = places.partition_point(|place| place.family <= id);
        FamilyRows { id, view: self, places: places.get(from..to).unwrap_or(&[]) }
    }

    /// The foreign families, by name. Several may share one: they are to be written as one family, whose kind
    /// and help are the first one's.
    pub fn foreign(self) -> impl Iterator<Item = ForeignFamily<'a>> + Clone {
        let wanted = self.wanted;
        let places = self.snapshot.foreign.iter().filter(move |place| wanted.has(usize::from(place.part)));
        places.filter_map(move |place| self.snapshot.foreign_family(*place))
    }

    fn shows(self, place: Place) -> bool {
        match place.source {
            Source::Own => true,
            Source::Status(part) | Source::Batch(part) => self.wanted.has(usize::from(part)),
        }
    }
}

impl<'a> FamilyRows<'a> {
    /// The samples.
    pub fn rows(self) -> impl Iterator<Item = Row<'a>> {
        let shown = self.places.iter().filter(move |place| self.view.shows(**place));
        shown.filter_map(move |place| self.view.snapshot.row(*place))
    }
}
