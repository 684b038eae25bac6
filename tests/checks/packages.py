#!/usr/bin/env python3
"""packages.py GAUGED: what installs and builds gauged elsewhere, as far as that can be known without a Mac.

The jobs of launchd are read by plistlib, held to launchd.plist(5), and their commands are run; the rule of newsyslog is
held to newsyslog.conf(5); the Homebrew formula is checked by ruby, and its test run; the workflows are read by actionlint
where there is one, else held to the rules below."""

import json
import os
import plistlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from daemon import Report, ask, free_port, gauged

NAME = "packages"
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
DAEMON, AGENT = "io.github.gauged", "io.github.gauged.agent"
LOGS = "/Library/Logs/gauged"

# Who reads the scripts of a workflow.
SHELL = ["shellcheck", "--shell=bash", "-"] if shutil.which("shellcheck") else ["bash", "-n"]

# launchd.plist(5): the keys that a job of ours may have. A word that launchd does not know it ignores, silently.
KEYS = {
    "Label": str,
    "ProgramArguments": list,
    "UserName": str,
    "GroupName": str,
    "RunAtLoad": bool,
    "KeepAlive": bool,
    "ThrottleInterval": int,
    "ExitTimeOut": int,
    "SoftResourceLimits": dict,
    "HardResourceLimits": dict,
    "StandardErrorPath": str,
    "EnvironmentVariables": dict,
    "Umask": int,
}


def path(*parts):
    return os.path.normpath(os.path.join(ROOT, *parts))


def jobs(report):
    """The jobs of launchd, by label."""
    found = {}
    for label in (DAEMON, AGENT):
        with open(path("launchd", f"{label}.plist"), "rb") as file:
            job = found[label] = plistlib.load(file, fmt=plistlib.FMT_XML)
        wrong = {key: value for key, value in job.items() if not isinstance(value, KEYS.get(key, ()))}
        report.check(not wrong, f"{label}: every key is one of launchd.plist(5), and of its type", wrong)
        report.check(job["Label"] == label, f"{label}: the label is the file's name")
        report.check(job["RunAtLoad"] and job["KeepAlive"], f"{label}: runs from the start, and always")
        report.check("ProcessType" not in job, f"{label}: is not throttled as a background job")
        report.check(job["SoftResourceLimits"].get("NumberOfFiles", 0) >= 1024, f"{label}: may have files enough")
        report.check(2 < job["ExitTimeOut"] <= 10, f"{label}: has time to end, and not long")
        report.check(all(isinstance(word, str) for word in job["ProgramArguments"]), f"{label}: its command is words")
    daemon, agent = found.values()
    report.check(daemon["UserName"] == daemon["GroupName"] == "_gauged", "the daemon is not root")
    report.check(daemon["StandardErrorPath"] == f"{LOGS}/gauged.log", "the daemon's log has a place")
    unused = {"UserName", "GroupName", "StandardErrorPath"} & agent.keys()
    report.check(not unused, "the agent is whoever starts it, and names nobody's home", unused)
    return found


def run_job(report, binary, label, job):
    """Runs a job's command as launchd would, with our binary, in a folder that stands for the Mac's."""
    with tempfile.TemporaryDirectory() as folder:
        logs = os.path.join(folder, "Library/Logs")
        os.makedirs(os.path.join(logs, "gauged"))
        port = free_port()

        def here(word):
            word = word.replace(f"{LOGS}/", os.path.join(logs, "gauged/")).replace("/usr/local/bin/gauged", binary)
            return re.sub(r"(listen-address=\S*):10100$", rf"\g<1>:{port}", word).replace("=:", "=127.0.0.1:")

        command = [here(word) for word in job["ProgramArguments"]]
        log = os.path.join(logs, "gauged/gauged.log" if label == DAEMON else "gauged.log")
        with open(log if label == DAEMON else os.devnull, "w") as errors:
            environment = {"HOME": folder, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, env=environment, cwd="/")
        try:
            report.check(ready(port, process), f"{label}: its command serves", command)
            if label == DAEMON:
                with open(os.path.join(logs, "gauged/gauged.pid")) as file:
                    report.check(int(file.read()) == process.pid, f"{label}: the pid file has the pid that launchd watches")
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=job["ExitTimeOut"])
        report.check(code == 0, f"{label}: told to stop it ends in time", code)
        with open(log) as file:
            report.check("listens on http://127.0.0.1" in file.read(), f"{label}: its log is where it should be")


