//! The Linux system calls that gauged makes. It decides nothing: answers go out as bytes and plain numbers.

#![cfg(target_os = "linux")]
