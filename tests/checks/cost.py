#!/usr/bin/env python3
"""cost.py GAUGED: what a scrape may cost, in counts that do not depend on the machine: system calls of a scrape,
collections in a storm of requests, memory, and the files that are never opened. The binary is to be one as it is
released: memory and size are its own."""

import collections
import http.client
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time

from daemon import Daemon, Report, gauged

NAME = "cost"
SYSCALLS = 120
RSS_KIB = 7 * 1024
BINARY_MB = 8
ROUNDS = 10
# Longer than a snapshot is shared, so that each request is a collection.
PAUSE = 0.3
STORM_SECONDS, STORM_CLIENTS, STORM_RATE = 4, 8, 1000


def syscalls(report, daemon):
    """Counted from outside, over all threads."""
    if shutil.which("strace") is None:
        print("  SKIPPED system calls of a scrape: strace is not installed", flush=True)
        return
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)

    def scrape():
        connection.request("GET", "/metrics")
        connection.getresponse().read()
        time.sleep(PAUSE)

    for _ in range(5):
        scrape()
    with tempfile.NamedTemporaryFile("r") as trace:
        strace = subprocess.Popen(
            ["strace", "-f", "-q", "-o", trace.name, "-p", str(daemon.pid)], stderr=subprocess.DEVNULL
        )
        time.sleep(0.5)
        if strace.poll() is not None:
            print("  SKIPPED system calls of a scrape: strace may not attach here", flush=True)
            return
        for _ in range(ROUNDS):
            scrape()
        strace.terminate()
        strace.wait(timeout=10)
        lines = trace.read().splitlines()
    calls = [line for line in lines if "resumed>" not in line and re.match(r"\d+ +\w+\(", line)]
    each = len(calls) / ROUNDS
    kinds = collections.Counter(re.match(r"\d+ +(\w+)\(", line)[1] for line in calls).most_common(6)
    report.check(each <= SYSCALLS, f"{each:.0f} system calls a scrape, at most {SYSCALLS}", kinds)
    secret = [line for line in calls if re.search(r"/(cmdline|environ|maps|smaps\w*)\"", line)]
    report.check(not secret, "nobody's command line, environment or memory map is opened", secret[:3])


def value(text, name):
    return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])


def storm(report, daemon):
    """Many clients share few collections, and none waits for long."""
    taken, failed = [], []
    before = daemon.ask().text
    start = time.monotonic()

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
        step = STORM_CLIENTS / STORM_RATE
        due = time.monotonic()
        while (now := time.monotonic()) < start + STORM_SECONDS:
            connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
            response = connection.getresponse()
            response.read()
            taken.append(time.monotonic() - now)
            if response.status != 200:
                failed.append(response.status)
            due += step
            time.sleep(max(0, due - time.monotonic()))

    clients = [threading.Thread(target=client) for _ in range(STORM_CLIENTS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    seconds = time.monotonic() - start
    after = daemon.ask().text
    made = value(after, "gauged_collections_total") - value(before, "gauged_collections_total")
    taken.sort()
    p99 = taken[int(len(taken) * 0.99)] * 1000
    report.note(f"{len(taken) / seconds:.0f} requests a second from {STORM_CLIENTS} clients")
    report.check(not failed, "every request of a storm is answered", failed[:5])
    report.check(made / seconds <= 4.5, f"by {made / seconds:.1f} collections a second, about 4 at most")
    report.check(p99 <= 50, f"p99 is {p99:.1f} ms, at most 50")


def memory(report, daemon):
    with open(f"/proc/{daemon.pid}/status", encoding="ascii") as status:
        kib = int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])
    report.check(kib <= RSS_KIB, f"{kib / 1024:.2f} MiB resident after it all, at most {RSS_KIB // 1024}")


def main():
    binary = gauged(NAME)
    report = Report(NAME)
    with Daemon(binary) as daemon:
        syscalls(report, daemon)
        storm(report, daemon)
        memory(report, daemon)
        report.check("panicked" not in daemon.log(), "nothing panicked", daemon.log())
    size = os.path.getsize(binary) / 1e6
    report.check(size <= BINARY_MB, f"{size:.1f} MB of binary, at most {BINARY_MB}")
    report.end()


if __name__ == "__main__":
    main()
