//! What the Linux kernel says and means: procfs, sysfs and mounts.
//!
//! It parses and decides, and touches nothing: all it knows of the machine comes through a [`door::Doors`], so
//! this crate builds and passes its tests on every host.

#![forbid(unsafe_code)]

mod cpu;
mod filesystem;
mod load;
mod memory;
mod os;
pub mod own;
mod power;
mod process;
#[cfg(test)]
mod replay;
mod scan;

use door::Doors;
use schema::Spec;

/// Every collector of Linux, in the order in which inline ones run.
pub const COLLECTORS: &[Spec<Doors>] =
    &[os::SPEC, cpu::SPEC, load::SPEC, memory::SPEC, filesystem::SPEC, power::SPEC, process::SPEC];
