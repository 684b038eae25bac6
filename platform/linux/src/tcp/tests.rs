//! The network counters of recorded machines, and files as kernels never write them.

use super::*;
use crate::replay::{Replay, replay};
use counters::Values;
use proptest::prelude::*;
use sockstat::Sockstat;

const SNMP: &str = "\
Ip: Forwarding DefaultTTL InReceives
Ip: 2 64 208160
Icmp: InMsgs InErrors OutMsgs
Icmp: 11 1 12
IcmpMsg: InType3
IcmpMsg: 1
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors
Tcp: 1 200 120000 -1 21434 21327 80 15009 5 207984 202209 4 3 7622 2
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors
Udp: 177 1 2 178 3 4 0 0 0
UdpLite: InDatagrams NoPorts
UdpLite: 900 901
";

const NETSTAT: &str = "\
TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed TW ListenOverflows ListenDrops TCPTimeouts TCPAbortOnMemory TCPMemoryPressures TCPBacklogDrop TCPTimeWaitOverflow TCPReqQFullDrop TCPOFOQueue TCPSynRetrans TCPRcvQDrop
TcpExt: 1 2 3 13834 4 5 6 7 8 9 10 11 12 13 14
IpExt: InNoRoutes InOctets OutOctets
IpExt: 0 498484174 110802063
MPTcpExt: MPCapableSYNRX
MPTcpExt: 0
";

const SNMP6: &str = "\
Ip6InReceives                   	22
Ip6InOctets                     	2000
Ip6OutOctets                    	3000
Icmp6InMsgs                     	4
Icmp6InErrors                   	5
Icmp6OutMsgs                    	6
Udp6InDatagrams                 	7
Udp6NoPorts                     	8
Udp6InErrors                    	9
Udp6OutDatagrams                	10
Udp6RcvbufErrors                	11
Udp6SndbufErrors                	12
";

const SOCKSTAT: &str = "\
sockets: used 20
TCP: inuse 2 orphan 1 tw 132 alloc 4 mem 119
UDP: inuse 3 mem 2
UDPLITE: inuse 0
RAW: inuse 0
FRAG: inuse 0 memory 0
";

const SOCKSTAT6: &str = "TCP6: inuse 6\nUDP6: inuse 7\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n";

/// What the kernel has of one file.
fn numbers(
    parse: counters::Parse,
    columns: &[counters::Column],
    contents: &[u8],
) -> Result<Vec<u64>, Expected> {
    let mut values = Values::default();
    parse(contents, columns, &mut values).map(|()| values.into_iter().flatten().collect())
}

fn snmp(contents: &[u8]) -> Result<Vec<u64>, Expected> {
    numbers(counters::parse, counters::SNMP, contents)
}

fn snmp6(contents: &[u8]) -> Result<Vec<u64>, Expected> {
    numbers(counters::parse6, counters::SNMP6, contents)
}

fn sockets_of(contents: &[u8]) -> Result<Sockstat, Expected> {
    let mut said = Sockstat::default();
    sockstat::parse(contents, &mut said).map(|()| said)
}

