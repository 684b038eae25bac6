//! Whole pages, as a person reads them.

use super::{DIALECT, UNIFIED, files, host, openmetrics, text};
use expect_test::expect;

#[test]
fn text_reads_like_this() {
    expect![[r##"
        # HELP host_info What this host is: the system, its version and kernel, the machine. Always 1.
        # TYPE host_info gauge
        host_info{os="linux",kernel="6.1",hostname="a\"b\\c\nd",model="é"} 1
        # HELP host_cpu_seconds_total Seconds that each CPU has spent in each mode. Time of guests is part of user and nice. A step back of less than 3 s, which kernels make in idle and iowait, is held.
        # TYPE host_cpu_seconds_total counter
        host_cpu_seconds_total{cpu="0",mode="idle"} 6.38
        host_cpu_seconds_total{mode="user"} 1000000.0
        # HELP host_cpus How many CPUs are online.
        # TYPE host_cpus gauge
        host_cpus 2
        # HELP host_load1 Load average over one minute: tasks running, waiting for a CPU and, on Linux, in uninterruptible sleep.
        # TYPE host_load1 gauge
        host_load1 0.25
        # HELP host_load5 Load average over five minutes.
        # TYPE host_load5 gauge
        host_load5 3.0
        # HELP host_memory_oom_kills_total How often the kernel killed a process because memory ran out.
        # TYPE host_memory_oom_kills_total counter
        host_memory_oom_kills_total 18446744073709551615
        # HELP host_filesystem_size_bytes Size of the filesystem. Mounts of one pool share their room: aggregate with max without (device,mountpoint,fstype).
        # TYPE host_filesystem_size_bytes gauge
        host_filesystem_size_bytes{device="/dev/a",mountpoint="/",fstype="ext4",pool="/dev/a"} 1024
        host_filesystem_size_bytes{device="/dev/b",mountpoint="/b",fstype="xfs",pool="/dev/b"} 4096
        # HELP host_filesystem_free_bytes Free room, including what is reserved for root.
        # TYPE host_filesystem_free_bytes gauge
        host_filesystem_free_bytes{device="/dev/a",mountpoint="/",fstype="ext4",pool="/dev/a"} 512
        host_filesystem_free_bytes{device="tmp",mountpoint="/tmp",pool="/tmp"} 100
        # HELP gauged_scrapes_total How many requests were answered from a snapshot: scrapes, views of the status page, and the one at the start.
        # TYPE gauged_scrapes_total counter
        gauged_scrapes_total 7
    "##]].assert_eq(&text(&host(), UNIFIED));
}

#[test]
fn openmetrics_reads_like_this() {
    expect![[r##"
        # HELP host What this host is: the system, its version and kernel, the machine. Always 1.
        # TYPE host info
        host_info{os="linux",kernel="6.1",hostname="a\"b\\c\nd",model="é"} 1
        # HELP host_cpu_seconds Seconds that each CPU has spent in each mode. Time of guests is part of user and nice. A step back of less than 3 s, which kernels make in idle and iowait, is held.
        # TYPE host_cpu_seconds counter
        # UNIT host_cpu_seconds seconds
        host_cpu_seconds_total{cpu="0",mode="idle"} 6.38
        host_cpu_seconds_total{mode="user"} 1000000.0
        # HELP host_cpus How many CPUs are online.
        # TYPE host_cpus gauge
        host_cpus 2
        # HELP host_load1 Load average over one minute: tasks running, waiting for a CPU and, on Linux, in uninterruptible sleep.
        # TYPE host_load1 gauge
        host_load1 0.25
        # HELP host_load5 Load average over five minutes.
        # TYPE host_load5 gauge
        host_load5 3.0
        # HELP host_memory_oom_kills How often the kernel killed a process because memory ran out.
        # TYPE host_memory_oom_kills counter
        host_memory_oom_kills_total 18446744073709551615
        # HELP host_filesystem_size_bytes Size of the filesystem. Mounts of one pool share their room: aggregate with max without (device,mountpoint,fstype).
        # TYPE host_filesystem_size_bytes gauge
        # UNIT host_filesystem_size_bytes bytes
        host_filesystem_size_bytes{device="/dev/a",mountpoint="/",fstype="ext4",pool="/dev/a"} 1024
        host_filesystem_size_bytes{device="/dev/b",mountpoint="/b",fstype="xfs",pool="/dev/b"} 4096
        # HELP host_filesystem_free_bytes Free room, including what is reserved for root.
        # TYPE host_filesystem_free_bytes gauge
        # UNIT host_filesystem_free_bytes bytes
        host_filesystem_free_bytes{device="/dev/a",mountpoint="/",fstype="ext4",pool="/dev/a"} 512
        host_filesystem_free_bytes{device="tmp",mountpoint="/tmp",pool="/tmp"} 100
        # HELP gauged_scrapes How many requests were answered from a snapshot: scrapes, views of the status page, and the one at the start.
        # TYPE gauged_scrapes counter
        gauged_scrapes_total 7
        # EOF
    "##]].assert_eq(&openmetrics(&host(), UNIFIED));
}

#[test]
fn a_dialect_renames_selects_and_scales() {
    expect![[r##"
        # HELP other_cpu_seconds_total Seconds that each CPU has spent in each mode. Time of guests is part of user and nice. A step back of less than 3 s, which kernels make in idle and iowait, is held.
        # TYPE other_cpu_seconds_total counter
        other_cpu_seconds_total{state="idle",core="0"} 6.38
        other_cpu_seconds_total{state="user"} 1000000.0
        # HELP other_idle Seconds that each CPU has spent in each mode. Time of guests is part of user and nice. A step back of less than 3 s, which kernels make in idle and iowait, is held.
        # TYPE other_idle counter
        other_idle{core="0"} 6380.0
        # HELP other_cpus How many CPUs are online.
        # TYPE other_cpus untyped
        other_cpus 2
        # HELP other_load Load average over one minute: tasks running, waiting for a CPU and, on Linux, in uninterruptible sleep.
        # TYPE other_load gauge
        other_load 0.25
        # HELP other_load_info Load average over five minutes.
        # TYPE other_load_info gauge
        other_load_info 1
        # HELP other_kib Size of the filesystem. Mounts of one pool share their room: aggregate with max without (device,mountpoint,fstype).
        # TYPE other_kib gauge
        other_kib{at="/"} 64.0
        other_kib{at="/tmp",of="/tmp"} 6.25
        # HELP gauged_scrapes_total How many requests were answered from a snapshot: scrapes, views of the status page, and the one at the start.
        # TYPE gauged_scrapes_total counter
        gauged_scrapes_total 7
    "##]].assert_eq(&text(&host(), DIALECT));
}

#[test]
fn a_dialect_in_openmetrics_has_the_types_that_its_names_allow() {
    expect![[r##"
        # HELP other_cpu_seconds Seconds that each CPU has spent in each mode. Time of guests is part of user and nice. A step back of less than 3 s, which kernels make in idle and iowait, is held.
        # TYPE other_cpu_seconds counter
        other_cpu_seconds_total{state="idle",core="0"} 6.38
        other_cpu_seconds_total{state="user"} 1000000.0
        # HELP other_idle Seconds that each CPU has spent in each mode. Time of guests is part of user and nice. A step back of less than 3 s, which kernels make in idle and iowait, is held.
        # TYPE other_idle unknown
        other_idle{core="0"} 6380.0
        # HELP other_cpus How many CPUs are online.
        # TYPE other_cpus unknown
        other_cpus 2
        # HELP other_load Load average over one minute: tasks running, waiting for a CPU and, on Linux, in uninterruptible sleep.
        # TYPE other_load gauge
        other_load 0.25
        # HELP other_load_info Load average over five minutes.
        # TYPE other_load_info gauge
        other_load_info 1
        # HELP other_kib Size of the filesystem. Mounts of one pool share their room: aggregate with max without (device,mountpoint,fstype).
        # TYPE other_kib gauge
        other_kib{at="/"} 64.0
        other_kib{at="/tmp",of="/tmp"} 6.25
        # HELP gauged_scrapes How many requests were answered from a snapshot: scrapes, views of the status page, and the one at the start.
        # TYPE gauged_scrapes counter
        gauged_scrapes_total 7
        # EOF
    "##]].assert_eq(&openmetrics(&host(), DIALECT));
}

#[test]
fn textfiles_are_passed_on_as_text() {
    expect![[r##"
        # HELP host_load1 Load average over one minute: tasks running, waiting for a CPU and, on Linux, in uninterruptible sleep.
        # TYPE host_load1 gauge
        host_load1 0.25
        # HELP age_seconds Say "when",\nor \\.
        # TYPE age_seconds gauge
        age_seconds{l="a\"\\\n"} 3.5
        age_seconds{l="two"} -Inf
        # TYPE any untyped
        any +Inf
        # HELP host_load1_total A gauge's family.
        # TYPE host_load1_total counter
        host_load1_total 1.0
        # TYPE odd_total counter
        odd_total NaN
        # HELP other_load A dialect's name.
        # TYPE other_load gauge
        other_load{l="mine"} 1.0
        # HELP quick Quick.
        # TYPE quick summary
        quick{l="0.5"} 1.0
        quick_sum 5.0
        # HELP runs Runs too.
        # TYPE runs counter
        runs 2.0
        # HELP runs_total Runs.
        # TYPE runs_total counter
        runs_total 2.0
        # HELP steps_total Steps.
        # TYPE steps_total counter
        steps_total 1000000000000000000.0
        # HELP took Took.
        # TYPE took histogram
        took_bucket{l="1"} 1.0
        took_sum{l="1"} 0.5
        took_count{l="1"} 1.0
        took_bucket{l="2"} 2.0
    "##]].assert_eq(&text(&files(), UNIFIED));
}

#[test]
fn textfiles_in_openmetrics_have_the_types_that_are_safe() {
    expect![[r##"
        # HELP host_load1 Load average over one minute: tasks running, waiting for a CPU and, on Linux, in uninterruptible sleep.
        # TYPE host_load1 gauge
        host_load1 0.25
        # HELP age_seconds Say \"when\",\nor \\.
        # TYPE age_seconds gauge
        age_seconds{l="a\"\\\n"} 3.5
        age_seconds{l="two"} -Inf
        # TYPE any unknown
        any +Inf
        # HELP host_load1_total A gauge's family.
        # TYPE host_load1_total unknown
        host_load1_total 1.0
        # TYPE odd_total unknown
        odd_total NaN
        # HELP other_load A dialect's name.
        # TYPE other_load gauge
        other_load{l="mine"} 1.0
        # HELP quick Quick.
        # TYPE quick unknown
        quick{l="0.5"} 1.0
        # HELP quick_sum Quick.
        # TYPE quick_sum unknown
        quick_sum 5.0
        # HELP runs Runs too.
        # TYPE runs unknown
        runs 2.0
        # HELP runs_total Runs.
        # TYPE runs_total unknown
        runs_total 2.0
        # HELP steps Steps.
        # TYPE steps counter
        steps_total 1000000000000000000.0
        # HELP took_bucket Took.
        # TYPE took_bucket unknown
        took_bucket{l="1"} 1.0
        took_bucket{l="2"} 2.0
        # HELP took_sum Took.
        # TYPE took_sum unknown
        took_sum{l="1"} 0.5
        # HELP took_count Took.
        # TYPE took_count unknown
        took_count{l="1"} 1.0
        # EOF
    "##]].assert_eq(&openmetrics(&files(), UNIFIED));
}
