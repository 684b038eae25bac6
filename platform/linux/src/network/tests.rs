//! The collector over recorded dumps, and what any bytes do to the decoder.

mod composed;
mod dumps;

use super::link::{Expected, Link, links};
use super::*;
use crate::replay::Replay;
use dumps::{CARD, LOOPBACK, Made, attribute, dump};
use proptest::prelude::*;
use schema::setting::Value;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn dumped(pass: u8, dump: &[u8]) -> String {
    let body = if dump.is_empty() { String::new() } else { format!("{}\n", hex(dump)) };
    format!("== {pass} rtnetlink_links \\x ok hex\n{body}")
}

fn settings(pass: u8, name: &str, index: u32, megabits: u32, duplex: u32) -> String {
    let words: Vec<u8> = [index, megabits, duplex].iter().flat_map(|word| word.to_le_bytes()).collect();
    format!("== {pass} ethtool_link {name} ok hex\n{}\n", hex(&words))
}

const NAMESPACE: &str = "== 1 file proc/sys/net/core/netdev_budget ok text\n300\n";

fn machine(entries: &[String]) -> Replay {
    Replay::open(&SPEC, &format!("{NAMESPACE}{}", entries.concat()))
}

/// The values of one family, by device.
fn values(shown: &str, family: &str) -> Vec<String> {
    let line = |line: &str| Some(line.strip_prefix("host_network_")?.strip_prefix(family)?.to_owned());
    shown.lines().filter_map(line).collect()
}

fn decoded(dump: &[u8]) -> Vec<Result<Link<'_>, Expected>> {
    links(dump).collect()
}

#[test]
fn a_link_is_all_that_the_kernel_says_of_it() {
    let mut machine = machine(&[dumped(1, &dump(&[&CARD])), settings(1, "eth0", 2, 25_000, 1)]);
    let shown = machine.shown();
    let expected = "\
receive_bytes_total 3
receive_packets_total 1
receive_errors_total 5
receive_dropped_total 7
receive_multicast_total 9
transmit_bytes_total 4
transmit_packets_total 2
transmit_errors_total 6
transmit_dropped_total 8
receive_missed_total 16
receive_nohandler_total 24
receive_otherhost_dropped_total 25
receive_fifo_errors_total 15
receive_frame_errors_total 14
receive_length_errors_total 11
receive_over_errors_total 12
receive_crc_errors_total 13
receive_compressed_total 22
transmit_carrier_errors_total 18
transmit_fifo_errors_total 19
transmit_collisions_total 10
transmit_aborted_errors_total 17
transmit_heartbeat_errors_total 20
transmit_window_errors_total 21
transmit_compressed_total 23
up 1
operstate_up 1
carrier 1
carrier_changes_total 2
carrier_up_changes_total 1
carrier_down_changes_total 1
speed_bytes_per_second 3125000000
mtu_bytes 1500
";
    let bare = shown.replace("{device=\"eth0\"}", "").replace("host_network_", "");
    let (samples, info) = bare.split_at(bare.find("info").unwrap());
    assert_eq!(samples, expected);
    assert_eq!(info, "info{device=\"eth0\",address=\"02:00:00:00:00:1f\",duplex=\"full\"} 1\n");
}

#[test]
fn a_link_that_is_set_down_has_no_carrier_and_no_speed() {
    let down = Made { flags: 0, operational: 2, ..CARD };
    let shown = machine(&[dumped(1, &dump(&[&down]))]).shown();
    assert_eq!(values(&shown, "up{"), ["device=\"eth0\"} 0"]);
    assert!(!shown.contains("network_carrier{") && !shown.contains("speed"), "{shown}");
    assert!(!shown.contains("not recorded"), "ethtool is not asked: {shown}");
}

