//! In whose network namespace the kernel is asked: in that of the host's first process, which is what people
//! mean by the host, where `/proc/1/net` can be read; else in our own.
//!
//! `/proc/net` is a link to `self/net`: in a container with the host's `/proc` mounted it is still the
//! container's network. Nothing but visibility of PID 1 is needed to read its tables (a `/proc` mounted with
//! hidepid, or ProtectProc of systemd.exec(5), takes it away). Whether our own namespace is the host's is
//! said by `gauged_namespace_host`.

use door::{Buffer, Root, Shape};

/// The directory below `/proc` with the tables of network counters. It is asked for when a collector is
/// opened: a namespace lasts as long as its first process.
pub(crate) fn directory(procfs: &Root, buffer: &mut Buffer) -> &'static str {
    match procfs.file("1/net/snmp", Shape::Attr).read(buffer) {
        Ok(_) => "1/net",
        Err(_) => "net",
    }
}
