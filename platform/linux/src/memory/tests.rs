//! The collector over recorded machines.

use super::*;
use crate::replay::{Replay, replay};
use crate::stuck::Machine;
use std::time::Duration;

const VMSTAT: &str = "== 1 file proc/vmstat ok text\nnr_free_pages 5\npswpin 3\npswpout 4\npgfault 100\npgmajfault 7\noom_kill 2\n";
const NO_BLOCK: &str = "== 1 list sys/block 2\n";

/// A virtual machine of Linux 6.18, as it is.
const MEMINFO: &str = "\
MemTotal:       24684100 kB
MemFree:        21798992 kB
MemAvailable:   24202764 kB
Buffers:           20768 kB
Cached:          2495360 kB
SwapCached:            0 kB
Active:          1180188 kB
Inactive:        1352800 kB
Active(anon):       1568 kB
Inactive(anon):    24148 kB
Active(file):    1178620 kB
Inactive(file):  1328652 kB
Unevictable:       20936 kB
Mlocked:           20076 kB
SwapTotal:          4096 kB
SwapFree:           1024 kB
Zswap:                10 kB
Zswapped:             30 kB
Dirty:               712 kB
Writeback:             0 kB
AnonPages:         38068 kB
Mapped:            19840 kB
Shmem:              8724 kB
KReclaimable:     215564 kB
Slab:             254160 kB
SReclaimable:     215564 kB
SUnreclaim:        38596 kB
KernelStack:        1584 kB
PageTables:         2180 kB
SecPageTables:         0 kB
NFS_Unstable:          0 kB
Bounce:                0 kB
WritebackTmp:          0 kB
CommitLimit:    12342048 kB
Committed_AS:      91472 kB
VmallocTotal:   34359738367 kB
VmallocUsed:       14364 kB
VmallocChunk:          0 kB
Percpu:              688 kB
AnonHugePages:         0 kB
ShmemHugePages:        0 kB
ShmemPmdMapped:        0 kB
FileHugePages:      2048 kB
FilePmdMapped:         0 kB
Balloon:               0 kB
HugePages_Total:       4
HugePages_Free:        3
HugePages_Rsvd:        0
HugePages_Surp:        0
Hugepagesize:       2048 kB
Hugetlb:            8192 kB
DirectMap4k:       26624 kB
DirectMap2M:     2070528 kB
DirectMap1G:    25165824 kB
";

fn sample(shown: &str, name: &str) -> Option<f64> {
    let line = shown.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|number| number.parse().unwrap())
}

fn kib(n: u64) -> Option<f64> {
    Some((n * 1024) as f64)
}

#[test]
fn a_recorded_machine_gives_the_shared_row_and_every_line() {
    let machine = format!("{VMSTAT}{NO_BLOCK}== 1 file proc/meminfo ok text\n{MEMINFO}");
    let shown = replay(&SPEC, &machine);
    let is = |name| sample(&shown, name);
    assert_eq!(is("host_memory_total_bytes"), kib(24_684_100));
    assert_eq!(is("host_memory_available_bytes"), kib(24_202_764));
    assert_eq!(is("host_memory_free_bytes"), kib(21_798_992));
    assert_eq!(is("host_memory_cached_bytes"), kib(2_495_360 + 20_768 + 215_564 - 8_724));
    assert_eq!(is("host_memory_anonymous_bytes"), kib(38_068 + 8_724));
    assert_eq!(is("host_memory_compressed_bytes"), kib(10));
    assert_eq!(is("host_memory_compressed_original_bytes"), kib(30));
    assert_eq!(is("host_swap_total_bytes"), kib(4096));
    assert_eq!(is("host_swap_used_bytes"), kib(3072));
    assert_eq!(is("host_swap_read_bytes_total"), Some(3.0 * 4096.0));
    assert_eq!(is("host_swap_written_bytes_total"), Some(4.0 * 4096.0));
    assert_eq!(is("host_memory_page_faults_total{severity=\"minor\"}"), Some(93.0));
    assert_eq!(is("host_memory_page_faults_total{severity=\"major\"}"), Some(7.0));
    assert_eq!(is("host_memory_oom_kills_total"), Some(2.0));
    assert_eq!(is("host_memory_huge_pages_size_bytes"), kib(4 * 2048));
    assert_eq!(is("host_memory_huge_pages_free_bytes"), kib(3 * 2048));
    assert_eq!(is("host_memory_page_cache_bytes"), kib(2_495_360));
    // Each line but MemTotal, MemFree, MemAvailable and SwapTotal is its own; nine are shared, five are counters.
    assert_eq!(shown.lines().count(), MEMINFO.lines().count() - 4 + 9 + 5);
    assert!(!shown.contains("failed") && !shown.contains("not recorded"), "{shown}");
}

