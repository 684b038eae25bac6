"""What node_exporter says of the same things, beside gauged: its series in gauged's names and units (facts.py).

Where the two differ by design it says so here: node_exporter's receive drops are those of the host and of the card
together, its frequency is 1 more, its TAI offset is 0 and its speed negative where nobody knows them."""

import re
import subprocess

from exposition import read
from facts import CPUS, MEMINFO, PAGE, SCHEDSTAT, events, word
from wires import CONNTRACK, ICMP, OCTETS, TCP, TCP_EXTENDED, UDP, own_namespace

# What it does not show by default, as far as this release has it.
FLAGS = [
    ("--collector.cpu.info", ""),
    ("--collector.diskstats.device-exclude", "=^$"),
    ("--collector.netstat.fields", "=.*"),
    ("--collector.vmstat.fields", "=.*"),
    ("--collector.stat.softirq", ""),
]
PLAIN = {
    "load1": "load1", "load5": "load5", "load15": "load15", "boot_time_seconds": "boot_time_seconds",
    "time_seconds": "time_seconds", "context_switches_total": "context_switches_total", "forks_total": "forks_total",
    "intr_total": "interrupts_total", "procs_running": "tasks_running", "procs_blocked": "tasks_blocked",
    "filefd_allocated": "file_descriptors_allocated", "filefd_maximum": "file_descriptors_limit",
    "timex_offset_seconds": "clock_offset_seconds",
    "timex_sync_status": "clock_synchronized", "timex_maxerror_seconds": "clock_max_error_seconds",
    "timex_estimated_error_seconds": "clock_estimated_error_seconds",
}  # fmt: skip
DISK = {
    "reads_completed_total": "reads_completed_total", "reads_merged_total": "reads_merged_total",
    "read_bytes_total": "read_bytes_total", "read_time_seconds_total": "read_seconds_total",
    "writes_completed_total": "writes_completed_total", "writes_merged_total": "writes_merged_total",
    "written_bytes_total": "written_bytes_total", "write_time_seconds_total": "write_seconds_total",
    "io_now": "io_in_flight", "io_time_seconds_total": "io_seconds_total",
    "io_time_weighted_seconds_total": "io_weighted_seconds_total",
    "discards_completed_total": "discards_completed_total", "discards_merged_total": "discards_merged_total",
    "discard_time_seconds_total": "discard_seconds_total", "flush_requests_total": "flushes_completed_total",
    "flush_requests_time_seconds_total": "flush_seconds_total",
}  # fmt: skip
NETWORK = {
    "receive_bytes_total": "receive_bytes_total", "receive_packets_total": "receive_packets_total",
    "receive_errs_total": "receive_errors_total", "receive_multicast_total": "receive_multicast_total",
    "receive_nohandler_total": "receive_nohandler_total", "transmit_bytes_total": "transmit_bytes_total",
    "transmit_packets_total": "transmit_packets_total", "transmit_errs_total": "transmit_errors_total",
    "transmit_drop_total": "transmit_dropped_total", "transmit_colls_total": "transmit_collisions_total",
    "receive_drop_total": "receive_dropped_total + host_network_receive_missed_total",
    "mtu_bytes": "mtu_bytes", "carrier": "carrier", "carrier_changes_total": "carrier_changes_total",
}  # fmt: skip
FILESYSTEM = {
    "size_bytes": "size_bytes", "free_bytes": "free_bytes", "avail_bytes": "available_bytes", "files": "files",
    "files_free": "files_free", "readonly": "readonly",
}  # fmt: skip


def flags(program):
    """Those flags that this release has."""
    told = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    known = told.stdout + told.stderr
    return [flag + value for flag, value in FLAGS if re.search(rf"{re.escape(flag)}\b", known.replace("[no-]", ""))]


