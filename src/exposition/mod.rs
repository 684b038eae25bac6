//! A snapshot as bytes: OpenMetrics or text 0.0.4, gzipped when asked.
//!
//! Both formats are written from one walk (`walk.rs`, `foreign.rs`), so they carry the same samples; what differs
//! is how a family is typed. Nothing here reads the machine or knows HTTP beyond two request headers.

mod foreign;
mod gzip;
mod negotiate;
mod openmetrics;
mod taken;
mod text;
mod walk;

#[cfg(test)]
mod tests;

pub use gzip::{Broken, Gzip};
pub use negotiate::{Negotiated, accepts_gzip, negotiate};

use crate::snapshot::{Collectors, Snapshot};
use schema::alias::Dialect;
use std::sync::Arc;

/// A format of the exposition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus's text format 0.0.4, which everything reads.
    #[default]
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// In whose names the samples stand.
#[derive(Clone, Copy, Debug)]
pub enum Names {
    /// gauged's own.
    Unified,
    /// Another exporter's.
    Dialect(&'static Dialect),
}

/// Encodes snapshots; holds what encoding reuses, so that a steady scrape allocates nothing.
#[derive(Debug, Default)]
pub struct Encoder {
    text: text::Text,
    openmetrics: openmetrics::OpenMetrics,
}

impl Encoder {
    /// Writes what a request sees that asked for the collectors `wanted`, in these names, into `out`, in place
    /// of what it held. Cannot fail.
    ///
    /// The snapshot comes as an `Arc` because prometheus-client's collectors borrow nothing; no reference to it
    /// is left when this returns. A family that stands under several names is written once, for the first.
    pub fn encode(
        &mut self,
        snapshot: &Arc<Snapshot>,
        wanted: Collectors,
        names: &[Names],
        format: Format,
        out: &mut String,
    ) {
        out.clear();
        match format {
            Format::Text => self.text.encode(snapshot.view(wanted), names, out),
            Format::OpenMetrics => self.openmetrics.encode(snapshot, wanted, names, out),
        }
    }
}
