"""A daemon under check: started on a free loopback port, asked over HTTP, ended by its pid; and a report."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time


def free_port():
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Answer:
    """An HTTP response, read to its end, with the time it took."""

    def __init__(self, response, body, seconds):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = body
        self.seconds = seconds

    @property
    def text(self):
        return self.body.decode("utf-8")


def ask(port, path="/metrics", method="GET", timeout=15, headers=None):
    """One request on a connection of its own."""
    start = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        body = response.read()
        return Answer(response, body, time.monotonic() - start)
    finally:
        connection.close()


class Daemon:
    """A program that takes --web.listen-address, running until the with-block ends."""

    def __init__(self, program, *flags, ready="/-/ready", before=(), name=None, environment=None):
        self.name = name or os.path.basename(program)
        self.port = free_port()
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [*before, program, f"--web.listen-address=127.0.0.1:{self.port}", *flags],
            stdin=subprocess.DEVNULL,
            stdout=self.errors,
            stderr=self.errors,
            env={**os.environ, **(environment or {})},
        )
        patience = time.monotonic() + 15
        while not self._answers(ready):
            code = self.process.poll()
            if code is not None or time.monotonic() > patience:
                why = f"ended with {code}" if code is not None else "does not answer within 15 s"
                self.stop()
                sys.exit(f"FAILED: {self.name} {why}\n{self.log()}")
            time.sleep(0.05)

    def _answers(self, path):
        try:
            return self.ask(path, timeout=5).status == 200
        except OSError:
            return False

    def ask(self, path="/metrics", **how):
        return ask(self.port, path, **how)

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        """What it printed so far."""
        self.errors.seek(0)
        return self.errors.read()

    def stop(self, number=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(timeout=10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Report:
    """What was checked, line by line; the exit code at the end."""

    def __init__(self, name):
        self.name = name
        self.held = 0
        self.broken = []

    def check(self, holds, what, detail=""):
        if holds:
            self.held += 1
            print(f"  ok      {what}")
        else:
            self.broken.append(what)
            print(f"  FAILED  {what}" + (f": {detail}" if detail else ""))
        sys.stdout.flush()
        return holds

    def note(self, text):
        print(f"  note    {text}", flush=True)

    def end(self):
        if self.broken:
            sys.exit(f"{self.name}: FAILED, {len(self.broken)} of {self.held + len(self.broken)}")
        print(f"{self.name}: {self.held} checks hold")
        sys.exit(0)


def skip(name, why):
    """Ends the check, loudly, without failing it."""
    print(f"{name}: SKIPPED, {why}")
    sys.exit(0)


def need(name, program, where):
    """The path of a program, or the end of the check."""
    path = shutil.which(program)
    if path is None:
        skip(name, f"{program} is not installed ({where})")
    return path


def gauged(name):
    """The binary that is to be checked: the first argument."""
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit(f"usage: {name}.py PATH-OF-GAUGED ..")
    return os.path.abspath(sys.argv[1])
