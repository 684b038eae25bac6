//! Recorded tables of old and new kernels, and a module that comes and goes.

use super::*;
use crate::replay::{Replay, replay};
use proptest::prelude::*;
use std::fmt::Write as _;

/// Linux 6.18, two CPUs.
const NEW: &str = "\
entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart
00000102  00000001 00000010 00000000 00000003 00000000 00000000 00000004 00000005 00000006 00000007 00000008 00000009  00000000 00000000 00000000 0000000a
00000102  00000001 00000020 00000000 00000003 00000000 00000000 00000004 00000005 00000006 00000007 00000008 00000009  00000000 00000000 00000000 0000000a
";

/// Linux 4.18.
const OLD: &str = "\
entries  searched found new invalid ignore delete delete_list insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart
00000002  00000000 00000010 00000000 00000003 00012ab3 00000000 00000000 00000000 00000006 00000007 00000000 00000000  00000000 00000000 00000000 0000000a
";

const LIMIT: &str = "== 1 file proc/sys/net/netfilter/nf_conntrack_max ok text\n262144\n";
const SNMP: &str = "== 1 file proc/1/net/snmp ok text\nIp: Forwarding\nIp: 1\n";

fn table(pass: u8, contents: &str) -> String {
    format!("== {pass} file proc/1/net/stat/nf_conntrack ok text\n{contents}")
}

fn parsed(contents: &[u8]) -> Result<(u64, Vec<Counters<u64>>), Expected> {
    let mut cpus = Vec::new();
    parse(contents, &mut cpus).map(|entries| (entries, cpus))
}

#[test]
fn columns_are_known_by_their_names() {
    let (entries, cpus) = parsed(NEW.as_bytes()).unwrap();
    let all = [1, 0x20, 3, 4, 5, 6, 7, 8, 9, 10].map(Some);
    assert_eq!((entries, cpus.len(), cpus[1]), (0x102, 2, all));
}

#[test]
fn what_an_old_kernel_does_not_count_is_absent() {
    let (entries, cpus) = parsed(OLD.as_bytes()).unwrap();
    assert_eq!((entries, cpus[0][0], cpus[0][1], cpus[0][3]), (2, None, Some(16), None));
}

#[test]
fn a_table_without_names_or_cpus_is_an_error() {
    let names = Err(Expected { line: 1, what: "the names of columns, of which entries is the first" });
    let long = vec![b'e'; 1 << 20];
    for without in [&b""[..], b"\n", b"00000002 00000000\n", b"\0", b"\xff\xfe\n", &long] {
        assert_eq!(parsed(without), names);
    }
    let cpus = Err(Expected { line: 0, what: "a line for each CPU" });
    assert_eq!(parsed(b"entries found\n"), cpus);
    assert_eq!(parsed(b"entries"), cpus);
}

#[test]
fn a_torn_line_is_an_error_that_names_it() {
    let wanted = Err(Expected { line: 3, what: "as many columns as have a name" });
    for torn in ["", "00000001", "1 2 3"] {
        assert_eq!(parsed(format!("entries found\n1 2\n{torn}\n").as_bytes()), wanted, "{torn}");
    }
    let wanted = Err(Expected { line: 2, what: "hexadecimal columns" });
    assert_eq!(parsed(b"entries found\n1 -2\n"), wanted);
}

#[test]
fn a_recorded_machine_gives_its_table_and_sums() {
    let later = NEW.replace("00000010", "00000018").replace("00000020", "00000021");
    let mut replayed = Replay::open(&SPEC, &(format!("{LIMIT}{SNMP}{}", table(1, NEW)) + &table(2, &later)));
    let shown = |found: u64| {
        format!(
            "host_conntrack_entries 258\nhost_conntrack_entries_limit 262144\n\
             host_conntrack_clash_resolved_total 0\nhost_conntrack_found_total {found}\n\
             host_conntrack_invalid_total 0\nhost_conntrack_chain_too_long_total 0\n\
             host_conntrack_inserted_total 0\nhost_conntrack_insert_failed_total 0\n\
             host_conntrack_drop_total 0\nhost_conntrack_early_drop_total 0\nhost_conntrack_error_total 0\n\
             host_conntrack_search_restart_total 0\n"
        )
    };
    assert_eq!(replayed.shown(), shown(0), "what was counted before is not counted");
    replayed.second_pass();
    assert_eq!(replayed.shown(), shown(9));
}

