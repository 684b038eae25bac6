//! The collector over recorded processes.

use super::*;
use crate::replay::{Replay, entry, replay, word_entry};
use schema::setting::Value;

/// Entries that every scrape needs: the clock's unit of Apple Silicon, and these pids.
fn machine(pids: &[u32]) -> String {
    [word_entry("mach_timebase_info", "", &[125, 3]), word_entry("proc_pids", "", pids)].concat()
}

/// A process that may be asked: a footprint of so many bytes, 7 threads of which so many run, 1 s of user time.
fn process(pid: u32, name: &str, status: u32, running: u32, footprint: u64) -> String {
    let mut task = vec![0; 232];
    task[4..8].copy_from_slice(&status.to_le_bytes());
    task[64..64 + name.len()].copy_from_slice(name.as_bytes());
    task[120..128].copy_from_slice(&1_795_217_105_u64.to_le_bytes());
    task[144..152].copy_from_slice(&(footprint / 2).to_le_bytes());
    task[220] = 7;
    task[224..228].copy_from_slice(&running.to_le_bytes());
    let mut usage = vec![0; 96];
    usage[16..24].copy_from_slice(&24_000_000_u64.to_le_bytes());
    usage[72..80].copy_from_slice(&footprint.to_le_bytes());
    let pid = pid.to_string();
    [entry("proc_taskallinfo", &pid, &task), entry("proc_rusage", &pid, &usage)].concat()
}

/// A process of which only this may be known.
fn short(pid: u32, errno: i32, status: u32) -> String {
    let short = word_entry("proc_shortbsdinfo", &pid.to_string(), &[pid, 1, pid, status]);
    format!("== 1 proc_taskallinfo {pid} {errno}\n{short}")
}

#[test]
fn processes_are_counted_and_those_with_the_largest_footprint_shown() {
    let machine = [
        machine(&[400, 9, 8, 7, 1]),
        process(1, "launchd", 2, 0, 1 << 20),
        process(7, "llama-server", 2, 4, 48 << 30),
        process(8, "stopped", 4, 0, 4096),
        short(9, 3, 5),
        "== 1 proc_taskallinfo 400 3\n== 1 proc_shortbsdinfo 400 3\n".to_owned(),
    ]
    .concat();
    let mut settings = Settings::default();
    settings.set(TOP.key, Value::Number(1));
    assert_eq!(
        Replay::set(&SPEC, &machine, &settings).shown(),
        "\
host_processes{state=\"running\"} 1
host_processes{state=\"sleeping\"} 1
host_processes{state=\"stopped\"} 1
host_processes{state=\"zombie\"} 1
host_threads 21
host_process_resident_memory_bytes{pid=\"7\",process=\"llama-server\"} 25769803776
host_process_cpu_seconds_total{pid=\"7\",process=\"llama-server\"} 1
host_process_threads{pid=\"7\",process=\"llama-server\"} 7
host_process_start_time_seconds{pid=\"7\",process=\"llama-server\"} 1795217105
host_process_footprint_bytes{pid=\"7\",process=\"llama-server\"} 51539607552
"
    );
}

#[test]
fn without_privileges_our_own_processes_are_shown_and_nothing_is_said_of_all() {
    let machine = [machine(&[7, 1]), process(7, "ollama", 2, 1, 4096), short(1, 1, 2)].concat();
    let shown = replay(&SPEC, &machine);
    assert!(shown.starts_with("host_process_resident_memory_bytes{pid=\"7\",process=\"ollama\"} 2048\n"));
    assert!(!shown.contains("host_processes") && !shown.contains("host_threads"), "{shown}");
    assert!(shown.ends_with(
        "item failed: processes of other users (root may ask for them): Operation not permitted (os error 1)\n"
    ));
}

#[test]
fn a_process_that_is_not_understood_is_a_failure_of_that_one() {
    let machine = [
        machine(&[7, 8, 9]),
        process(7, "a", 2, 1, 4096),
        entry("proc_taskallinfo", "8", &[0; 227]),
        entry("proc_taskallinfo", "9", &[0; 232]),
        "== 1 proc_rusage 9 14\n".to_owned(),
    ]
    .concat();
    let shown = replay(&SPEC, &machine);
    assert!(shown.contains("host_processes{state=\"running\"} 1\n"));
    assert!(shown.contains(
        "item failed: proc_taskallinfo 8: expected a process's name, start, memory and threads\n\
         item failed: proc_rusage 9: Bad address (os error 14)\n"
    ));
}

#[test]
fn a_list_that_is_empty_or_torn_is_an_error() {
    for list in [&[][..], &[1], &[1, 0, 0, 0, 2]] {
        let machine = [word_entry("mach_timebase_info", "", &[1, 1]), entry("proc_pids", "", list)].concat();
        assert_eq!(replay(&SPEC, &machine), "failed: proc_pids: expected a pid for each process\n");
    }
}