#[test]
fn a_link_that_ethtool_knows_nothing_of_has_no_speed_and_no_failure() {
    for silent in ["95", "22", "19"] {
        let entries = [dumped(1, &dump(&[&CARD])), format!("== 1 ethtool_link eth0 {silent}\n")];
        let shown = machine(&entries).shown();
        assert!(!shown.contains("speed") && !shown.contains("failed"), "{shown}");
    }
    let unknown = [dumped(1, &dump(&[&CARD])), settings(1, "eth0", 2, u32::MAX, 0xff)];
    assert!(!machine(&unknown).shown().contains("speed"));
    let failing = [dumped(1, &dump(&[&CARD])), "== 1 ethtool_link eth0 5\n".to_owned()];
    let shown = machine(&failing).shown();
    assert!(shown.ends_with("item failed: ethtool eth0: Input/output error (os error 5)\n"), "{shown}");
    assert_eq!(values(&shown, "up{").len(), 1, "its counters are there all the same");
}

#[test]
fn a_speed_is_never_that_of_another_link_of_the_same_name() {
    let other = [dumped(1, &dump(&[&CARD])), settings(1, "eth0", 9, 1000, 1)];
    let shown = machine(&other).shown();
    assert!(!shown.contains("speed") && !shown.contains("failed"), "{shown}");
}

#[test]
fn ethtool_is_asked_again_only_when_the_link_changed() {
    let traffic = Made { traffic: 5, ..CARD };
    let same = [
        dumped(1, &dump(&[&CARD])),
        settings(1, "eth0", 2, 1000, 1),
        dumped(2, &dump(&[&traffic])),
        settings(2, "eth0", 2, 100, 0),
    ];
    let mut steady = machine(&same);
    steady.shown();
    steady.second_pass();
    let shown = steady.shown();
    assert_eq!(values(&shown, "receive_bytes_total"), ["{device=\"eth0\"} 15"]);
    assert_eq!(values(&shown, "speed_bytes_per_second"), ["{device=\"eth0\"} 125000000"]);
    // A scrape is a minute after another here, and an answer is good for five.
    for _ in 0..3 {
        assert!(steady.shown().contains("125000000"));
    }
    assert!(steady.shown().contains(" 12500000\n"), "after five minutes it is asked");

    let flapped = Made { changes: 4, ..CARD };
    let changed = [
        dumped(1, &dump(&[&CARD])),
        settings(1, "eth0", 2, 1000, 1),
        dumped(2, &dump(&[&flapped])),
        settings(2, "eth0", 2, 100, 0),
    ];
    let mut machine = machine(&changed);
    machine.shown();
    machine.second_pass();
    let shown = machine.shown();
    assert_eq!(values(&shown, "speed_bytes_per_second"), ["{device=\"eth0\"} 12500000"]);
    assert!(shown.contains("duplex=\"half\""), "{shown}");
}

#[test]
fn a_link_whose_driver_says_nothing_is_up_unless_something_speaks_against_it() {
    let up = |made: &Made<'_>| {
        let machine_entries = [dumped(1, &dump(&[made])), "== 1 ethtool_link wg0 95\n".to_owned()];
        let shown = machine(&machine_entries).shown();
        [&values(&shown, "up{")[..], &values(&shown, "operstate_up{")].concat()
    };
    let is = |up: u8, operstate: u8| {
        [format!("device=\"wg0\"}} {up}"), format!("device=\"wg0\"}} {operstate}")].to_vec()
    };
    let unknown = Made { name: "wg0", kind: "wireguard", operational: 0, ..CARD };
    assert_eq!(up(&unknown), is(1, 0));
    assert_eq!(up(&Made { operational: 6, ..unknown.clone() }), is(1, 1));
    assert_eq!(up(&Made { carrier: 0, ..unknown.clone() }), is(0, 0));
    assert_eq!(up(&Made { flags: 0, ..unknown.clone() }), is(0, 0));
    for other in [1, 2, 3, 4, 5, 7] {
        assert_eq!(up(&Made { operational: other, ..unknown.clone() }), is(0, 0), "{other}");
    }
}

