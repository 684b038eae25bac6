//! Topology over recorded machines: a hybrid laptop, an ARM machine of two core types, a virtual machine.

use super::*;
use crate::replay::{Replay, replay};

fn file(path: &str, text: &str) -> String {
    format!("== 1 file {path} ok text\n{text}\n")
}

fn missing(path: &str) -> String {
    format!("== 1 file {path} 2\n")
}

/// The lists, and package and core of each CPU that is online.
fn machine(online: &str, present: &str, cpus: &[(u32, &str, &str)]) -> String {
    let mut text = file("sys/devices/system/cpu/online", online);
    text += &file("sys/devices/system/cpu/present", present);
    for (cpu, package, core) in cpus {
        let topology = format!("sys/devices/system/cpu/cpu{cpu}/topology");
        text += &file(&format!("{topology}/physical_package_id"), package);
        text += &file(&format!("{topology}/core_id"), core);
    }
    text
}

/// The threads of the core that each of these CPUs belongs to.
fn siblings(cpus: &[(u32, &str)]) -> String {
    let path = |cpu| format!("sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
    cpus.iter().map(|(cpu, siblings)| file(&path(cpu), siblings)).collect()
}

/// No hybrid processor.
fn one_type() -> String {
    HYBRID_FILES.map(missing).concat()
}

const HYBRID_FILES: [&str; 3] =
    ["sys/devices/cpu_core/cpus", "sys/devices/cpu_atom/cpus", "sys/devices/cpu_lowpower/cpus"];

const THROTTLE_FILES: [&str; 3] =
    ["core_throttle_count", "package_throttle_count", "package_throttle_total_time_ms"];

fn no_throttling() -> String {
    THROTTLE_FILES
        .map(|name| missing(&format!("sys/devices/system/cpu/cpu0/thermal_throttle/{name}")))
        .concat()
}

fn throttle(cpu: u32, name: &str, text: &str) -> String {
    file(&format!("sys/devices/system/cpu/cpu{cpu}/thermal_throttle/{name}"), text)
}

#[test]
fn a_hybrid_laptop_has_types_of_cores_and_counts_throttling_once_a_core() {
    let capture = [
        machine("0-2", "0-3", &[(0, "0", "0"), (1, "0", "0"), (2, "0", "8")]),
        siblings(&[(0, "0-1"), (1, "0-1")]),
        file("sys/devices/cpu_core/cpus", "0-1"),
        file("sys/devices/cpu_atom/cpus", "2"),
        missing("sys/devices/cpu_lowpower/cpus"),
        file("proc/cpuinfo", "processor : 0\nmodel name : Ultra 9\nprocessor : 1\nprocessor : 2\n"),
        throttle(0, "core_throttle_count", "7"),
        throttle(2, "core_throttle_count", "0"),
        throttle(0, "package_throttle_count", "9"),
        throttle(0, "package_throttle_total_time_ms", "1250"),
    ]
    .concat();
    let expected = "\
host_cpu_online{cpu=\"0\"} 1
host_cpu_info{cpu=\"0\",package=\"0\",core=\"0\",cluster=\"performance\",model_name=\"Ultra 9\"} 1
host_cpu_online{cpu=\"1\"} 1
host_cpu_info{cpu=\"1\",package=\"0\",core=\"0\",cluster=\"performance\"} 1
host_cpu_online{cpu=\"2\"} 1
host_cpu_info{cpu=\"2\",package=\"0\",core=\"8\",cluster=\"efficiency\"} 1
host_cpu_online{cpu=\"3\"} 0
host_cpu_core_throttles_total{package=\"0\",core=\"0\"} 7
host_cpu_package_throttles_total{package=\"0\"} 9
host_cpu_package_throttle_seconds_total{package=\"0\"} 1.25
host_cpu_core_throttles_total{package=\"0\",core=\"8\"} 0
";
    assert_eq!(replay(&SPEC, &capture), expected);
}

#[test]
fn an_arm_machine_of_two_cores_names_them() {
    let cpuinfo = "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd87\n\
                   processor : 1\nCPU implementer : 0x41\nCPU part : 0xd85";
    let capture = [
        machine("0-1", "0-1", &[(0, "0", "0"), (1, "0", "1")]),
        one_type(),
        file("proc/cpuinfo", cpuinfo),
        no_throttling(),
    ]
    .concat();
    let shown = replay(&SPEC, &capture);
    assert!(
        shown.contains("core=\"0\",cluster=\"Cortex-A725\",model_name=\"ARM Cortex-A725\"} 1\n"),
        "{shown}"
    );
    assert!(
        shown.contains("core=\"1\",cluster=\"Cortex-X925\",model_name=\"ARM Cortex-X925\"} 1\n"),
        "{shown}"
    );
    assert_eq!(shown.lines().count(), 4);
}

#[test]
fn a_machine_of_one_core_type_has_no_clusters_and_what_is_unknown_is_absent() {
    let cpuinfo = "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd4f";
    let capture =
        [machine("0", "0", &[(0, "-1", "0")]), one_type(), file("proc/cpuinfo", cpuinfo), no_throttling()]
            .concat();
    assert_eq!(
        replay(&SPEC, &capture),
        "host_cpu_online{cpu=\"0\"} 1\n\
         host_cpu_info{cpu=\"0\",core=\"0\",model_name=\"ARM Neoverse-V2\"} 1\n"
    );
}

#[test]
fn a_cpu_that_goes_offline_takes_what_it_is_with_it_and_another_counts_for_its_core() {
    let first = [
        machine("0-1", "0-1", &[(0, "0", "0"), (1, "0", "0")]),
        siblings(&[(0, "0-1"), (1, "0-1")]),
        one_type(),
        file("proc/cpuinfo", "processor : 0\nprocessor : 1"),
        throttle(0, "core_throttle_count", "7"),
        missing("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count"),
        missing("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_total_time_ms"),
    ]
    .concat();
    let gone = [
        file("sys/devices/system/cpu/online", "1"),
        throttle(1, "core_throttle_count", "8"),
        missing("sys/devices/system/cpu/cpu1/thermal_throttle/package_throttle_count"),
        missing("sys/devices/system/cpu/cpu1/thermal_throttle/package_throttle_total_time_ms"),
    ]
    .concat()
    .replace("== 1", "== 2");
    let mut machine = Replay::open(&SPEC, &(first + &gone));
    assert!(machine.shown().ends_with("host_cpu_core_throttles_total{package=\"0\",core=\"0\"} 7\n"));
    machine.second_pass();
    assert_eq!(
        machine.shown(),
        "host_cpu_online{cpu=\"0\"} 0\n\
         host_cpu_online{cpu=\"1\"} 1\n\
         host_cpu_info{cpu=\"1\",package=\"0\",core=\"0\"} 1\n\
         host_cpu_core_throttles_total{package=\"0\",core=\"0\"} 8\n"
    );
}

/// Package and core of each CPU that is online, by `host_cpu_info`.
fn cores(shown: &str) -> Vec<&str> {
    let infos = shown.lines().filter_map(|line| line.strip_prefix("host_cpu_info{cpu="));
    infos.map(|line| line.trim_end_matches("} 1")).collect()
}

#[test]
fn cores_of_one_number_in_two_clusters_are_called_by_their_first_cpus() {
    let capture = [
        machine("0-3", "0-3", &[(0, "0", "0"), (1, "0", "1"), (2, "0", "0"), (3, "1", "0")]),
        siblings(&[(0, "0"), (2, "2")]),
        one_type(),
        missing("proc/cpuinfo"),
        no_throttling(),
    ]
    .concat();
    assert_eq!(
        cores(&replay(&SPEC, &capture)),
        [
            r#""0",package="0",core="0""#,
            r#""1",package="0",core="1""#,
            r#""2",package="0",core="2""#,
            r#""3",package="1",core="0""#
        ]
    );
}

#[test]
fn each_die_counts_the_throttling_of_its_cores_where_their_numbers_are_the_same() {
    let capture = [
        machine("0-3", "0-3", &[(0, "0", "7"), (1, "0", "7"), (2, "0", "7"), (3, "0", "7")]),
        siblings(&[(0, "0,2"), (1, "1,3"), (2, "0,2"), (3, "1,3")]),
        one_type(),
        missing("proc/cpuinfo"),
        throttle(0, "core_throttle_count", "5"),
        throttle(1, "core_throttle_count", "6"),
        missing("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count"),
        missing("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_total_time_ms"),
    ]
    .concat();
    assert!(replay(&SPEC, &capture).ends_with(
        "host_cpu_core_throttles_total{package=\"0\",core=\"0\"} 5\n\
         host_cpu_core_throttles_total{package=\"0\",core=\"1\"} 6\n"
    ));
}

#[test]
fn a_core_that_cannot_be_told_from_another_has_no_number() {
    let capture = [
        machine("0-2", "0-2", &[(0, "0", "0"), (1, "0", "0"), (2, "0", "0")]),
        siblings(&[(0, "0"), (1, "1"), (2, "none")]),
        one_type(),
        missing("proc/cpuinfo"),
        no_throttling(),
    ]
    .concat();
    let shown = replay(&SPEC, &capture);
    assert_eq!(cores(&shown)[2], r#""2",package="0""#);
    assert!(shown.ends_with("thread_siblings_list:1: expected a list of CPUs such as 0-3,8\n"), "{shown}");
}

#[test]
fn a_counter_that_is_no_number_fails_alone_and_an_empty_one_is_of_a_cpu_that_went() {
    let capture = [
        machine("0-2", "0-2", &[(0, "0", "0"), (1, "0", "1"), (2, "0", "2")]),
        one_type(),
        missing("proc/cpuinfo"),
        throttle(0, "core_throttle_count", "many"),
        "== 1 file sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count ok text\n".to_owned(),
        throttle(2, "core_throttle_count", "3"),
        missing("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count"),
        missing("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_total_time_ms"),
    ]
    .concat();
    let shown = replay(&SPEC, &capture);
    let lines: Vec<_> = shown.lines().skip(6).collect();
    assert_eq!(
        lines,
        [
            "host_cpu_core_throttles_total{package=\"0\",core=\"2\"} 3",
            "item failed: /sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count:1: expected a number",
        ]
    );
}

#[test]
fn what_could_not_be_read_is_read_again_after_a_minute() {
    let capture = [
        machine("0", "0", &[(0, "0", "0")]),
        one_type(),
        "== 1 file proc/cpuinfo 24\n== 1 file sys/devices/system/cpu/cpu0/topology/core_id 24\n".to_owned(),
        no_throttling(),
        file("proc/cpuinfo", "processor : 0\nmodel name : Xeon").replace("== 1", "== 2"),
        file("sys/devices/system/cpu/cpu0/topology/core_id", "4").replace("== 1", "== 2"),
    ]
    .concat();
    let mut machine = Replay::open(&SPEC, &capture);
    assert_eq!(machine.shown().matches("item failed").count(), 2);
    machine.second_pass();
    for _ in 0..2 {
        assert_eq!(
            machine.shown(),
            "host_cpu_online{cpu=\"0\"} 1\n\
             host_cpu_info{cpu=\"0\",package=\"0\",core=\"4\",model_name=\"Xeon\"} 1\n"
        );
    }
}

#[test]
fn a_list_that_is_none_is_a_failure_until_it_is_one_again() {
    let capture = machine("0-", "0", &[]) + "== 2 file sys/devices/system/cpu/online 2\n";
    let mut machine = Replay::open(&SPEC, &capture);
    let failed = "failed: /sys/devices/system/cpu/online:1: expected a list of CPUs such as 0-3,8\n";
    assert_eq!(machine.shown(), failed);
    assert_eq!(machine.shown(), failed);
    machine.second_pass();
    assert_eq!(machine.shown(), "failed: no list of CPUs\n");
}
