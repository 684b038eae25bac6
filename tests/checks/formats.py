#!/usr/bin/env python3
"""formats.py GAUGED: both formats, by the strictest readers there are, and which client gets which.

promtool reads text 0.0.4 and lints names; PyPI's prometheus-client reads OpenMetrics strictly. Both must see the
same samples. The Accept headers are those that Prometheus sends, release by release."""

import gzip
import shutil
import subprocess
import time

from daemon import Daemon, Report, gauged

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
    from prometheus_client.parser import text_string_to_metric_families as read_text
except ImportError:
    read_openmetrics = read_text = None

NAME = "formats"
OM1, OM0, TEXT = "openmetrics 1.0.0", "openmetrics 0.0.1", "text 0.0.4"
PROTO = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
OPEN, OLD = "application/openmetrics-text", "text/plain;version=0.0.4"
UTF = "escaping=allow-utf-8"
ACCEPT = [
    ("Prometheus 2.42-2.48", f"{OPEN};version=1.0.0,{OPEN};version=0.0.1;q=0.75,{OLD};q=0.5,*/*;q=0.1", OM1),
    ("Prometheus 2.49, which sends q=2", f"{OPEN};version=1.0.0;q=0.5,{OPEN};version=0.0.1;q=0.4,{OLD};q=0.3,*/*;q=2", OM1),
    ("Prometheus 2.50-2.54", f"{OPEN};version=1.0.0;q=0.5,{OPEN};version=0.0.1;q=0.4,{OLD};q=0.3,*/*;q=0.2", OM1),
    (
        "Prometheus 2.55, utf8",
        f"{OPEN};version=1.0.0;{UTF};q=0.5,{OPEN};version=0.0.1;{UTF};q=0.4,{OLD};{UTF};q=0.3,*/*;{UTF};q=0.2",
        OM1,
    ),
    (
        "Prometheus 3.0-3.3, a parameter twice",
        f"{OPEN};version=1.0.0;{UTF};q=0.6,{OPEN};version=0.0.1;{UTF};q=0.5,"
        f"text/plain;version=1.0.0;{UTF};{UTF};q=0.4,{OLD};{UTF};q=0.3,*/*;q=0.2",
        OM1,
    ),
    (
        "Prometheus 3.4+",
        f"{OPEN};version=1.0.0;{UTF};q=0.6,{OPEN};version=0.0.1;q=0.5,text/plain;version=1.0.0;{UTF};q=0.4,{OLD};q=0.3,*/*;q=0.2",
        OM1,
    ),
    (
        "Prometheus with native histograms",
        f"{PROTO};q=0.7,{OPEN};version=1.0.0;{UTF};q=0.6,{OPEN};version=0.0.1;q=0.5,{OLD};q=0.3,*/*;q=0.2",
        OM1,
    ),
    ("Prometheus told to prefer text", f"{OLD};q=0.6,{OPEN};version=1.0.0;q=0.5,*/*;q=0.2", TEXT),
    ("OpenMetrics 0.0.1 alone", f"{OPEN};version=0.0.1", OM0),
    ("text 0.0.4 alone", OLD, TEXT),
    ("curl", "*/*", TEXT),
    ("nobody says what", None, TEXT),
    ("a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", TEXT),
]


def kind(content_type):
    """The name above of a Content-Type."""
    media, _, parameters = content_type.partition(";")
    version = [word.strip() for word in parameters.split(";") if word.strip().startswith("version=")]
    kinds = {
        (OPEN, "version=1.0.0"): OM1,
        (OPEN, "version=0.0.1"): OM0,
        ("text/plain", "version=0.0.4"): TEXT,
    }
    return kinds.get((media.strip(), version[0] if version else ""), content_type)


def negotiation(report, daemon):
    for client, accept, expected in ACCEPT:
        answer = daemon.ask(headers={"Accept": accept} if accept else {})
        got = kind(answer.headers.get("content-type", "none"))
        ended = answer.body.endswith(b"# EOF\n") == (expected != TEXT)
        report.check(answer.status == 200 and got == expected and ended, f"{client} gets {expected}", got)


def headers(report, daemon):
    plain = daemon.ask(headers={"Accept-Encoding": "identity"})
    report.check(plain.headers.get("content-length") == str(len(plain.body)), "Content-Length is the body's")
    vary = {word.strip().lower() for word in plain.headers.get("vary", "").split(",")}
    report.check({"accept", "accept-encoding"} <= vary, "Vary: Accept, Accept-Encoding", vary)
    report.check("content-encoding" not in plain.headers, "what is not asked for is not compressed")
    refused = daemon.ask(headers={"Accept-Encoding": "gzip;q=0"})
    report.check("content-encoding" not in refused.headers, "gzip;q=0 is a refusal")
    packed = daemon.ask(headers={"Accept-Encoding": "gzip"})
    if len(plain.body) > 8192:
        if report.check(packed.headers.get("content-encoding") == "gzip", "over 8 KiB, gzip when asked"):
            text = gzip.decompress(packed.body).decode()
            report.check(text.startswith("# HELP"), f"gzip: {len(packed.body)} of {len(text)} bytes")
    else:
        report.check("content-encoding" not in packed.headers, "a small body is not compressed")
    head = daemon.ask(method="HEAD")
    report.check(head.status == 200 and not head.body, "HEAD has a header and no body")
    report.check(kind(head.headers.get("content-type", "")) == TEXT, "HEAD has the type of GET")
    post = daemon.ask(method="POST")
    report.check(post.status == 405, "POST is 405", post.status)


