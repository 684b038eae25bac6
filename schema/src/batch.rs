//! The samples of one collection: rows of family, labels and value over one arena of text, and the failures
//! of single items.
//!
//! A batch is cleared and filled again, so a steady scrape allocates nothing. It travels between processes as
//! a [frame](crate::frame).

use crate::error::{Error, Reason};
use crate::family::{Family, Id};
use crate::foreign::Foreign;
use crate::label;
use crate::unit::{Quantity, Value};

/// How many failures of one collection are kept for people to read; all are counted.
const FAILURES_KEPT: usize = 16;

/// The samples of one collection.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(crate) rows: Vec<Entry>,
    /// Where each label value ends in `arena`; it begins where the one before it ends.
    pub(crate) ends: Vec<u32>,
    pub(crate) arena: String,
    pub(crate) foreign: Foreign,
    pub(crate) failures: Vec<Error>,
    pub(crate) failed: [u32; Reason::ALL.len()],
    pub(crate) invalid: u32,
}

/// A row as stored: its labels are `ends[labels..]`, as many as its family has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) family: Id,
    pub(crate) labels: u32,
    pub(crate) value: Value,
}

/// One sample of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    batch: &'a Batch,
    entry: &'a Entry,
}

impl Batch {
    /// Adds a sample. An empty label value means that the sample lacks the label. A value that is not finite
    /// is dropped and counted: it was not measured.
    pub fn put<Q: Quantity, const N: usize>(&mut self, family: &Family<Q, N>, labels: [&str; N], value: Q) {
        let value = value.value();
        if !value.is_finite() {
            self.invalid += 1;
            return;
        }
        let Ok(first) = u32::try_from(self.ends.len()) else {
            return;
        };
        for text in labels {
            match label::cut(text) {
                None => self.arena.push_str(text),
                Some((head, tail)) => {
                    self.arena.push_str(head);
                    self.arena.push_str(&tail);
                }
            }
            // An arena of 4 GiB is beyond every limit that stands before it; the row is then left out.
            let Ok(end) = u32::try_from(self.arena.len()) else {
                return;
            };
            self.ends.push(end);
        }
        self.rows.push(Entry { family: family.id(), labels: first, value });
    }

    /// Notes the failure of one item (a mount, a chip, a file), and the collection goes on. An absent item
    /// ([`Error::Unsupported`]) is no failure and leaves no trace.
    pub fn fail(&mut self, error: Error) {
        let Some(reason) = error.reason() else { return };
        if let Some(count) = self.failed.get_mut(reason as usize) {
            *count += 1;
        }
        if self.failures.len() < FAILURES_KEPT {
            self.failures.push(error);
        }
    }

    /// Notes that what was noted by [`Batch::fail`] in an earlier scrape is still so. It is kept for people to
    /// read, and not counted again: for what will not change until somebody changes the machine, such as a file
    /// that is root's alone, and whose count would otherwise be an alert without end.
    pub fn still(&mut self, error: Error) {
        if error.reason().is_some() && self.failures.len() < FAILURES_KEPT {
            self.failures.push(error);
        }
    }

    /// The reading, or None with its failure noted: for items of which each may fail alone.
    pub fn keep<T>(&mut self, reading: Result<T, Error>) -> Option<T> {
        reading.map_err(|error| self.fail(error)).ok()
    }

    /// Families that are not of the table (textfile), see [`Foreign`].
    pub fn foreign(&mut self) -> &mut Foreign {
        &mut self.foreign
    }

    /// The foreign families put so far.
    pub fn foreign_families(&self) -> &Foreign {
        &self.foreign
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.ends.clear();
        self.arena.clear();
        self.foreign.clear();
        self.failures.clear();
        self.failed = Default::default();
        self.invalid = 0;
    }

    /// The samples, in the order in which they were put.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.rows.iter().map(|entry| Row { batch: self, entry })
    }

    /// The sample at this place.
    pub fn row(&self, place: usize) -> Option<Row<'_>> {
        self.rows.get(place).map(|entry| Row { batch: self, entry })
    }

    /// How many samples of the table's families there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True without a sample of the table's families.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The first failures of this collection; [`Batch::failed`] counts all.
    pub fn failures(&self) -> &[Error] {
        &self.failures
    }

    /// How many items failed for each reason that there was.
    pub fn failed(&self) -> impl Iterator<Item = (Reason, u32)> {
        Reason::ALL.into_iter().zip(self.failed).filter(|(_, count)| *count > 0)
    }

    /// How many values were dropped because they were not finite or not plausible.
    pub fn invalid(&self) -> u32 {
        self.invalid
    }

    /// Drops a value that cannot be a measurement (a driver's sentinel) and counts it.
    pub fn reject(&mut self) {
        self.invalid += 1;
    }

    /// Copies another batch's sample into this one.
    pub fn copy(&mut self, row: Row<'_>) {
        self.copy_labels(row, row.labels());
    }

    /// Copies another batch's sample into this one, with another value for its first label: for who knows better what
    /// the sample is of.
    pub fn copy_as(&mut self, row: Row<'_>, first: &str) {
        self.copy_labels(row, std::iter::once(first).chain(row.labels().skip(1)));
    }

    fn copy_labels<'a>(&mut self, row: Row<'_>, texts: impl Iterator<Item = &'a str>) {
        let Ok(labels) = u32::try_from(self.ends.len()) else {
            return;
        };
        for text in texts {
            self.arena.push_str(text);
            let Ok(end) = u32::try_from(self.arena.len()) else {
                return;
            };
            self.ends.push(end);
        }
        self.rows.push(Entry { labels, ..*row.entry });
    }

    /// Appends everything of another batch: its samples, foreign families and failures.
    pub fn append(&mut self, other: &Batch) {
        for row in other.rows() {
            self.copy(row);
        }
        self.foreign.append(&other.foreign);
        self.append_failures(other);
    }

    /// Appends another batch's failures and the count of its invalid values, for who copies its samples one by one.
    pub fn append_failures(&mut self, other: &Batch) {
        for error in &other.failures {
            if self.failures.len() < FAILURES_KEPT {
                self.failures.push(error.clone());
            }
        }
        for (mine, theirs) in self.failed.iter_mut().zip(other.failed) {
            *mine += theirs;
        }
        self.invalid += other.invalid;
    }

    fn label(&self, place: usize) -> &str {
        let start = match place.checked_sub(1) {
            None => 0,
            Some(before) => self.ends.get(before).copied().unwrap_or(0) as usize,
        };
        let end = self.ends.get(place).copied().unwrap_or(0) as usize;
        self.arena.get(start..end).unwrap_or("")
    }
}

