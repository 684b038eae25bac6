//! The calls of NVML, by nvml-wrapper and, where it lacks them, raw. This crate decides nothing.

#![cfg(target_os = "linux")]
