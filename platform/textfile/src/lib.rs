//! node_exporter's textfile convention: metrics that other programs leave in files.

#![forbid(unsafe_code)]

use door::Doors;
use schema::Spec;

/// This crate's one collector.
pub const COLLECTORS: &[Spec<Doors>] = &[];