impl<'a> Row<'a> {
    /// The family's place in the table.
    pub fn family(&self) -> Id {
        self.entry.family
    }

    /// The number.
    pub fn value(&self) -> Value {
        self.entry.value
    }

    /// The label values, in the family's order; an empty one is absent.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        let first = self.entry.labels as usize;
        let batch = self.batch;
        (first..first + self.family().descriptor().labels.len()).map(move |place| batch.label(place))
    }

    /// The labels that are there, with their names.
    pub fn named_labels(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        let names = self.family().descriptor().labels.iter().copied();
        names.zip(self.labels()).filter(|(_, value)| !value.is_empty())
    }

    /// True where both are the same series: the same family with the same labels.
    pub fn same_series(&self, other: &Row<'_>) -> bool {
        self.family() == other.family() && self.labels().eq(other.labels())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Errno;
    use crate::families::{cpu, load};
    use crate::unit::{Plain, Seconds};

    #[test]
    fn a_batch_gives_back_what_was_put() {
        let mut batch = Batch::default();
        batch.put(&cpu::CPU_SECONDS, ["0", "user"], Seconds(1.5));
        batch.put(&load::LOAD1, [], Plain(0.25));
        batch.put(&cpu::CPU_SECONDS, ["", "idle"], Seconds(2.0));
        let rows: Vec<_> = batch
            .rows()
            .map(|row| (row.family().descriptor().name, row.named_labels().collect::<Vec<_>>(), row.value()))
            .collect();
        assert_eq!(
            rows,
            [
                ("host_cpu_seconds_total", vec![("cpu", "0"), ("mode", "user")], Value::Real(1.5)),
                ("host_load1", vec![], Value::Real(0.25)),
                ("host_cpu_seconds_total", vec![("mode", "idle")], Value::Real(2.0)),
            ]
        );
    }

    #[test]
    fn what_is_not_finite_is_dropped_and_counted() {
        let mut batch = Batch::default();
        batch.put(&load::LOAD1, [], Plain(f64::NAN));
        assert!(batch.is_empty());
        assert_eq!(batch.invalid(), 1);
    }

    #[test]
    fn absence_leaves_no_failure_and_failures_are_counted_by_reason() {
        let mut batch = Batch::default();
        batch.fail(Error::Unsupported("no such thing"));
        assert_eq!(batch.failed().count(), 0);
        for _ in 0..100 {
            batch.fail(Error::Io { path: "/mnt".into(), source: Errno(5) });
        }
        assert_eq!(batch.failed().collect::<Vec<_>>(), [(Reason::Io, 100)]);
        assert_eq!(batch.failures().len(), FAILURES_KEPT);
    }

    #[test]
    fn what_is_still_so_is_told_and_not_counted_again() {
        let mut batch = Batch::default();
        batch.still(Error::Io { path: "/sys/x".into(), source: Errno(13) });
        batch.still(Error::Unsupported("no such thing"));
        assert_eq!((batch.failures().len(), batch.failed().count()), (1, 0));
    }

    #[test]
    fn a_cleared_batch_keeps_its_memory_and_nothing_else() {
        let mut batch = Batch::default();
        batch.put(&cpu::CPU_SECONDS, ["0", "user"], Seconds(1.5));
        batch.fail(Error::Panic);
        let room = batch.arena.capacity();
        batch.clear();
        assert!(batch.is_empty() && batch.failures().is_empty() && batch.failed().count() == 0);
        assert_eq!(batch.arena.capacity(), room);
    }

    #[test]
    fn copied_rows_are_the_same_series() {
        let mut one = Batch::default();
        one.put(&cpu::CPU_SECONDS, ["3", "idle"], Seconds(7.0));
        let mut two = Batch::default();
        two.put(&load::LOAD1, [], Plain(1.0));
        two.append(&one);
        assert!(two.row(1).unwrap().same_series(&one.row(0).unwrap()));
        assert!(!two.row(0).unwrap().same_series(&one.row(0).unwrap()));
        two.copy_as(one.row(0).unwrap(), "7");
        assert_eq!(two.row(2).unwrap().labels().collect::<Vec<_>>(), ["7", "idle"]);
    }
}
