//! The collector over recorded machines.

use super::SPEC;
use crate::replay::{Replay, replay};
use schema::Settings;
use schema::setting::Value;

const WHOLE: &str = "== 1 fact whole ok text\n1\n== 1 clock boottime ok text\n60.0\n";

fn process(pid: u32, name: &str, state: char, pages: u64) -> String {
    format!(
        "== 1 file proc/{pid}/stat ok text\n{pid} ({name}) {state} 1 8 8 0 -1 0 9 8 7 6 100 50 0 0 20 0 2 0 3000 4096000 {pages} 184\n"
    )
}

#[test]
fn processes_are_counted_and_the_largest_shown() {
    let machine = [
        WHOLE,
        &process(1, "systemd", 'S', 100),
        &process(2, "kthreadd", 'S', 0),
        &process(9, "kworker/0:0-events_long_name", 'I', 0),
        &process(70, "tmux: server)", 'R', 300),
        &process(71, "gone", 'Z', 0),
    ]
    .concat();
    let counts = "host_processes{state=\"running\"} 1\nhost_processes{state=\"sleeping\"} 2\n\
         host_processes{state=\"disk_sleep\"} 0\nhost_processes{state=\"stopped\"} 0\n\
         host_processes{state=\"tracing_stop\"} 0\nhost_processes{state=\"zombie\"} 1\n\
         host_processes{state=\"idle\"} 1\nhost_processes{state=\"dead\"} 0\nhost_threads 10\n";
    let largest = "host_process_resident_memory_bytes{pid=\"70\",process=\"tmux: server)\"} 1228800\n\
         host_process_cpu_seconds_total{pid=\"70\",process=\"tmux: server)\"} 1.5\n\
         host_process_threads{pid=\"70\",process=\"tmux: server)\"} 2\n\
         host_process_start_time_seconds{pid=\"70\",process=\"tmux: server)\"} 1030\n";
    let mut settings = Settings::default();
    settings.set("collector.process.top", Value::Number(1));
    assert_eq!(Replay::set(&SPEC, &machine, &settings).shown(), format!("{counts}{largest}"));
    settings.set("collector.process.top", Value::Number(0));
    assert_eq!(Replay::set(&SPEC, &machine, &settings).shown(), counts);
}

#[test]
fn a_process_that_ended_since_the_listing_is_left_out() {
    let machine = [
        WHOLE,
        "== 1 list proc/ ok text\n1\n8\n9\nself\nmeminfo\n",
        &process(1, "systemd", 'S', 100),
        "== 1 file proc/8/stat 2\n== 1 file proc/9/stat 3\n",
    ]
    .concat();
    let shown = replay(&SPEC, &machine);
    assert!(shown.contains("host_processes{state=\"sleeping\"} 1\n") && !shown.contains("failed"), "{shown}");
}

#[test]
fn where_processes_are_hidden_nothing_is_said_of_them() {
    let refused = "failed: processes of other users (is /proc mounted with hidepid?): \
                   Permission denied (os error 13)\n";
    let not_listed = [WHOLE, &process(7, "ours", 'S', 1)].concat();
    let not_read = [WHOLE, "== 1 list proc/ ok text\n1\n", "== 1 file proc/1/stat 2\n"].concat();
    let another = [WHOLE, &process(1, "init", 'S', 1), "== 1 file proc/7/stat 1\n"].concat();
    for machine in [not_listed, not_read, another] {
        assert_eq!(replay(&SPEC, &machine), refused);
    }
}

#[test]
fn a_line_that_is_not_understood_costs_its_process() {
    let machine = [WHOLE, &process(1, "init", 'S', 1), &process(7, "new", '?', 1)].concat();
    let shown = replay(&SPEC, &machine);
    assert!(shown.contains("host_threads 2\n"));
    assert!(shown.ends_with("item failed: /7/stat:1: expected a process's state and figures\n"), "{shown}");
}
