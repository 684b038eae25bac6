//! What the Linux kernel says and means: procfs, sysfs and mounts.
//!
//! It parses and decides, and touches nothing: all it knows of the machine comes through a [`door::Doors`], so
//! this crate builds and passes its tests on every host.

#![forbid(unsafe_code)]

mod cpu;
mod disk;
mod filesystem;
mod filter;
mod load;
mod md;
mod memory;
mod nvme;
mod os;
pub mod own;
mod pool;
#[cfg(test)]
mod replay;
mod scan;
#[cfg(test)]
mod stuck;

use door::Doors;
use schema::Spec;

/// Every collector of Linux, in the order in which inline ones run.
pub const COLLECTORS: &[Spec<Doors>] =
    &[os::SPEC, cpu::SPEC, load::SPEC, memory::SPEC, disk::SPEC, filesystem::SPEC, md::SPEC, nvme::SPEC];
