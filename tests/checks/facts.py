"""What the kernel says of the host, read from its files independently of gauged: series -> value, with the source.
The network's are in wires.py, node_exporter's words in exporter.py; truth.py compares."""

import ctypes
import os
import re
import shutil
import subprocess
import time

TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
CPUS = "/sys/devices/system/cpu"
MODES = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"]
GUESTS = ["user", "nice"]  # behind those

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
    "HighTotal": "high_size", "HighFree": "high_free", "LowTotal": "low_size", "LowFree": "low_free",
    "Quicklists": "quicklists", "EarlyMemtestBad": "early_memtest_bad", "GPUActive": "gpu_active", "GPUReclaim": "gpu_reclaimable",
    "HugePages_Total": "huge_pages_size", "HugePages_Free": "huge_pages_free",
    "HugePages_Rsvd": "huge_pages_reserved", "HugePages_Surp": "huge_pages_surplus",
    "Hugepagesize": "huge_page", "Hugetlb": "hugetlb", "DirectMap4k": "direct_map_4k",
    "DirectMap64k": "direct_map_64k", "DirectMap1M": "direct_map_1m", "DirectMap2M": "direct_map_2m",
    "DirectMap4M": "direct_map_4m", "DirectMap1G": "direct_map_1g", "DirectMap2G": "direct_map_2g",
}  # fmt: skip

# The counts of /proc/vmstat, host_memory_<word>_total, with the labels and what makes base units of them. A count may
# be split by zone, which stands behind its name then.
VMSTAT = [
    ("oom_kill", "oom_kills", {}, 1), ("pgpgin", "paged_in_bytes", {}, 1024), ("pgpgout", "paged_out_bytes", {}, 1024),
    ("pgscan_kswapd", "reclaim_scanned_pages", {"by": "kswapd"}, 1), ("pgsteal_kswapd", "reclaim_stolen_pages", {"by": "kswapd"}, 1),
    ("pgscan_direct", "reclaim_scanned_pages", {"by": "direct"}, 1), ("pgsteal_direct", "reclaim_stolen_pages", {"by": "direct"}, 1),
    ("pgscan_khugepaged", "reclaim_scanned_pages", {"by": "khugepaged"}, 1),
    ("pgsteal_khugepaged", "reclaim_stolen_pages", {"by": "khugepaged"}, 1),
    ("pgscan_proactive", "reclaim_scanned_pages", {"by": "proactive"}, 1),
    ("pgsteal_proactive", "reclaim_stolen_pages", {"by": "proactive"}, 1),
    ("allocstall", "allocation_stalls", {}, 1), ("compact_stall", "compaction_stalls", {}, 1),
    ("workingset_refault", "refaults", {"kind": "file"}, 1), ("workingset_refault_file", "refaults", {"kind": "file"}, 1),
    ("workingset_refault_anon", "refaults", {"kind": "anon"}, 1),
    ("thp_fault_fallback", "huge_page_fault_fallbacks", {}, 1),
    ("drop_pagecache", "drop_caches", {"kind": "page_cache"}, 1), ("drop_slab", "drop_caches", {"kind": "slab"}, 1),
]  # fmt: skip
ZONES = ("", "_dma", "_dma32", "_normal", "_high", "_movable", "_device")

# The counts of /proc/schedstat at a CPU's end of line, host_cpu_<word>_total, and what makes base units of them.
SCHEDSTAT = [("running_seconds", 1e-9), ("waiting_seconds", 1e-9), ("timeslices", 1)]

# The counts of /proc/diskstats behind the name, host_disk_<word>, and what makes base units of them.
DISKSTATS = [
    ("reads_completed_total", 1), ("reads_merged_total", 1), ("read_bytes_total", 512), ("read_seconds_total", 1e-3),
    ("writes_completed_total", 1), ("writes_merged_total", 1), ("written_bytes_total", 512), ("write_seconds_total", 1e-3),
    ("io_in_flight", 1), ("io_seconds_total", 1e-3), ("io_weighted_seconds_total", 1e-3),
    ("discards_completed_total", 1), ("discards_merged_total", 1), ("discarded_bytes_total", 512),
    ("discard_seconds_total", 1e-3), ("flushes_completed_total", 1), ("flush_seconds_total", 1e-3),
]  # fmt: skip


