//! The last successful reading of families that declare a `max_age`: lists that are too dear to read for every
//! scrape. Within that age it is shown again; after it, or after a failure, nothing is.

use schema::{Batch, Error, Spec};
use std::time::Duration;

/// What is held of one collector.
#[derive(Debug, Default)]
pub struct Held {
    batch: Batch,
    read: Option<Duration>,
    max_age: Option<Duration>,
}

impl Held {
    /// For this collector: the shortest `max_age` of its families counts.
    pub fn of<D>(spec: &Spec<D>) -> Held {
        let max_age = spec.families.iter().filter_map(|id| id.descriptor().max_age).min();
        Held { max_age, ..Held::default() }
    }

    /// True while there is a reading that is young enough.
    pub fn young(&self, now: Duration) -> bool {
        matches!((self.read, self.max_age), (Some(read), Some(max_age)) if now.saturating_sub(read) <= max_age)
    }

    /// After a collection: holds what it read anew, or adds what is held and was not read anew.
    pub fn settle(&mut self, now: Duration, result: &Result<(), Error>, out: &mut Batch) {
        if self.max_age.is_none() {
            return;
        }
        let may_be_held = |row: &schema::Row<'_>| row.family().descriptor().max_age.is_some();
        if result.is_err() {
            self.read = None;
        } else if out.rows().any(|row| may_be_held(&row)) {
            self.batch.clear();
            for row in out.rows().filter(may_be_held) {
                self.batch.copy(row);
            }
            self.read = Some(now);
        } else if self.young(now) {
            for row in self.batch.rows() {
                out.copy(row);
            }
        } else {
            self.read = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::families::load::LOAD1;
    use schema::unit::Plain;

    // No family of this table is held yet; the ages are set by hand, and the rows stand in for held ones.
    fn held_at(read: u64) -> Held {
        let mut batch = Batch::default();
        batch.put(&LOAD1, [], Plain(1.0));
        Held { batch, read: Some(Duration::from_secs(read)), max_age: Some(Duration::from_secs(10)) }
    }

    #[test]
    fn a_young_reading_is_shown_again_and_an_old_one_is_not() {
        let mut out = Batch::default();
        held_at(100).settle(Duration::from_secs(110), &Ok(()), &mut out);
        assert_eq!(out.len(), 1);
        let mut out = Batch::default();
        held_at(100).settle(Duration::from_secs(111), &Ok(()), &mut out);
        assert!(out.is_empty());
    }

    #[test]
    fn after_a_failure_nothing_is_shown() {
        let mut held = held_at(100);
        let mut out = Batch::default();
        held.settle(Duration::from_secs(101), &Err(Error::Panic), &mut out);
        assert!(out.is_empty());
        assert!(!held.young(Duration::from_secs(101)));
    }
}
