//! `/proc/net/sockstat` and `sockstat6`: how many sockets there are (net/ipv4/proc.c, net/ipv6/proc.c).
//!
//! Lines of a protocol, then names and numbers in turn: `TCP: inuse 2 orphan 0 tw 132 alloc 2 mem 119`.
//! Memory is in pages. UDP-Lite, raw sockets and fragments are not read.

use crate::scan::{Expected, lines, split_once, whole, words};

/// Sockets, and pages; None for what a kernel does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sockstat {
    pub(super) used: Option<u64>,
    pub(super) tcp_in_use: Option<u64>,
    pub(super) tcp6_in_use: Option<u64>,
    pub(super) tcp_orphan: Option<u64>,
    pub(super) tcp_time_wait: Option<u64>,
    pub(super) tcp_allocated: Option<u64>,
    pub(super) tcp_memory: Option<u64>,
    pub(super) udp_in_use: Option<u64>,
    pub(super) udp6_in_use: Option<u64>,
    pub(super) udp_memory: Option<u64>,
}

/// Reads either file into what the other has said; on an error, nothing of it.
pub(super) fn parse(contents: &[u8], into: &mut Sockstat) -> Result<(), Expected> {
    let mut said = *into;
    let mut protocols = 0;
    for (line, text) in lines(contents) {
        let (protocol, rest) = split_once(text, b':').ok_or(Expected { line, what: "a protocol" })?;
        protocols += 1;
        let mut rest = words(rest);
        while let Some(name) = rest.next() {
            let number = rest.next().ok_or(Expected { line, what: "a number behind each name" })?;
            let place = match (protocol, name) {
                (b"sockets", b"used") => &mut said.used,
                (b"TCP", b"inuse") => &mut said.tcp_in_use,
                (b"TCP", b"orphan") => &mut said.tcp_orphan,
                (b"TCP", b"tw") => &mut said.tcp_time_wait,
                (b"TCP", b"alloc") => &mut said.tcp_allocated,
                (b"TCP", b"mem") => &mut said.tcp_memory,
                (b"UDP", b"inuse") => &mut said.udp_in_use,
                (b"UDP", b"mem") => &mut said.udp_memory,
                (b"TCP6", b"inuse") => &mut said.tcp6_in_use,
                (b"UDP6", b"inuse") => &mut said.udp6_in_use,
                _ => continue,
            };
            *place = Some(whole(number).ok_or(Expected { line, what: "a number behind each name" })?);
        }
    }
    if protocols == 0 {
        return Err(Expected { line: 0, what: "a line for each protocol" });
    }
    *into = said;
    Ok(())
}
