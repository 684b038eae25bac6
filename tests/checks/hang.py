#!/usr/bin/env python3
"""hang.py GAUGED HUNG-FUSE: a mount that never answers costs its own series, one deadline and one thread.

hung-fuse mounts it; where that is not allowed, a user namespace is tried, and then the check is skipped."""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from daemon import Daemon, Report, gauged, skip
from exposition import read

NAME = "hang"
TIMEOUT = 3
HEADERS = {"X-Prometheus-Scrape-Timeout-Seconds": str(TIMEOUT)}
SCRAPES, PARALLEL = 50, 45
# A scrape beside a hung mount, in seconds; the promise.
SWIFT = 0.050
INSIDE = "GAUGED_CHECK_INSIDE"


class Mount:
    """A hung filesystem, mounted until the with-block ends."""

    def __init__(self, program, *flags):
        self.place = os.path.realpath(tempfile.mkdtemp(prefix="hung-"))
        self.process = subprocess.Popen(
            [program, self.place, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.ready = self.process.stdout.readline().strip() == "ready"
        self.words = "" if self.ready else self.process.stderr.read().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.ready and any(self.place in line for line in open("/proc/self/mountinfo")):
            subprocess.run(["umount", "-l", self.place], check=False)
        os.rmdir(self.place)


def states(pid):
    """{thread: (name, state)} of a process, from /proc/PID/task/*/stat."""
    found = {}
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/stat") as file:
                name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        found[int(task)] = (name, rest.split()[0])
    return found


def stuck(pid):
    return [f"{name} ({task})" for task, (name, state) in states(pid).items() if state == "D"]


def steady(samples):
    """What must stay: every series but those that come and go with what they count."""
    fickle = ("gauged_collector_late_total", "gauged_collector_failures_total", "gauged_collector_age_seconds", "gauged_lane_stuck")
    return {series for series in samples if not series[0].startswith(fickle)}


def bindable(port, within):
    """Seconds until the port can be bound, or None."""
    start = time.monotonic()
    while time.monotonic() - start < within:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
                listener.listen()
                return time.monotonic() - start
            except OSError:
                time.sleep(0.01)
    return None


def scrapes(report, daemon, place, before):
    """The first scrape, and those after it, apart far enough to be real ones."""
    # Longer than a snapshot is shared for, so that the first one meets the mount.
    time.sleep(0.3)
    first = daemon.ask(headers=HEADERS)
    report.check(first.status == 200 and first.seconds < TIMEOUT, f"the first scrape answers in {first.seconds:.3f} s")
    answers = []
    for _ in range(SCRAPES):
        time.sleep(0.27)
        answers.append(daemon.ask(headers=HEADERS))
    times = sorted(answer.seconds for answer in answers)
    p99 = times[int(len(times) * 0.99) - 1]
    told = f"median {statistics.median(times) * 1e3:.1f}, p99 {p99 * 1e3:.1f}, max {times[-1] * 1e3:.1f} ms"
    report.check(all(answer.status == 200 for answer in answers), f"the next {SCRAPES} scrapes are 200")
    report.check(p99 <= SWIFT, f"and take at most {SWIFT * 1e3:.0f} ms: {told}", told)
    everywhere = [read(answer.text) for answer in [first, *answers]]
    # The lane was late at the first scrape; local mounts are in it, and come again with the next.
    lost = [len(steady(before) - set(samples)) for samples in everywhere]
    missing = list(steady(before) - set(everywhere[-1]))[:5]
    report.check(not any(lost), "all other series are there, in every scrape", f"lost {lost}, such as {missing}")
    errors = [dict(labels) for labels in everywhere[-1].family("host_filesystem_error")]
    mine = [labels for labels in errors if labels["mountpoint"] == place]
    right = len(mine) == 1 and mine[0]["reason"] == "timeout"
    report.check(right, f'host_filesystem_error{{mountpoint="{place}",reason="timeout"}} is 1', errors)
    sizes = [labels for labels in everywhere[-1].family("host_filesystem_size_bytes") if dict(labels)["mountpoint"] == place]
    report.check(not sizes, "and it has no size", sizes)


def crowd(report, daemon):
    """Many at once, then one more: nothing is leaked, nobody is refused."""
    codes = []

    def one():
        try:
            codes.append(daemon.ask(headers=HEADERS).status)
        except OSError as error:
            codes.append(repr(error))

    threads = [threading.Thread(target=one) for _ in range(PARALLEL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report.check(codes == [200] * PARALLEL, f"{PARALLEL} at once are all 200", [code for code in codes if code != 200])
    last = daemon.ask(headers=HEADERS)
    report.check(last.status == 200 and last.seconds < TIMEOUT, f"one more is 200, in {last.seconds * 1e3:.0f} ms")
    health = daemon.ask("/-/healthy")
    report.check(health.status == 200 and health.seconds < 0.5, "/-/healthy is 200")


def never(report, binary, program):
    with Daemon(binary) as daemon:
        daemon.ask(headers=HEADERS)
        time.sleep(0.3)
        before = read(daemon.ask(headers=HEADERS).text)
        report.check(len(before) > 100, f"without the mount: {len(before)} series")
        with Mount(program) as mount:
            scrapes(report, daemon, mount.place, before)
            asleep = stuck(daemon.pid)
            report.check(len(asleep) == 1, "one thread is in state D", asleep)
            crowd(report, daemon)
            asleep = stuck(daemon.pid)
            report.check(len(asleep) == 1, f"still one: {', '.join(asleep)}", asleep)
            kill(report, daemon)
            terminate(report, binary)
        report.check("panicked" not in daemon.log(), "nothing panicked", daemon.log())


def kill(report, daemon):
    """SIGKILL while a thread cannot be killed: the port must not stay with it."""
    os.kill(daemon.pid, signal.SIGKILL)
    free = bindable(daemon.port, 5)
    left = [state for _, state in states(daemon.pid).values()]
    told = "never" if free is None else f"after {free * 1e3:.0f} ms"
    report.check("D" in left, f"after SIGKILL the thread is still there: {left}")
    report.check(free is not None and free <= 1, f"and the port is free {told}")


def terminate(report, binary):
    """SIGTERM while a thread is stuck: an orderly end, in time."""
    daemon = Daemon(binary)
    daemon.ask(headers=HEADERS)
    report.check(len(stuck(daemon.pid)) == 1, "another daemon has one thread in state D too", states(daemon.pid))
    start = time.monotonic()
    os.kill(daemon.pid, signal.SIGTERM)
    free = bindable(daemon.port, 5)
    # The leader is a zombie as long as its thread is stuck; that it is one says that it called exit_group.
    while time.monotonic() - start < 5 and states(daemon.pid).get(daemon.pid, ("", "Z"))[1] != "Z":
        time.sleep(0.01)
    took = time.monotonic() - start
    report.check(took <= 2, f"after SIGTERM it has ended within {took:.2f} s")
    report.check(free is not None and free <= 2, "and its port is free", free)


def heal(report, binary, program):
    """A mount that answers again is shown again, by the thread that waited."""
    with Mount(program, "--heal-after", "4") as mount, Daemon(binary) as daemon:
        daemon.ask(headers=HEADERS)
        asleep = stuck(daemon.pid)
        shown, patience = False, time.monotonic() + 15
        while not shown and time.monotonic() < patience:
            time.sleep(0.5)
            sizes = read(daemon.ask(headers=HEADERS).text).family("host_filesystem_size_bytes")
            shown = any(dict(labels)["mountpoint"] == mount.place for labels in sizes)
        report.check(len(asleep) == 1 and shown, "a mount that heals is shown again", asleep)
        report.check(not stuck(daemon.pid), "and no thread is stuck", stuck(daemon.pid))


def right_to_mount(program):
    """Ends the check, or starts it again in a user namespace, where this process may not mount."""
    with Mount(program) as mount:
        if mount.ready:
            return
        words, code = mount.words, mount.process.wait()
    if code != 77:
        sys.exit(f"FAILED: hung-fuse: {words}")
    unshare = shutil.which("unshare")
    if unshare and INSIDE not in os.environ:
        inside = [unshare, "--user", "--map-root-user", "--mount"]
        if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode == 0:
            os.execve(unshare, [*inside, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})
    skip(NAME, words)


def main():
    binary = gauged(NAME)
    if len(sys.argv) < 3 or not os.access(sys.argv[2], os.X_OK):
        sys.exit("usage: hang.py PATH-OF-GAUGED PATH-OF-HUNG-FUSE")
    program = os.path.abspath(sys.argv[2])
    right_to_mount(program)
    report = Report(NAME)
    never(report, binary, program)
    heal(report, binary, program)
    report.end()


if __name__ == "__main__":
    main()
