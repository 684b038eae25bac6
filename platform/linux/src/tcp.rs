//! TCP, UDP, IP and sockets: the part of the kernel's network counters that people alert on. From
//! `/proc/net/snmp`, `netstat` and `snmp6` (Documentation/networking/snmp_counter.rst), and `sockstat` and
//! `sockstat6`, in the network namespace of the host; the limit on memory from `/proc/sys/net/ipv4/tcp_mem`
//! (tcp(7)).
//!
//! The kernel adds these counters up over all CPUs when it is asked, without a lock. It names columns itself,
//! and a column that it does not have is absent here. What a kernel built without IPv6 lacks is absent too.

mod counters;
mod sockstat;

use crate::netns;
use crate::scan::{Expected, whole, words};
use door::{Buffer, Doors, File, Shape};
use schema::families::{ip, socket, tcp, udp};
use schema::unit::{Bytes, Count};
use schema::{Batch, Collector, Errno, Error, Id, Lane, Scrape, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "tcp",
    about: "connections, datagrams, IP and sockets (/proc/net/snmp, netstat, snmp6, sockstat)",
    families: &FAMILIES,
    default_on: true,
    lane: Lane::Inline,
    settings: &[],
    open,
};

const FAMILIES: [Id; 43] = [
    tcp::CONNECTIONS.id(),
    tcp::ACTIVE_OPENS.id(),
    tcp::PASSIVE_OPENS.id(),
    tcp::FAILED_ATTEMPTS.id(),
    tcp::ESTABLISHED_RESETS.id(),
    tcp::RECEIVE_SEGMENTS.id(),
    tcp::TRANSMIT_SEGMENTS.id(),
    tcp::RETRANSMITTED_SEGMENTS.id(),
    tcp::RECEIVE_ERRORS.id(),
    tcp::CHECKSUM_ERRORS.id(),
    tcp::TRANSMIT_RESETS.id(),
    tcp::LISTEN_OVERFLOWS.id(),
    tcp::LISTEN_DROPS.id(),
    tcp::REQUEST_QUEUE_DROPS.id(),
    tcp::SYN_RETRANSMITS.id(),
    tcp::TIMEOUTS.id(),
    tcp::RECEIVE_QUEUE_DROPS.id(),
    tcp::BACKLOG_DROPS.id(),
    tcp::OUT_OF_ORDER.id(),
    tcp::SYNCOOKIES_SENT.id(),
    tcp::SYNCOOKIES_RECEIVED.id(),
    tcp::SYNCOOKIES_FAILED.id(),
    tcp::MEMORY_PRESSURES.id(),
    tcp::MEMORY_ABORTS.id(),
    tcp::TIME_WAIT_OVERFLOWS.id(),
    udp::RECEIVE_DATAGRAMS.id(),
    udp::TRANSMIT_DATAGRAMS.id(),
    udp::NO_PORT.id(),
    udp::RECEIVE_ERRORS.id(),
    udp::RECEIVE_BUFFER_ERRORS.id(),
    udp::TRANSMIT_BUFFER_ERRORS.id(),
    ip::RECEIVE.id(),
    ip::TRANSMIT.id(),
    ip::FORWARDING.id(),
    ip::ICMP_RECEIVE_MESSAGES.id(),
    ip::ICMP_TRANSMIT_MESSAGES.id(),
    ip::ICMP_RECEIVE_ERRORS.id(),
    socket::SOCKETS.id(),
    socket::TCP_SOCKETS.id(),
    socket::TCP_MEMORY.id(),
    socket::TCP_MEMORY_LIMIT.id(),
    socket::UDP_SOCKETS.id(),
    socket::UDP_MEMORY.id(),
];

