#!/usr/bin/env python3
"""badinput.py GAUGED: bad kernel files are a failed collector, bad settings are one line; never a panic or a zero.

Kernel files are tried in a copy of /proc: each one missing, empty, garbage, one line of a megabyte, cut short and
unreadable. The copy does not move, so whatever a scrape shows that the whole copy does not show was made up."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile

from daemon import Daemon, Report, gauged
from exposition import read

NAME = "badinput"
# Tried one by one, or together where one stands in for the other.
TRIED = ["stat", "meminfo", "vmstat", "loadavg", "uptime", "self/mountinfo", "1/mountinfo", "1/mountinfo and self/mountinfo"]
FILES = [name for name in TRIED if " and " not in name]
# Whose file it is; a file that is not here may be nobody's.
OWNER = {
    "stat": "cpu",
    "meminfo": "memory",
    "vmstat": "memory",
    "loadavg": "load",
    "1/mountinfo and self/mountinfo": "filesystem",
}
GONE = {
    "stat": "host_cpu_seconds_total",
    "meminfo": "host_memory_total_bytes",
    "vmstat": "host_memory_page_faults_total",
    "loadavg": "host_load1",
    "1/mountinfo and self/mountinfo": "host_filesystem_size_bytes",
}
USAGE = 64


def missing(path):
    os.unlink(path)


def empty(path):
    open(path, "w").close()


def garbage(path):
    with open(path, "wb") as file:
        file.write(b"\x00\xff\xfe garbage \x80\n" * 20)


def wrong(path):
    """Words where numbers were, everything else in its place."""
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(data.translate(bytes.maketrans(b"0123456789", b"abcdefghij")))


def long_line(path):
    with open(path, "wb") as file:
        file.write(b"x" * 1_000_000)


def long_number(path):
    with open(path, "wb") as file:
        file.write(b"9" * 1_000_000 + b"\n")


def unreadable(path):
    os.chmod(path, 0)


def directory(path):
    os.unlink(path)
    os.mkdir(path)


FAULTS = [missing, empty, garbage, wrong, long_line, long_number, unreadable, directory]


def kernel(name):
    with open(f"/proc/{name}", "rb") as file:
        return file.read()


class Tree:
    """A copy of the kernel's files that anybody may read, for as long as the with-block lasts. Every tree is of
    the same moment."""

    moment = {}

    def __init__(self):
        if not Tree.moment:
            Tree.moment = {name: kernel(name) for name in FILES}
        self.root = tempfile.mkdtemp(prefix="procfs-")
        os.chmod(self.root, 0o755)
        for name, data in Tree.moment.items():
            path = os.path.join(self.root, name)
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
            with open(path, "wb") as copy:
                copy.write(data)
            os.chmod(path, 0o644)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root)


class Runner:
    """Runs gauged as nobody where we are root, for root may read everything."""

    def __init__(self, binary):
        self.folder = tempfile.mkdtemp(prefix="gauged-")
        os.chmod(self.folder, 0o755)
        self.binary = shutil.copy(binary, self.folder)
        os.chmod(self.binary, 0o755)
        self.before = []
        if os.geteuid() == 0:
            setpriv = shutil.which("setpriv")
            self.before = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"] if setpriv else []
        self.privileged = os.geteuid() == 0 and not self.before

    def run(self, *arguments, environment=None):
        return subprocess.run(
            [*self.before, self.binary, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=30,
            env={**os.environ, **(environment or {})},
        )

    def once(self, tree):
        return self.run("once", "--format", "text", f"--path.procfs={tree.root}")


def kernel_files(report, runner):
    with Tree() as tree:
        result = runner.once(tree)
        whole = read(result.stdout) if result.returncode == 0 else {}
        names = {name for name, _ in whole}
        report.check(set(GONE.values()) <= names, "a copy of /proc is read", result.stderr or set(GONE.values()) - names)
    for name in TRIED:
        for fault in FAULTS:
            if fault is unreadable and runner.privileged:
                report.note("unreadable files: SKIPPED, we are root and setpriv is not installed")
                continue
            with Tree() as tree:
                for part in name.split(" and "):
                    fault(os.path.join(tree.root, part))
                judge(report, whole, runner.once(tree), name, fault.__name__)


def places(samples):
    """Every mount point of which something is said."""
    return {dict(labels).get("mountpoint") for name, labels in samples if name.startswith("host_filesystem_")}


def judge(report, whole, result, name, fault):
    what = f"{name}, {fault}"
    faults = []
    if "panicked" in result.stderr + result.stdout:
        faults.append(f"it panicked: {result.stderr[-300:]}")
    if result.returncode != 0:
        faults.append(f"exit code {result.returncode}: {result.stderr[-300:]}")
        report.check(False, what, "; ".join(faults))
        return
    samples = read(result.stdout)
    moving = ("host_time_", "host_uptime_", "host_filesystem_")
    made_up = [
        (series, value)
        for series, value in samples.items()
        if series[0].startswith("host_") and not series[0].startswith(moving) and whole.get(series) != value
    ]
    shown = places(samples) - places(whole)
    made_up += [(place, None) for place in shown]
    if made_up:
        faults.append(f"made up: {made_up[:3]}")
    told = ""
    if name in OWNER:
        collector = OWNER[name]
        if GONE[name] in samples.names():
            faults.append(f"{GONE[name]} is shown")
        failures = {
            dict(labels)["reason"]: value
            for labels, value in samples.family("gauged_collector_failures_total").items()
            if dict(labels)["collector"] == collector and value > 0
        }
        success = samples.value("gauged_collector_success", collector=collector)
        # vmstat is a part of memory: without it the rest is still measured.
        if not failures or (success != 0 and name != "vmstat"):
            faults.append(f"success is {success}, failures {failures}")
        told = f": success {success:.0f}, {', '.join(failures)}" if success is not None else ""
    report.check(not faults, what + told, "; ".join(faults))


def daemon_with_bad_files(report, runner):
    """The server lives with all of it, and says so on its page."""
    with Tree() as tree:
        for name in ("stat", "meminfo", "loadavg"):
            garbage(os.path.join(tree.root, name))
        with Daemon(runner.binary, f"--path.procfs={tree.root}", before=runner.before) as daemon:
            for _ in range(3):
                answer = daemon.ask()
            page = daemon.ask("/")
            report.check(answer.status == 200 and page.status == 200, "the server answers with bad files", answer.status)
            log = daemon.log()
            report.check("panicked" not in log, "and does not panic", log)
            report.check(len(log.splitlines()) < 20, "and logs a change of state, not each scrape", log)


def complaint(report, what, result, codes):
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    right = len(lines) == 1 and result.returncode in codes and "panicked" not in result.stderr
    told = f"exit {result.returncode}, {lines}"
    report.check(right and not result.stdout.strip(), f"{what}: {lines[0][:100] if lines else ''}", told)


def settings(report, runner):
    flags = [
        ("an unknown flag", ["--no-such-flag"]),
        ("a bad address", ["--web.listen-address=nonsense"]),
        ("a bad number", ["--scrape.max-series=many"]),
        ("an unknown collector", ["--collector.nosuch"]),
        ("an unknown verb", ["nosuch"]),
        ("a bad format", ["once", "--format", "nosuch"]),
    ]
    for what, arguments in flags:
        complaint(report, what, runner.run(*arguments), [USAGE])
    result = runner.run(environment={"GAUGED_SCRAPE_MAX_SERIES": "many"})
    complaint(report, "a bad number in the environment", result, [USAGE])
    folder = tempfile.mkdtemp(prefix="config-")
    os.chmod(folder, 0o755)
    files = [
        ("an unknown key in the file", "no.such.key = 1\n", 0o644),
        ("a bad value in the file", 'scrape.max-series = "many"\n', 0o644),
        ("a file that is no TOML", "= = =\n", 0o644),
        ("a file that is not text", b"\xff\xfe\x00", 0o644),
        ("a file that may not be read", "", 0o000),
    ]
    for what, text, mode in files:
        path = os.path.join(folder, "gauged.toml")
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        if mode or not runner.privileged:
            complaint(report, what, runner.run(f"--config.file={path}"), [USAGE])
        os.unlink(path)
    complaint(report, "a file that is not there", runner.run(f"--config.file={folder}/none"), [USAGE])
    complaint(report, "a file that is a directory", runner.run(f"--config.file={folder}"), [USAGE])
    shutil.rmtree(folder)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        result = runner.run(f"--web.listen-address=127.0.0.1:{port}")
        complaint(report, "a port in use", result, range(1, 125))


def main():
    binary = gauged(NAME)
    if not sys.platform.startswith("linux"):
        print(f"{NAME}: SKIPPED, it copies /proc")
        return
    report = Report(NAME)
    runner = Runner(binary)
    try:
        kernel_files(report, runner)
        daemon_with_bad_files(report, runner)
        settings(report, runner)
    finally:
        shutil.rmtree(runner.folder)
    report.end()


if __name__ == "__main__":
    main()
