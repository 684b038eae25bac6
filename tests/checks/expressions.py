#!/usr/bin/env python3
"""expressions.py GAUGED [HUNG-FUSE]: what README.md tells people to ask, asked of a real Prometheus.

The expressions are read from the table under "What one sees". The machine is given what they are for: a textfile that
is old, one that is broken, and a hung mount where that is allowed."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time

from daemon import Daemon, Report, free_port, gauged, need
from hang import Mount
from prometheus import api, wait

NAME = "expressions"
README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../README.md")


def ratio(results, _):
    return bool(results) and all(0 <= value <= 1 for _, value in results)


def memory(results, _):
    return len(results) == 1 and 0 < results[0][1] < 1


def busy(results, _):
    """All or none of it, on a machine that does nothing else; a rate over few samples is a guess at its ends."""
    return len(results) == 1 and -0.05 <= results[0][1] <= 1


def hung(results, told):
    return [metric["mountpoint"] for metric, value in results if value == 1] == told["hung"]


def failing(results, told):
    """The broken textfile; and the hung mount, which was late once."""
    failed = {metric["collector"] for metric, _ in results}
    return "textfile" in failed and failed <= {"textfile", *(["filesystem"] if told["hung"] else [])}


def share(results, _):
    """A second of each second at most, but for what a rate over few samples guesses at its ends."""
    return bool(results) and all(0 <= value <= 1.1 for _, value in results)


def pressure(results, told):
    """Nothing where the kernel does not count it."""
    return share(results, told) if os.path.exists("/proc/pressure/cpu") else not results


def traffic(results, _):
    """Of each interface; one that carries nothing is 0."""
    return bool(results) and all("device" in metric and 0 <= value < 1e12 for metric, value in results)


def degrees(results, _):
    """None on a machine without sensors; a limit may be passed, but not by so much."""
    return all(-100 < value < 300 for _, value in results)


def undisciplined(results, _):
    return len(results) <= 1 and all(value == 0 for _, value in results)


def old(results, told):
    return [metric["file"] for metric, value in results if value > 3600] == [told["old"]]


def broken(results, told):
    return {metric["file"] for metric, value in results if value == 1} == set(told["broken"])


# By how each begins: what is sensible.
SENSIBLE = {
    "1 - host_memory_available_bytes": memory,
    "1 - avg by (instance) (rate(host_cpu_seconds_total": busy,
    "1 - max without (device, mountpoint, fstype) (host_filesystem_available_bytes)": ratio,
    'host_filesystem_error{reason="timeout"}': hung,
    'rate(host_pressure_seconds_total{stall="some"}': pressure,
    "rate(host_network_receive_bytes_total": traffic,
    "rate(host_disk_io_seconds_total": share,
    'host_temperature_limit_celsius{limit="critical"}': degrees,
    "host_clock_synchronized == 0": undisciplined,
    "gauged_collector_success == 0": None,
    "rate(gauged_collector_failures_total": failing,
    "time() - host_textfile_mtime_seconds": old,
    "host_textfile_error == 1": broken,
}


def expressions():
    """(what it is for, expression) of the table's rows."""
    with open(README) as file:
        table = file.read().split("## What one sees", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (.+?) \| (`.+`) \|$", table, re.M)
    return [(what, expression) for what, cell in rows for expression in re.findall(r"`([^`]+)`", cell)]


def textfiles(folder):
    """A directory with a good file, an old one and a broken one; what is to be said of them."""
    contents = {"good": "backup_ok 1\n", "old": "backup_old 1\n", "broken": "what is this\n"}
    for name, content in contents.items():
        with open(os.path.join(folder, f"{name}.prom"), "w") as file:
            file.write(content)
    then = time.time() - 7200
    os.utime(os.path.join(folder, "old.prom"), (then, then))
    return {"old": os.path.join(folder, "old.prom"), "broken": [os.path.join(folder, "broken.prom")]}


def main():
    binary = gauged(NAME)
    server = need(NAME, "prometheus", "Debian: prometheus")
    report = Report(NAME)
    program = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else None
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        files = stack.enter_context(tempfile.TemporaryDirectory())
        told = {**textfiles(files), "hung": []}
        # Ended after the mount is gone: a thread that hangs cannot be ended.
        daemon = stack.enter_context(Daemon(binary, f"--collector.textfile.directory={files}"))
        if program:
            mount = stack.enter_context(Mount(program))
            if mount.ready:
                told["hung"] = [mount.place]
            else:
                report.note(f"a mount that hangs: SKIPPED, {mount.words}")
        prometheus(report, server, folder, daemon, told)
    report.end()


def prometheus(report, server, folder, daemon, told):
    settings = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "gauged", "static_configs": [{"targets": [f"127.0.0.1:{daemon.port}"]}]}],
    }
    # JSON is YAML.
    path = os.path.join(folder, "prometheus.yml")
    with open(path, "w") as file:
        json.dump(settings, file)
    port = free_port()
    log = open(os.path.join(folder, "log"), "w+")
    command = [server, f"--config.file={path}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait(port, process, log)
        judge(report, port, told)
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def judge(report, port, told):
    asked = expressions()
    report.check(len(asked) >= 8, f"README.md has {len(asked)} expressions")
    for what, expression in asked:
        if "gpu_" in expression:
            report.note(f"{what}: {expression} is asked in replayed.py, of machines that have one")
            continue
        begin = next((begin for begin in SENSIBLE if expression.startswith(begin)), None)
        if not report.check(begin is not None, f"{what}: {expression}", "say in expressions.py what is sensible"):
            continue
        results = [(result["metric"], float(result["value"][1])) for result in api(port, "query", query=expression)["result"]]
        sensible = SENSIBLE[begin]
        right = not results if sensible is None else sensible(results, told)
        shown = ", ".join(f"{value:.3g}" for _, value in results[:6]) or "nothing"
        report.check(right, f"  is {shown}", results)


if __name__ == "__main__":
    main()
