//! The collector over recorded interfaces.

use super::choose::KIND_EXCLUDE;
use super::*;
use crate::replay::{Replay, entry, replay, second, word_entry};
use schema::setting::Value;

/// An interface as the kernel counts it.
#[derive(Clone, Copy)]
pub(super) struct Made {
    pub(super) name: &'static str,
    pub(super) flags: u32,
    pub(super) baudrate: u64,
    pub(super) received: u64,
}

/// A card that has carried more than 32 bits count.
pub(super) const WIFI: Made =
    Made { name: "en0", flags: 0x8863, baudrate: 1_000_000_000, received: 7_687_562_848 };
const LOOPBACK: Made = Made { name: "lo0", flags: 0x8049, baudrate: 0, ..WIFI };
const WIRE: Made = Made { name: "en5", baudrate: 2_500_000_000, ..WIFI };
const TUNNEL: Made = Made { name: "utun0", flags: 0x8051, baudrate: 0, ..WIFI };

pub(super) fn record(made: &Made) -> Vec<u8> {
    let mut bytes = vec![0; 16];
    bytes[..made.name.len()].copy_from_slice(made.name.as_bytes());
    for word in [0, made.flags, 0, 128, u32::MAX, 0, 0, 0, 0] {
        bytes.extend_from_slice(&u32::to_le_bytes(word));
    }
    for word in [6, 0, 1500, 0] {
        bytes.extend_from_slice(&u32::to_le_bytes(word));
    }
    let counts = [made.baudrate, 1, 2, 3, 4, 5, made.received, 30_277_303_935, 8, 9, 10, 11];
    for count in counts {
        bytes.extend_from_slice(&count.to_le_bytes());
    }
    bytes.resize(180, 0);
    bytes
}

pub(super) fn message(name: &str, address: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 112];
    bytes[2..4].copy_from_slice(&[5, 0xe]);
    let lengths = [name.len(), address.len()].map(|length| u8::try_from(length).unwrap());
    bytes.extend_from_slice(&[20, 18, 1, 0, 6, lengths[0], lengths[1], 0]);
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(address);
    bytes.resize(bytes.len().next_multiple_of(4).max(132), 0);
    let length = u16::try_from(bytes.len()).unwrap();
    bytes[..2].copy_from_slice(&length.to_le_bytes());
    bytes
}

fn counted(interfaces: &[Made]) -> String {
    let bytes: Vec<u8> = interfaces.iter().flat_map(record).collect();
    entry("sysctl_mib", COUNTERS, &bytes)
}

fn addressed(interfaces: &[(&str, &[u8])]) -> String {
    let bytes: Vec<u8> = interfaces.iter().flat_map(|(name, address)| message(name, address)).collect();
    entry("sysctl_mib", ADDRESSES, &bytes)
}

fn media(name: &str, status: u32, active: u32) -> String {
    word_entry("interface_media", name, &[0x20, 0, status, active])
}

const MAC: &[u8] = &[0xa4, 0x83, 0xe7, 1, 2, 0xff];

