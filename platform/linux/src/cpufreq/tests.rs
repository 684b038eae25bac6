//! Frequencies over recorded machines: measured, asked for, unknown, out of budget, of too many CPUs.

use super::*;
use crate::replay::{Replay, replay};
use proptest::prelude::*;
use schema::setting::Value;

const ONLINE: &str = "sys/devices/system/cpu/online";

fn file(path: &str, text: &str) -> String {
    format!("== 1 file {path} ok text\n{text}\n")
}

fn policy(name: &str, cpus: &str, average: &str, current: &str) -> String {
    let path = |attribute: &str| format!("sys/devices/system/cpu/cpufreq/{name}/{attribute}");
    let reading = |attribute: &str, text: &str| match text.parse::<u8>() {
        Ok(errno) => format!("== 1 file {} {errno}\n", path(attribute)),
        Err(_) => file(&path(attribute), text),
    };
    file(&path("affected_cpus"), cpus)
        + &file(&path("cpuinfo_min_freq"), "800000")
        + &file(&path("cpuinfo_max_freq"), "4000000")
        + &reading("cpuinfo_avg_freq", average)
        + &reading("scaling_cur_freq", current)
}

fn machine(online: &str, policies: &[String], names: &str) -> String {
    "== 1 clock boottime ok text\n60.000000000\n".to_owned()
        + &format!("== 1 list sys/devices/system/cpu/cpufreq ok text\n{names}")
        + &file(ONLINE, online)
        + &policies.concat()
}

/// The frequencies now, as `cpu hertz`.
fn now(shown: &str) -> Vec<String> {
    let lines = shown.lines().filter_map(|line| line.strip_prefix("host_cpu_frequency_hertz{cpu=\""));
    lines.map(|line| line.replace("\"}", "")).collect()
}

#[test]
fn a_policy_is_asked_once_for_all_its_cpus() {
    let capture = machine("0-1", &[policy("policy0", "0 1 ", "2", "2400000")], "boost\npolicy0\n");
    assert_eq!(
        replay(&SPEC, &capture),
        "host_cpu_frequency_hertz{cpu=\"0\"} 2400000000\n\
         host_cpu_frequency_min_hertz{cpu=\"0\"} 800000000\n\
         host_cpu_frequency_max_hertz{cpu=\"0\"} 4000000000\n\
         host_cpu_frequency_hertz{cpu=\"1\"} 2400000000\n\
         host_cpu_frequency_min_hertz{cpu=\"1\"} 800000000\n\
         host_cpu_frequency_max_hertz{cpu=\"1\"} 4000000000\n"
    );
}

#[test]
fn where_the_kernel_measures_what_was_asked_for_is_not_shown_even_of_a_cpu_that_sleeps() {
    let policies = [
        policy("policy0", "0", "3100000", "2400000"),
        policy("policy1", "1", "11", "2400000"),
        policy("policy2", "2", "2", "<unknown>"),
        policy("policy3", "3", "2", "16"),
        policy("policy4", "4", "2", "2400000"),
        policy("policy10", "10", "2", "0x"),
    ];
    let capture = machine("0-4,10", &policies, "policy0\npolicy1\npolicy10\npolicy2\npolicy3\npolicy4\n");
    let shown = replay(&SPEC, &capture);
    assert_eq!(now(&shown), ["0 3100000000", "4 2400000000"]);
    assert!(
        shown.ends_with("policy10/scaling_cur_freq:1: expected a frequency in kHz\n"),
        "busy and unknown are no failures: {shown}"
    );
    assert_eq!(shown.matches("failed").count(), 1);
}

#[test]
fn a_policy_whose_cpus_are_offline_is_left_out() {
    let offline = "== 1 file sys/devices/system/cpu/cpufreq/policy1/affected_cpus 16\n".to_owned();
    let capture = machine("0", &[policy("policy0", "0", "2", "2400000"), offline], "policy0\npolicy1\n");
    assert_eq!(replay(&SPEC, &capture).lines().count(), 3);
}

#[test]
fn what_the_budget_does_not_reach_is_absent_and_first_next_time() {
    let policies = ["0", "1", "2"].map(|cpu| policy(&format!("policy{cpu}"), cpu, "2", "1000"));
    let mut settings = Settings::default();
    settings.set(BUDGET.key, Value::Span(Duration::ZERO));
    let capture = machine("0-2", &policies, "policy0\npolicy1\npolicy2\n");
    let mut machine = Replay::set(&SPEC, &capture, &settings);
    for cpu in ["0", "1", "2", "0"] {
        let shown = machine.shown();
        assert_eq!(now(&shown), [format!("{cpu} 1000000")]);
        assert_eq!(shown.matches("_max_hertz").count(), 3, "limits cost nothing");
    }
}

#[test]
fn more_than_64_cpus_are_read_when_asked_for() {
    let capture = machine("0-64", &[policy("policy0", "0", "2", "1000")], "policy0\n");
    let opened = |settings: &Settings| {
        let capture = format!(
            "# gauged capture 1\n== 1 fact page_size ok text\n4096\n\
             == 1 fact ticks_per_second ok text\n100\n{capture}"
        );
        let player = Arc::new(door::Player::new(capture.parse().unwrap()));
        let doors = Arc::new(Doors::replaying(&player, |_, _| Ok(())).unwrap());
        (SPEC.open)(&doors, settings).map(drop)
    };
    assert!(
        matches!(opened(&Settings::default()), Err(Error::Unsupported(why)) if why.contains("many-cpus"))
    );
    let mut settings = Settings::default();
    settings.set(MANY_CPUS.key, Value::Switch(true));
    assert_eq!(opened(&settings), Ok(()));
}

#[test]
fn a_frequency_is_in_khz_or_unknown() {
    assert_eq!(parse(b"2400000\n"), Ok(Some(Hertz(2_400_000_000))));
    assert_eq!(parse(b"<unknown>\n"), Ok(None));
    assert_eq!(parse(b"0\n"), Ok(None), "a driver that could not tell");
    for wrong in [&b""[..], b"-1\n", b"2.4\n", b"18446744073709551615\n", b"\xff", &[b'1'; 1 << 20]] {
        assert!(parse(wrong).is_err());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_frequency_or_an_error(bytes: Vec<u8>) {
        let _ = parse(&bytes);
        let _ = cpus_of(&bytes).count();
    }
}