def filters(report, daemon):
    cpu = daemon.ask("/metrics?collect[]=cpu").text
    report.check("host_cpu_seconds_total{" in cpu and "host_memory" not in cpu, "collect[]=cpu is cpu alone")
    rest = daemon.ask("/metrics?exclude[]=cpu").text
    report.check("host_cpu_seconds" not in rest and "host_memory" in rest, "exclude[]=cpu is all but cpu")
    unknown = daemon.ask("/metrics?collect[]=nosuch")
    listed = unknown.status == 400 and "cpu" in unknown.text and "memory" in unknown.text
    report.check(listed, "an unknown collector is 400, with the list", f"{unknown.status} {unknown.body[:200]}")
    both = daemon.ask("/metrics?collect[]=cpu&exclude[]=memory")
    report.check(both.status == 400, "both are 400", both.status)
    pages = [("/", 200), ("/-/healthy", 200), ("/-/ready", 200), ("/nosuch", 404)]
    for path, status in pages:
        got = daemon.ask(path).status
        report.check(got == status, f"{path} is {status}", got)


def judge_text(report, text, whose):
    promtool = shutil.which("promtool")
    if promtool is None:
        report.note("promtool: SKIPPED, it is not installed (Debian: prometheus)")
        return
    result = subprocess.run([promtool, "check", "metrics"], input=text.encode(), capture_output=True, check=False)
    said = (result.stdout + result.stderr).decode().strip()
    report.check(result.returncode == 0 and not said, f"promtool check metrics is silent on {whose}", said)


def samples(families):
    """{(name, labels): value} and {family: type}, strictly read."""
    values, types = {}, {}
    for family in families:
        for sample in family.samples:
            types[sample.name] = family.type
            values[(sample.name, frozenset(sample.labels.items()))] = sample.value
    return values, types


def same_samples(report, daemon):
    if read_text is None:
        report.note("strict readers: SKIPPED, prometheus-client is not installed (PyPI: prometheus-client)")
        return
    # One snapshot answers both, if they are asked for within 250 ms; a busy machine gets more tries.
    for _ in range(5):
        text = daemon.ask(headers={"Accept": OLD}).text
        opened = daemon.ask(headers={"Accept": f"{OPEN};version=1.0.0"}).text
        old, old_types = samples(read_text(text))
        new, new_types = samples(read_openmetrics(opened))
        if old == new:
            break
        time.sleep(0.5)
    report.check(len(new) > 50, f"the strict OpenMetrics reader takes it: {len(new)} samples")
    report.check(set(old) == set(new), "both formats have the same series", list(set(old) ^ set(new))[:5])
    differ = [key for key in old.keys() & new.keys() if old[key] != new[key]]
    report.check(not differ, "and the same values, of one snapshot", differ[:5])
    words = {"info": "gauge", "unknown": "unknown", "counter": "counter", "gauge": "gauge"}
    wrong = [name for name, kind in new_types.items() if words.get(kind) != old_types.get(name, "").replace("untyped", "unknown")]
    # What 0.0.4 may call a counter and OpenMetrics cannot is foreign, of a textfile.
    report.check(not [name for name in wrong if name.startswith(("host_", "gauged_"))], "and the same types", wrong[:5])


def once(report, binary):
    for format, judge in (("text", lambda text: judge_text(report, text, "gauged once")), ("openmetrics", None)):
        result = subprocess.run([binary, "once", "--format", format], capture_output=True, check=False, timeout=30)
        text = result.stdout.decode()
        report.check(result.returncode == 0 and "host_load1 " in text, f"gauged once --format {format}", result.stderr)
        if judge:
            judge(text)
        elif read_openmetrics:
            report.check(len(samples(read_openmetrics(text))[0]) > 50, "the strict reader takes gauged once too")


def main():
    binary = gauged(NAME)
    report = Report(NAME)
    with Daemon(binary) as daemon:
        judge_text(report, daemon.ask(headers={"Accept": OLD}).text, "text 0.0.4")
        same_samples(report, daemon)
        negotiation(report, daemon)
        headers(report, daemon)
        filters(report, daemon)
        report.check("panicked" not in daemon.log(), "nothing panicked", daemon.log())
    once(report, binary)
    report.end()


if __name__ == "__main__":
    main()