def text(path):
    with open(path) as file:
        return file.read()


def word(path):
    """A file of one value, or None where it is not there or has none."""
    try:
        return text(path).strip().strip("\0") or None
    except (OSError, UnicodeDecodeError):
        return None


def key(name, **labels):
    return (name, frozenset(labels.items()))


def escaped(path):
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), path)


class Facts(dict):
    """(series, source) -> value. What is not here is not claimed. A name of several families, joined by " + ", is
    their sum. `shown` is what gauged showed just before, for what need not be there."""

    def __init__(self, shown):
        super().__init__()
        self.shown = shown

    def say(self, source, value, name, **labels):
        self[(key(name, **labels), source)] = float(value)

    def say_if_shown(self, source, value, name, **labels):
        if value is not None and key(name, **labels) in self.shown:
            self.say(source, value, name, **labels)

    def labels(self, name):
        """The labels of each series of a family that is shown."""
        return [dict(labels) for labels in self.shown.family(name)]


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
    # zram's columns: what pages were, what they are, what they take with everything around them.
    disks = [text(f"/sys/block/{name}/mm_stat").split() for name in os.listdir("/sys/block") if name.startswith("zram")]
    for name, line, column in (("compressed", "Zswap", 2), ("compressed_original", "Zswapped", 0)):
        if line in values or disks:
            value = values.get(line, 0) + sum(int(disk[column]) for disk in disks)
            facts.say("meminfo, zram", value, f"host_memory_{name}_bytes")
    return [name for name in values if name not in MEMINFO and name != "SwapTotal"]


def vmstat(facts):
    values = {name: int(value) for name, value in (line.split() for line in text("/proc/vmstat").splitlines())}
    source = "/proc/vmstat"
    facts.say(source, values["pgfault"] - values["pgmajfault"], "host_memory_page_faults_total", severity="minor")
    facts.say(source, values["pgmajfault"], "host_memory_page_faults_total", severity="major")
    facts.say(source, values["pswpin"] * PAGE, "host_swap_read_bytes_total")
    facts.say(source, values["pswpout"] * PAGE, "host_swap_written_bytes_total")
    events(facts, source, values)


def events(facts, source, values):
    """The counters of VMSTAT, from the numbers behind the kernel's names."""
    for name, family, labels, scale in VMSTAT:
        parts = [values[name + zone] for zone in ZONES if name + zone in values]
        if parts:
            facts.say(source, sum(parts) * scale, f"host_memory_{family}_total", **labels)


def stat(facts):
    cpus, source = 0, "/proc/stat"
    names = {"ctxt": "host_context_switches_total", "processes": "host_forks_total", "intr": "host_interrupts_total",
             "softirq": "host_soft_interrupts_total", "procs_running": "host_tasks_running",
             "procs_blocked": "host_tasks_blocked", "btime": "host_boot_time_seconds"}  # fmt: skip
    for line in text("/proc/stat").splitlines():
        words = line.split()
        if re.fullmatch(r"cpu\d+", words[0]):
            cpus += 1
            cpu = words[0].removeprefix("cpu")
            for mode, ticks in zip(MODES, words[1:]):
                facts.say(source, int(ticks) * TICK, "host_cpu_seconds_total", cpu=cpu, mode=mode)
            for mode, ticks in zip(GUESTS, words[1 + len(MODES) :]):
                facts.say(source, int(ticks) * TICK, "host_cpu_guest_seconds_total", cpu=cpu, mode=mode)
        elif words[0] in names:
            facts.say(source, int(words[1]), names[words[0]])
    facts.say(source, cpus, "host_cpus")


def schedstat(facts):
    """Of each CPU, or of all together, as gauged shows it; of nothing where the kernel does not count."""
    lines = [line.split() for line in (word("/proc/schedstat") or "").splitlines()]
    cpus = {words[0].removeprefix("cpu"): [int(count) for count in words[-3:]] for words in lines if re.fullmatch(r"cpu\d+", words[0])}
    each = any("cpu" in labels for labels in facts.labels("host_cpu_timeslices_total"))
    for place, (name, scale) in enumerate(SCHEDSTAT):
        values = {cpu: counts[place] * scale for cpu, counts in cpus.items()}
        if each:
            for cpu, value in values.items():
                facts.say("/proc/schedstat", value, f"host_cpu_{name}_total", cpu=cpu)
        elif values:
            facts.say("/proc/schedstat", sum(values.values()), f"host_cpu_{name}_total")


