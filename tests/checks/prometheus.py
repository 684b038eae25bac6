#!/usr/bin/env python3
"""prometheus.py GAUGED: a real Prometheus scrapes a real gauged, in both formats.

Three targets are one daemon: asked directly; through a proxy that only notes the answer's Content-Type; and
through one that asks for text 0.0.4 whatever Prometheus would rather have (2.42 cannot be told to)."""

import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from daemon import Daemon, Report, ask, free_port, gauged, need

NAME = "prometheus"
TEXT = "text/plain;version=0.0.4"
FRACTION = "1 - host_memory_available_bytes / host_memory_total_bytes"
SERIES = [
    "host_info",
    "host_load1",
    "host_uptime_seconds",
    "host_memory_total_bytes",
    'sum by (mode) (rate(host_cpu_seconds_total{mode="idle"}[1m]))',
    "host_filesystem_size_bytes",
    "gauged_build_info",
    "gauged_collector_success == 1",
    "process_resident_memory_bytes",
]


def proxy(port, accept=None):
    """A reverse proxy on a free port that may rewrite Accept; returns the port and the types that it saw."""
    seen = set()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            headers = dict(self.headers.items())
            if accept:
                headers["Accept"] = accept
            answer = ask(port, self.path, headers=headers)
            seen.add(answer.headers.get("content-type", "none"))
            self.send_response(answer.status)
            for name in ("content-type", "content-encoding"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port, seen


def api(port, path, **query):
    answer = ask(port, f"/api/v1/{path}?{urllib.parse.urlencode(query)}")
    body = json.loads(answer.body)
    if body["status"] != "success":
        raise ValueError(f"{path} {query}: {body}")
    return body["data"]


def main():
    binary = gauged(NAME)
    server = need(NAME, "prometheus", "Debian: prometheus")
    report = Report(NAME)
    with Daemon(binary) as daemon, tempfile.TemporaryDirectory() as folder:
        plain, plain_types = proxy(daemon.port)
        text, text_types = proxy(daemon.port, TEXT)
        jobs = {"direct": daemon.port, "openmetrics": plain, "text": text}
        settings = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]} for job, port in jobs.items()
            ],
        }
        # JSON is YAML.
        path = os.path.join(folder, "prometheus.yml")
        with open(path, "w") as file:
            json.dump(settings, file)
        port = free_port()
        log = open(os.path.join(folder, "log"), "w+")
        process = subprocess.Popen(
            [
                server,
                f"--config.file={path}",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            wait(port, process, log)
            judge(report, port, jobs, plain_types, text_types)
        finally:
            process.terminate()
            process.wait(timeout=20)
        log.seek(0)
        complaints = [line for line in log if "scrape" in line.lower()]
        report.check(not complaints, "the log of prometheus has no word about scrapes", "".join(complaints[:3]))
    report.end()


def wait(port, process, log):
    """Until it is ready and has scraped each target at least four times."""
    patience = time.monotonic() + 60
    while time.monotonic() < patience:
        if process.poll() is not None:
            log.seek(0)
            sys.exit(f"FAILED: prometheus ended\n{log.read()}")
        try:
            if ask(port, "/-/ready").status == 200:
                counts = api(port, "query", query="min(count_over_time(up[1m]))")["result"]
                if counts and float(counts[0]["value"][1]) >= 4:
                    return
        except OSError:
            pass
        time.sleep(0.25)
    sys.exit("FAILED: prometheus did not scrape four times within 60 s")


def judge(report, port, jobs, plain_types, text_types):
    targets = {target["labels"]["job"]: target for target in api(port, "targets")["activeTargets"]}
    for job in jobs:
        target = targets[job]
        report.check(target["health"] == "up" and not target["lastError"], f"{job}: target is up", target["lastError"])
    up = api(port, "query", query="min_over_time(up[1m])")["result"]
    values = {result["metric"]["job"]: result["value"][1] for result in up}
    report.check(values == {job: "1" for job in jobs}, "up was 1 in every scrape", values)
    open_metrics = len(plain_types) == 1 and all(t.startswith("application/openmetrics-text") for t in plain_types)
    report.check(open_metrics, f"left to choose, it was answered {', '.join(plain_types)}")
    old = len(text_types) == 1 and all(t.startswith("text/plain") and "version=0.0.4" in t for t in text_types)
    report.check(old, f"asked for text, it was answered {', '.join(text_types)}")
    scraped = api(port, "query", query="last_over_time(scrape_samples_scraped[1m])")["result"]
    counts = {result["metric"]["job"]: int(result["value"][1]) for result in scraped}
    close = min(counts.values()) > 100 and max(counts.values()) - min(counts.values()) <= 5
    report.check(close, f"as many samples in each format: {counts}")
    for query in SERIES:
        found = {result["metric"].get("job") for result in api(port, "query", query=query)["result"]}
        report.check(found == set(jobs) or "sum" in query and found, f"there are series of {query}", found)
    used = api(port, "query", query=FRACTION)["result"]
    fractions = [float(result["value"][1]) for result in used]
    right = len(used) == len(jobs) and all(0 < value < 1 for value in fractions)
    report.check(right, f"{FRACTION} is {', '.join(f'{value:.3f}' for value in fractions)}")
    known = api(port, "targets/metadata", metric="host_memory_total_bytes", match_target='{job="direct"}')
    report.check(bool(known) and known[0]["type"] == "gauge" and known[0]["unit"] == "bytes", "type and unit are known")


if __name__ == "__main__":
    main()
