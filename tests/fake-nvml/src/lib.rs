//! A `libnvidia-ml.so` that plays captures and faults at the C ABI, so that the real binary can be tried against
//! GPUs and sick drivers that nobody has at hand.

#![cfg(target_os = "linux")]
