#!/usr/bin/env python3
"""truth.py GAUGED: is every value of a scrape true?

Each round reads the kernel's files and node_exporter, scrapes gauged, and reads them again. A counter must lie
between the two readings in every round, less what was counted before gauged's first scrape where it says that it
begins there; a gauge must be near them in every round, give or take what can move and come
back within a scrape, and exactly between them in at least one. Prints a table: family, series, gauged, the other, verdict.

What the others say stands in facts.py, wires.py and exporter.py. A family that nobody compares fails the check,
unless a reason is given here."""

import os
import platform
import re
import shutil
import sys
import time

from daemon import Daemon, Report, gauged, skip
from exporter import flags, node
from exposition import Samples, read
from facts import DISKSTATS, TICK, Facts, host, mounts, text, word
from wires import network

NAME = "truth"
# So many rounds at least; and at most, for gauges that moved and came back in each of them.
ROUNDS, MOST_ROUNDS = 5, 25
# Everything that there is, whatever the defaults leave out; those are looked at by themselves.
ALL = ["--collector.disk.device-include=.+", "--collector.network.kind-exclude=", "--collector.process"]
# What a gauge may move by and come back, between readings that agree: one part in 20 and 48 MiB.
SHARE, MEMORY = 0.05, 48 << 20
# What moves by being asked, and by how much in an answer's time.
RESTLESS = {
    "host_tasks_running": 64, "host_tasks_blocked": 64, "host_sockets": 32, "host_tcp_sockets": 64,
    "host_udp_sockets": 32, "host_tcp_connections": 32, "host_conntrack_entries": 64, "host_disk_io_in_flight": 1024,
    "host_softnet_backlog": 1024, "host_file_descriptors_allocated": 1024, "host_clock_offset_seconds": 1e-3,
    "host_clock_max_error_seconds": 1e-3, "host_clock_frequency_adjustment_ratio": 1e-6,
}  # fmt: skip
# Counters that begin at 0 when gauged starts, because the kernel keeps parts of them in 32 bits; softnet's where they
# are sums.
SINCE_START = re.compile(r"host_(soft_)?interrupts_total|host_(conntrack|softnet)_\w+_total")
# Families that no series of is compared in the rounds, and why.
REASONS = {
    r"host_info": "compared below",
    r"host_processes|host_threads|host_process_.+": "compared below, at rest",
    r"host_filesystem_error": "it stands for what could not be read",
    r"host_cpu_frequency_hertz": "it moves between any two readings; its parser is held to captures",
    r"host_network_receive_otherhost_dropped_total": "neither sysfs nor this ip tells it",
    r"host_disk_mapper_info": "only the device mapper has it; held to captures",
    r"host_(temperature|fan|voltage|current|power|sensor|energy|battery|thermal|humidity)_.+": "hardware that VMs lack; held to captures",
    r"host_(edac|md|nvme|infiniband)_.+": "hardware that VMs lack; held to captures",
    r"host_textfile_.+": "of textfiles, of which none are given here; prometheus.py and the tests have them",
}


def gather(exporter, shown):
    facts = Facts(shown)
    unknown = host(facts)
    network(facts)
    if exporter:
        node(facts, exporter)
    return facts, unknown


def value(samples, series):
    """The value of a series, or of the sum that its name is; None where a part is absent."""
    names, labels = series
    parts = [samples.get((name, labels)) for name in names.split(" + ")]
    return None if None in parts else sum(parts)


def near(name, value, before, after):
    """0 for a value that lies between the readings; 1 for one that moved and came back; 2 for one that is wrong."""
    low, high = min(before, after), max(before, after)
    # Floats differ in their last digits.
    slack = 1e-12 * abs(high) + 1e-9
    if name == "host_cpu_seconds_total":
        slack = TICK  # the kernel rounds each mode down by itself
    if name == "host_boot_time_seconds":
        slack = 1.0  # whole seconds, from a clock that is being disciplined
    if name.startswith("host_disk_") and name.endswith("_seconds_total"):
        slack = 1.5e-3  # the kernel adds up CPUs that count meanwhile, then rounds
    if low - slack <= value <= high + slack:
        return 0
    if name.endswith("_total") or name in ("host_cpus", "host_time_seconds", "host_uptime_seconds"):
        return 2
    if name in RESTLESS:
        room = RESTLESS[name]
        return 1 if low - room <= value <= high + room else 2
    room = SHARE * high + (MEMORY if name.endswith("_bytes") else 0)
    still = ("_total_bytes", "size_bytes", "_limit", "_limit_bytes", "_mtu_bytes", "_pool_bytes", "_info")
    if name.endswith(still) or name.startswith("host_load"):
        return 2
    return 1 if low - room <= value <= high + room else 2


def since_start(series):
    name, labels = series
    return bool(SINCE_START.fullmatch(name)) and not any(label == "cpu" for label, _ in labels)