#[test]
fn an_interface_is_all_that_the_kernel_and_its_driver_say_of_it() {
    let entries = [
        counted(&[LOOPBACK, WIRE, TUNNEL]),
        addressed(&[("lo0", &[]), ("en5", MAC)]),
        media("en5", 3, 0x10_0030),
    ];
    assert_eq!(
        replay(&SPEC, &entries.concat()),
        "\
host_network_receive_bytes_total{device=\"en5\"} 7687562848
host_network_receive_packets_total{device=\"en5\"} 1
host_network_receive_errors_total{device=\"en5\"} 2
host_network_receive_dropped_total{device=\"en5\"} 10
host_network_receive_multicast_total{device=\"en5\"} 8
host_network_transmit_bytes_total{device=\"en5\"} 30277303935
host_network_transmit_packets_total{device=\"en5\"} 3
host_network_transmit_errors_total{device=\"en5\"} 4
host_network_transmit_dropped_total{device=\"en5\"} 4294967295
host_network_transmit_collisions_total{device=\"en5\"} 5
host_network_up{device=\"en5\"} 1
host_network_speed_bytes_per_second{device=\"en5\"} 312500000
host_network_mtu_bytes{device=\"en5\"} 1500
host_network_info{device=\"en5\",address=\"a4:83:e7:01:02:ff\",duplex=\"full\"} 1
"
    );
}

/// What is shown of its state: whether it is up, and its speed and duplex.
fn state(made: Made, media: &str) -> String {
    let shown = replay(&SPEC, &[&counted(&[made]), &addressed(&[]), media].concat());
    let lines = shown.lines().filter(|line| {
        ["_up{", "speed", "duplex", "failed", "recorded"].iter().any(|word| line.contains(word))
    });
    lines.map(|line| line.trim_start_matches("host_network_").to_owned() + "\n").collect()
}

#[test]
fn a_card_without_a_cable_is_down_though_its_driver_runs() {
    assert_eq!(state(WIRE, &media("en5", 1, 0x10_0030)), "up{device=\"en5\"} 0\n");
    let set_down = Made { flags: 0x8862, ..WIRE };
    assert_eq!(state(set_down, &media("en5", 3, 0x10_0030)), "up{device=\"en5\"} 0\n");
}

#[test]
fn wifi_has_neither_speed_nor_duplex() {
    assert_eq!(state(WIFI, &media("en0", 3, 0x80)), "up{device=\"en0\"} 1\n");
}

#[test]
fn without_media_an_interface_is_up_by_its_flags() {
    let vlan = Made { name: "vlan0", ..WIFI };
    for errno in [22, 45, 102] {
        let none = format!("== 1 interface_media vlan0 {errno}\n");
        assert_eq!(state(vlan, &none), "up{device=\"vlan0\"} 1\n");
        assert_eq!(state(Made { flags: 0x8823, ..vlan }, &none), "up{device=\"vlan0\"} 0\n");
    }
    assert_eq!(state(vlan, &media("vlan0", 0, 0)), "up{device=\"vlan0\"} 1\n", "its driver does not tell");
}

#[test]
fn an_interface_whose_driver_fails_is_neither_up_nor_down() {
    let shown = state(WIRE, "== 1 interface_media en5 5\n");
    assert_eq!(shown, "item failed: interface_media en5: Input/output error (os error 5)\n");
}

#[test]
fn an_address_that_changes_is_seen_and_one_that_is_kept_back_is_absent() {
    let first = [counted(&[WIFI]), addressed(&[("en0", MAC)]), media("en0", 3, 0x80)].concat();
    let then = [counted(&[WIFI]), addressed(&[("en0", &[2, 0, 0, 0, 0, 0])]), media("en0", 3, 0x80)].concat();
    let mut machine = Replay::open(&SPEC, &[first, second(&then)].concat());
    assert!(machine.shown().contains("address=\"a4:83:e7:01:02:ff\""));
    machine.second_pass();
    assert!(machine.shown().ends_with("host_network_info{device=\"en0\"} 1\n"));
}

#[test]
fn without_addresses_the_counters_are_there_all_the_same() {
    let refused = format!("== 1 sysctl_mib {ADDRESSES} 1\n");
    let shown = replay(&SPEC, &[counted(&[WIFI]), refused, media("en0", 3, 0x80)].concat());
    assert!(shown.contains("receive_bytes_total{device=\"en0\"} 7687562848\n"), "{shown}");
    assert!(shown.contains("item failed: sysctl_mib 4.17.0.18.3.0: Operation not permitted"), "{shown}");
}

#[test]
fn interfaces_come_and_go_and_one_that_is_there_twice_is_one() {
    let entries = [
        counted(&[WIFI, WIFI]),
        addressed(&[]),
        media("en0", 3, 0x80),
        second(&[counted(&[WIRE]), addressed(&[]), media("en5", 3, 0x30)].concat()),
    ];
    let mut machine = Replay::open(&SPEC, &entries.concat());
    assert_eq!(machine.shown().matches("host_network_mtu_bytes").count(), 1);
    machine.second_pass();
    let shown = machine.shown();
    assert!(shown.contains("en5") && !shown.contains("en0"), "{shown}");
}

#[test]
fn who_wants_tunnels_is_shown_them() {
    let mut settings = Settings::default();
    settings.set(KIND_EXCLUDE.key, Value::Text("loopback".to_owned()));
    let entries =
        [counted(&[LOOPBACK, TUNNEL]), addressed(&[]), "== 1 interface_media utun0 102\n".to_owned()];
    let shown = Replay::set(&SPEC, &entries.concat(), &settings).shown();
    assert!(shown.ends_with("host_network_info{device=\"utun0\",kind=\"tun\"} 1\n"), "{shown}");
}

#[test]
fn torn_records_fail_the_collector() {
    let torn = entry("sysctl_mib", COUNTERS, &record(&WIFI)[..100]);
    let shown = replay(&SPEC, &[torn, addressed(&[])].concat());
    assert_eq!(shown, "failed: sysctl_mib 4.18.0.3.0.1: expected records of 180 bytes\n");
    assert!(replay(&SPEC, &format!("== 1 sysctl_mib {COUNTERS} ok hex\n")).starts_with("failed: "));
}