def node(facts, exporter):
    samples = read(exporter.ask().text)
    source = "node_exporter"

    def same(theirs, ours, scale=1.0, more=0.0, only=None, **labels):
        """Each of its series of a name, whatever labels it has; with labels, the one of ours that has them."""
        for own, value in samples.family(f"node_{theirs}").items():
            own = dict(own)
            if only is None or only(own, value):
                facts.say(source, value * scale + more, f"host_{ours}", **own, **labels)

    for theirs, ours in PLAIN.items():
        same(theirs, ours)
    for line, name in MEMINFO.items():
        if not line.startswith("HugePages_"):
            same(f"memory_{re.sub(r'[()]', '_', line).rstrip('_')}_bytes", f"memory_{name}_bytes")
    same("cpu_seconds_total", "cpu_seconds_total")
    same("cpu_guest_seconds_total", "cpu_guest_seconds_total")
    if any("cpu" in labels for labels in facts.labels("host_cpu_timeslices_total")):
        for name, _ in SCHEDSTAT:
            same(f"schedstat_{name}_total", f"cpu_{name}_total")
    vmstat = {name.removeprefix("node_vmstat_"): value for (name, _), value in samples.items() if name.startswith("node_vmstat_")}
    events(facts, source, vmstat)
    same("cpu_core_throttles_total", "cpu_core_throttles_total")
    same("vmstat_pswpin", "swap_read_bytes_total", PAGE)
    same("vmstat_pswpout", "swap_written_bytes_total", PAGE)
    same("vmstat_pgmajfault", "memory_page_faults_total", severity="major")
    same("entropy_available_bits", "entropy_available_bytes", 1 / 8)
    same("entropy_pool_size_bits", "entropy_pool_bytes", 1 / 8)
    same("timex_frequency_adjustment_ratio", "clock_frequency_adjustment_ratio", more=-1.0)
    same("timex_tai_offset_seconds", "clock_tai_offset_seconds", only=lambda _, value: value != 0)
    for resource in ("cpu", "io", "memory", "irq"):
        same(f"pressure_{resource}_waiting_seconds_total", "pressure_seconds_total", resource=resource, stall="some")
        same(f"pressure_{resource}_stalled_seconds_total", "pressure_seconds_total", resource=resource, stall="full")
    softirqs = samples.family("node_softirqs_total")
    if softirqs:
        facts.say(source, sum(softirqs.values()), "host_soft_interrupts_total")
    for theirs, ours in DISK.items():
        same(f"disk_{theirs}", f"disk_{ours}")
    same("disk_discarded_sectors_total", "disk_discarded_bytes_total", 512)
    # It numbers the lines of CPUs, which is right where none is offline.
    if "0" == (word(f"{CPUS}/online") or "").split("-")[0] and "," not in word(f"{CPUS}/online"):
        for name in ("processed_total", "dropped_total"):
            for labels, value in samples.family(f"node_softnet_{name}").items():
                facts.say_if_shown(source, value, f"host_softnet_{name}", **dict(labels))
    links(facts, samples, source, same)
    if own_namespace():
        protocols(same)
    filesystems(facts, samples, source)
    for shown in facts.labels("host_cpu_info"):
        for labels in map(dict, samples.family("node_cpu_info")):
            if labels["cpu"] == shown["cpu"]:
                theirs = {name: labels[name] for name in ("cpu", "package", "core", "model_name") if labels.get(name)}
                facts.say(source, 1, "host_cpu_info", **{**shown, **theirs})


def links(facts, samples, source, same):
    for theirs, ours in NETWORK.items():
        same(f"network_{theirs}", f"network_{ours}")
    # It gives them in thousands of bits, wrongly where there is no speed.
    same("network_speed_bytes", "network_speed_bytes_per_second", only=lambda _, value: value > 0)
    for labels in map(dict, samples.family("node_network_info")):
        if labels["operstate"] != "unknown":  # it has no word for whether that is set up
            facts.say(source, labels["operstate"] == "up", "host_network_up", device=labels["device"])


def protocols(same):
    for names, theirs, ours in ((TCP, "Tcp", "tcp"), (TCP_EXTENDED, "TcpExt", "tcp")):
        for column, name in names.items():
            same(f"netstat_{theirs}_{column}", f"{ours}_{name}_total")
    same("netstat_Tcp_CurrEstab", "tcp_connections")
    same("netstat_Ip_Forwarding", "ip_forwarding", only=lambda _, value: value == 1, ip="4")
    for ip, suffix in (("4", ""), ("6", "6")):
        for column, name in UDP.items():
            same(f"netstat_Udp{suffix}_{column}", f"udp_{name}_total", ip=ip)
        for column, name in ICMP.items():
            same(f"netstat_Icmp{suffix}_{column}", f"icmp_{name}_total", ip=ip)
        for column, name in OCTETS.items():
            same(f"netstat_Ip{'Ext' if ip == '4' else '6'}_{column}", f"ip_{name}_bytes_total", ip=ip)
        same(f"sockstat_TCP{suffix}_inuse", "tcp_sockets", state="in_use", ip=ip)
        same(f"sockstat_UDP{suffix}_inuse", "udp_sockets", ip=ip)
    same("sockstat_sockets_used", "sockets")
    for state, column in (("orphan", "orphan"), ("time_wait", "tw"), ("allocated", "alloc")):
        same(f"sockstat_TCP_{column}", "tcp_sockets", state=state)
    same("sockstat_TCP_mem_bytes", "tcp_socket_memory_bytes")
    same("sockstat_UDP_mem_bytes", "udp_socket_memory_bytes")
    same("nf_conntrack_entries", "conntrack_entries")
    same("nf_conntrack_entries_limit", "conntrack_entries_limit")
    for column, name in CONNTRACK.items():
        if column not in ("clashres", "chainlength", "icmp_error"):  # which it does not show
            same(f"nf_conntrack_stat_{column}", f"conntrack_{name}_total")


def filesystems(facts, samples, source):
    for names in facts.labels("host_filesystem_size_bytes"):
        # It escapes nothing and knows no pool.
        theirs = {name: names.get(name, "") for name in ("device", "mountpoint", "fstype")}
        for name, own in FILESYSTEM.items():
            value = samples.value(f"node_filesystem_{name}", **theirs)
            if value is not None and not (name.startswith("files") and value == 0):
                facts.say(source, value, f"host_filesystem_{own}", **names)