#[test]
fn names_that_change_hands_take_their_figures_along() {
    let (a, b) = (Made { traffic: 10, ..CARD }, Made { index: 3, name: "eth1", traffic: 20, ..CARD });
    let (a2, b2) = (Made { name: "eth1", ..a.clone() }, Made { name: "eth0", ..b.clone() });
    let entries = [
        dumped(1, &dump(&[&a, &b])),
        settings(1, "eth0", 2, 1000, 1),
        settings(1, "eth1", 3, 10_000, 1),
        dumped(2, &dump(&[&a2, &b2])),
        settings(2, "eth0", 3, 10_000, 1),
        settings(2, "eth1", 2, 1000, 1),
    ];
    let mut machine = machine(&entries);
    machine.shown();
    machine.second_pass();
    let shown = machine.shown();
    assert_eq!(values(&shown, "receive_packets_total"), ["{device=\"eth1\"} 10", "{device=\"eth0\"} 20"]);
    assert_eq!(
        values(&shown, "speed_bytes_per_second"),
        ["{device=\"eth1\"} 125000000", "{device=\"eth0\"} 1250000000"]
    );
}

#[test]
fn a_link_or_a_name_that_a_dump_has_twice_is_shown_once() {
    let (made_anew, eth1) = (Made { index: 9, traffic: 3, ..CARD }, Made { index: 4, name: "eth1", ..CARD });
    let entries = [
        dumped(1, &dump(&[&CARD, &eth1, &CARD, &made_anew])),
        dumped(2, &dump(&[&eth1, &made_anew])),
        settings(1, "eth0", 2, 1000, 1),
        settings(2, "eth0", 9, 1000, 1),
        settings(1, "eth1", 4, 1000, 1),
    ];
    let mut machine = machine(&entries);
    let packets = |shown: &str| values(shown, "receive_packets_total");
    assert_eq!(packets(&machine.shown()), ["{device=\"eth0\"} 1", "{device=\"eth1\"} 1"]);
    machine.second_pass();
    let shown = machine.shown();
    assert_eq!(packets(&shown), ["{device=\"eth1\"} 1", "{device=\"eth0\"} 3"]);
    assert_eq!(values(&shown, "speed_bytes_per_second").len(), 2, "{shown}");
}

#[test]
fn links_without_traffic_of_their_own_are_left_out_unless_asked_for() {
    let lo = Made { index: 1, name: "lo", hardware: LOOPBACK, operational: 0, ..CARD };
    let veth = Made { index: 5, name: "veth1", kind: "veth", ..CARD };
    let entries = [dumped(1, &dump(&[&lo, &CARD, &veth])), settings(1, "eth0", 2, 1000, 1)];
    let shown = machine(&entries).shown();
    assert_eq!(values(&shown, "mtu_bytes"), ["{device=\"eth0\"} 1500"]);
    assert!(!shown.contains("not recorded"), "ethtool is not asked of what is not shown: {shown}");

    let mut all = Settings::default();
    all.set("collector.network.kind-exclude", Value::Text(String::new()));
    let more = format!(
        "{NAMESPACE}{}== 1 ethtool_link lo 95\n{}",
        entries.concat(),
        settings(1, "veth1", 5, 10_000, 1)
    );
    let shown = Replay::set(&SPEC, &more, &all).shown();
    assert_eq!(values(&shown, "mtu_bytes").len(), 3);
    assert!(shown.contains("{device=\"lo\",kind=\"loopback\","), "{shown}");
}

#[test]
fn a_link_that_cannot_be_read_costs_itself_only() {
    let broken = CARD.with(&[attribute(3, b"bad\0"), attribute(23, &[0; 64])].concat());
    let nameless = CARD.with(&CARD.attributes().split_off(1).concat());
    let all = [broken, nameless, CARD.message()].concat();
    let shown = machine(&[dumped(1, &all), settings(1, "eth0", 2, 1000, 1)]).shown();
    assert_eq!(values(&shown, "mtu_bytes"), ["{device=\"eth0\"} 1500"]);
    assert!(shown.contains("item failed: rtnetlink RTM_GETLINK: expected 23 counters in IFLA_STATS64\n"));
    assert!(shown.ends_with("item failed: rtnetlink RTM_GETLINK: expected a link's name\n"), "{shown}");
}

