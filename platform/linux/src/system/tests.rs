//! Recorded machines of several kernels, with and without what the collector looks for.

use super::*;
use crate::replay::{Replay, replay};
use proptest::prelude::*;

/// A machine of Linux 6.18, with these entries in place of its own.
fn machine(instead: &[(&str, &str)]) -> String {
    let entries = [
        (
            "file proc/stat",
            "ok text\ncpu 1 2 3 4\nintr 353320 38\nctxt 562593\nprocesses 14523\nprocs_running 3\nprocs_blocked 1\nsoftirq 172930 0\n",
        ),
        ("file proc/sys/fs/file-nr", "ok text\n862\t0\t2466190\n"),
        ("file proc/sys/kernel/threads-max", "ok text\n127284\n"),
        ("file proc/sys/kernel/pid_max", "ok text\n4194304\n"),
        ("file proc/sys/kernel/random/entropy_avail", "ok text\n256\n"),
        ("file proc/sys/kernel/random/poolsize", "ok text\n256\n"),
        ("file proc/sys/kernel/hung_task_detect_count", "ok text\n2\n"),
        ("file proc/sys/kernel/tainted", "ok text\n512\n"),
        ("file root/usr/share/update-notifier/notify-reboot-required", "2\n"),
        ("file root/etc/kernel/postinst.d/unattended-upgrades", "2\n"),
        ("regular /run/reboot-required", "2\n"),
    ];
    let said = |(key, said): (&str, &'static str)| match instead.iter().find(|(other, _)| *other == key) {
        Some((_, instead)) => format!("== 1 {key} {instead}"),
        None => format!("== 1 {key} {said}"),
    };
    entries.into_iter().map(said).collect()
}

const UNTAINTED: (&str, &str) = ("file proc/sys/kernel/tainted", "ok text\n0\n");

#[test]
fn a_recorded_machine_gives_all_it_knows() {
    assert_eq!(
        replay(&SPEC, &machine(&[])),
        "host_context_switches_total 562593\nhost_forks_total 14523\nhost_interrupts_total 0\n\
         host_soft_interrupts_total 0\nhost_tasks_running 3\nhost_tasks_blocked 1\n\
         host_file_descriptors_allocated 862\nhost_file_descriptors_limit 2466190\nhost_threads_limit 127284\n\
         host_pids_limit 4194304\nhost_entropy_available_bytes 32\nhost_entropy_pool_bytes 32\n\
         host_kernel_taint{flag=\"warning\"} 1\nhost_hung_tasks_total 2\nhost_kernel_tainted 1\n"
    );
}

#[test]
fn what_a_kernel_does_not_have_is_absent() {
    let shown = replay(
        &SPEC,
        &machine(&[
            UNTAINTED,
            ("file proc/sys/kernel/hung_task_detect_count", "2\n"),
            ("file proc/sys/kernel/random/poolsize", "2\n"),
            ("file proc/sys/fs/file-nr", "ok text\n862\t0\t9223372036854775807\n"),
        ]),
    );
    assert!(shown.ends_with("host_entropy_available_bytes 32\nhost_kernel_tainted 0\n"), "{shown}");
    assert!(!shown.contains("file_descriptors_limit"), "{shown}");
}

#[test]
fn what_we_may_not_read_is_a_failure_of_that_item_alone() {
    let shown = replay(
        &SPEC,
        &machine(&[
            UNTAINTED,
            ("file proc/stat", "5\n"),
            ("file proc/sys/kernel/hung_task_detect_count", "13\n"),
            ("file proc/sys/kernel/pid_max", "ok text\nmany\n"),
        ]),
    );
    assert!(
        shown.ends_with(
            "host_kernel_tainted 0\n\
             item failed: /proc/stat: Input/output error (os error 5)\n\
             item failed: /proc/sys/kernel/pid_max:1: expected a number\n\
             item failed: /proc/sys/kernel/hung_task_detect_count: Permission denied (os error 13)\n"
        ),
        "{shown}"
    );
}

#[test]
fn a_notice_means_that_a_reboot_is_required() {
    let notice = ("regular /run/reboot-required", "ok text\n*** System restart required ***\n");
    assert!(replay(&SPEC, &machine(&[notice])).ends_with("host_reboot_required 1\n"));
}

#[test]
fn no_notice_means_none_is_required_only_where_one_would_be_made() {
    let made = [
        ("file root/usr/share/update-notifier/notify-reboot-required", "ok text\n#!/bin/sh\n"),
        ("file root/etc/kernel/postinst.d/unattended-upgrades", "ok text\n#!/bin/sh\n"),
    ];
    for maker in made {
        assert!(replay(&SPEC, &machine(&[maker])).ends_with("host_reboot_required 0\n"));
    }
    assert!(!replay(&SPEC, &machine(&[])).contains("reboot"));
}

#[test]
fn a_notice_that_cannot_be_looked_for_is_a_failure() {
    let shown = replay(&SPEC, &machine(&[("regular /run/reboot-required", "13\n")]));
    assert!(shown.ends_with("item failed: /run/reboot-required: Permission denied (os error 13)\n"));
}

#[test]
fn a_wrap_of_interrupts_is_no_step_back() {
    let second = "== 2 file proc/stat ok text\nintr 4\nctxt 562600\nsoftirq 3\n";
    let first = ("file proc/stat", "ok text\nintr 4294967295\nctxt 562593\nsoftirq 4294967290\n");
    let mut replayed = Replay::open(&SPEC, &(machine(&[first]) + second));
    assert!(replayed.shown().contains("host_interrupts_total 0\n"), "what was counted before is not counted");
    replayed.second_pass();
    let shown = replayed.shown();
    assert!(shown.contains("host_interrupts_total 5\n"), "{shown}");
    assert!(shown.contains("host_soft_interrupts_total 9\n"), "{shown}");
}

#[test]
fn open_files_stand_first_and_their_limit_third() {
    assert_eq!(parse_file_nr(b"862\t0\t2466190\n"), Some((862, 2_466_190)));
    assert_eq!(parse_file_nr(b"862 0 18446744073709551615"), Some((862, u64::MAX)));
    let long = vec![b'1'; 1 << 20];
    for wrong in [&b""[..], b"\n", b"862", b"862\t0\n", b"862\t-1\t5\n", b"\0\0\0", b"\xff 0 1", &long] {
        assert_eq!(parse_file_nr(wrong), None);
    }
}

#[test]
fn a_single_number_is_all_of_its_file() {
    assert_eq!(parse(b"256\n"), Some(256));
    for wrong in [&b""[..], b"\n", b"256 1\n", b"-1\n", b"\xff\n", b"99999999999999999999\n"] {
        assert_eq!(parse(wrong), None);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_numbers_or_none(bytes: Vec<u8>) {
        let _ = (parse(&bytes), parse_file_nr(&bytes));
    }
}
