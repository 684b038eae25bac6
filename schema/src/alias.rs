//! Dialects: other exporters' names for our families, as tables beside them.
//!
//! An alias is checked when it is compiled: a label that the family does not have is an error.

#![expect(clippy::indexing_slicing, reason = "const functions: an index out of bounds is a compile error")]

use crate::family::{Family, Id, Kind, equal};
use crate::unit::Quantity;

/// Another exporter's name for a family, or for a part of it.
#[derive(Clone, Copy, Debug)]
pub struct Alias {
    /// The family.
    pub family: Id,
    /// The other exporter's name for it.
    pub name: &'static str,
    /// The kind that it has there.
    pub kind: Kind,
    /// Only samples in which these labels have these values.
    pub only: &'static [(&'static str, &'static str)],
    /// Labels to keep, with their names there; others are dropped.
    pub labels: &'static [(&'static str, &'static str)],
    /// What to multiply values by, to get to its unit.
    pub scale: f64,
}

/// An alias of a family, checked against it.
///
/// ```
/// use gauged_schema::{Kind, alias::alias, families::cpu};
/// const IDLE: gauged_schema::alias::Alias = alias(
///     &cpu::CPU_SECONDS, "x_idle_milliseconds_total", Kind::Counter, &[("mode", "idle")], &[("cpu", "core")], 1e3,
/// );
/// ```
/// ```compile_fail
/// use gauged_schema::{Kind, alias::alias, families::cpu};
/// const BAD: gauged_schema::alias::Alias = alias(
///     &cpu::CPU_SECONDS, "x_total", Kind::Counter, &[], &[("device", "device")], 1.0, // no such label
/// );
/// ```
pub const fn alias<Q: Quantity, const N: usize>(
    family: &Family<Q, N>,
    name: &'static str,
    kind: Kind,
    only: &'static [(&'static str, &'static str)],
    labels: &'static [(&'static str, &'static str)],
    scale: f64,
) -> Alias {
    let has = family.descriptor().labels;
    let mut i = 0;
    while i < only.len() {
        let label = only[i].0;
        assert!(contains(has, label), "the family has no such label to select by");
        i += 1;
    }
    let mut i = 0;
    while i < labels.len() {
        let label = labels[i].0;
        assert!(contains(has, label), "the family has no such label to rename");
        i += 1;
    }
    assert!(scale > 0.0, "a scale is positive");
    Alias { family: family.id(), name, kind, only, labels, scale }
}

const fn contains(labels: &[&str], label: &str) -> bool {
    let mut i = 0;
    while i < labels.len() {
        if equal(labels[i], label) {
            return true;
        }
        i += 1;
    }
    false
}

/// A named list of aliases: `?dialect=<name>`.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// The word in the query and the flag.
    pub name: &'static str,
    /// Its names, in the order of the family's ids.
    pub aliases: &'static [Alias],
}

/// Every dialect there is, beside `unified`.
pub const DIALECTS: &[Dialect] = &[];
