#!/usr/bin/env python3
"""truth.py GAUGED: is every value of a scrape true?

Each round reads the kernel's files and node_exporter, scrapes gauged, and reads them again. A counter must lie
between the two readings; a gauge that did not move must be equal, one that moved must lie between, give or take
what can move within a scrape. Prints a table: family, series, gauged, the other, verdict."""

import os
import platform
import re
import shutil
import subprocess
import sys
import time

from daemon import Daemon, Report, gauged, skip
from exposition import read

NAME = "truth"
ROUNDS = 5
TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
# What a gauge may move by and come back, between readings that agree: one part in 20 and 48 MiB.
SHARE, MEMORY = 0.05, 48 << 20

# The lines of /proc/meminfo and their families, host_memory_<word>_bytes.
MEMINFO = {
    "MemTotal": "total", "MemFree": "free", "MemAvailable": "available", "Buffers": "buffers",
    "Cached": "page_cache", "SwapCached": "swap_cached", "Active": "active", "Inactive": "inactive",
    "Active(anon)": "active_anon", "Inactive(anon)": "inactive_anon", "Active(file)": "active_file",
    "Inactive(file)": "inactive_file", "Unevictable": "unevictable", "Mlocked": "mlocked",
    "SwapFree": "swap_free", "Zswap": "zswap", "Zswapped": "zswapped", "Dirty": "dirty",
    "Writeback": "writeback", "AnonPages": "anon_pages", "Mapped": "mapped", "Shmem": "shmem",
    "KReclaimable": "kernel_reclaimable", "Slab": "slab", "SReclaimable": "slab_reclaimable",
    "SUnreclaim": "slab_unreclaimable", "KernelStack": "kernel_stack",
    "ShadowCallStack": "shadow_call_stack", "PageTables": "page_tables",
    "SecPageTables": "secondary_page_tables", "NFS_Unstable": "nfs_unstable", "Bounce": "bounce",
    "WritebackTmp": "writeback_tmp", "CommitLimit": "commit_limit", "Committed_AS": "committed",
    "VmallocTotal": "vmalloc_space", "VmallocUsed": "vmalloc_used", "VmallocChunk": "vmalloc_chunk",
    "Percpu": "percpu", "HardwareCorrupted": "hardware_corrupted", "AnonHugePages": "anon_huge_pages",
    "ShmemHugePages": "shmem_huge_pages", "ShmemPmdMapped": "shmem_pmd_mapped",
    "FileHugePages": "file_huge_pages", "FilePmdMapped": "file_pmd_mapped", "CmaTotal": "cma_size",
    "CmaFree": "cma_free", "Unaccepted": "unaccepted", "Balloon": "balloon",
    "HugePages_Total": "huge_pages_size", "HugePages_Free": "huge_pages_free",
    "HugePages_Rsvd": "huge_pages_reserved", "HugePages_Surp": "huge_pages_surplus",
    "Hugepagesize": "huge_page", "Hugetlb": "hugetlb", "DirectMap4k": "direct_map_4k",
    "DirectMap2M": "direct_map_2m", "DirectMap4M": "direct_map_4m", "DirectMap1G": "direct_map_1g",
}  # fmt: skip
MODES = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"]


def text(path):
    with open(path) as file:
        return file.read()


def key(name, **labels):
    return (name, frozenset(labels.items()))


def escaped(path):
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), path)


class Facts(dict):
    """Series -> (value, where it is from). What is not here is not claimed."""

    def say(self, source, value, name, **labels):
        self[(key(name, **labels), source)] = float(value)


def meminfo(facts):
    lines = {line.split(":")[0]: line.split(":")[1].split() for line in text("/proc/meminfo").splitlines()}
    values = {name: int(words[0]) * (1024 if words[1:] else 1) for name, words in lines.items()}
    source = "/proc/meminfo"
    for name, value in values.items():
        if name in MEMINFO:
            pages = name.startswith("HugePages_")
            value = value * values["Hugepagesize"] if pages else value
            facts.say(source, value, f"host_memory_{MEMINFO[name]}_bytes")
    facts.say(source, values["SwapTotal"], "host_swap_total_bytes")
    facts.say(source, values["SwapTotal"] - values["SwapFree"], "host_swap_used_bytes")
    facts.say(source, values["AnonPages"] + values["Shmem"], "host_memory_anonymous_bytes")
    cached = values["Cached"] + values["Buffers"] + values["SReclaimable"] - values["Shmem"]
    facts.say(source, cached, "host_memory_cached_bytes")
    return [name for name in values if name not in MEMINFO and name != "SwapTotal"]


