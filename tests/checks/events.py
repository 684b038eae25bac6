#!/usr/bin/env python3
"""events.py GAUGED: what comes and goes while it is measured is never shown as something else.

Five storms, one after the other, each for some seconds of scrapes: interfaces made, renamed, swapped and deleted
(in a network namespace of their own); block devices made anew under the same name; mounts mounted and unmounted (in
a mount namespace of their own); processes by the thousand; a CPU that goes offline and comes back. In each, every
scrape is answered, every collector succeeds, nothing is logged, no series stands twice, no counter steps back, and
what is shown of a thing is that thing's own. The storms are in storms.py, links.py and volumes.py. Needs root."""

import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from daemon import Daemon, Report, gauged, skip
from exposition import read
from links import Links
from storms import Cpu, Processes, Refused
from volumes import Blocks, Mounts

NAME = "events"
SECONDS = 6
# The exit code of a storm that could not be made.
SKIPPED = 77
# How old what a scrape shows may be: a snapshot is shared for 250 ms.
SHARED = 0.3
# A storm takes the CPUs too, so a thread that waits for its turn may miss a patience of some milliseconds. That is
# said as what it is, and counted; more often than this in a storm it is not the CPU's fault.
STARVED = 3
LATE = "no answer before the deadline"
EXCUSE = "a thread got no CPU in time"
STORMS = {
    "links": (Links, ["--net"], ["--collector.network.kind-exclude="]),
    "blocks": (Blocks, [], ["--collector.disk.device-include=.+"]),
    # The mounts that are shown are those of PID 1, so there is one of those too.
    "mounts": (Mounts, ["--mount", "--propagation", "private", "--pid", "--fork", "--mount-proc"], ["--collector.filesystem.fs-types-exclude="]),
    "processes": (Processes, [], ["--collector.process"]),
    "cpu": (Cpu, [], []),
}
# Not run unless named: other programs on the machine, compilers among them, may not bear a CPU that goes and comes.
BY_NAME = {"cpu"}


def judge(report, answers):
    """What holds in every storm; gives the samples of each scrape with its time."""
    codes = collections.Counter(answer.status for _, answer in answers)
    report.check(set(codes) == {200}, f"{len(answers)} scrapes are 200", codes)
    taken, doubled = [], []
    for start, answer in answers:
        try:
            # Before the request was made nothing can have been measured but what is shared.
            taken.append((start - SHARED, start + answer.seconds, read(answer.text)))
        except ValueError as error:
            doubled.append(str(error))
    report.check(not doubled, "no series stands twice", doubled[:3])
    failed = collections.Counter(
        dict(labels)["collector"] for *_, samples in taken for labels, value in samples.family("gauged_collector_success").items() if value != 1
    )
    report.check(not failed, "every collector succeeds in every scrape", dict(failed))
    first, last = taken[0][2], taken[-1][2]
    for name, what in (
        ("gauged_duplicate_series_total", "no duplicate was dropped"),
        ("gauged_collector_failures_total", "no item failed"),
        ("gauged_invalid_values_total", "no value was refused"),
        ("gauged_collector_late_total", "nothing was late"),
        ("gauged_series_dropped_total", "nothing was dropped for the cap"),
    ):
        before, after = first.family(name), last.family(name)
        grown = {tuple(sorted(labels)): value for labels, value in after.items() if value > before.get(labels, 0)}
        late = {labels: value for labels, value in grown.items() if name.endswith("late_total") or ("reason", "late") in labels}
        if 0 < sum(late.values()) <= STARVED:
            report.note(f"{what}, but {late}: {EXCUSE}")
            grown = {labels: value for labels, value in grown.items() if labels not in late}
        report.check(not grown, what, grown)
    return taken


def forward(report, taken, own):
    """No counter steps back, but those of what the storm makes anew."""
    last, back = {}, {}
    for *_, samples in taken:
        for series, value in samples.items():
            if not series[0].endswith("_total") or own(dict(series[1])):
                continue
            if value < last.get(series, value):
                back[series] = (last[series], value)
            last[series] = value
    report.check(not back, f"{len(last)} other counters never step back", list(back.items())[:3])