#[test]
fn a_table_that_is_not_understood_costs_its_scrape_and_no_counts() {
    let machine = format!("{LIMIT}{SNMP}{}{}", table(1, NEW), table(2, "torn\n"));
    let opened_anew = "== 2 file proc/1/net/snmp 13\n== 2 file proc/net/stat/nf_conntrack 2\n\
                       == 2 file proc/sys/net/netfilter/nf_conntrack_count 2\n";
    let mut replayed = Replay::open(&SPEC, &(machine + opened_anew));
    assert!(replayed.collect().0.is_ok());
    replayed.second_pass();
    assert!(matches!(replayed.collect().0, Err(Error::Parse { .. })));
    assert!(matches!(replayed.collect().0, Err(Error::Parse { .. })), "the same file is asked again");
}

#[test]
fn where_pid_1_is_hidden_our_own_namespace_is_asked() {
    let shown = replay(
        &SPEC,
        &format!("{LIMIT}== 1 file proc/1/net/snmp 13\n== 1 file proc/net/stat/nf_conntrack ok text\n{OLD}"),
    );
    assert!(shown.starts_with("host_conntrack_entries 2\n") && !shown.contains("clash"), "{shown}");
}

#[test]
fn a_kernel_without_the_table_tells_the_number_of_entries() {
    let shown = replay(
        &SPEC,
        "== 1 file proc/sys/net/netfilter/nf_conntrack_max ok text\n0\n\
         == 1 file proc/1/net/snmp 2\n== 1 file proc/net/stat/nf_conntrack 2\n\
         == 1 file proc/sys/net/netfilter/nf_conntrack_count ok text\n7\n",
    );
    assert_eq!(shown, "host_conntrack_entries 7\n", "and 0 is no limit");
}

#[test]
fn without_the_module_there_is_nothing_to_open() {
    let machine = "== 1 file proc/1/net/snmp 2\n== 1 file proc/net/stat/nf_conntrack 2\n\
                   == 1 file proc/sys/net/netfilter/nf_conntrack_count 2\n";
    assert_eq!(Replay::refused(&SPEC, machine), ABSENT);
}

#[test]
fn a_module_that_was_removed_is_found_again_when_it_is_back() {
    let machine = format!("{LIMIT}{SNMP}{}", table(1, NEW))
        + "== 2 file proc/1/net/stat/nf_conntrack 5\n\
           == 2 file proc/sys/net/netfilter/nf_conntrack_count 2\n";
    let mut replayed = Replay::open(&SPEC, &machine);
    assert!(replayed.collect().0.is_ok());
    replayed.second_pass();
    assert!(matches!(replayed.collect().0, Err(Error::Io { .. })));
    assert_eq!(replayed.collect().0, Err(ABSENT));
}

#[test]
fn a_wrap_of_one_cpu_is_no_step_back_of_the_sum() {
    let mut cpus = [[None; COUNTERS.len()]; 2];
    let line = |found| {
        let mut line = [None; COUNTERS.len()];
        line[1] = Some(found);
        line
    };
    assert_eq!(extend(&[line(0xffff_ffff), line(5)], &mut cpus)[1], Some(0));
    assert_eq!(extend(&[line(1), line(6)], &mut cpus)[1], Some(3));
}

#[test]
fn hundreds_of_cpus_are_summed() {
    let many = |found: u32| {
        let mut text = String::from("entries found\n");
        for _ in 0..512 {
            writeln!(text, "00000003 {found:08x}").unwrap();
        }
        text
    };
    let machine = format!("{LIMIT}{SNMP}{}{}", table(1, &many(7)), table(2, &many(9)));
    let mut replayed = Replay::open(&SPEC, &machine);
    assert!(replayed.collect().0.is_ok());
    replayed.second_pass();
    let shown = replayed.shown();
    assert!(shown.ends_with("host_conntrack_found_total 1024\n"), "{shown}");
}

proptest! {
    #[test]
    fn any_bytes_are_a_table_or_an_error(bytes: Vec<u8>) {
        let _ = parsed(&bytes);
        let _ = parsed(&[b"entries found\n", &bytes[..]].concat());
    }
}