def ready(port, process):
    patience = time.monotonic() + 10
    while time.monotonic() < patience and process.poll() is None:
        try:
            if ask(port, "/-/ready", timeout=2).status == 200:
                return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


def rotation(report, daemon):
    """newsyslog.conf(5): name, owner:group, mode, count, size, when, flags, pid file, signal."""
    with open(path("launchd/newsyslog.conf")) as file:
        rules = [line.split() for line in (line.split("#")[0] for line in file) if line.strip()]
    if not report.check([len(rule) for rule in rules] == [9], "newsyslog has one rule of nine fields", rules):
        return
    name, owner, mode, count, size, when, flags, pid, number = rules[0]
    report.check(name == daemon["StandardErrorPath"], f"newsyslog rotates {name}")
    report.check(owner == f"{daemon['UserName']}:{daemon['GroupName']}", "for the daemon's user", owner)
    report.check(re.fullmatch("6[0-4][0-4]", mode) and count.isdecimal() and size.isdecimal(), "with a mode, a number and a size", rules)
    report.check(when == "*" and set(flags) <= set("BCGJNZ"), "by size alone, with flags that macOS has", (when, flags))
    report.check(f">{pid};" in daemon["ProgramArguments"][2], "and tells the process that the daemon's command notes", pid)
    report.check(int(number) == signal.SIGTERM, "to end, because launchd starts it again", number)


def formula(report, binary):
    ruby = shutil.which("ruby")
    if ruby is None:
        report.note("the Homebrew formula: SKIPPED, ruby is not installed (Debian: ruby)")
        return
    file = path("packaging/homebrew/gauged.rb")
    syntax = subprocess.run([ruby, "-wc", file], capture_output=True, text=True, check=False)
    report.check(syntax.returncode == 0 and not syntax.stderr, "the formula is ruby, without a warning", syntax.stderr)
    if shutil.which("curl") is None:
        report.note("the formula's test: SKIPPED, curl is not installed (Debian: curl)")
        return
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(binary, os.path.join(folder, "gauged"))
        stub = path("tests/checks/formula.rb")
        ran = subprocess.run([ruby, stub, file, folder], capture_output=True, text=True, timeout=60, check=False)
        if not report.check(ran.returncode == 0, "its test holds of our binary", ran.stderr[-1000:]):
            return
        said = json.loads(ran.stdout.splitlines()[-1])
        report.check(said["asserted"] >= 4, f"{said['asserted']} assertions")
        report.check(said["system"] == [["cargo", "install", "--locked", "--root=/prefix", "--path=."]], "it builds by cargo", said)
        report.check(said["service_keep_alive"] is True and "service_process_type" not in said, "its service is kept, and not throttled", said)
        report.check("service_error_log_path" in said and said["run"][0] == os.path.join(folder, "gauged"), "and has a log", said)
        understood = subprocess.run([*said["run"], "--help"], capture_output=True, check=False).returncode == 0
        report.check(understood, "its command is understood", said["run"])


def beside(program):
    """A program of this python's environment, or of the system."""
    return shutil.which(program, path=os.path.dirname(sys.executable)) or shutil.which(program)