def promtool(report, text):
    program = shutil.which("promtool")
    if program is None:
        report.note("promtool: SKIPPED, it is not installed (Debian: prometheus)")
        return
    result = subprocess.run([program, "check", "metrics"], input=text.encode(), capture_output=True, check=False)
    said = (result.stdout + result.stderr).decode().strip()
    report.check(result.returncode == 0 and not said, "promtool check metrics is silent", said)


def complaints(log):
    return [line for line in log.splitlines() if ("level=warn" in line or "level=error" in line)]


def one(name, binary):
    """One storm, in the namespaces that it needs."""
    make, _, flags = STORMS[name]
    # What the storm made is taken away again also where somebody ends us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = Report(f"{NAME}: {name}")
    try:
        storm = make()
    except Refused as error:
        print(f"{NAME}: {name}: SKIPPED, {error}", flush=True)
        sys.exit(SKIPPED)
    with storm, Daemon(binary, *flags) as daemon:
        daemon.ask()
        time.sleep(SHARED)
        storm.start()
        answers, dice = [], random.Random(1)
        try:
            while time.monotonic() < storm.started + SECONDS:
                start = time.monotonic()
                answers.append((start, daemon.ask()))
                time.sleep(dice.uniform(0.1, 0.3))
        finally:
            storm.end()
        if storm.failure:
            if isinstance(storm.failure, Refused):
                print(f"{NAME}: {name}: SKIPPED, {storm.failure}", flush=True)
                sys.exit(SKIPPED)
            report.check(False, "the storm goes on", repr(storm.failure))
        report.note(storm.told())
        taken = judge(report, answers)
        forward(report, taken, storm.is_own)
        wrong, seen = [], 0
        for since, until, samples in taken:
            count, found = storm.judge(since, until, samples)
            seen += count
            wrong += found
        report.check(seen > 0 and not wrong, f"each is shown as what it is: {seen} sightings", (seen, wrong[:3]))
        promtool(report, answers[len(answers) // 2][1].text)
        log = daemon.log()
        report.check("panicked" not in log, "nothing panicked", log)
        said = complaints(log)
        late = [line for line in said if LATE in line]
        if 0 < len(late) <= STARVED:
            report.note(f"{EXCUSE}: {'; '.join(late)}")
            said = [line for line in said if line not in late]
        report.check(not said, "no warning is logged", said[:3])
    report.end()


def main():
    binary = gauged(NAME)
    if len(sys.argv) > 2:
        one(sys.argv[2], binary)
        return
    if not sys.platform.startswith("linux"):
        skip(NAME, "its storms are of Linux")
    if os.geteuid() != 0:
        skip(NAME, "it needs root: namespaces, loop devices, a CPU")
    unshare, codes = shutil.which("unshare"), {}
    for name, (_, namespaces, _) in STORMS.items():
        print(f" {name}", flush=True)
        if name in BY_NAME:
            print(f"{NAME}: {name}: SKIPPED, it troubles the whole machine: {NAME}.py GAUGED {name}", flush=True)
            codes[name] = SKIPPED
            continue
        before = []
        if namespaces:
            before = [unshare or "unshare", *namespaces]
            if not unshare or subprocess.run([*before, "true"], capture_output=True, check=False).returncode != 0:
                print(f"{NAME}: {name}: SKIPPED, {' '.join(before)} is not there or not allowed", flush=True)
                codes[name] = SKIPPED
                continue
        codes[name] = subprocess.run([*before, sys.executable, __file__, binary, name], check=False).returncode
    told = ", ".join(f"{name} {({0: 'holds', SKIPPED: 'SKIPPED'}).get(code, 'FAILED')}" for name, code in codes.items())
    if set(codes.values()) - {0, SKIPPED}:
        sys.exit(f"{NAME}: FAILED: {told}")
    print(f"{NAME}: {told}")


if __name__ == "__main__":
    main()
