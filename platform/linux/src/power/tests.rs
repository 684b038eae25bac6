//! The collector over recorded machines.

use super::*;
use crate::replay::{Replay, replay};
use door::Player;
use std::time::Duration;

const NO_ZONES: &str = "== 1 list sys/class/powercap 2\n";
const NO_SUPPLIES: &str = "== 1 list sys/class/power_supply 2\n";

fn file(path: &str, contents: &str) -> String {
    format!("== 1 file sys/class/{path} ok text\n{contents}\n")
}

/// A capture that has all files there are.
const WHOLE: &str = "== 1 fact whole ok text\n1\n== 1 clock boottime ok text\n60.0\n";

fn doors(entries: &[&str]) -> (Arc<Doors>, Arc<Player>) {
    let facts = "# gauged capture 1\n== 1 fact page_size ok text\n4096\n\
                 == 1 fact ticks_per_second ok text\n100\n";
    let capture = format!("{facts}{WHOLE}{}", entries.concat());
    let player = Arc::new(Player::new(capture.parse().unwrap()));
    (Arc::new(Doors::replaying(&player, |_, _| Ok(())).unwrap()), player)
}

fn zones() -> String {
    [
        WHOLE,
        &file("powercap/intel-rapl/enabled", "1"),
        &file("powercap/intel-rapl:0/name", "package-0"),
        &file("powercap/intel-rapl:0/max_energy_range_uj", "262143328850"),
        &file("powercap/intel-rapl:0:0/name", "core"),
        &file("powercap/intel-rapl:0:0/max_energy_range_uj", "262143328850"),
        &file("powercap/intel-rapl-mmio:0/name", "package-0"),
        &file("powercap/intel-rapl-mmio:0/energy_uj", "5"),
    ]
    .concat()
}

#[test]
fn a_package_is_shown_once_and_carried_on_when_it_wraps() {
    let energy = "== 1 file sys/class/powercap/intel-rapl:0/energy_uj ok text\n262143000000\n\
                  == 1 file sys/class/powercap/intel-rapl:0:0/energy_uj ok text\n1000000\n\
                  == 2 file sys/class/powercap/intel-rapl:0/energy_uj ok text\n671150\n";
    let mut machine = Replay::open(&SPEC, &(zones() + energy));
    assert_eq!(
        machine.shown(),
        "host_energy_joules_total{domain=\"package-0\"} 0\n\
         host_energy_joules_total{domain=\"package-0/core\"} 0\n"
    );
    machine.second_pass();
    assert_eq!(
        machine.shown(),
        "host_energy_joules_total{domain=\"package-0\"} 1\n\
         host_energy_joules_total{domain=\"package-0/core\"} 0\n"
    );
}

#[test]
fn energy_that_is_roots_alone_is_counted_once_and_told_each_time() {
    let energy = "== 1 file sys/class/powercap/intel-rapl:0/energy_uj 13\n\
                  == 1 file sys/class/powercap/intel-rapl:0:0/energy_uj 13\n\
                  == 2 file sys/class/powercap/intel-rapl:0/energy_uj ok text\n7000000\n";
    let mut machine = Replay::open(&SPEC, &(zones() + energy));
    let told = "item failed: /sys/class/powercap/intel-rapl:0/energy_uj: Permission denied (os error 13)\n";
    let (first, out) = machine.collect();
    assert_eq!((first, out.failed().map(|(_, count)| count).sum::<u32>()), (Ok(()), 1));
    assert_eq!(machine.shown(), told);
    let (_, out) = machine.collect();
    assert_eq!((out.failures().len(), out.failed().count()), (1, 0), "told, and not counted again");
    machine.second_pass();
    assert!(
        machine.shown().starts_with("host_energy_joules_total{domain=\"package-0\"} 0\n"),
        "seen when it opens"
    );
}

#[test]
fn a_laptop_has_a_battery_and_a_supply_and_its_mouse_is_left_out() {
    let supplies = [
        NO_ZONES,
        WHOLE,
        &file("power_supply/AC/type", "Mains"),
        &file("power_supply/AC/online", "0"),
        &file("power_supply/BAT0/type", "Battery"),
        &file("power_supply/BAT0/present", "1"),
        &file("power_supply/BAT0/status", "Discharging"),
        &file("power_supply/BAT0/capacity", "49"),
        &file("power_supply/BAT0/energy_now", "25000000"),
        &file("power_supply/BAT0/energy_full", "50000000"),
        &file("power_supply/BAT0/power_now", "7250000"),
        &file("power_supply/BAT0/temp", "301"),
        &file("power_supply/BAT0/hwmon3/name", "BAT0"),
        &file("power_supply/BAT0/model_name", " 5B10W13930 "),
        &file("power_supply/BAT0/technology", "Unknown"),
        "== 1 file sys/class/power_supply/BAT0/cycle_count 61\n",
        &file("power_supply/hidpp_battery_0/type", "Battery"),
        &file("power_supply/hidpp_battery_0/scope", "Device"),
        &file("power_supply/hidpp_battery_0/capacity", "50"),
    ]
    .concat();
    assert_eq!(
        replay(&SPEC, &supplies),
        "host_power_supply_online{supply=\"AC\"} 0\n\
         host_power_supply_info{supply=\"AC\",type=\"mains\"} 1\n\
         host_battery_charge_ratio{battery=\"BAT0\"} 0.5\n\
         host_battery_energy_joules{battery=\"BAT0\"} 90000\n\
         host_battery_energy_full_joules{battery=\"BAT0\"} 180000\n\
         host_battery_power_watts{battery=\"BAT0\"} 7.25\n\
         host_battery_temperature_celsius{battery=\"BAT0\"} 30.1\n\
         host_battery_state{battery=\"BAT0\",state=\"charging\"} 0\n\
         host_battery_state{battery=\"BAT0\",state=\"discharging\"} 1\n\
         host_battery_state{battery=\"BAT0\",state=\"full\"} 0\n\
         host_battery_state{battery=\"BAT0\",state=\"not_charging\"} 0\n\
         host_battery_info{battery=\"BAT0\",model=\"5B10W13930\"} 1\n"
    );
}