#[test]
fn a_dump_that_fails_is_the_collectors_failure() {
    let shown = machine(&["== 1 rtnetlink_links \\x 105\n".to_owned()]).shown();
    assert_eq!(shown, "failed: rtnetlink RTM_GETLINK: No buffer space available (os error 105)\n");
}

#[test]
fn an_older_kernel_says_less() {
    let old = Made { counters: 23, ..CARD };
    let attributes: Vec<_> = old.attributes();
    let without: Vec<u8> = attributes
        .iter()
        .filter(|attribute| !matches!(u16::from_ne_bytes([attribute[2], attribute[3]]), 33 | 35 | 47 | 48))
        .flatten()
        .copied()
        .collect();
    let shown = machine(&[dumped(1, &old.with(&without)), "== 1 ethtool_link eth0 95\n".to_owned()]).shown();
    for absent in ["nohandler", "otherhost", "carrier_changes", "network_carrier{"] {
        assert!(!shown.contains(absent), "{absent} in {shown}");
    }
    assert_eq!(values(&shown, "up{").len(), 1);
}

#[test]
fn a_masked_dump_says_the_same_of_all_but_addresses() {
    let bond = Made { index: 7, name: "bond0", kind: "bond", ..CARD };
    let mut secret = CARD.attributes();
    secret.push(attribute(20, b"the vault\0"));
    let dump = [CARD.with(&secret.concat()), bond.message()].concat();
    let masked = super::mask::masked(&dump);
    let strangers = |bytes: &[u8]| bytes.windows(9).any(|window| window == b"the vault");
    assert!(strangers(&dump) && !strangers(&masked));
    let wanted: Vec<_> =
        decoded(&dump).into_iter().map(|link| Ok(Link { address: &[0; 6], ..link? })).collect();
    assert_eq!(decoded(&masked), wanted);
    assert_eq!(super::mask::masked(&masked), masked);
}

#[test]
fn messages_of_other_types_are_stepped_over() {
    let mut other = CARD.message();
    other[4..6].copy_from_slice(&3_u16.to_ne_bytes());
    let mut dump = other;
    dump.extend(CARD.message());
    assert_eq!(decoded(&dump).len(), 1);
    assert!(decoded(&[]).is_empty());
}

#[test]
fn a_torn_message_ends_the_dump() {
    let message = CARD.message();
    let whole = [&message[..], &message[..message.len() - 8]].concat();
    let links = decoded(&whole);
    assert_eq!(links.len(), 2);
    assert!(links[0].is_ok());
    assert_eq!(links[1], Err(Expected("a message as long as it says")));
    assert_eq!(decoded(&[0; 16]).len(), 1, "a length of nothing does not go on for ever");
}

#[test]
fn a_name_need_not_be_utf8_and_ends_at_its_nul() {
    let attributes = [CARD.attributes().split_off(1).concat(), attribute(3, b"e\xff0\0junk")].concat();
    let dump = CARD.with(&attributes);
    assert_eq!(decoded(&dump)[0].as_ref().unwrap().name, b"e\xff0");
    let shown = machine(&[dumped(1, &dump), "== 1 ethtool_link e\\xff0 95\n".to_owned()]).shown();
    assert_eq!(values(&shown, "mtu_bytes"), ["{device=\"e\u{fffd}0\"} 1500"]);
}

proptest! {
    #[test]
    fn any_bytes_are_links_or_errors(bytes: Vec<u8>) {
        prop_assert!(links(&bytes).count() <= bytes.len() + 1);
        let _ = super::mask::masked(&bytes);
    }

    #[test]
    fn a_link_with_any_attributes_is_one_or_an_error(attributes: Vec<u8>) {
        let dump = CARD.with(&attributes);
        prop_assert_eq!(links(&dump).count(), 1);
        prop_assert!(super::mask::masked(&dump).len() <= dump.len() + 3);
    }

    #[test]
    fn a_link_with_any_byte_changed_ends(place in 0..600_usize, byte: u8) {
        let mut dump = [CARD.message(), CARD.message()].concat();
        let place = place % dump.len();
        dump[place] = byte;
        prop_assert!(links(&dump).count() <= 3);
    }
}
