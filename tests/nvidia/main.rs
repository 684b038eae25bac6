//! GPUs of NVIDIA's, with the real binary over a driver that is played (`tests/fake-nvml`): what is said of healthy
//! ones, byte for byte, and what becomes of a host's own series when a driver is sick.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests start it"
)]

mod asleep;
mod healthy;
mod release;
mod sick;
mod stage;
