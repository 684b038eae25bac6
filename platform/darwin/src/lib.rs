//! What macOS says and means: Mach, sysctl, IOKit and libproc.
//!
//! It decodes and decides, and touches nothing: all it knows of the machine comes through a [`door::Doors`] as
//! bytes, so this crate builds and passes its tests on every host.

#![forbid(unsafe_code)]

mod apple;
mod cpu;
mod disk;
mod energy;
mod filesystem;
mod hid;
mod load;
mod memory;
mod network;
mod os;
pub mod own;
mod power;
mod process;
mod question;
mod raw;
mod registry;
#[cfg(test)]
mod replay;
mod smc;
mod thermal;
mod ticks;
mod topology;

pub use disk::masked_disks;
pub use filesystem::mask::masked_mounts;
pub use network::address::masked_addresses;

use door::Doors;
use schema::Spec;

/// Every collector of macOS, in the order in which inline ones run.
pub const COLLECTORS: &[Spec<Doors>] = &[
    os::SPEC,
    cpu::SPEC,
    load::SPEC,
    memory::SPEC,
    filesystem::SPEC,
    disk::SPEC,
    network::SPEC,
    topology::SPEC,
    process::SPEC,
    thermal::SPEC,
    power::SPEC,
    apple::SPEC,
];
