//! The columns of `/proc/net/snmp`, `netstat` and `snmp6` that are read, and the family that each fills, as
//! tables.
//!
//! snmp and netstat have two lines for each protocol, its columns' names and their numbers; snmp6 has a line
//! for each name and number (net/ipv4/proc.c, net/ipv6/proc.c).

use crate::scan::{Expected, lines, whole, words};
use schema::families::{ip, tcp, udp};
use schema::unit::{Bytes, Count, State};
use schema::{Batch, Family};

/// One column.
pub(super) struct Column {
    /// What stands before the colon; empty in snmp6.
    protocol: &'static [u8],
    name: &'static [u8],
    says: Says,
}

/// What a column's number is.
#[derive(Clone, Copy)]
enum Says {
    Events(&'static Family<Count, 0>),
    /// Of one version of IP.
    EventsOf(&'static Family<Count, 1>, &'static str),
    Octets(&'static Family<Bytes, 1>, &'static str),
    /// Connections now. The kernel adds up what each CPU opened and closed, which for a moment can be less
    /// than none.
    Connections,
    /// 1 for yes, 2 for no.
    Forwarding,
}

const fn column(protocol: &'static str, name: &'static str, says: Says) -> Column {
    Column { protocol: protocol.as_bytes(), name: name.as_bytes(), says }
}

const fn events(protocol: &'static str, name: &'static str, family: &'static Family<Count, 0>) -> Column {
    column(protocol, name, Says::Events(family))
}

const fn v4(protocol: &'static str, name: &'static str, family: &'static Family<Count, 1>) -> Column {
    column(protocol, name, Says::EventsOf(family, "4"))
}

const fn v6(name: &'static str, family: &'static Family<Count, 1>) -> Column {
    column("", name, Says::EventsOf(family, "6"))
}

/// Of `/proc/net/snmp`.
pub(super) const SNMP: &[Column] = &[
    column("Ip", "Forwarding", Says::Forwarding),
    v4("Icmp", "InMsgs", &ip::ICMP_RECEIVE_MESSAGES),
    v4("Icmp", "InErrors", &ip::ICMP_RECEIVE_ERRORS),
    v4("Icmp", "OutMsgs", &ip::ICMP_TRANSMIT_MESSAGES),
    events("Tcp", "ActiveOpens", &tcp::ACTIVE_OPENS),
    events("Tcp", "PassiveOpens", &tcp::PASSIVE_OPENS),
    events("Tcp", "AttemptFails", &tcp::FAILED_ATTEMPTS),
    events("Tcp", "EstabResets", &tcp::ESTABLISHED_RESETS),
    column("Tcp", "CurrEstab", Says::Connections),
    events("Tcp", "InSegs", &tcp::RECEIVE_SEGMENTS),
    events("Tcp", "OutSegs", &tcp::TRANSMIT_SEGMENTS),
    events("Tcp", "RetransSegs", &tcp::RETRANSMITTED_SEGMENTS),
    events("Tcp", "InErrs", &tcp::RECEIVE_ERRORS),
    events("Tcp", "OutRsts", &tcp::TRANSMIT_RESETS),
    events("Tcp", "InCsumErrors", &tcp::CHECKSUM_ERRORS),
    v4("Udp", "InDatagrams", &udp::RECEIVE_DATAGRAMS),
    v4("Udp", "NoPorts", &udp::NO_PORT),
    v4("Udp", "InErrors", &udp::RECEIVE_ERRORS),
    v4("Udp", "OutDatagrams", &udp::TRANSMIT_DATAGRAMS),
    v4("Udp", "RcvbufErrors", &udp::RECEIVE_BUFFER_ERRORS),
    v4("Udp", "SndbufErrors", &udp::TRANSMIT_BUFFER_ERRORS),
];

/// Of `/proc/net/netstat`.
pub(super) const NETSTAT: &[Column] = &[
    events("TcpExt", "SyncookiesSent", &tcp::SYNCOOKIES_SENT),
    events("TcpExt", "SyncookiesRecv", &tcp::SYNCOOKIES_RECEIVED),
    events("TcpExt", "SyncookiesFailed", &tcp::SYNCOOKIES_FAILED),
    events("TcpExt", "ListenOverflows", &tcp::LISTEN_OVERFLOWS),
    events("TcpExt", "ListenDrops", &tcp::LISTEN_DROPS),
    events("TcpExt", "TCPTimeouts", &tcp::TIMEOUTS),
    events("TcpExt", "TCPAbortOnMemory", &tcp::MEMORY_ABORTS),
    events("TcpExt", "TCPMemoryPressures", &tcp::MEMORY_PRESSURES),
    events("TcpExt", "TCPBacklogDrop", &tcp::BACKLOG_DROPS),
    events("TcpExt", "TCPTimeWaitOverflow", &tcp::TIME_WAIT_OVERFLOWS),
    events("TcpExt", "TCPReqQFullDrop", &tcp::REQUEST_QUEUE_DROPS),
    events("TcpExt", "TCPOFOQueue", &tcp::OUT_OF_ORDER),
    events("TcpExt", "TCPSynRetrans", &tcp::SYN_RETRANSMITS),
    events("TcpExt", "TCPRcvQDrop", &tcp::RECEIVE_QUEUE_DROPS),
    column("IpExt", "InOctets", Says::Octets(&ip::RECEIVE, "4")),
    column("IpExt", "OutOctets", Says::Octets(&ip::TRANSMIT, "4")),
];

/// Of `/proc/net/snmp6`.
pub(super) const SNMP6: &[Column] = &[
    column("", "Ip6InOctets", Says::Octets(&ip::RECEIVE, "6")),
    column("", "Ip6OutOctets", Says::Octets(&ip::TRANSMIT, "6")),
    v6("Icmp6InMsgs", &ip::ICMP_RECEIVE_MESSAGES),
    v6("Icmp6InErrors", &ip::ICMP_RECEIVE_ERRORS),
    v6("Icmp6OutMsgs", &ip::ICMP_TRANSMIT_MESSAGES),
    v6("Udp6InDatagrams", &udp::RECEIVE_DATAGRAMS),
    v6("Udp6NoPorts", &udp::NO_PORT),
    v6("Udp6InErrors", &udp::RECEIVE_ERRORS),
    v6("Udp6OutDatagrams", &udp::TRANSMIT_DATAGRAMS),
    v6("Udp6RcvbufErrors", &udp::RECEIVE_BUFFER_ERRORS),
    v6("Udp6SndbufErrors", &udp::TRANSMIT_BUFFER_ERRORS),
];

/// The numbers of a table's columns, in the order of the table; None for one that this kernel does not have.
pub(super) type Values = [Option<u64>; MOST];

/// A parser of a file with such columns. On an error, the values are of no use.
pub(super) type Parse = fn(&[u8], &[Column], &mut Values) -> Result<(), Expected>;

/// No table is longer.
const MOST: usize = 24;
const _: () = assert!(SNMP.len() <= MOST && NETSTAT.len() <= MOST && SNMP6.len() <= MOST);

/// Reads snmp and netstat.
pub(super) fn parse(contents: &[u8], columns: &[Column], values: &mut Values) -> Result<(), Expected> {
    let mut all = lines(contents);
    while let Some((_, names)) = all.next() {
        let Some((line, numbers)) = all.next() else {
            return Err(Expected { line: 0, what: "two lines for each protocol" });
        };
        let (mut names, mut numbers) = (words(names), words(numbers));
        let protocol = match (names.next(), numbers.next()) {
            (Some(one), Some(other)) if one == other => one.strip_suffix(b":"),
            _ => None,
        };
        let protocol = protocol.ok_or(Expected { line, what: "the protocol of the line before" })?;
        if !columns.iter().any(|column| column.protocol == protocol) {
            continue;
        }
        loop {
            match (names.next(), numbers.next()) {
                (None, None) => break,
                (Some(name), Some(number)) => note(columns, values, protocol, name, number, line)?,
                _ => return Err(Expected { line, what: "as many numbers as there are names" }),
            }
        }
    }
    some(values)
}

/// Reads snmp6.
pub(super) fn parse6(contents: &[u8], columns: &[Column], values: &mut Values) -> Result<(), Expected> {
    for (line, text) in lines(contents) {
        let mut words = words(text);
        match (words.next(), words.next(), words.next()) {
            (Some(name), Some(number), None) => note(columns, values, b"", name, number, line)?,
            _ => return Err(Expected { line, what: "a name and a number" }),
        }
    }
    some(values)
}

fn note(
    columns: &[Column],
    values: &mut Values,
    protocol: &[u8],
    name: &[u8],
    number: &[u8],
    line: u32,
) -> Result<(), Expected> {
    let place = columns.iter().position(|column| column.name == name && column.protocol == protocol);
    if let Some(value) = place.and_then(|place| values.get_mut(place)) {
        *value = Some(whole(number).ok_or(Expected { line, what: "a number in each column" })?);
    }
    Ok(())
}

/// A file that has none of the columns is not the file it should be.
fn some(values: &Values) -> Result<(), Expected> {
    match values.iter().any(Option::is_some) {
        true => Ok(()),
        false => Err(Expected { line: 0, what: "a column that every kernel has" }),
    }
}

/// Puts what was read.
pub(super) fn put(columns: &[Column], values: &Values, out: &mut Batch) {
    for (column, value) in columns.iter().zip(values) {
        let Some(value) = *value else { continue };
        match column.says {
            Says::Events(family) => out.put(family, [], Count(value)),
            Says::EventsOf(family, ip) => out.put(family, [ip], Count(value)),
            Says::Octets(family, ip) => out.put(family, [ip], Bytes(value)),
            // No machine has two billion connections: less than none, printed without a sign.
            Says::Connections if value > i32::MAX as u64 => out.reject(),
            Says::Connections => out.put(&tcp::CONNECTIONS, [], Count(value)),
            Says::Forwarding => out.put(&ip::FORWARDING, ["4"], State(value == 1)),
        }
    }
}