def cpu_list(path):
    """The numbers of a list of CPUs: 0-3,8."""
    parts = [part.split("-") for part in (word(path) or "").split(",") if part]
    return [cpu for part in parts for cpu in range(int(part[0]), int(part[-1]) + 1)]


def topology(facts):
    online, source = cpu_list(f"{CPUS}/online"), "sysfs, cpuinfo"
    for cpu in cpu_list(f"{CPUS}/present"):
        facts.say(source, cpu in online, "host_cpu_online", cpu=str(cpu))
    models = dict(re.findall(r"^processor\s*: (\d+)$(?:.*\n)*?^model name\s*: (.*)$", text("/proc/cpuinfo"), re.M))
    for shown in facts.labels("host_cpu_info"):
        cpu = shown["cpu"]
        place = f"{CPUS}/cpu{cpu}"
        names = {
            "package": word(f"{place}/topology/physical_package_id"),
            "core": word(f"{place}/topology/core_id"),
            "model_name": models.get(cpu, "").strip() or shown.get("model_name"),
            "cluster": shown.get("cluster"),
        }
        facts.say(source, 1, "host_cpu_info", cpu=cpu, **{name: value for name, value in names.items() if value not in (None, "-1")})
        for limit in ("min", "max"):
            hertz = word(f"{place}/cpufreq/cpuinfo_{limit}_freq")
            facts.say_if_shown(source, hertz and int(hertz) * 1000, f"host_cpu_frequency_{limit}_hertz", cpu=cpu)
        package, core = names["package"], names["core"]
        throttle = f"{place}/thermal_throttle"
        facts.say_if_shown(source, word(f"{throttle}/core_throttle_count"), "host_cpu_core_throttles_total", package=package, core=core)
        facts.say_if_shown(source, word(f"{throttle}/package_throttle_count"), "host_cpu_package_throttles_total", package=package)
        spent = word(f"{throttle}/package_throttle_total_time_ms")
        facts.say_if_shown(source, spent and int(spent) / 1e3, "host_cpu_package_throttle_seconds_total", package=package)


def system(facts):
    for name, value in zip(("host_load1", "host_load5", "host_load15"), text("/proc/loadavg").split()):
        facts.say("/proc/loadavg", value, name)
    facts.say("clock_gettime", time.clock_gettime(time.CLOCK_BOOTTIME), "host_uptime_seconds")
    facts.say("clock_gettime", time.time(), "host_time_seconds")
    allocated, _, limit = text("/proc/sys/fs/file-nr").split()
    facts.say("/proc/sys", allocated, "host_file_descriptors_allocated")
    facts.say_if_shown("/proc/sys", limit, "host_file_descriptors_limit")
    numbers = [
        ("kernel/threads-max", 1, "host_threads_limit"),
        ("kernel/pid_max", 1, "host_pids_limit"),
        ("kernel/random/entropy_avail", 1 / 8, "host_entropy_available_bytes"),
        ("kernel/random/poolsize", 1 / 8, "host_entropy_pool_bytes"),
        ("kernel/hung_task_detect_count", 1, "host_hung_tasks_total"),
    ]
    for path, scale, name in numbers:
        value = word(f"/proc/sys/{path}")
        if value is not None:
            facts.say("/proc/sys", int(value) * scale, name)
    tainted = int(word("/proc/sys/kernel/tainted") or 0)
    facts.say("/proc/sys", tainted != 0, "host_kernel_tainted")
    for labels in facts.labels("host_kernel_taint"):
        facts.say("/proc/sys", 1, "host_kernel_taint", **labels)
    facts.say_if_shown("/run", os.path.exists("/run/reboot-required"), "host_reboot_required")


