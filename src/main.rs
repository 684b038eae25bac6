//! gauged: measures a host and its GPUs, and serves them to Prometheus.

#![forbid(unsafe_code)]

fn main() {}