def compare(report, binary, exporter):
    worst, best, example, rounds = {}, {}, {}, 0
    # What was counted when gauged read it first lies between these two.
    earlier, _ = gather(exporter, Samples())
    with Daemon(binary, *ALL) as daemon:
        later, _ = gather(exporter, read(daemon.ask().text))
        while rounds < ROUNDS or rounds < MOST_ROUNDS and any(verdict == 1 for verdict in best.values()):
            rounds += 1
            time.sleep(0.4)
            shown = read(daemon.ask().text)
            time.sleep(0.4)
            before, unknown = gather(exporter, shown)
            samples = read(daemon.ask().text)
            after, _ = gather(exporter, shown)
            for (series, source), low in before.items():
                if (series, source) not in after:
                    continue
                place = (series, source)
                high, own = after[place], value(samples, series)
                if since_start(series):
                    # Without a reading of then, nothing is known.
                    low, high = low - later.get(place, low), high - earlier.get(place, 0)
                verdict = 3 if own is None else near(series[0], own, low, high)
                if verdict >= worst.get(place, -1):
                    worst[place], example[place] = verdict, (own, low, high)
                best[place] = 0 if series[0] in RESTLESS else min(best.get(place, 3), verdict)
        rows(report, worst, best, example, rounds)
        coverage(report, samples, {series for series, _ in worst})
        report.note(f"lines of /proc/meminfo without a family: {', '.join(unknown) or 'none'}")
        identity(report, samples)
        processes(report, daemon)


def rows(report, worst, best, example, rounds):
    grouped = {}
    for (name, labels), source in worst:
        grouped.setdefault((name, source), []).append(((name, labels), source))
    print(f"  {'family':52} {'n':>4} {'gauged':>18} {'other':>18}  source")
    wrong = []
    for (name, source), places in sorted(grouped.items()):
        bad = [place for place in places if worst[place] >= 2 or best[place] > 0]
        shown = example[bad[0] if bad else places[0]]
        own = "absent" if shown[0] is None else f"{shown[0]:.17g}"
        other = f"{shown[1]:.17g}"
        verdict = "true" if not bad else f"WRONG in {len(bad)}: {dict(bad[0][0][1])} {shown}"
        title = name if " + " not in name else re.sub(r" \+ host_[a-z]+", " +", name)
        print(f"  {title:52} {len(places):4} {own:>18} {other:>18}  {source}: {verdict}")
        wrong += bad
    report.check(not wrong, f"{len(worst)} series and sources agree over {rounds} rounds", f"{len(wrong)} do not")
    sources = sorted({source for _, source in worst})
    report.note(f"sources: {', '.join(sources)}")


def coverage(report, samples, claimed):
    """Each series of the host is compared, or its family has a reason not to be."""
    left = {}
    for name, labels in samples:
        if name.startswith("host_") and (name, labels) not in claimed:
            left.setdefault(name, []).append(dict(labels))
    families = {name for name in samples.names() if name.startswith("host_")}
    for name in sorted(left):
        reason = next((reason for pattern, reason in REASONS.items() if re.fullmatch(pattern, name)), None)
        if reason:
            report.note(f"{name}: not compared, {reason}")
            del left[name]
    report.check(not left, f"each of {len(families)} families is compared or has a reason", left)
    page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../METRICS.md")
    known = re.findall(r"^\| `(host_\w+)` \|.*\| Linux", text(page), re.M) if os.path.exists(page) else []
    absent = {}
    for name in sorted(set(known) - families):
        absent.setdefault("_".join(name.split("_")[:2]), []).append(name)
    told = ", ".join(f"{prefix} ({len(names)})" for prefix, names in absent.items())
    report.note(f"families that this machine does not show, SKIPPED: {told or 'none'}")


def identity(report, samples):
    info = [dict(labels) for labels in samples.family("host_info")]
    report.check(len(info) == 1, "host_info stands once")
    own = info[0] if info else {}
    release = dict(line.split("=", 1) for line in text("/etc/os-release").splitlines() if "=" in line)
    expected = {
        "os": "linux",
        "os_name": release.get("ID", "").strip('"'),
        "os_version": release.get("VERSION_ID", "").strip('"'),
        "kernel": platform.release(),
        "arch": platform.machine(),
        "hostname": platform.node(),
    }
    expected = {name: value for name, value in expected.items() if value}
    report.check(expected.items() <= own.items(), "host_info is os-release and uname", f"{own} is not {expected}")


