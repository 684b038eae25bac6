//! The daemon: a synchronous core that scrapes, an async edge that serves.
//!
//! See ARCHITECTURE.md for the map and for the walk of one scrape.

#![forbid(unsafe_code)]

pub mod catalogue;
pub mod cli;
pub mod core;
pub mod exposition;
pub mod gpu;
mod hash;
pub mod held;
pub mod http;
pub mod lane;
pub mod log;
pub mod machine;
pub mod own;
pub mod record;
pub mod remote;
pub mod replay;
mod runtime;
pub mod scrape;
pub mod serve;
pub mod settings;
pub mod slot;
pub mod snapshot;
pub mod station;
pub mod verbs;