def vmstat(facts):
    values = {name: int(value) for name, value in (line.split() for line in text("/proc/vmstat").splitlines())}
    source = "/proc/vmstat"
    facts.say(source, values["pgfault"] - values["pgmajfault"], "host_memory_page_faults_total", severity="minor")
    facts.say(source, values["pgmajfault"], "host_memory_page_faults_total", severity="major")
    facts.say(source, values["pswpin"] * PAGE, "host_swap_read_bytes_total")
    facts.say(source, values["pswpout"] * PAGE, "host_swap_written_bytes_total")
    if "oom_kill" in values:
        facts.say(source, values["oom_kill"], "host_memory_oom_kills_total")


def stat(facts):
    cpus = 0
    for line in text("/proc/stat").splitlines():
        words = line.split()
        if re.fullmatch(r"cpu\d+", words[0]):
            cpus += 1
            for mode, ticks in zip(MODES, words[1:]):
                cpu = words[0].removeprefix("cpu")
                facts.say("/proc/stat", int(ticks) * TICK, "host_cpu_seconds_total", cpu=cpu, mode=mode)
        elif words[0] == "btime":
            facts.say("/proc/stat", int(words[1]), "host_boot_time_seconds")
    facts.say("/proc/stat", cpus, "host_cpus")


def small(facts):
    for name, value in zip(("host_load1", "host_load5", "host_load15"), text("/proc/loadavg").split()):
        facts.say("/proc/loadavg", value, name)
    facts.say("clock_gettime", time.clock_gettime(time.CLOCK_BOOTTIME), "host_uptime_seconds")
    facts.say("clock_gettime", time.time(), "host_time_seconds")


def mounts():
    """(device, mountpoint, fstype, read-only) of each mount that is seen, the last of each place."""
    seen = {}
    for line in text("/proc/self/mountinfo").splitlines():
        left, right = line.split(" - ")
        fields, (fstype, device, options) = left.split(), right.split(" ", 2)
        readonly = "ro" in fields[5].split(",") or "ro" in options.split(",")
        seen[escaped(fields[4])] = (escaped(device), fstype, readonly)
    return seen


def filesystems(facts, shown):
    """statvfs of the mounts that gauged shows; of no other, for one of them might hang."""
    table = mounts()
    for _, labels in shown:
        names = dict(labels)
        place = names["mountpoint"]
        if place not in table or table[place][1].startswith("fuse"):
            continue
        room = os.statvfs(place)
        source = "statvfs, mountinfo"
        facts.say(source, room.f_blocks * room.f_frsize, "host_filesystem_size_bytes", **names)
        facts.say(source, room.f_bfree * room.f_frsize, "host_filesystem_free_bytes", **names)
        facts.say(source, room.f_bavail * room.f_frsize, "host_filesystem_available_bytes", **names)
        facts.say(source, table[place][2], "host_filesystem_readonly", **names)
        if room.f_files:
            facts.say(source, room.f_files, "host_filesystem_files", **names)
            facts.say(source, room.f_ffree, "host_filesystem_files_free", **names)


def free(facts):
    if not shutil.which("free"):
        return
    output = subprocess.run(["free", "-b"], capture_output=True, text=True, check=True).stdout.splitlines()
    columns = output[0].split()
    memory, swap = (dict(zip(columns, line.split()[1:])) for line in output[1:3])
    for column, name in (("total", "total"), ("free", "free"), ("available", "available"), ("shared", "shmem")):
        facts.say("free -b", memory[column], f"host_memory_{name}_bytes")
    facts.say("free -b", swap["total"], "host_swap_total_bytes")
    facts.say("free -b", swap["used"], "host_swap_used_bytes")


def df(facts, shown):
    for _, labels in shown:
        names = dict(labels)
        command = ["df", "-B1", "--output=size,avail,itotal,target", names["mountpoint"]]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
        if result.returncode == 0:
            size, available, files, target = result.stdout.splitlines()[1].split(None, 3)
            if target == names["mountpoint"]:
                facts.say("df -B1", size, "host_filesystem_size_bytes", **names)
                facts.say("df -B1", available, "host_filesystem_available_bytes", **names)
                if files not in ("0", "-"):
                    facts.say("df -i", files, "host_filesystem_files", **names)


def node(facts, exporter, shown):
    """node_exporter's words for the same things."""
    samples = read(exporter.ask().text)
    source = "node_exporter"

    def same(theirs, ours, scale=1.0, **labels):
        value = samples.value(theirs, **labels)
        if value is not None:
            facts.say(source, value * scale, ours, **labels)

    for line, word in MEMINFO.items():
        if not line.startswith("HugePages_"):
            same(f"node_memory_{re.sub(r'[()]', '_', line).rstrip('_')}_bytes", f"host_memory_{word}_bytes")
    for labels, value in samples.family("node_cpu_seconds_total").items():
        facts.say(source, value, "host_cpu_seconds_total", **dict(labels))
    for name in ("load1", "load5", "load15"):
        same(f"node_{name}", f"host_{name}")
    same("node_boot_time_seconds", "host_boot_time_seconds")
    same("node_time_seconds", "host_time_seconds")
    same("node_vmstat_pswpin", "host_swap_read_bytes_total", PAGE)
    same("node_vmstat_pswpout", "host_swap_written_bytes_total", PAGE)
    same("node_vmstat_oom_kill", "host_memory_oom_kills_total")
    for _, labels in shown:
        names = dict(labels)
        # It escapes nothing and knows no pool.
        theirs = {name: names.get(name, "") for name in ("device", "mountpoint", "fstype")}
        for word, own in (("size_bytes", "size_bytes"), ("free_bytes", "free_bytes"), ("avail_bytes", "available_bytes"),
                          ("files", "files"), ("files_free", "files_free"), ("readonly", "readonly")):  # fmt: skip
            value = samples.value(f"node_filesystem_{word}", **theirs)
            if value is not None and not (word.startswith("files") and value == 0):
                facts.say(source, value, f"host_filesystem_{own}", **names)