def workflows(report):
    folder = path(".github/workflows")
    files = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    actionlint = shutil.which("actionlint")
    if actionlint:
        ran = subprocess.run([actionlint, *files], capture_output=True, text=True, check=False)
        report.check(ran.returncode == 0, "actionlint has no complaint", ran.stdout)
    else:
        report.note("actionlint: SKIPPED, it is not installed; our own rules are held")
    zizmor = beside("zizmor")
    if zizmor:
        ran = subprocess.run([zizmor, "--offline", "--quiet", *files], capture_output=True, text=True, check=False)
        report.check(ran.returncode == 0, "zizmor has no complaint", ran.stdout + ran.stderr)
    else:
        report.note("zizmor: SKIPPED, it is not installed (PyPI: zizmor)")
    try:
        import yaml
    except ImportError:
        report.note("the workflows: SKIPPED, python3 has no yaml (Debian: python3-yaml)")
        return
    for file in files:
        with open(file) as stream:
            text = stream.read()
        workflow(report, os.path.basename(file), yaml.safe_load(text), text)


def workflow(report, name, read, text):
    # YAML 1.1 reads the key `on` as true.
    report.check(set(read) <= {"name", True, "permissions", "concurrency", "defaults", "env", "jobs"}, f"{name}: known words", list(read))
    report.check(read["permissions"] == {"contents": "read"}, f"{name}: may read, and nothing else", read["permissions"])
    report.check("pull_request_target" not in read[True] and "secrets." not in text, f"{name}: gives strangers nothing")
    pins = re.findall(r"uses: (\S+)(.*)", text)
    loose = [use for use, rest in pins if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", use) or not re.fullmatch(r" # v\d+\.\d+\.\d+", rest)]
    report.check(pins and not loose, f"{name}: {len(pins)} uses of actions, each pinned by a commit with its version", loose)
    for title, job in read["jobs"].items():
        known = {"name", "runs-on", "timeout-minutes", "container", "strategy", "steps", "permissions", "needs", "env"}
        report.check(set(job) <= known and {"runs-on", "timeout-minutes", "steps"} <= set(job), f"{name}: {title} has a machine and an end", list(job))
        matrix = job.get("strategy", {}).get("matrix", {}).get("include", [])
        asked = set(re.findall(r"\$\{\{ matrix\.(\w+) \}\}", json.dumps(job)))
        report.check(all(asked <= set(row) for row in matrix) and bool(asked) == bool(matrix), f"{name}: {title} names what its matrix has", asked)
        for step in job["steps"]:
            one = ("run" in step) != ("uses" in step) and set(step) <= {"name", "run", "uses", "with", "if", "env"}
            what = step.get("name") or step.get("run") or step["uses"].split("@")[0]
            script = re.sub(r"\$\{\{.*?\}\}", "x", step.get("run", ":"))
            parsed = subprocess.run(SHELL, input=script, capture_output=True, text=True, check=False)
            report.check(one and parsed.returncode == 0, f"{name}: {title}: {what}", parsed.stdout + parsed.stderr or step)
    runners = {row["runner"] for row in read["jobs"]["macos"]["strategy"]["matrix"]["include"]}
    report.check(len(runners) == 2 and any(runner.endswith("-intel") for runner in runners), f"{name}: both kinds of Mac", runners)
    scripts = {title: "\n".join(step.get("run", "") for step in job["steps"]) for title, job in read["jobs"].items()}
    report.check(".ci/run" in scripts["linux"], f"{name}: all of .ci/run")
    for verb in ("cargo test --workspace", "gauged once", "gauged record", "gauged serve"):
        report.check(verb in scripts["macos"], f"{name}: {verb}, on a Mac")
    report.check("--no-mask" not in text and ".capture" in text, f"{name}: brings the capture, masked")


def main():
    binary = gauged(NAME)
    report = Report(NAME)
    found = jobs(report)
    for label, job in found.items():
        run_job(report, binary, label, job)
    rotation(report, found[DAEMON])
    formula(report, binary)
    workflows(report)
    report.end()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
