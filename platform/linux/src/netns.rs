//! In whose network namespace the kernel is asked: in that of the host's first process, which is what people
//! mean by the host, where `/proc/1/net` can be read; else in our own.
//!
//! `/proc/net` is a link to `self/net`: in a container with the host's `/proc` mounted it is still the
//! container's network. Nothing but visibility of PID 1 is needed to read its tables (a `/proc` mounted with
//! hidepid, or ProtectProc of systemd.exec(5), takes it away). Whether our own namespace is the host's is
//! said by `gauged_namespace_host`.

use door::{Buffer, Root, Shape};
use schema::{Errno, Error};

/// The directory below `/proc` with the tables of network counters. It is asked for when a collector is
/// opened: a namespace lasts as long as its first process.
pub(crate) fn directory(procfs: &Root, buffer: &mut Buffer) -> &'static str {
    match procfs.file("1/net/snmp", Shape::Attr).read(buffer) {
        Ok(_) => "1/net",
        Err(_) => "net",
    }
}

/// Whether our own network namespace is the machine's first one, which is the host's; None where that cannot be
/// told. It needs no privileges, which a look at `/proc/1/ns/net` does, and is not misled by a PID 1 of our own.
pub(crate) fn is_first(procfs: &Root) -> Option<bool> {
    let said = |path| match procfs.file(path, Shape::Attr).read(&mut Buffer::default()) {
        Ok(_) => Some(true),
        Err(Error::Io { source: Errno::NOT_FOUND, .. }) => Some(false),
        Err(_) => None,
    };
    // The budget of network polling is the whole machine's, so only the first namespace has it. The other one
    // every namespace has: without it, it is /proc that hides its settings.
    match said("sys/net/core/netdev_budget")? {
        true => Some(true),
        false => said("sys/net/core/somaxconn")?.then_some(false),
    }
}
