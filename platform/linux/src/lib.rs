//! What the Linux kernel says and means: procfs, sysfs and mounts.
//!
//! It parses and decides, and touches nothing: all it knows of the machine comes through a [`door::Doors`], so
//! this crate builds and passes its tests on every host.

#![forbid(unsafe_code)]

mod attribute;
mod clock;
mod conntrack;
mod cpu;
mod cpu_list;
mod cpufreq;
mod disk;
mod edac;
mod filesystem;
mod infiniband;
mod load;
pub mod lxcfs;
mod md;
mod memory;
mod netns;
mod network;
mod nvme;
mod os;
pub mod own;
mod per_cpu;
mod power;
mod pressure;
mod process;
#[cfg(test)]
mod replay;
mod scan;
mod scheduler;
mod softnet;
#[cfg(test)]
mod stuck;
mod system;
mod tcp;
mod thermal;
mod topology;
mod wide;

pub use network::mask::masked as masked_links;

use door::Doors;
use schema::Spec;

/// Every collector of Linux, in the order in which inline ones run.
pub const COLLECTORS: &[Spec<Doors>] = &[
    os::SPEC,
    cpu::SPEC,
    scheduler::SPEC,
    load::SPEC,
    memory::SPEC,
    filesystem::SPEC,
    pressure::SPEC,
    system::SPEC,
    clock::SPEC,
    tcp::SPEC,
    conntrack::SPEC,
    softnet::SPEC,
    disk::SPEC,
    md::SPEC,
    nvme::SPEC,
    topology::SPEC,
    cpufreq::SPEC,
    thermal::SPEC,
    edac::SPEC,
    network::SPEC,
    infiniband::SPEC,
    power::SPEC,
    process::SPEC,
];
