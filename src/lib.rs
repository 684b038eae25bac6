//! The daemon: a synchronous core that scrapes, an async edge that serves.
//!
//! See ARCHITECTURE.md for the map and for the walk of one scrape.

#![forbid(unsafe_code)]

pub mod core;
pub mod exposition;
pub mod remote;
pub mod snapshot;