#[test]
fn what_it_costs_to_take_memory_back_is_told_by_who_does_it() {
    let vmstat = "== 1 file proc/vmstat ok text\npgpgin 3\npgpgout 4\nallocstall_normal 5\nallocstall_movable 6\n\
        pgsteal_kswapd 7\npgscan_kswapd 8\npgscan_direct 9\npgscan_direct_throttle 1\ncompact_stall 10\n\
        workingset_refault_anon 11\nworkingset_refault_file 12\nthp_fault_fallback 13\ndrop_pagecache 14\n";
    let shown = replay(&SPEC, &format!("{vmstat}{NO_BLOCK}{SMALL}"));
    let counters: Vec<_> = shown.lines().filter(|line| line.contains("_total")).collect();
    assert_eq!(
        counters.iter().filter(|line| !line.contains("host_memory_total_bytes")).collect::<Vec<_>>(),
        [
            &"host_memory_paged_in_bytes_total 3072",
            &"host_memory_paged_out_bytes_total 4096",
            &"host_memory_reclaim_scanned_pages_total{by=\"kswapd\"} 8",
            &"host_memory_reclaim_scanned_pages_total{by=\"direct\"} 9",
            &"host_memory_reclaim_stolen_pages_total{by=\"kswapd\"} 7",
            &"host_memory_allocation_stalls_total 11",
            &"host_memory_refaults_total{kind=\"file\"} 12",
            &"host_memory_refaults_total{kind=\"anon\"} 11",
            &"host_memory_compaction_stalls_total 10",
            &"host_memory_huge_page_fault_fallbacks_total 13",
            &"host_memory_drop_caches_total{kind=\"page_cache\"} 14",
        ]
    );
}

#[test]
fn what_an_old_kernel_does_not_tell_is_absent() {
    let old = "== 1 file proc/meminfo ok text\nMemTotal: 8 kB\nMemFree: 4 kB\nBuffers: 1 kB\nCached: 1 kB\n\
        SwapTotal: 2 kB\nShmem: 1 kB\n";
    let shown = replay(&SPEC, &format!("{VMSTAT}{NO_BLOCK}{old}"));
    for name in ["available", "cached", "anonymous", "compressed", "compressed_original"] {
        assert_eq!(sample(&shown, &format!("host_memory_{name}_bytes")), None, "{name}");
    }
    assert_eq!(sample(&shown, "host_swap_used_bytes"), None);
    assert_eq!(sample(&shown, "host_memory_free_bytes"), kib(4));
}

const SMALL: &str = "== 1 file proc/meminfo ok text\nMemTotal: 8 kB\nZswap: 1 kB\nZswapped: 3 kB\n";

#[test]
fn zswap_and_all_of_zram_are_one_sum() {
    let zram = "\
== 1 list sys/block ok text
sda
zram0
zram12
zramx
== 1 file sys/block/zram0/disksize ok text
0
== 1 file sys/block/zram12/disksize ok text
4096
== 1 file sys/block/zram0/mm_stat ok text
 1000 400 500 0 500 0 0 0 0
== 1 file sys/block/zram12/mm_stat ok text
 100 40 50 0
";
    let shown = replay(&SPEC, &format!("{VMSTAT}{SMALL}{zram}"));
    assert_eq!(sample(&shown, "host_memory_compressed_bytes"), Some(1024.0 + 550.0));
    assert_eq!(sample(&shown, "host_memory_compressed_original_bytes"), Some(3072.0 + 1100.0));
    let without_zswap = "== 1 file proc/meminfo ok text\nMemTotal: 8 kB\n";
    let shown = replay(&SPEC, &format!("{VMSTAT}{without_zswap}{zram}"));
    assert_eq!(sample(&shown, "host_memory_compressed_bytes"), Some(550.0));
}

#[test]
fn a_zram_disk_that_cannot_be_read_leaves_no_sum_that_is_too_small() {
    let zram = "== 1 list sys/block ok text\nzram0\n== 1 file sys/block/zram0/disksize ok text\n4096\n\
                == 1 file sys/block/zram0/mm_stat 13\n";
    let shown = replay(&SPEC, &format!("{VMSTAT}{SMALL}{zram}"));
    assert_eq!(sample(&shown, "host_memory_compressed_bytes"), None);
    assert_eq!(sample(&shown, "host_memory_zswap_bytes"), kib(1));
    assert!(shown.contains("item failed: /sys/block/zram0/mm_stat: Permission denied"), "{shown}");
}

#[test]
fn a_zram_disk_that_is_gone_takes_nothing() {
    let machine = "\
== 1 list sys/block ok text
zram0
== 1 file sys/block/zram0/disksize ok text
4096
== 1 file sys/block/zram0/mm_stat ok text
 1000 400 500 0
== 2 file sys/block/zram0/disksize 19
== 2 list sys/block ok text
sda
== 2 file sys/block/zram0/mm_stat 19
";
    let mut machine = Replay::open(&SPEC, &format!("{VMSTAT}{SMALL}{machine}"));
    assert_eq!(sample(&machine.shown(), "host_memory_compressed_bytes"), Some(1524.0));
    machine.second_pass();
    let shown = machine.shown();
    assert_eq!(sample(&shown, "host_memory_compressed_bytes"), Some(1024.0));
    assert!(!shown.contains("failed"), "{shown}");
}

