//! Recorded tables of old and new kernels, CPUs that wrap and CPUs that go.

use super::*;
use crate::replay::{Replay, replay};
use proptest::prelude::*;
use schema::setting::Value;

/// Linux 6.18: fifteen columns, CPU 1 is offline.
const NEW: &str = "\
00019655 00000002 00000003 00000000 00000000 00000000 00000000 00000000 00000000 00000004 00000005 00000006 00000000 00000001 00000005
000196d9 00000000 00000003 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000002 00000000 00000000
";

/// Linux 4.18: eleven columns.
const OLD: &str = "\
00000010 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
00000020 00000000 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000003 00000000
";

fn parsed(contents: &[u8]) -> Result<Vec<Line>, Expected> {
    let mut lines = Vec::new();
    parse(contents, &mut lines).map(|()| lines)
}

fn machine(pass: u8, contents: &str) -> String {
    format!("== {pass} file proc/net/softnet_stat ok text\n{contents}")
}

/// A line as kernels since 5.10 write it.
fn line(number: u64, processed: u32) -> String {
    format!("{processed:08x}{} {number:08x}\n", " 00000000".repeat(11))
}

#[test]
fn a_new_kernel_says_whose_line_it_is() {
    let lines = parsed(NEW.as_bytes()).unwrap();
    let first = Line {
        number: Some(0),
        counters: [Some(0x19655), Some(2), Some(3), Some(4), Some(5)],
        backlog: Some(6),
    };
    assert_eq!((lines[0], lines[1].number), (first, Some(2)));
}

#[test]
fn what_an_old_kernel_does_not_count_is_absent() {
    let lines = parsed(OLD.as_bytes()).unwrap();
    assert_eq!((lines[1].number, lines[1].backlog, lines[1].counters[3]), (None, None, Some(3)));
    let nine = "0000000a".to_owned() + &" 00000000".repeat(8);
    assert_eq!(parsed(nine.as_bytes()).unwrap()[0].counters, [Some(10), Some(0), Some(0), None, None]);
}

#[test]
fn a_file_without_lines_or_with_a_torn_one_is_an_error() {
    assert_eq!(parsed(b""), Err(Expected { line: 0, what: "a line for each CPU" }));
    let long = vec![b'f'; 1 << 20];
    let negative = NEW.replace("00000003", "-0000003");
    for torn in [&b"\n"[..], b"00000001 00000002\n", b"\0\0", b"\xff\xfe", &long, negative.as_bytes()] {
        let wanted = Expected { line: 1, what: "a CPU's hexadecimal columns, nine or more" };
        assert_eq!(parsed(torn), Err(wanted));
    }
}

#[test]
fn a_recorded_machine_gives_each_cpu_under_its_own_number() {
    let shown = replay(&SPEC, &machine(1, NEW));
    assert_eq!(
        shown.lines().take(7).collect::<Vec<_>>(),
        [
            "host_softnet_processed_total{cpu=\"0\"} 104021",
            "host_softnet_dropped_total{cpu=\"0\"} 2",
            "host_softnet_squeezed_total{cpu=\"0\"} 3",
            "host_softnet_received_rps_total{cpu=\"0\"} 4",
            "host_softnet_flow_limited_total{cpu=\"0\"} 5",
            "host_softnet_backlog{cpu=\"0\"} 6",
            "host_softnet_processed_total{cpu=\"2\"} 104153",
        ]
    );
}

#[test]
fn lines_without_numbers_are_shown_as_a_sum() {
    let busier = OLD.replace("00000010", "00000014").replace("00000020", "0000002c");
    let mut replayed = Replay::open(&SPEC, &(machine(1, OLD) + &machine(2, &busier)));
    let shown = |processed: u64| {
        format!(
            "host_softnet_processed_total {processed}\nhost_softnet_dropped_total 0\n\
             host_softnet_squeezed_total 0\nhost_softnet_received_rps_total 0\n\
             host_softnet_flow_limited_total 0\n"
        )
    };
    assert_eq!(replayed.shown(), shown(0), "what was counted before is not counted");
    replayed.second_pass();
    assert_eq!(replayed.shown(), shown(16));
}

#[test]
fn where_lines_have_no_numbers_a_cpu_that_comes_begins_the_sum_again() {
    let third = OLD.to_owned() + &OLD.lines().last().unwrap().replace("00000020", "80000020") + "\n";
    let mut replayed = Replay::open(&SPEC, &(machine(1, OLD) + &machine(2, &third)));
    assert!(replayed.shown().starts_with("host_softnet_processed_total 0\n"));
    replayed.second_pass();
    assert!(replayed.shown().starts_with("host_softnet_processed_total 0\n"));
}

#[test]
fn many_cpus_are_a_sum_unless_a_setting_asks_for_each() {
    let many: String = (0..65).map(|cpu| line(cpu, 1)).collect();
    let machine = machine(1, &many);
    assert!(replay(&SPEC, &machine).starts_with("host_softnet_processed_total 0\n"));
    let with = |word: &str, machine: &str| {
        let mut settings = Settings::default();
        settings.set(PER_CPU.key, Value::Text(word.to_owned()));
        Replay::set(&SPEC, machine, &settings).shown()
    };
    assert_eq!(with("always", &machine).lines().count(), 65 * 6);
    assert!(with("never", &super::tests::machine(1, NEW)).starts_with("host_softnet_processed_total 0\n"));
}

#[test]
fn a_wrap_of_one_cpu_is_shown_as_it_is_and_made_good_in_the_sum() {
    let before = line(0, u32::MAX) + &line(1, 7);
    let after = line(0, 4) + &line(1, 8);
    let machine = machine(1, &before) + &machine(2, &after);
    let mut replayed = Replay::open(&SPEC, &machine);
    assert!(replayed.shown().starts_with("host_softnet_processed_total{cpu=\"0\"} 4294967295\n"));
    replayed.second_pass();
    let shown = replayed.shown();
    assert!(shown.starts_with("host_softnet_processed_total{cpu=\"0\"} 4\n"), "{shown}");
    assert!(shown.contains("host_softnet_processed_total{cpu=\"1\"} 8\n"), "{shown}");
    let mut settings = Settings::default();
    settings.set(PER_CPU.key, Value::Text("never".to_owned()));
    let mut replayed = Replay::set(&SPEC, &machine, &settings);
    assert!(replayed.shown().starts_with("host_softnet_processed_total 0\n"));
    replayed.second_pass();
    assert!(replayed.shown().starts_with("host_softnet_processed_total 6\n"));
}

#[test]
fn a_cpu_that_goes_offline_takes_nothing_from_the_sum() {
    let before = line(0, 10) + &line(1, 20) + &line(2, 30);
    let after = line(0, 11) + &line(2, 32);
    let mut settings = Settings::default();
    settings.set(PER_CPU.key, Value::Text("never".to_owned()));
    let machine = machine(1, &before) + &machine(2, &after);
    let mut replayed = Replay::set(&SPEC, &machine, &settings);
    assert!(replayed.shown().starts_with("host_softnet_processed_total 0\n"));
    replayed.second_pass();
    assert!(replayed.shown().starts_with("host_softnet_processed_total 3\n"));
}

#[test]
fn a_kernel_without_network_has_nothing_to_open() {
    let error = Replay::refused(&SPEC, "== 1 file proc/net/softnet_stat 2\n");
    assert_eq!(error, Error::Unsupported("the kernel has no network"));
}

proptest! {
    #[test]
    fn any_bytes_are_lines_or_an_error(bytes: Vec<u8>) {
        let _ = parsed(&bytes);
    }
}
