//! Putting a scrape's samples in order: the schema's order, each series once, within the cap.

use super::seen::Seen;
use super::{ForeignPlace, Place, Snapshot, Source};
use crate::hash;
use schema::{Id, TABLE};

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
    seen: Seen,
    /// Foreign samples whose family's name stands in several files, and those of them that are hidden.
    samples: Vec<(u16, u32)>,
    hidden: Vec<(u16, u32)>,
    /// How many samples each family has.
    sizes: Vec<usize>,
    /// Room to sort in.
    sorted: Vec<Place>,
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
        self.sort(&mut places);
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
        let duplicates = duplicates + self.hide_foreign_duplicates(snapshot, &foreign);
        let cut = cap_foreign(snapshot, &mut foreign, cap.saturating_sub(shown(&snapshot.places)));
        snapshot.foreign = foreign;
        LeftOut { duplicates: duplicates as u64, capped: (capped + cut) as u64 }
    }

    /// Adds the daemon's own samples, which no cap touches.
    pub fn finish(snapshot: &mut Snapshot) {
        let mut places = std::mem::take(&mut snapshot.places);
        let arranged = places.len();
        Snapshot::list(&mut places, Source::Own, &snapshot.own);
        for (part, index) in snapshot.parts.iter().zip(0u16..) {
            Snapshot::list(&mut places, Source::Status(index), &part.status);
        }
        if let Some(own) = places.get_mut(arranged..) {
            own.sort_unstable();
        }
        // Their families stand behind all others: mostly that was all.
        if !places.is_sorted() {
            places.sort_unstable();
        }
        snapshot.places = places;
    }

    /// Puts samples in order of their families. They come in the order in which they are to stand within one, and
    /// families are few and numbered, so they are counted and dealt out, not compared.
    fn sort(&mut self, places: &mut Vec<Place>) {
        self.sizes.clear();
        self.sizes.resize(TABLE.len(), 0);
        for place in places.iter() {
            if let Some(size) = self.sizes.get_mut(usize::from(place.family.0)) {
                *size += 1;
            }
        }
        let mut next = 0;
        for size in &mut self.sizes {
            let begin = next;
            next += *size;
            *size = begin;
        }
        self.sorted.clear();
        self.sorted.extend_from_slice(places);
        for place in places.iter() {
            if let Some(at) = self.sizes.get_mut(usize::from(place.family.0)) {
                if let Some(to) = self.sorted.get_mut(*at) {
                    *to = *place;
                }
                *at += 1;
            }
        }
        std::mem::swap(places, &mut self.sorted);
    }

    /// Keeps the first sample of each series.
    fn drop_duplicates(&mut self, snapshot: &Snapshot, places: &mut Vec<Place>) {
        self.seen.begin(places.len());
        let mut kept: usize = 0;
        for next in 0..places.len() {
            let Some(&place) = places.get(next) else { break };
            let Some(row) = snapshot.row(place) else { continue };
            let hash = row.labels().fold(u64::from(place.family.0), hash::text);
            let same = |earlier| {
                let earlier = places.get(earlier).and_then(|place| snapshot.row(*place));
                earlier.is_some_and(|earlier| earlier.same_series(&row))
            };
            if self.seen.insert(hash, kept, same)
                && let Some(to) = places.get_mut(kept)
            {
                *to = place;
                kept += 1;
            }
        }
        places.truncate(kept);
    }

    /// Hides the samples of foreign families that an earlier file has too. A file has no duplicates in itself, so
    /// only families that share their name are looked at; they stand together.
    fn hide_foreign_duplicates(&mut self, snapshot: &mut Snapshot, families: &[ForeignPlace]) -> usize {
        self.samples.clear();
        self.hidden.clear();
        let family = |place: &ForeignPlace| snapshot.foreign_family(*place);
        let name = |place: &ForeignPlace| family(place).map(|family| family.name);
        for group in families.chunk_by(|a, b| name(a) == name(b)).filter(|group| group.len() > 1) {
            for place in group {
                let samples = family(place).into_iter().flat_map(|family| family.places());
                self.samples.extend(samples.map(|sample| (place.part, sample)));
            }
        }
        self.seen.begin(self.samples.len());
        let at = |(part, sample): (u16, u32)| {
            let batch = &snapshot.parts.get(usize::from(part))?.batch;
            batch.foreign_families().sample_at(sample as usize)
        };
        for (number, &place) in self.samples.iter().enumerate() {
            let Some(sample) = at(place) else { continue };
            let same = |earlier: usize| {
                let earlier = self.samples.get(earlier).and_then(|place| at(*place));
                earlier.is_some_and(|earlier| (earlier.name, earlier.labels) == (sample.name, sample.labels))
            };
            if !self.seen.insert(hash::text(hash::text(0, sample.name), sample.labels), number, same) {
                self.hidden.push(place);
            }
        }
        for &(part, sample) in &self.hidden {
            if let Some(part) = snapshot.parts.get_mut(usize::from(part)) {
                part.batch.foreign().hide(sample as usize);
            }
        }
        self.hidden.len()
    }

    /// Leaves out the largest families until the rest is within the cap; never a GPU's, never the daemon's.
    fn cap(&mut self, places: &mut Vec<Place>, cap: usize) {
        while shown(places) > cap {
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
                .filter(|(size, (family, _))| **size > 0 && family.unified && !spared(family.name))
                .max_by_key(|(size, _)| **size)
                .map(|(_, (_, id))| Id(id));
            let Some(largest) = largest else { return };
            places.retain(|place| place.family != largest);
        }
    }
}