#[test]
fn what_sleeps_has_gone_or_is_an_empty_bay_is_left_out_without_a_failure() {
    let supplies = [
        NO_ZONES,
        WHOLE,
        &file("power_supply/BAT0/type", "Battery"),
        &file("power_supply/BAT0/capacity", "50"),
        &file("power_supply/BAT0/device/power/runtime_status", "suspended"),
        &file("power_supply/BAT1/type", "Battery"),
        "== 1 file sys/class/power_supply/BAT1/capacity 19\n",
        &file("power_supply/BAT2/type", "Battery"),
        &file("power_supply/BAT2/present", "0"),
        // What an empty bay would say if it were asked for more.
        "== 1 file sys/class/power_supply/BAT2/capacity 5\n",
        &file("power_supply/usb/type", "USB"),
        "== 1 file sys/class/power_supply/usb/online 61\n",
    ]
    .concat();
    assert_eq!(replay(&SPEC, &supplies), "host_power_supply_info{supply=\"usb\",type=\"usb\"} 1\n");
}

#[test]
fn an_attribute_that_a_driver_says_is_not_there_costs_itself_in_silence() {
    // ACPI batteries answer ENODEV for power and current while they do not know them, as when they are full.
    let supplies = [
        NO_ZONES,
        WHOLE,
        &file("power_supply/BAT0/type", "Battery"),
        &file("power_supply/BAT0/present", "1"),
        &file("power_supply/BAT0/capacity", "100"),
        "== 1 file sys/class/power_supply/BAT0/power_now 19\n",
    ]
    .concat();
    assert_eq!(
        replay(&SPEC, &supplies),
        "host_battery_charge_ratio{battery=\"BAT0\"} 1\nhost_battery_info{battery=\"BAT0\"} 1\n"
    );
}

#[test]
fn an_empty_bay_does_not_have_all_supplies_listed_again() {
    let (doors, player) = doors(&[
        &file("power_supply/BAT0/type", "Battery"),
        &file("power_supply/BAT0/present", "0"),
        "== 1 file sys/class/power_supply/BAT0/capacity 19\n",
        "== 1 list sys/class/power_supply ok text\nBAT0\n== 2 list sys/class/power_supply 5\n",
    ]);
    let (mut buffer, mut out) = (Buffer::default(), Batch::default());
    let mut supplies = Supplies::of(&Settings::default()).unwrap();
    let now = Duration::from_secs(60);
    supplies.list(&doors.sysfs, now, &mut buffer).unwrap();
    assert!(!supplies.is_empty());
    player.set_pass(true);
    let scrape = Scrape { number: 1, now, deadline: now + now, wall: now, held: false };
    for _ in 0..2 {
        assert_eq!(supplies.collect(&doors, &scrape, &mut buffer, &mut out), Ok(()));
    }
}

#[test]
fn one_attribute_that_fails_costs_itself() {
    let supplies = [
        NO_ZONES,
        WHOLE,
        &file("power_supply/BAT0/type", "Battery"),
        "== 1 file sys/class/power_supply/BAT0/power_now 5\n",
        &file("power_supply/BAT0/voltage_now", "garbage"),
        &file("power_supply/BAT0/capacity", "50"),
    ]
    .concat();
    assert_eq!(
        replay(&SPEC, &supplies),
        "host_battery_charge_ratio{battery=\"BAT0\"} 0.5\n\
         host_battery_info{battery=\"BAT0\"} 1\n\
         item failed: /sys/class/power_supply/BAT0/power_now: Input/output error (os error 5)\n\
         item failed: /sys/class/power_supply/BAT0/voltage_now:1: expected a whole number\n"
    );
}

#[test]
fn a_machine_without_either_is_absent() {
    let (doors, _) = doors(&[NO_ZONES, NO_SUPPLIES]);
    let opened = (SPEC.open)(&doors, &Settings::default());
    assert!(matches!(opened.map(drop), Err(Error::Unsupported(_))));
}

#[test]
fn a_battery_that_was_the_only_one_goes_and_comes_again() {
    let supplies = [
        NO_ZONES,
        WHOLE,
        &file("power_supply/BAT0/type", "Battery"),
        &file("power_supply/BAT0/capacity", "50"),
        "== 2 file sys/class/power_supply/BAT0/type 2\n== 2 file sys/class/power_supply/BAT0/capacity 19\n",
    ]
    .concat();
    let mut machine = Replay::open(&SPEC, &supplies);
    assert!(machine.shown().starts_with("host_battery_charge_ratio{battery=\"BAT0\"} 0.5\n"));
    machine.second_pass();
    assert_eq!(machine.shown(), "", "it goes without a fuss");
    assert_eq!(machine.shown(), "failed: no RAPL zones, batteries or power supplies\n");
}
