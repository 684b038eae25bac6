//! The names that a page has used, and with them the OpenMetrics type that a family can still have.
//!
//! In OpenMetrics a counter's family is called `x` where its samples are called `x_total`, so a gauge `x` and a
//! counter `x_total` cannot both be typed as what they are; strict parsers refuse the whole page. Whoever comes
//! second is then `unknown` under its own sample's name, which changes no sample. A sample's name that was used
//! already is left out, from both formats.

use schema::Kind;
use std::collections::HashSet;

/// The names used so far, as hashes: two of a page's few hundred names have the same one of 64 bits once in
/// 10^14 pages, and then a family is missing.
#[derive(Debug, Default)]
pub(super) struct Taken {
    names: HashSet<u64>,
}

impl Taken {
    /// Forgets a page and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.names.clear();
    }

    /// True if a family or a sample has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(&key(name, ""))
    }

    /// Takes the name of a family's samples. Returns the kind that the family can have in OpenMetrics, or None
    /// if there are samples of this name already.
    pub(super) fn take(&mut self, sample: &str, kind: Kind) -> Option<Kind> {
        if self.has(sample) {
            return None;
        }
        let kind = match kind {
            Kind::Gauge | Kind::Unknown => kind,
            Kind::Counter if self.take_base(sample, "_total", &["", "_created"]) => Kind::Counter,
            Kind::Counter => Kind::Unknown,
            Kind::Info if self.take_base(sample, "_info", &[""]) => Kind::Info,
            Kind::Info => Kind::Gauge,
        };
        self.names.insert(key(sample, ""));
        Some(kind)
    }

    /// Takes what a family reserves beside its samples' name, if that name has the suffix and all of it is free.
    fn take_base(&mut self, sample: &str, suffix: &str, reserved: &[&str]) -> bool {
        let Some(base) = sample.strip_suffix(suffix).filter(|base| !base.is_empty()) else {
            return false;
        };
        if reserved.iter().any(|more| self.names.contains(&key(base, more))) {
            return false;
        }
        self.names.extend(reserved.iter().map(|more| key(base, more)));
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

/// FNV-1a of both parts, without joining them.
fn key(name: &str, suffix: &str) -> u64 {
    name.bytes().chain(suffix.bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
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