#[test]
fn a_zram_disk_that_was_not_set_up_takes_nothing_and_is_not_asked() {
    let machine = "\
== 1 list sys/block ok text
zram0
== 1 file sys/block/zram0/disksize ok text
0
== 1 file proc/meminfo ok text
MemTotal: 8 kB
";
    let shown = replay(&SPEC, &format!("{VMSTAT}{machine}"));
    assert_eq!(sample(&shown, "host_memory_compressed_bytes"), Some(0.0));
    assert!(!shown.contains("failed"), "{shown}");
}

#[test]
fn a_zram_disk_that_hangs_costs_what_it_takes_and_a_moment_once() {
    let files = [
        ("proc/meminfo", "MemTotal: 8 kB\nZswap: 1 kB\nZswapped: 3 kB\n"),
        ("proc/vmstat", "pswpin 3\npswpout 4\n"),
        ("sys/block/zram0/disksize", "4096\n"),
        ("sys/block/zram0/mm_stat", "1000 400 500 0"),
    ];
    let machine = Machine::new("zram-hang", &files);
    let mut collector = open(&machine.doors, &Settings::default()).unwrap();
    let mut collect = || {
        let mut out = Batch::default();
        collector.collect(&Machine::scrape(), &mut out).unwrap();
        assert!(out.rows().any(|row| row.family() == family::TOTAL.id()));
        assert!(!out.rows().any(|row| row.family() == family::COMPRESSED.id()));
        let [failure] = out.failures() else { panic!("one failure: {:?}", out.failures()) };
        failure.to_string()
    };
    for scrape in 0..100 {
        let before = Machine::now();
        let failure = collect();
        assert!(failure.ends_with("/sys/block/zram*/mm_stat: no answer before the deadline"), "{failure}");
        assert!(Machine::now() - before < Duration::from_secs(1));
        assert!(
            scrape == 0 || Machine::now() - before < Duration::from_millis(45),
            "it is not waited for again"
        );
    }
}

#[test]
fn only_the_first_collection_waits_long_for_a_disk_of_zram() {
    let files = [
        ("proc/meminfo", "MemTotal: 8 kB\nZswap: 1 kB\nZswapped: 3 kB\n"),
        ("proc/vmstat", "pswpin 3\npswpout 4\n"),
    ];
    let machine = Machine::new("zram-later", &files);
    let mut collector = open(&machine.doors, &Settings::default()).unwrap();
    let mut collect = |later: Duration| {
        let (mut out, before, mut scrape) = (Batch::default(), Machine::now(), Machine::scrape());
        scrape.now += later;
        collector.collect(&scrape, &mut out).unwrap();
        (out.failures().len(), Machine::now() - before)
    };
    assert_eq!(collect(Duration::ZERO).0, 0);
    machine.write("sys/block/zram0/mm_stat", "1000 400 500 0");
    let (failures, took) = collect(Duration::from_secs(61));
    assert_eq!(failures, 1, "it hangs");
    assert!(took < Duration::from_millis(45), "{took:?}");
}

#[test]
fn disks_of_zram_that_come_are_found_within_a_minute_and_that_go_are_no_failure() {
    let machine = "\
== 1 list sys/block ok text
sda
== 2 list sys/block ok text
zram0
== 2 file sys/block/zram0/mm_stat ok text
 1000 400 500 0
";
    let mut machine = Replay::open(&SPEC, &format!("{VMSTAT}{SMALL}{machine}"));
    assert_eq!(sample(&machine.shown(), "host_memory_compressed_bytes"), kib(1));
    machine.second_pass();
    assert_eq!(sample(&machine.shown(), "host_memory_compressed_bytes"), Some(1524.0));
}

#[test]
fn each_file_fails_alone() {
    let shown = replay(&SPEC, &format!("== 1 file proc/vmstat ok text\n?\n{NO_BLOCK}{SMALL}"));
    assert_eq!(sample(&shown, "host_memory_total_bytes"), kib(8));
    assert!(shown.contains("item failed: /proc/vmstat: expected lines of name and count\n"), "{shown}");
    let shown = replay(&SPEC, &format!("{VMSTAT}{NO_BLOCK}== 1 file proc/meminfo ok text\nMemTotal: x kB\n"));
    assert_eq!(sample(&shown, "host_memory_oom_kills_total"), Some(2.0));
    assert!(shown.ends_with("\nfailed: /proc/meminfo:1: expected a number of kB\n"), "{shown}");
}

#[test]
fn every_sample_is_of_a_family_that_the_collector_names() {
    let machine = format!("{VMSTAT}{NO_BLOCK}== 1 file proc/meminfo ok text\n{MEMINFO}");
    let (_, out) = Replay::open(&SPEC, &machine).collect();
    assert!(out.rows().all(|row| SPEC.families.contains(&row.family())));
    let mut ids = SPEC.families.to_vec();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), SPEC.families.len(), "none is named twice");
}
