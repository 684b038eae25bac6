//! What NVIDIA's driver says and means. This crate asks a [`Driver`] and decides: which memory is a GPU's, which
//! values are plausible, what a code means, what is lost and what is only late. It makes no call itself, so that a
//! recorded driver, a live one and the one of the tests go the same way.
//!
//! [`Gpu`] is where to begin: what of a GPU is asked when, by `ask` (what was absent, lost or late is not asked on) and
//! in one batch of `fields`; then a module for each of the schema's. [`Whole`] is all GPUs one after another.
//!
//! Facts about NVML are from its header (`nvml.h`, API 13) where no other source is named. What needs root, another
//! program (`nvidia-smi`) or DCGM is not used.

#![forbid(unsafe_code)]

mod activity;
mod answer;
mod ask;
mod clocks;
mod driver;
mod events;
mod faults;
mod fields;
mod gpu;
mod identity;
pub mod installed;
pub mod kmsg;
pub mod ledger;
mod links;
mod mask;
mod memory;
mod mig;
pub mod pci;
mod plausible;
mod power;
mod processes;
mod question;
mod reply;
mod tape;
#[cfg(test)]
mod tests;
mod versions;
mod whole;

pub use answer::Lines;
pub use driver::{Answer, Code, Device, Driver, Refusal};
pub use events::{ALERTED, Events};
pub use gpu::{Gpu, Health, Options};
pub use mask::{mask, mask_information};
pub use question::{Clock, Field, Number, Owner, Text, Threshold, Version};
pub use reply::{Banks, Bar1, Event, Fabric, Figure, Instance, Memory, Process, Sram, Utilization};
pub use tape::{ACTIVITY_KEY, DOOR, Played, Recording};
pub use versions::{Versions, count, driver_state};
pub use whole::Whole;