class Timex(ctypes.Structure):
    """struct timex of adjtimex(2)."""

    _fields_ = [
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("constant", ctypes.c_long), ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long), ("time", ctypes.c_long * 2), ("tick", ctypes.c_long), ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long), ("shift", ctypes.c_int), ("stabil", ctypes.c_long), ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long), ("errcnt", ctypes.c_long), ("stbcnt", ctypes.c_long), ("tai", ctypes.c_int),
        ("padding", ctypes.c_int * 11),
    ]  # fmt: skip


def clock(facts):
    told = Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told))
    if state < 0:
        return
    nanoseconds = told.status & 0x2000
    facts.say("adjtimex", state != 5 and not told.status & 0x40, "host_clock_synchronized")
    facts.say("adjtimex", told.offset * (1e-9 if nanoseconds else 1e-6), "host_clock_offset_seconds")
    facts.say("adjtimex", told.maxerror * 1e-6, "host_clock_max_error_seconds")
    facts.say("adjtimex", told.esterror * 1e-6, "host_clock_estimated_error_seconds")
    facts.say("adjtimex", told.freq / 65536e6, "host_clock_frequency_adjustment_ratio")
    if told.tai:
        facts.say("adjtimex", told.tai, "host_clock_tai_offset_seconds")


def pressure(facts):
    for resource in ("cpu", "io", "irq", "memory"):
        for line in (word(f"/proc/pressure/{resource}") or "").splitlines():
            stall, total = line.split()[0], int(line.rsplit("total=", 1)[1])
            if (resource, stall) != ("cpu", "full"):
                facts.say("/proc/pressure", total / 1e6, "host_pressure_seconds_total", resource=resource, stall=stall)


def disks(facts):
    for line in text("/proc/diskstats").splitlines():
        _, _, device, *counts = line.split()
        for (name, scale), count in zip(DISKSTATS, counts):
            facts.say("/proc/diskstats", int(count) * scale, f"host_disk_{name}", device=device)
    for shown in facts.labels("host_disk_info"):
        place = f"/sys/block/{shown['device'].replace('/', '!')}"
        # udev knows model, serial number and worldwide name better, where it runs; sysfs is what there is else.
        told = {
            "model": word(f"{place}/device/model"),
            "serial": word(f"{place}/device/serial") or word(f"{place}/serial"),
            "rotational": word(f"{place}/queue/rotational"),
        }
        by_udev = os.path.exists(f"/run/udev/data/b{word(f'{place}/dev')}")
        names = {**shown, **{name: value for name, value in told.items() if value and not (by_udev and name != "rotational")}}
        facts.say("sysfs", 1, "host_disk_info", **names)


def mounts():
    """(device, fstype, read-only) of each mount that is seen, the last of each place."""
    seen = {}
    for line in text("/proc/self/mountinfo").splitlines():
        left, right = line.split(" - ")
        fields, (fstype, device, options) = left.split(), right.split(" ", 2)
        readonly = "ro" in fields[5].split(",") or "ro" in options.split(",")
        seen[escaped(fields[4])] = (escaped(device), fstype, readonly)
    return seen


def filesystems(facts):
    """statvfs of the mounts that gauged shows; of no other, for one of them might hang."""
    table, source = mounts(), "statvfs, mountinfo"
    for names in facts.labels("host_filesystem_size_bytes"):
        place = names["mountpoint"]
        if place not in table or table[place][1].startswith("fuse"):
            continue
        room = os.statvfs(place)
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


def df(facts):
    for names in facts.labels("host_filesystem_size_bytes"):
        command = ["df", "-B1", "--output=size,avail,itotal,target", names["mountpoint"]]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
        if result.returncode == 0:
            size, available, files, target = result.stdout.splitlines()[1].split(None, 3)
            if target == names["mountpoint"]:
                facts.say("df -B1", size, "host_filesystem_size_bytes", **names)
                facts.say("df -B1", available, "host_filesystem_available_bytes", **names)
                if files not in ("0", "-"):
                    facts.say("df -i", files, "host_filesystem_files", **names)


def host(facts):
    """All of it; gives the lines of meminfo that have no family."""
    unknown = meminfo(facts)
    for tell in (vmstat, stat, schedstat, topology, system, clock, pressure, disks, filesystems, free, df):
        tell(facts)
    return unknown