def process(pid):
    """(name, threads, start and CPU time in seconds, resident bytes) of /proc/PID/stat, or None."""
    line = word(f"/proc/{pid}/stat")
    if line is None:
        return None
    name, rest = line.split("(", 1)[1].rsplit(")", 1)
    fields = rest.split()
    resident = int(word(f"/proc/{pid}/statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return name, int(fields[17]), int(fields[19]) * TICK, (int(fields[11]) + int(fields[12])) * TICK, resident


def processes(report, daemon):
    """After a rest, so that the list is this scrape's own; what is asked is of both readings."""

    def all_of_them():
        told = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                told[pid] = process(pid)
            except (OSError, AttributeError):
                continue
        return {pid: row for pid, row in told.items() if row}

    time.sleep(6)
    before = all_of_them()
    samples = read(daemon.ask().text)
    after = all_of_them()
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    wrong, shown = [], samples.family("host_process_resident_memory_bytes")
    for labels, resident in shown.items():
        names = dict(labels)
        one, other = before.get(names["pid"]), after.get(names["pid"])
        if one is None or other is None or one[2] != other[2]:
            continue
        cpu, threads, start = (
            samples.value(f"host_process_{name}", **names) for name in ("cpu_seconds_total", "threads", "start_time_seconds")
        )
        room = max(SHARE * other[4], 4 << 20)
        right = [
            one[0].startswith(names["process"]) or other[0].startswith(names["process"]),
            min(one[1], other[1]) <= threads <= max(one[1], other[1]),
            abs(start - boot - one[2]) < 0.1,
            one[3] - TICK <= cpu <= other[3] + TICK,
            min(one[4], other[4]) - room <= resident <= max(one[4], other[4]) + room,
        ]
        if not all(right):
            wrong.append((names, resident, cpu, threads, start - boot, one, other))
    report.check(bool(shown) and not wrong, f"{len(shown)} processes are what /proc/PID/stat says", wrong)
    largest = sorted((row[4] for pid, row in before.items() if pid in after), reverse=True)[: len(shown)]
    least = min(shown.values(), default=0)
    right = shown and least <= largest[-1] * 1.25 + (4 << 20) and max(shown.values()) >= largest[0] * 0.8
    report.check(right, "and they are the largest", (largest, shown))
    threads = samples.value("host_threads")
    sums = [sum(row[1] for row in told.values()) for told in (before, after)]
    report.check(min(sums) - 64 <= threads <= max(sums) + 64, f"host_threads is theirs: {threads}", sums)
    count = sum(samples.family("host_processes").values())
    sizes = [len(before), len(after)]
    report.check(min(sizes) - 32 <= count <= max(sizes) + 32, f"host_processes are all: {count}", sizes)


def choices(report, binary, exporter):
    """What the defaults show: disks, interfaces and mounts."""
    with Daemon(binary) as daemon:
        samples = read(daemon.ask().text)
    expected = {name.replace("!", "/") for name in os.listdir("/sys/block") if not re.fullmatch(r"(fd|loop|ram|sr|zram)\d+", name)}
    expected &= {line.split()[2] for line in text("/proc/diskstats").splitlines()}
    devices = {dict(labels)["device"] for labels in samples.family(f"host_disk_{DISKSTATS[0][0]}")}
    report.check(devices == expected, f"whole disks are shown: {', '.join(sorted(devices))}", devices ^ expected)
    interfaces = {dict(labels)["device"] for labels in samples.family("host_network_receive_bytes_total")}
    cards = {name for name in os.listdir("/sys/class/net") if os.path.exists(f"/sys/class/net/{name}/device")}
    cards &= {line.split(":")[0].strip() for line in text("/proc/net/dev").splitlines()}
    right = cards <= interfaces and "lo" not in interfaces
    report.check(right, f"cards are shown, lo is not: {', '.join(sorted(interfaces))}", cards - interfaces)
    bits = bin(int(word("/proc/sys/kernel/tainted") or 0)).count("1")
    report.check(len(samples.family("host_kernel_taint")) == bits, f"as many reasons as taints: {bits}")
    places(report, samples, exporter)


def places(report, samples, exporter):
    """Every mount of a disk is shown, and what node_exporter shows too."""
    shown = {dict(labels)["mountpoint"] for labels in samples.family("host_filesystem_size_bytes")}
    failed = {dict(labels)["mountpoint"] for labels in samples.family("host_filesystem_error")}
    disks = {place for place, (_, fstype, _) in mounts().items() if fstype in ("ext4", "xfs", "btrfs", "vfat", "f2fs")}
    disks = {place for place in disks if not re.match(r"/(dev|proc|run/credentials|sys|var/lib/(docker|containerd|kubelet))/", place)}
    report.check(disks <= shown | failed, f"every disk's mount is shown: {len(disks)}", disks - shown - failed)
    if exporter:
        theirs = {dict(labels)["mountpoint"] for labels in read(exporter.ask().text).family("node_filesystem_size_bytes")}
        if theirs - shown:
            report.note(f"mounts that node_exporter shows and gauged does not: {', '.join(sorted(theirs - shown))}")
        if shown - theirs:
            report.note(f"mounts that gauged shows and node_exporter does not: {', '.join(sorted(shown - theirs))}")


def main():
    binary = gauged(NAME)
    if not sys.platform.startswith("linux"):
        skip(NAME, "it reads /proc")
    report = Report(NAME)
    program = shutil.which("prometheus-node-exporter") or shutil.which("node_exporter")
    if program:
        with Daemon(program, *flags(program), ready="/", name="node_exporter") as exporter:
            compare(report, binary, exporter)
            choices(report, binary, exporter)
    else:
        report.note("node_exporter: SKIPPED, it is not installed (Debian: prometheus-node-exporter)")
        compare(report, binary, None)
        choices(report, binary, None)
    report.end()


if __name__ == "__main__":
    main()