def gather(exporter, shown):
    facts = Facts()
    unknown = meminfo(facts)
    vmstat(facts)
    stat(facts)
    small(facts)
    filesystems(facts, shown)
    free(facts)
    df(facts, shown)
    if exporter:
        node(facts, exporter, shown)
    return facts, unknown


def near(name, value, before, after):
    """0 for a value that lies between the readings; 1 for one that moved and came back; 2 for one that is wrong."""
    low, high = min(before, after), max(before, after)
    # Floats of ticks differ in the last digit; node_exporter's clocks are read in thousandths.
    slack = 1e-6 * max(abs(high), 1e-3)
    if name == "host_cpu_seconds_total":
        slack = TICK  # the kernel rounds each mode down by itself
    if name == "host_boot_time_seconds":
        slack = 1.0  # whole seconds, from a clock that is being disciplined
    if low - slack <= value <= high + slack:
        return 0
    if name.endswith("_total") or name in ("host_cpus", "host_time_seconds", "host_uptime_seconds"):
        return 2
    room = SHARE * high + (MEMORY if name.endswith("_bytes") else 0)
    if name.endswith("_total_bytes") or name.startswith("host_load") or name.endswith("size_bytes"):
        return 2
    return 1 if low - room <= value <= high + room else 2


def compare(report, binary, exporter):
    worst, best, example, moved = {}, {}, {}, set()
    with Daemon(binary) as daemon:
        daemon.ask()
        for _ in range(ROUNDS):
            time.sleep(0.4)
            shown = [series for series in read(daemon.ask().text) if series[0] == "host_filesystem_size_bytes"]
            time.sleep(0.4)
            before, unknown = gather(exporter, shown)
            samples = read(daemon.ask().text)
            after, _ = gather(exporter, shown)
            for (series, source), low in before.items():
                if (series, source) not in after:
                    continue
                high, value = after[(series, source)], samples.get(series)
                verdict = 3 if value is None else near(series[0], value, low, high)
                place = (series, source)
                if low != high:
                    moved.add(place)
                if verdict >= worst.get(place, -1):
                    worst[place], example[place] = verdict, (value, low, high)
                best[place] = min(best.get(place, 3), verdict)
        claimed = {series for series, _ in worst}
        rows(report, worst, best, example, moved)
        unseen = {name for name, labels in samples if (name, labels) not in claimed and name.startswith("host_")}
        report.note(f"not compared here: {', '.join(sorted(unseen)) or 'nothing'}")
        report.note(f"lines of /proc/meminfo without a family: {', '.join(unknown) or 'none'}")
        identity(report, samples)
        places(report, samples, exporter)


def rows(report, worst, best, example, moved):
    grouped = {}
    for (name, labels), source in worst:
        grouped.setdefault((name, source), []).append(((name, labels), source))
    print(f"  {'family':46} {'n':>4} {'gauged':>18} {'other':>18}  source")
    wrong = []
    for (name, source), places in sorted(grouped.items()):
        # Near is enough for a gauge that moves anyway; one that stands still must have been equal at least once.
        bad = [place for place in places if worst[place] >= 2 or best[place] > 0 and place not in moved]
        shown = example[bad[0] if bad else places[0]]
        value = "absent" if shown[0] is None else f"{shown[0]:.17g}"
        other = f"{shown[1]:.17g}"
        verdict = "true" if not bad else f"WRONG in {len(bad)}: {dict(bad[0][0][1])} {shown}"
        print(f"  {name:46} {len(places):4} {value:>18} {other:>18}  {source}: {verdict}")
        wrong += bad
    report.check(not wrong, f"{len(worst)} series and sources agree over {ROUNDS} rounds", f"{len(wrong)} do not")


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
        with Daemon(program, ready="/", name="node_exporter") as exporter:
            compare(report, binary, exporter)
    else:
        report.note("node_exporter: SKIPPED, it is not installed (Debian: prometheus-node-exporter)")
        compare(report, binary, None)
    report.end()


if __name__ == "__main__":
    main()
