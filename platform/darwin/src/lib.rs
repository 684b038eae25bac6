//! What macOS says and means: Mach, sysctl, IOKit and libproc.
//!
//! It decodes and decides, and touches nothing: all it knows of the machine comes through a [`door::Doors`] as
//! bytes, so this crate builds and passes its tests on every host.

#![forbid(unsafe_code)]

mod load;
mod memory;
pub mod own;
mod question;
mod raw;
#[cfg(test)]
mod replay;

use door::Doors;
use schema::Spec;

/// Every collector of macOS, in the order in which inline ones run.
pub const COLLECTORS: &[Spec<Doors>] = &[load::SPEC, memory::SPEC];