/// How many samples there are without those that only dialects show.
fn shown(places: &[Place]) -> usize {
    places.iter().filter(|place| place.family.descriptor().unified).count()
}

/// Leaves out the largest foreign families, which stand together by name, until the rest has room; returns how many
/// samples went.
fn cap_foreign(snapshot: &Snapshot, families: &mut Vec<ForeignPlace>, room: usize) -> usize {
    let family = |place: &ForeignPlace| snapshot.foreign_family(*place);
    let name = |place: &ForeignPlace| family(place).map(|family| family.name);
    let size = |places: &[ForeignPlace]| -> usize {
        places.iter().filter_map(family).map(|family| family.samples().count()).sum()
    };
    let all = size(families);
    let mut cut = 0;
    while all - cut > room {
        let largest = families.chunk_by(|a, b| name(a) == name(b)).max_by_key(|group| size(group));
        let Some((gone, lost)) = largest.and_then(|group| Some((name(group.first()?), size(group)))) else {
            break;
        };
        families.retain(|place| name(place) != gone);
        cut += lost;
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Collectors, FamilyRows, View};
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
    fn a_foreign_series_of_two_files_is_shown_once_and_counted() {
        let mut snapshot = two_parts();
        for (part, value) in snapshot.parts.iter_mut().zip([1.0, 2.0]) {
            let foreign = part.batch.foreign();
            foreign.family("a", ForeignKind::Gauge, "").unwrap();
            foreign.sample("a", &mut [("x", "same")], value).unwrap();
            foreign.sample("a", &mut [("x", &value.to_string())], value).unwrap();
        }
        let left_out = Arranger::default().arrange(&mut snapshot, 100);
        assert_eq!(left_out, LeftOut { duplicates: 2, capped: 0 }, "one of ours, one foreign");
        let families = snapshot.view(Collectors::all(2)).foreign();
        let samples: Vec<_> = families.flat_map(|f| f.samples()).map(|s| (s.labels, s.value)).collect();
        assert_eq!(samples, [(r#"x="same""#, 1.0), (r#"x="1""#, 1.0), (r#"x="2""#, 2.0)]);
    }

    #[test]
    fn over_the_cap_the_largest_foreign_family_goes_whole() {
        let mut snapshot = Snapshot::default();
        snapshot.clear(1);
        let foreign = snapshot.parts[0].batch.foreign();
        for (name, samples) in [("a_large", 5), ("b_small", 1), ("c_small", 2)] {
            foreign.family(name, ForeignKind::Gauge, "").unwrap();
            for n in 0..samples {
                foreign.sample(name, &mut [("n", &n.to_string())], 1.0).unwrap();
            }
        }
        let left_out = Arranger::default().arrange(&mut snapshot, 4);
        assert_eq!(left_out, LeftOut { duplicates: 0, capped: 5 });
        let names: Vec<_> = snapshot.view(Collectors::all(1)).foreign().map(|family| family.name).collect();
        assert_eq!(names, ["b_small", "c_small"]);
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
