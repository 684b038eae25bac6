//! One scrape's samples, arranged for encoding: sorted into the schema's order, without duplicates, within the
//! cap on series. Shared by every request that it answers; what a request filters out is skipped on the way.

use schema::foreign::ForeignFamily;
use schema::label::fnv1a;
use schema::{Batch, Id, Row, TABLE};
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

/// What arranging left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Samples whose series was there already.
    pub duplicates: u64,
    /// Samples beyond the cap.
    pub capped: u64,
}

/// Arranges snapshots; holds the memory that doing so takes.
#[derive(Debug, Default)]
pub struct Arranger {
    /// Open addressing, by hash: a place in the list of samples seen, plus one.
    seen: Vec<u32>,
    /// How many samples each family has.
    sizes: Vec<usize>,
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

    /// How many samples there are, of all collectors.
    pub fn series(&self) -> usize {
        self.places.len() + self.foreign_families().map(|family| family.samples().len()).sum::<usize>()
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

impl Arranger {
    /// Puts the collectors' samples in order and leaves out duplicates and what is beyond the cap. The daemon's
    /// own samples come later, by [`Arranger::finish`], for they tell what was left out.
    pub fn arrange(&mut self, snapshot: &mut Snapshot, cap: usize) -> LeftOut {
        let mut places = std::mem::take(&mut snapshot.places);
        let mut foreign = std::mem::take(&mut snapshot.foreign);
        places.clear();
        foreign.clear();
        for (part, index) in snapshot.parts.iter().zip(0u16..) {
            Snapshot::list(&mut places, Source::Batch(index), &part.batch);
            for (family, _) in (0u32..).zip(part.batch.foreign_families().families()) {
                foreign.push(ForeignPlace { part: index, family });
            }
        }
        places.sort_unstable();
        let before = places.len();
        self.drop_duplicates(snapshot, &mut places);
        let duplicates = before - places.len();
        let before = places.len();
        self.cap(&mut places, cap);
        let capped = before - places.len();
        snapshot.places = places;
        // Families of one name stand together, as both formats want it; the first file's help counts.
        let name = |place: &ForeignPlace| snapshot.foreign_family(*place).map(|family| family.name);
        foreign.sort_unstable_by(|a, b| (name(a), a.part, a.family).cmp(&(name(b), b.part, b.family)));
        let room = cap.saturating_sub(snapshot.places.len());
        let (mut samples, mut cut) = (0, 0);
        foreign.retain(|place| {
            let len = snapshot.foreign_family(*place).map_or(0, |family| family.samples().len());
            let fits = samples + len <= room;
            *(if fits { &mut samples } else { &mut cut }) += len;
            fits
        });
        snapshot.foreign = foreign;
        LeftOut { duplicates: duplicates as u64, capped: (capped + cut) as u64 }
    }

    /// Adds the daemon's own samples, which no cap touches.
    pub fn finish(snapshot: &mut Snapshot) {
        let mut places = std::mem::take(&mut snapshot.places);
        Snapshot::list(&mut places, Source::Own, &snapshot.own);
        for (part, index) in snapshot.parts.iter().zip(0u16..) {
            Snapshot::list(&mut places, Source::Status(index), &part.status);
        }
        places.sort_unstable();
        snapshot.places = places;
    }

    /// Keeps the first sample of each series. Samples of one family stand together, so only those are compared.
    fn drop_duplicates(&mut self, snapshot: &Snapshot, places: &mut Vec<Place>) {
        let slots = (places.len() * 2).next_power_of_two();
        self.seen.clear();
        self.seen.resize(slots, 0);
        let mut kept: usize = 0;
        for next in 0..places.len() {
            let Some(&place) = places.get(next) else { break };
            let Some(row) = snapshot.row(place) else { continue };
            let hash = row.labels().fold(u64::from(place.family.0), |hash, label| {
                hash.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ fnv1a(label.as_bytes())
            });
            // The high bits of the product are the mixed ones.
            let mut slot = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & (slots - 1);
            let duplicate = loop {
                match self.seen.get_mut(slot) {
                    Some(0) | None => break false,
                    Some(seen) => {
                        let earlier = places.get(*seen as usize - 1).and_then(|place| snapshot.row(*place));
                        if earlier.is_some_and(|earlier| earlier.same_series(&row)) {
                            break true;
                        }
                        slot = (slot + 1) & (slots - 1);
                    }
                }
            };
            if duplicate {
                continue;
            }
            if let (Some(seen), Some(to)) = (self.seen.get_mut(slot), places.get_mut(kept)) {
                *to = place;
                kept += 1;
                *seen = u32::try_from(kept).unwrap_or(u32::MAX);
            }
        }
        places.truncate(kept);
    }

    /// Leaves out the largest families until the rest is within the cap; never a GPU's, never the daemon's.
    fn cap(&mut self, places: &mut Vec<Place>, cap: usize) {
        while places.len() > cap {
            self.sizes.clear();
            self.sizes.resize(TABLE.len(), 0);
            for place in places.iter() {
                if let Some(size) = self.sizes.get_mut(usize::from(place.family.0)) {
                    *size += 1;
                }
            }
            let spared = |name: &str| ["gpu_", "gauged_", "process_"].iter().any(|p| name.starts_with(p));
            let sizes = self.sizes.iter().zip(TABLE.iter().zip(0u16..));
            let largest = sizes
                .filter(|(size, (family, _))| **size > 0 && !spared(family.name))
                .max_by_key(|(size, _)| **size)
                .map(|(_, (_, id))| Id(id));
            let Some(largest) = largest else { return };
            places.retain(|place| place.family != largest);
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

#[cfg(test)]
mod tests {
    use super::*;
    use schema::families::{cpu, load, own, textfile};
    use schema::foreign::ForeignKind;
    use schema::unit::{Count, Plain, Seconds, State};

    fn two_parts() -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.clear(2);
        let [one, two] = &mut snapshot.parts[..] else { panic!("two parts") };
        one.batch.put(&load::LOAD1, [], Plain(1.0));
        one.batch.put(&cpu::CPU_SECONDS, ["0", "idle"], Seconds(1.0));
        one.batch.put(&cpu::CPU_SECONDS, ["0", "user"], Seconds(2.0));
        two.batch.put(&cpu::CPU_SECONDS, ["0", "user"], Seconds(9.0));
        two.batch.put(&cpu::CPU_SECONDS, ["1", "user"], Seconds(3.0));
        two.status.put(&own::COLLECTOR_SUCCESS, ["two"], State(true));
        snapshot.own.put(&own::SCRAPES, [], Count(7));
        snapshot
    }

    fn shown(view: View<'_>) -> Vec<String> {
        let rows = view.families().flat_map(FamilyRows::rows);
        rows.map(|row| {
            let labels: Vec<_> = row.labels().collect();
            format!("{} {} {}", row.family().descriptor().name, labels.join(","), row.value().as_f64())
        })
        .collect()
    }

    #[test]
    fn samples_stand_in_the_schemas_order_and_the_first_of_a_series_counts() {
        let mut snapshot = two_parts();
        let left_out = Arranger::default().arrange(&mut snapshot, 100);
        Arranger::finish(&mut snapshot);
        assert_eq!(left_out, LeftOut { duplicates: 1, capped: 0 });
        assert_eq!(
            shown(snapshot.view(Collectors::all(2))),
            [
                "host_cpu_seconds_total 0,idle 1",
                "host_cpu_seconds_total 0,user 2",
                "host_cpu_seconds_total 1,user 3",
                "host_load1  1",
                "gauged_collector_success two 1",
                "gauged_scrapes_total  7",
            ]
        );
    }

    #[test]
    fn a_filter_hides_the_other_collectors_and_what_is_said_of_them() {
        let mut snapshot = two_parts();
        Arranger::default().arrange(&mut snapshot, 100);
        Arranger::finish(&mut snapshot);
        assert_eq!(
            shown(snapshot.view(Collectors::default().with(0))),
            [
                "host_cpu_seconds_total 0,idle 1",
                "host_cpu_seconds_total 0,user 2",
                "host_load1  1",
                "gauged_scrapes_total  7"
            ]
        );
        assert_eq!(snapshot.view(Collectors::all(2)).family(cpu::CPU_SECONDS.id()).rows().count(), 3);
        assert_eq!(snapshot.view(Collectors::all(2)).family(cpu::CPUS.id()).rows().count(), 0);
    }

    #[test]
    fn over_the_cap_the_largest_family_goes_and_the_daemons_own_stay() {
        let mut snapshot = two_parts();
        let left_out = Arranger::default().arrange(&mut snapshot, 3);
        Arranger::finish(&mut snapshot);
        assert_eq!(left_out, LeftOut { duplicates: 1, capped: 3 });
        assert_eq!(
            shown(snapshot.view(Collectors::all(2))),
            ["host_load1  1", "gauged_collector_success two 1", "gauged_scrapes_total  7"]
        );
    }

    #[test]
    fn foreign_families_of_one_name_stand_together() {
        let mut snapshot = two_parts();
        for (part, names) in snapshot.parts.iter_mut().zip([["b", "a"], ["a", "c"]]) {
            for name in names {
                part.batch.foreign().family(name, ForeignKind::Gauge, "").unwrap();
                part.batch.foreign().sample(name, &mut [], 1.0).unwrap();
            }
        }
        Arranger::default().arrange(&mut snapshot, 100);
        let names: Vec<_> = snapshot.view(Collectors::all(2)).foreign().map(|family| family.name).collect();
        assert_eq!(names, ["a", "a", "b", "c"]);
    }

    #[test]
    fn many_series_are_told_apart() {
        let mut snapshot = Snapshot::default();
        snapshot.clear(1);
        for n in 0..5000 {
            let name = n.to_string();
            snapshot.parts[0].batch.put(&textfile::ERROR, [&name], State(false));
            snapshot.parts[0].batch.put(&textfile::ERROR, [&name], State(true));
        }
        let left_out = Arranger::default().arrange(&mut snapshot, 100_000);
        assert_eq!(left_out.duplicates, 5000);
        assert_eq!(snapshot.series(), 5000);
    }
}