struct Tcp {
    snmp: File,
    netstat: Option<File>,
    snmp6: Option<File>,
    sockstat: Option<File>,
    sockstat6: Option<File>,
    /// Only the first network namespace has it.
    tcp_mem: Option<File>,
    page_size: u64,
    buffer: Buffer,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    let mut buffer = Buffer::default();
    let directory = netns::directory(&doors.procfs, &mut buffer);
    let mut file = |path: &str, shape| {
        let mut file = doors.procfs.file(path, shape);
        match file.read(&mut buffer) {
            Err(Error::Io { source: Errno::NOT_FOUND, .. }) => None,
            _ => Some(file),
        }
    };
    let mut table = |name| file(&format!("{directory}/{name}"), Shape::Whole);
    let Some(snmp) = table("snmp") else {
        return Err(Error::Unsupported("the kernel has no Internet Protocol"));
    };
    Ok(Box::new(Tcp {
        snmp,
        netstat: table("netstat"),
        snmp6: table("snmp6"),
        sockstat: table("sockstat"),
        sockstat6: table("sockstat6"),
        tcp_mem: file("sys/net/ipv4/tcp_mem", Shape::Attr),
        page_size: doors.page_size,
        buffer,
    }))
}

impl Collector for Tcp {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Tcp { snmp, netstat, snmp6, sockstat, sockstat6, tcp_mem, page_size, buffer } = self;
        let pairs = [(counters::SNMP, Some(snmp)), (counters::NETSTAT, netstat.as_mut())];
        for (columns, file) in pairs {
            counters(columns, file, buffer, counters::parse, out);
        }
        counters(counters::SNMP6, snmp6.as_mut(), buffer, counters::parse6, out);

        let mut sockets = sockstat::Sockstat::default();
        for file in [sockstat, sockstat6] {
            let read = asked(file.as_mut(), buffer, |contents| sockstat::parse(contents, &mut sockets));
            out.keep(read);
        }
        let limit = out.keep(asked(tcp_mem.as_mut(), buffer, parse_tcp_mem)).flatten();
        self::sockets(&sockets, limit, *page_size).put(out);
        Ok(())
    }
}

/// Puts a file's counters, or none of them if it could not be understood to its end.
fn counters(
    columns: &[counters::Column],
    file: Option<&mut File>,
    buffer: &mut Buffer,
    parse: counters::Parse,
    out: &mut Batch,
) {
    let mut values = counters::Values::default();
    if out.keep(asked(file, buffer, |contents| parse(contents, columns, &mut values))).is_some() {
        counters::put(columns, &values, out);
    }
}

/// What a file says; None where this machine does not have it.
fn asked<T>(
    file: Option<&mut File>,
    buffer: &mut Buffer,
    parse: impl FnOnce(&[u8]) -> Result<T, Expected>,
) -> Result<Option<T>, Error> {
    let Some(file) = file else { return Ok(None) };
    parse(file.read(buffer)?).map(Some).map_err(|expected| expected.of(file))
}

/// The third of three numbers of pages: what sockets may hold.
fn parse_tcp_mem(contents: &[u8]) -> Result<u64, Expected> {
    let limit = words(contents.trim_ascii()).nth(2).and_then(whole);
    limit.ok_or(Expected { line: 1, what: "three numbers of pages" })
}

fn sockets(said: &sockstat::Sockstat, limit: Option<u64>, page_size: u64) -> socket::Sockets {
    let bytes = |pages: Option<u64>| Bytes::blocks(pages?, page_size);
    socket::Sockets {
        used: said.used.map(Count),
        tcp_in_use: said.tcp_in_use.map(Count),
        tcp6_in_use: said.tcp6_in_use.map(Count),
        tcp_orphan: said.tcp_orphan.map(Count),
        tcp_time_wait: said.tcp_time_wait.map(Count),
        tcp_allocated: said.tcp_allocated.map(Count),
        tcp_memory: bytes(said.tcp_memory),
        tcp_memory_limit: bytes(limit),
        udp_in_use: said.udp_in_use.map(Count),
        udp6_in_use: said.udp6_in_use.map(Count),
        udp_memory: bytes(said.udp_memory),
    }
}

#[cfg(test)]
mod tests;
