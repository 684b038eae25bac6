//! The collector over recorded machines.

use super::*;
use crate::replay::{Replay, entry, replay, second};
use crate::smc::tests::float;

const NO_SYSTEM: &str = "== 1 smc PSTR 2\n";
const NO_ENERGY: &str = "== 1 energy CPU\\x20Energy,ANE,DRAM 2\n";

fn argument(text: &str) -> String {
    text.replace(' ', "\\x20")
}

fn sources(text: &str) -> String {
    let keys = "Name,Type,Is Present,Current Capacity,Max Capacity,Is Charging,Is Charged,Power Source State";
    entry("power_sources", &argument(keys), text.as_bytes())
}

fn gauge(text: &str) -> String {
    let keys = "AppleSmartBattery CycleCount,Voltage,InstantAmperage,Amperage,Temperature,DesignCapacity,\
        AppleRawMaxCapacity,MaxCapacity,DeviceName,Manufacturer";
    entry("registry", &argument(keys), text.as_bytes())
}

fn energy(text: &str) -> String {
    entry("energy", &argument("CPU Energy,ANE,DRAM"), text.as_bytes())
}

#[test]
fn a_laptop_on_battery_shows_it_and_what_it_takes() {
    let source = "@ 0 source\nName=s:InternalBattery-0\nType=s:InternalBattery\nIs Present=b:1\n\
        Current Capacity=n:83\nMax Capacity=n:100\nIs Charging=b:0\nPower Source State=s:Battery Power\n";
    let its_gauge = "@ 4294968000 AppleSmartBattery\nCycleCount=n:41\nVoltage=n:12000\nInstantAmperage=n:-1500\n\
        Temperature=n:3049\nDesignCapacity=n:6249\nAppleRawMaxCapacity=n:5936\nMaxCapacity=n:100\nDeviceName=s:bq40z651\n";
    let machine = [&float("PSTR", 18.25), NO_ENERGY, &sources(source), &gauge(its_gauge)].concat();
    let health = 5936.0 / 6249.0;
    assert_eq!(
        replay(&SPEC, &machine),
        format!(
            "\
host_power_watts{{domain=\"system\"}} 18.25
host_battery_info{{battery=\"InternalBattery-0\",model=\"bq40z651\"}} 1
host_battery_charge_ratio{{battery=\"InternalBattery-0\"}} 0.83
host_battery_health_ratio{{battery=\"InternalBattery-0\"}} {health}
host_battery_power_watts{{battery=\"InternalBattery-0\"}} 18
host_battery_voltage_volts{{battery=\"InternalBattery-0\"}} 12
host_battery_cycles{{battery=\"InternalBattery-0\"}} 41
host_battery_temperature_celsius{{battery=\"InternalBattery-0\"}} 30.49
host_battery_state{{battery=\"InternalBattery-0\",state=\"charging\"}} 0
host_battery_state{{battery=\"InternalBattery-0\",state=\"discharging\"}} 1
host_battery_state{{battery=\"InternalBattery-0\",state=\"full\"}} 0
host_battery_state{{battery=\"InternalBattery-0\",state=\"not_charging\"}} 0
host_power_supply_online{{supply=\"ac\"}} 0
host_power_supply_info{{supply=\"ac\",type=\"mains\"}} 1
"
        )
    );
}

#[test]
fn a_ups_is_a_battery_without_a_gauge() {
    let ups = "@ 0 source\nName=s:Back-UPS ES 700\nType=s:UPS\nCurrent Capacity=n:100\nMax Capacity=n:100\n\
        Is Charging=b:0\nIs Charged=b:1\nPower Source State=s:AC Power\n";
    let shown = replay(&SPEC, &[NO_SYSTEM, NO_ENERGY, &sources(ups)].concat());
    assert!(shown.contains("host_battery_state{battery=\"Back-UPS ES 700\",state=\"full\"} 1\n"), "{shown}");
    assert!(shown.contains("host_power_supply_online{supply=\"ac\"} 1\n"), "{shown}");
    assert!(!shown.contains("volts") && !shown.contains("not recorded"), "{shown}");
}

#[test]
fn a_machine_with_nothing_of_all_this_has_no_such_thing() {
    let shown = replay(&SPEC, &[NO_SYSTEM, NO_ENERGY, &sources("")].concat());
    assert_eq!(shown, "failed: no power of the machine, energy counters or batteries\n");
}

#[test]
fn one_source_that_fails_hides_no_other() {
    let machine = [NO_SYSTEM, "== 1 energy CPU\\x20Energy,ANE,DRAM 5\n", &sources("")].concat();
    let shown = replay(&SPEC, &machine);
    assert_eq!(shown, "item failed: energy CPU Energy,ANE,DRAM: Input/output error (os error 5)\n");
}

#[test]
fn energy_is_shown_from_its_first_motion_on() {
    let passes = [
        NO_SYSTEM,
        &sources(""),
        &energy("7497 mJ CPU Energy\n12 mJ ANE0\n340 mJ DRAM0\n"),
        &second(&energy("9497 mJ CPU Energy\n12 mJ ANE0\n440 mJ DRAM0\n")),
    ];
    let mut machine = Replay::open(&SPEC, &passes.concat());
    assert_eq!(machine.shown(), "", "nothing is known of counters that were seen once");
    machine.second_pass();
    let moving = "\
host_energy_joules_total{domain=\"cpu\"} 9.497
host_energy_joules_total{domain=\"ane\"} 0.012
host_energy_joules_total{domain=\"dram\"} 0.44
";
    assert_eq!(machine.shown(), moving);
    assert_eq!(machine.shown(), "", "they stand for a minute, and are withdrawn");
    machine.first_pass();
    assert!(
        machine.shown().starts_with("host_energy_joules_total{domain=\"cpu\"} 7.497\n"),
        "they move again"
    );
}

#[test]
fn counters_that_stand_from_the_start_on_are_never_shown() {
    // macOS 27: the channels are there, and do not move.
    let machine = [NO_SYSTEM, &sources(""), &energy("0 mJ CPU Energy\n0 mJ ANE0\n0 mJ DRAM0\n")].concat();
    let mut machine = Replay::open(&SPEC, &machine);
    for _ in 0..5 {
        assert_eq!(machine.shown(), "");
    }
}

#[test]
fn power_that_cannot_be_is_none() {
    let machine = |watts| [&float("PSTR", watts), NO_ENERGY, &sources("")].concat();
    for watts in [0.0, -3.0, 1e9] {
        assert_eq!(replay(&SPEC, &machine(watts)), "", "{watts}");
    }
}
