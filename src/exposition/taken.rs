//! The names that a page has used, and with them the OpenMetrics type that a family can still have.
//!
//! In OpenMetrics a counter's family is called `x` where its samples are called `x_total`, so a gauge `x` and a
//! counter `x_total` cannot both be typed as what they are; strict parsers refuse the whole page. Whoever comes
//! second is then `unknown` under its own sample's name, which changes no sample. A sample's name that was used
//! already is left out, from both formats.

use crate::hash::{self, Hashed};
use schema::Kind;
use std::collections::HashSet;
use std::hash::BuildHasherDefault;

/// The names used so far, as hashes: two of a page's few hundred names have the same one of 64 bits once in
/// 10^14 pages, and then a family is missing.
#[derive(Debug, Default)]
pub(super) struct Taken {
    names: HashSet<u64, BuildHasherDefault<Hashed>>,
}

impl Taken {
    /// Forgets a page and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.names.clear();
    }

    /// True if a family or a sample has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(&key(name))
    }

    /// Takes the name of a family's samples. Returns the kind that the family can have in OpenMetrics, or None
    /// if there are samples of this name already.
    pub(super) fn take(&mut self, sample: &str, kind: Kind) -> Option<Kind> {
        let name = key(sample);
        if self.names.contains(&name) {
            return None;
        }
        let kind = match kind {
            Kind::Gauge | Kind::Unknown => kind,
            Kind::Counter if self.take_base(sample, "_total", true) => Kind::Counter,
            Kind::Counter => Kind::Unknown,
            Kind::Info if self.take_base(sample, "_info", false) => Kind::Info,
            Kind::Info => Kind::Gauge,
        };
        self.names.insert(name);
        Some(kind)
    }

    /// Takes what a family reserves beside its samples' name, if that name has the suffix and all of it is free.
    fn take_base(&mut self, sample: &str, suffix: &str, created: bool) -> bool {
        let Some(base) = sample.strip_suffix(suffix).filter(|base| !base.is_empty()) else {
            return false;
        };
        let hash = hash::text(0, base);
        let family = if base.ends_with(CREATED) { key(base) } else { hash };
        let created = created.then_some(hash ^ CREATED_KEY);
        if self.names.contains(&family) || created.is_some_and(|created| self.names.contains(&created)) {
            return false;
        }
        self.names.insert(family);
        self.names.extend(created);
        true
    }
}

/// The name of the OpenMetrics family whose samples have this name.
pub(super) fn family_name(sample: &str, kind: Kind) -> &str {
    let suffix = match kind {
        Kind::Counter => "_total",
        Kind::Info => "_info",
        Kind::Gauge | Kind::Unknown => "",
    };
    sample.strip_suffix(suffix).unwrap_or(sample)
}

/// A counter reserves the name of this sample beside its own.
const CREATED: &str = "_created";
/// What stands for it in a hash, so that both names of a counter take one look at their letters.
const CREATED_KEY: u64 = 0x5bd1_e995_9d1b_54a5;

/// The hash of a name.
fn key(name: &str) -> u64 {
    match name.strip_suffix(CREATED) {
        Some(base) => hash::text(0, base) ^ CREATED_KEY,
        None => hash::text(0, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_once() {
        let mut taken = Taken::default();
        assert_eq!(taken.take("x", Kind::Gauge), Some(Kind::Gauge));
        assert_eq!(taken.take("x", Kind::Gauge), None);
        taken.clear();
        assert_eq!(taken.take("x", Kind::Unknown), Some(Kind::Unknown));
    }

    #[test]
    fn a_counter_whose_family_name_is_taken_is_unknown() {
        let mut taken = Taken::default();
        assert_eq!(taken.take("x", Kind::Gauge), Some(Kind::Gauge));
        assert_eq!(taken.take("x_total", Kind::Counter), Some(Kind::Unknown));
        assert_eq!(taken.take("y_total", Kind::Counter), Some(Kind::Counter));
        assert_eq!(taken.take("y", Kind::Gauge), None, "a counter's family has that name");
        assert_eq!(taken.take("y_created", Kind::Gauge), None, "a counter may have such a sample");
        assert_eq!(taken.take("z_created_total", Kind::Counter), Some(Kind::Counter));
        assert_eq!(taken.take("z_created", Kind::Gauge), None, "that counter's family has that name");
        assert_eq!(taken.take("z_total", Kind::Counter), Some(Kind::Unknown), "it would reserve it too");
    }

    #[test]
    fn without_the_suffix_there_is_no_counter_and_no_info() {
        let mut taken = Taken::default();
        assert_eq!(taken.take("x", Kind::Counter), Some(Kind::Unknown));
        assert_eq!(taken.take("_total", Kind::Counter), Some(Kind::Unknown));
        assert_eq!(taken.take("z", Kind::Info), Some(Kind::Gauge));
        assert_eq!(taken.take("z_info", Kind::Info), Some(Kind::Gauge), "z is taken");
        assert_eq!(taken.take("w_info", Kind::Info), Some(Kind::Info));
    }

    #[test]
    fn a_family_is_called_without_its_samples_suffix() {
        assert_eq!(family_name("x_total", Kind::Counter), "x");
        assert_eq!(family_name("x_total", Kind::Unknown), "x_total");
        assert_eq!(family_name("x_info", Kind::Info), "x");
        assert_eq!(family_name("x_info", Kind::Gauge), "x_info");
    }
}
