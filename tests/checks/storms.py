"""Storms: things made and unmade by a thread while somebody is measured (events.py). Each keeps a history of what was
what and when, and judges a scrape by it. Here are what they share, processes and CPUs; interfaces are in links.py,
disks and mounts in volumes.py."""

import collections
import errno
import subprocess
import sys
import threading
import time


class Refused(Exception):
    """What this machine does not let us do."""


class History:
    """Who had a name, and when: a reading over some time may show any of those that had it then."""

    def __init__(self):
        self.held = collections.defaultdict(list)

    def begin(self, name, who):
        self.held[name].append([time.monotonic(), None, who])

    def end(self, name):
        self.held[name][-1][1] = time.monotonic()

    def owners(self, name, since, until):
        return [who for start, end, who in self.held[name] if start <= until and (end is None or end >= since)]


class Storm:
    """A thread that calls once() until it is ended. Whatever it made, clear() takes away."""

    def __init__(self):
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.failure, self.rounds, self.started = None, 0, None

    def start(self):
        self.started = time.monotonic()
        self.thread.start()

    def run(self):
        try:
            while not self.over.is_set():
                self.once()
                self.rounds += 1
        except Exception as error:  # noqa: BLE001, said by events.py
            self.failure = error

    def end(self):
        self.over.set()
        self.thread.join(30)

    def clear(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        if self.thread.is_alive():
            self.thread.join(30)
        self.clear()

    def told(self):
        return f"{self.rounds} rounds"

    def is_own(self, labels):
        """True for the labels of what the storm makes anew."""
        return False


class Processes(Storm):
    """Short processes, as many a second as two processes can start, up to 2,000; and one that stays."""

    RATE = 2000
    PROGRAM = """
import os, sys, time
start, made = time.monotonic(), 0
while time.monotonic() < start + 60:
    for _ in range(10):
        os.posix_spawn("/bin/true", ["true"], {})
        made += 1
    for _ in range(10):
        os.wait()
    wait = start + made / float(sys.argv[1]) - time.monotonic()
    if wait > 0:
        time.sleep(wait)
"""

    def __init__(self):
        super().__init__()
        self.command = [sys.executable, "-S", "-c", self.PROGRAM, str(self.RATE / 2)]
        self.starters, self.forks, self.starts = [], None, {}
        # Large, so that it is among those that are shown; its own pid, name and start must stay together.
        hold = "import time; held = bytearray(96 << 20); time.sleep(120)"
        self.stays = subprocess.Popen([sys.executable, "-S", "-c", hold])
        time.sleep(0.3)

    def count(self):
        with open("/proc/stat") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("processes "))

    def start(self):
        self.forks = self.count()
        self.starters = [subprocess.Popen(self.command) for _ in range(2)]
        super().start()

    def once(self):
        time.sleep(0.05)

    def end(self):
        self.rate = (self.count() - self.forks) / (time.monotonic() - self.started)
        super().end()
        self.clear()

    def clear(self):
        for process in [*self.starters, self.stays]:
            if process.poll() is None:
                process.kill()
                process.wait()

    def told(self):
        return f"{self.rate:.0f} processes a second"

    def is_own(self, labels):
        return "pid" in labels

    def judge(self, since, until, samples):
        seen, wrong = 0, []
        for labels, start in samples.family("host_process_start_time_seconds").items():
            names = dict(labels)
            known = self.starts.setdefault(names["pid"], (names["process"], start))
            if names["pid"] == str(self.stays.pid):
                seen += 1
                resident = samples.value("host_process_resident_memory_bytes", **names)
                cpu = samples.value("host_process_cpu_seconds_total", **names)
                if known[0] != names["process"] or abs(known[1] - start) > 1 or not resident or resident < 96 << 20 or cpu > 5:
                    wrong.append((names, start, known, resident, cpu))
            elif known[0] == names["process"] and names["process"] != "true" and abs(known[1] - start) > 1:
                self.starts[names["pid"]] = (names["process"], start)  # pids are used again
        return seen, wrong


class Cpu(Storm):
    """cpu1, offline and back. What it had counted stays its own."""

    SWITCH = "/sys/devices/system/cpu/cpu1/online"

    def __init__(self):
        super().__init__()
        self.before = 1
        try:
            with open(self.SWITCH) as file:
                if file.read().strip() != "1":
                    raise Refused("cpu1 is offline already")
        except OSError as error:
            raise Refused(f"cpu1 cannot be switched: {error}") from None
        self.history = History()
        try:
            self.set(0)
        except OSError as error:
            raise Refused(f"cpu1 cannot be switched off here: {errno.errorcode.get(error.errno)}, {error}") from None
        finally:
            self.clear()
        self.history.begin("cpu1", 1)

    def set(self, online):
        with open(self.SWITCH, "w") as file:
            file.write(str(online))

    def once(self):
        for online in (0, 1):
            # From here on it may be this, and until it is done the other.
            self.history.begin("cpu1", online)
            self.set(online)
            self.history.held["cpu1"][-2][1] = time.monotonic()
            time.sleep(0.35)

    def clear(self):
        with open(self.SWITCH) as file:
            if file.read().strip() != "1":
                self.set(1)

    def told(self):
        return f"{self.rounds} times offline and back"

    def judge(self, since, until, samples):
        states = set(self.history.owners("cpu1", since, until))
        cpus, online = samples.value("host_cpus"), samples.value("host_cpu_online", cpu="1")
        counted = samples.value("host_cpu_seconds_total", cpu="1", mode="idle") is not None
        count = len({dict(labels)["cpu"] for labels in samples.family("host_cpu_seconds_total")})
        right = online in states and counted in states and cpus == count
        return 1, [] if right else [(states, cpus, online, counted, count)]
