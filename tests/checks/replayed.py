#!/usr/bin/env python3
"""replayed.py GAUGED: one query over a live Linux host and recorded machines, asked of a real Prometheus.

The recorded machines are the Macs, the GB10 and the server with a divided H100 of tests/machines, each served by `gauged
serve --replay`. Memory in use and disk in use are the expressions of README.md, and each must have an answer for every
target; what a GPU has left must have one for every target with a GPU."""

import contextlib
import glob
import json
import os
import re
import subprocess
import tempfile

from daemon import Daemon, Report, free_port, gauged, need
from expressions import expressions
from prometheus import api, wait

NAME = "replayed"
MACHINES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../machines")
LIVE = "live"
GPU = "gpu_memory_available_bytes"
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def captures():
    """The recorded machines, by name."""
    found = sorted(glob.glob(os.path.join(MACHINES, "mac-*.capture")))
    found += [os.path.join(MACHINES, f"{name}.capture") for name in ("gb10", "server")]
    return {os.path.basename(path).removesuffix(".capture"): path for path in found}


def samples(text):
    """(name, labels, value) of an exposition in text 0.0.4."""
    found = filter(None, map(SAMPLE.match, text.splitlines()))
    return [(name, dict(LABEL.findall(labels or "")), float(value)) for name, labels, value in (m.groups() for m in found)]


def gpus(name):
    """What the golden file says of a recorded machine's GPUs: how much a new model could get, by instance or GPU."""
    with open(os.path.join(MACHINES, f"{name}.prom")) as file:
        said = samples(file.read())
    return {labels.get("mig", labels["uuid"]): value for family, labels, value in said if family == GPU}


def recorded(name):
    """What the golden file says of a recorded machine: memory in use, and disk in use by pool."""
    with open(os.path.join(MACHINES, f"{name}.prom")) as file:
        said = samples(file.read())
    one = {family: value for family, labels, value in said if not labels}
    memory = 1 - one["host_memory_available_bytes"] / one["host_memory_total_bytes"]
    # As `max without (device, mountpoint, fstype)`: what is left of the labels is a group.
    most = {"host_filesystem_available_bytes": {}, "host_filesystem_size_bytes": {}}
    for family, labels, value in said:
        if family in most:
            pools = most[family]
            pools[labels["pool"]] = max(value, pools.get(labels["pool"], value))
    available, size = most.values()
    return memory, {pool: 1 - available[pool] / size[pool] for pool in available if size[pool]}


def main():
    binary = gauged(NAME)
    server = need(NAME, "prometheus", "Debian: prometheus")
    report = Report(NAME)
    machines = captures()
    report.check(any(name.startswith("mac-") for name in machines), "there are recorded Macs", list(machines))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        daemons = {LIVE: stack.enter_context(Daemon(binary))}
        for name, path in machines.items():
            daemons[name] = stack.enter_context(Daemon(binary, f"--replay={path}", name=name))
        for name in machines:
            says(report, name, daemons[name])
        live = [labels for family, labels, _ in samples(daemons[LIVE].ask().text) if family == "gauged_build_info"]
        report.check(len(live) == 1 and "replay" not in live[0], "the live one does not say that it is replayed", live)
        prometheus(report, server, folder, daemons)
        logs = {name: daemon.log() for name, daemon in daemons.items()}
    for name in machines:
        report.check("panicked" not in logs[name] and "capture does not have" not in logs[name], f"{name}: asks for what was recorded", logs[name])
    report.end()


def says(report, name, daemon):
    """A replayed machine tells that it is one, wherever somebody looks."""
    info = [labels for family, labels, _ in samples(daemon.ask().text) if family == "gauged_build_info"]
    report.check([labels.get("replay") for labels in info] == [name], f"{name}: gauged_build_info says that it is replayed", info)
    page = f"This is not this machine: {name}, a recorded one, is replayed."
    report.check(page in daemon.ask("/").text, f"{name}: so does the page")
    report.check(f"replays the recorded machine {name}" in daemon.log(), f"{name}: so does the log", daemon.log())


def prometheus(report, server, folder, daemons):
    settings = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            {
                "job_name": "gauged",
                "static_configs": [
                    {"targets": [f"127.0.0.1:{daemon.port}"], "labels": {"machine": name}} for name, daemon in daemons.items()
                ],
            }
        ],
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
        judge(report, port, list(daemons))
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def judge(report, port, names):
    up = {result["metric"]["machine"] for result in api(port, "query", query="min_over_time(up[1m]) == 1")["result"]}
    report.check(up == set(names), f"{len(names)} targets are up in every scrape: {', '.join(names)}", up)
    asked = dict(expressions())
    memory = asked["memory in use"]
    disk = asked["disk in use, shared pools counted once"]
    told = {name: recorded(name) for name in names if name != LIVE}

    used = {}
    for result in api(port, "query", query=memory)["result"]:
        used.setdefault(result["metric"]["machine"], []).append(float(result["value"][1]))
    report.check(set(used) == set(names), f"one query for all: {memory}", used)
    for name, values in used.items():
        report.check(len(values) == 1 and 0 < values[0] < 1, f"  {name}: {', '.join(f'{value:.4f}' for value in values)}")
        if name in told:
            report.check(abs(values[0] - told[name][0]) < 1e-9, f"  {name}: as its golden file says", told[name][0])

    pools = {}
    for result in api(port, "query", query=disk)["result"]:
        pools.setdefault(result["metric"]["machine"], {})[result["metric"]["pool"]] = float(result["value"][1])
    report.check(set(pools) == set(names), f"one query for all: {disk}", pools)
    for name, values in pools.items():
        right = values and all(0 <= value <= 1 for value in values.values())
        shown = ", ".join(f"{pool} {value:.4f}" for pool, value in list(values.items())[:4])
        report.check(right, f"  {name}: {len(values)} pools: {shown}", values)
        if name in told:
            same = set(values) == set(told[name][1]) and all(abs(values[pool] - told[name][1][pool]) < 1e-9 for pool in values)
            report.check(same, f"  {name}: as its golden file says", told[name][1])

    left = {}
    for result in api(port, "query", query=GPU)["result"]:
        labels = result["metric"]
        left.setdefault(labels["machine"], {})[labels.get("mig", labels["uuid"])] = float(result["value"][1])
    wanted = {name: there for name in told if (there := gpus(name))}
    report.check({name: left.get(name) for name in wanted} == wanted, f"one query for all: {GPU}", left)
    report.check(len(wanted) >= 4, f"  GPUs: {', '.join(f'{name} {len(there)}' for name, there in wanted.items())}")
    for what, expression in expressions():
        if "gpu_" in expression:
            api(port, "query", query=expression)
            report.check(True, f"{what}: {expression}")

    still = api(port, "query", query='max by (machine) (changes(host_time_seconds{machine!="live"}[1m]))')["result"]
    # Prometheus may have come before the second pass.
    report.check(len(still) == len(names) - 1 and all(float(r["value"][1]) <= 1 for r in still), "recorded clocks stand still", still)


if __name__ == "__main__":
    main()
