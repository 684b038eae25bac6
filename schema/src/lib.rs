//! The contract of gauged as a crate: which families exist, in which unit, with which labels, and the few
//! types by which a collector hands its readings over.
//!
//! Nothing here touches the machine: no file, no clock, no operating system, no dependency. Whatever stands
//! in METRICS.md, in `--help` or in a dashboard is a function of the tables in [`families`].

#![forbid(unsafe_code)]

pub mod alias;
pub mod batch;
pub mod collector;
pub mod error;
pub mod families;
pub mod family;
pub mod foreign;
pub mod frame;
pub mod label;
pub mod setting;
pub mod unit;

pub use batch::{Batch, Row};
pub use collector::{Collector, Lane, Scrape, Spec};
pub use error::{Errno, Error, Reason};
pub use families::TABLE;
pub use family::{Descriptor, Family, Id, Kind, Os};
pub use setting::{Setting, Settings};
pub use unit::{Quantity, Unit, Value};