#[test]
fn columns_are_known_by_protocol_and_name() {
    let all =
        [2, 11, 1, 12, 21434, 21327, 80, 15009, 5, 207_984, 202_209, 4, 3, 7622, 2, 177, 1, 2, 178, 3, 4];
    assert_eq!(snmp(SNMP.as_bytes()), Ok(all.to_vec()));
    let netstat = numbers(counters::parse, counters::NETSTAT, NETSTAT.as_bytes()).unwrap();
    assert_eq!(netstat, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 498_484_174, 110_802_063]);
    assert_eq!(snmp6(SNMP6.as_bytes()), Ok(vec![2000, 3000, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
}

#[test]
fn a_column_that_a_kernel_lacks_is_absent() {
    assert_eq!(snmp(b"Tcp: InSegs OutSegs\nTcp: 1 2\n"), Ok(vec![1, 2]));
    assert_eq!(snmp6(b"Ip6InOctets 1\n"), Ok(vec![1]));
}

#[test]
fn a_file_without_any_of_them_is_an_error() {
    let wanted = Err(Expected { line: 0, what: "a column that every kernel has" });
    assert_eq!(snmp(b""), wanted);
    assert_eq!(snmp(b"X: a b\nX: 1 2\n"), wanted);
    assert_eq!(snmp6(b""), wanted);
    assert_eq!(snmp6(b"a 1\nb 2\n"), wanted);
}

#[test]
fn torn_pairs_of_lines_are_errors() {
    let two = Expected { line: 0, what: "two lines for each protocol" };
    let protocol = Expected { line: 2, what: "the protocol of the line before" };
    let many = Expected { line: 2, what: "as many numbers as there are names" };
    let number = Expected { line: 2, what: "a number in each column" };
    let long = vec![b'T'; 1 << 20];
    for (torn, wanted) in [
        (&b"Tcp: InSegs\n"[..], two),
        (b"\0\0\xff", two),
        (&long, two),
        (b"Tcp: InSegs\nUdp: 1\n", protocol),
        (b"\n\n", protocol),
        (b"Tcp InSegs\nTcp 1\n", protocol),
        (b"Tcp: InSegs OutSegs\nTcp: 1\n", many),
        (b"Tcp: InSegs\nTcp: 1 2\n", many),
        (b"Tcp: InSegs\nTcp: -1\n", number),
        (b"Tcp: InSegs\nTcp: 99999999999999999999\n", number),
    ] {
        assert_eq!(snmp(torn), Err(wanted));
    }
}

#[test]
fn torn_lines_of_snmp6_are_errors() {
    let wanted = Err(Expected { line: 2, what: "a name and a number" });
    for torn in ["Ip6InOctets", "Ip6InOctets 1 2", ""] {
        assert_eq!(snmp6(format!("Ip6InOctets 1\n{torn}\n").as_bytes()), wanted);
    }
    assert_eq!(snmp6(b"Ip6InOctets x\n"), Err(Expected { line: 1, what: "a number in each column" }));
}

#[test]
fn sockets_are_read_from_both_files() {
    let mut said = sockets_of(SOCKSTAT.as_bytes()).unwrap();
    sockstat::parse(SOCKSTAT6.as_bytes(), &mut said).unwrap();
    let all = Sockstat {
        used: Some(20),
        tcp_in_use: Some(2),
        tcp6_in_use: Some(6),
        tcp_orphan: Some(1),
        tcp_time_wait: Some(132),
        tcp_allocated: Some(4),
        tcp_memory: Some(119),
        udp_in_use: Some(3),
        udp6_in_use: Some(7),
        udp_memory: Some(2),
    };
    assert_eq!(said, all);
    let old = sockets_of(b"sockets: used 20\nUDP: inuse 3\n").unwrap();
    assert_eq!((old.udp_in_use, old.udp_memory, old.tcp_in_use), (Some(3), None, None));
}

#[test]
fn torn_lines_of_sockets_are_errors() {
    assert_eq!(sockets_of(b""), Err(Expected { line: 0, what: "a line for each protocol" }));
    let long = vec![b's'; 1 << 20];
    for torn in [&b"\n"[..], b"sockets used 1", b"\0", b"\xff\xfe", &long] {
        assert_eq!(sockets_of(torn), Err(Expected { line: 1, what: "a protocol" }));
    }
    for torn in [&b"TCP: inuse"[..], b"TCP: inuse -1", b"TCP: inuse 1 orphan"] {
        assert_eq!(sockets_of(torn), Err(Expected { line: 1, what: "a number behind each name" }));
    }
}

fn entry(path: &str, contents: &str) -> String {
    format!("== 1 file proc/{path} ok text\n{contents}")
}

#[test]
fn a_recorded_machine_gives_its_network_in_the_namespace_of_pid_1() {
    let machine = entry("1/net/snmp", SNMP)
        + &entry("1/net/netstat", NETSTAT)
        + &entry("1/net/snmp6", SNMP6)
        + &entry("1/net/sockstat", SOCKSTAT)
        + &entry("1/net/sockstat6", SOCKSTAT6)
        + &entry("sys/net/ipv4/tcp_mem", "21636\t28848\t43272\n");
    let shown = replay(&SPEC, &machine);
    assert_eq!(shown.lines().count(), 21 + 16 + 11 + 11, "{shown}");
    for line in [
        "host_ip_forwarding{ip=\"4\"} 0",
        "host_tcp_connections 5",
        "host_tcp_retransmitted_segments_total 4",
        "host_tcp_listen_drops_total 5",
        "host_tcp_receive_queue_drops_total 14",
        "host_udp_receive_errors_total{ip=\"4\"} 2",
        "host_udp_receive_errors_total{ip=\"6\"} 9",
        "host_ip_receive_bytes_total{ip=\"4\"} 498484174",
        "host_ip_transmit_bytes_total{ip=\"6\"} 3000",
        "host_sockets 20",
        "host_tcp_sockets{state=\"in_use\",ip=\"6\"} 6",
        "host_tcp_sockets{state=\"time_wait\"} 132",
        "host_tcp_socket_memory_bytes 487424",
        "host_tcp_socket_memory_limit_bytes 177242112",
        "host_udp_sockets{ip=\"4\"} 3",
        "host_udp_socket_memory_bytes 8192",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
}

#[test]
fn a_container_without_pid_1_and_ipv6_has_its_own_network() {
    let machine = "== 1 file proc/1/net/snmp 2\n== 1 file proc/net/snmp6 2\n== 1 file proc/net/sockstat6 2\n\
                   == 1 file proc/sys/net/ipv4/tcp_mem 2\n== 1 file proc/net/netstat 13\n"
        .to_owned()
        + &entry("net/snmp", SNMP)
        + &entry("net/sockstat", SOCKSTAT);
    let shown = replay(&SPEC, &machine);
    assert_eq!(shown.lines().count(), 21 + 8 + 1, "{shown}");
    assert!(!shown.contains("ip=\"6\""));
    assert!(shown.ends_with("item failed: /proc/net/netstat: Permission denied (os error 13)\n"));
}

#[test]
fn fewer_connections_than_none_are_not_shown() {
    for less in ["18446744073709551615", "4294967295"] {
        let mut values = Values::default();
        let contents = format!("Tcp: CurrEstab InSegs\nTcp: {less} 7\n");
        counters::parse(contents.as_bytes(), counters::SNMP, &mut values).unwrap();
        let mut out = Batch::default();
        counters::put(counters::SNMP, &values, &mut out);
        assert_eq!((out.len(), out.invalid()), (1, 1));
    }
}

#[test]
fn a_kernel_without_internet_protocol_has_nothing_to_open() {
    let machine = "== 1 file proc/1/net/snmp 2\n== 1 file proc/net/snmp 2\n";
    let error = Replay::refused(&SPEC, machine);
    assert_eq!(error, Error::Unsupported("the kernel has no Internet Protocol"));
}

#[test]
fn the_limit_on_memory_is_the_third_number() {
    assert_eq!(parse_tcp_mem(b"21636\t28848\t43272\n"), Ok(43272));
    for wrong in [&b""[..], b"1 2\n", b"1 2 x\n", b"\xff \xff \xff"] {
        assert_eq!(parse_tcp_mem(wrong), Err(Expected { line: 1, what: "three numbers of pages" }));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_counters_and_sockets_or_errors(bytes: Vec<u8>) {
        let _ = (snmp(&bytes), snmp6(&bytes), sockets_of(&bytes), parse_tcp_mem(&bytes));
        let _ = snmp(&[b"Tcp: InSegs CurrEstab\nTcp: ", &bytes[..]].concat());
        let _ = sockets_of(&[b"TCP: inuse ", &bytes[..]].concat());
    }
}
