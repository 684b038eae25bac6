"""What the kernel says of the network: interfaces (sysfs, /proc/net/dev, ip -j), protocols, sockets, the packets of
each CPU, and the firewall's table of connections; series -> value, with the source (facts.py)."""

import json
import os
import shutil
import subprocess

from facts import PAGE, text, word

# The files of /sys/class/net/*/statistics, host_network_<word>_total.
STATISTICS = {
    "rx_bytes": "receive_bytes", "rx_packets": "receive_packets", "rx_errors": "receive_errors",
    "rx_dropped": "receive_dropped", "multicast": "receive_multicast", "tx_bytes": "transmit_bytes",
    "tx_packets": "transmit_packets", "tx_errors": "transmit_errors", "tx_dropped": "transmit_dropped",
    "rx_missed_errors": "receive_missed", "rx_nohandler": "receive_nohandler",
    "rx_fifo_errors": "receive_fifo_errors", "rx_frame_errors": "receive_frame_errors",
    "rx_length_errors": "receive_length_errors", "rx_over_errors": "receive_over_errors",
    "rx_crc_errors": "receive_crc_errors", "tx_carrier_errors": "transmit_carrier_errors",
    "tx_fifo_errors": "transmit_fifo_errors", "collisions": "transmit_collisions",
}  # fmt: skip

# The columns of /proc/net/dev: what its code adds up stands here as the sum (net/core/net-procfs.c).
DEV = [
    "receive_bytes", "receive_packets", "receive_errors", "receive_dropped + receive_missed", "receive_fifo_errors",
    "receive_length_errors + receive_over_errors + receive_crc_errors + receive_frame_errors", None,
    "receive_multicast", "transmit_bytes", "transmit_packets", "transmit_errors", "transmit_dropped",
    "transmit_fifo_errors", "transmit_collisions",
]  # fmt: skip

# What `ip -s -s -j link` calls them, below stats64.
IP = {
    ("rx", "bytes"): "receive_bytes", ("rx", "packets"): "receive_packets", ("rx", "errors"): "receive_errors",
    ("rx", "dropped"): "receive_dropped", ("rx", "multicast"): "receive_multicast",
    ("rx", "length_errors"): "receive_length_errors", ("rx", "crc_errors"): "receive_crc_errors",
    ("rx", "frame_errors"): "receive_frame_errors", ("rx", "fifo_errors"): "receive_fifo_errors",
    ("rx", "missed_errors"): "receive_missed", ("rx", "over_errors"): "receive_over_errors",
    ("rx", "nohandler"): "receive_nohandler", ("rx", "otherhost_dropped"): "receive_otherhost_dropped",
    ("tx", "bytes"): "transmit_bytes", ("tx", "packets"): "transmit_packets", ("tx", "errors"): "transmit_errors",
    ("tx", "dropped"): "transmit_dropped", ("tx", "carrier_errors"): "transmit_carrier_errors",
    ("tx", "collisions"): "transmit_collisions", ("tx", "fifo_errors"): "transmit_fifo_errors",
    ("tx", "carrier_changes"): "carrier_changes",
}  # fmt: skip

TCP = {
    "ActiveOpens": "active_opens", "PassiveOpens": "passive_opens", "AttemptFails": "failed_attempts",
    "EstabResets": "established_resets", "InSegs": "receive_segments", "OutSegs": "transmit_segments",
    "RetransSegs": "retransmitted_segments", "InErrs": "receive_errors", "OutRsts": "transmit_resets",
    "InCsumErrors": "checksum_errors",
}  # fmt: skip
TCP_EXTENDED = {
    "SyncookiesSent": "syncookies_sent", "SyncookiesRecv": "syncookies_received",
    "SyncookiesFailed": "syncookies_failed", "ListenOverflows": "listen_overflows", "ListenDrops": "listen_drops",
    "TCPTimeouts": "timeouts", "TCPAbortOnMemory": "memory_aborts", "TCPMemoryPressures": "memory_pressures",
    "TCPBacklogDrop": "backlog_drops", "TCPTimeWaitOverflow": "time_wait_overflows",
    "TCPReqQFullDrop": "request_queue_drops", "TCPOFOQueue": "out_of_order", "TCPSynRetrans": "syn_retransmits",
    "TCPRcvQDrop": "receive_queue_drops",
}  # fmt: skip
UDP = {
    "InDatagrams": "receive_datagrams", "NoPorts": "no_port", "InErrors": "receive_errors",
    "OutDatagrams": "transmit_datagrams", "RcvbufErrors": "receive_buffer_errors",
    "SndbufErrors": "transmit_buffer_errors",
}  # fmt: skip
ICMP = {"InMsgs": "receive_messages", "InErrors": "receive_errors", "OutMsgs": "transmit_messages"}
OCTETS = {"InOctets": "receive", "OutOctets": "transmit"}
CONNTRACK = {
    "clashres": "clash_resolved", "found": "found", "invalid": "invalid", "chainlength": "chain_too_long",
    "insert": "inserted", "insert_failed": "insert_failed", "drop": "drop", "early_drop": "early_drop",
    "icmp_error": "error", "search_restart": "search_restart",
}  # fmt: skip


def tables():
    """Where the tables of the host's network namespace are, as far as we may read them."""
    return "/proc/1/net" if word("/proc/1/net/snmp") else "/proc/net"


def own_namespace():
    """False if those tables are of another namespace than ours, which other programs look into."""
    try:
        return os.readlink("/proc/1/ns/net") == os.readlink("/proc/self/ns/net")
    except OSError:
        return word("/proc/1/net/dev_snmp6") == word("/proc/net/dev_snmp6")


def interfaces(facts):
    for line in text("/proc/net/dev").splitlines()[2:]:
        device, columns = line.rsplit(":", 1)
        device = device.strip()
        for names, value in zip(DEV, columns.split()):
            if names:
                sum = " + ".join(f"host_network_{name}_total" for name in names.split(" + "))
                facts.say("/proc/net/dev", value, sum, device=device)
        link(facts, device, f"/sys/class/net/{device}")
    if not shutil.which("ip"):
        return
    output = subprocess.run(["ip", "-s", "-s", "-d", "-j", "link"], capture_output=True, text=True, check=True).stdout
    for told in json.loads(output):
        device, source = told["ifname"], "ip -j link"
        for direction, counts in told.get("stats64", {}).items():
            for name, value in counts.items():
                if (direction, name) in IP:
                    facts.say(source, value, f"host_network_{IP[(direction, name)]}_total", device=device)
        set_up = "UP" in told["flags"] and "NO-CARRIER" not in told["flags"]
        facts.say(source, operational(told["operstate"].lower(), set_up), "host_network_up", device=device)
        facts.say(source, told["mtu"], "host_network_mtu_bytes", device=device)
        loopback = told["link_type"] == "loopback"
        kind = "loopback" if loopback else told.get("linkinfo", {}).get("info_kind")
        info(facts, source, device, kind, told.get("address"))


def operational(state, set_up):
    """What the kernel takes for operational: also what is set up with a driver that does not say, as lo's."""
    return state == "up" or bool(state == "unknown" and set_up)


def info(facts, source, device, kind, address):
    duplex = word(f"/sys/class/net/{device}/duplex")
    names = {"kind": kind, "address": address, "duplex": duplex if duplex in ("half", "full") else None}
    facts.say(source, 1, "host_network_info", device=device, **{name: value for name, value in names.items() if value})


def link(facts, device, place):
    """sysfs, where it is of our network namespace."""
    for file, name in STATISTICS.items():
        value = word(f"{place}/statistics/{file}")
        if value is not None:
            facts.say("/sys/class/net", value, f"host_network_{name}_total", device=device)
    for file, name in (("mtu", "mtu_bytes"), ("carrier", "carrier"), ("carrier_changes", "carrier_changes_total")):
        value = word(f"{place}/{file}")  # the carrier of what is set down is EINVAL
        if value is not None:
            facts.say("/sys/class/net", value, f"host_network_{name}", device=device)
    state = word(f"{place}/operstate")
    if state is not None:
        set_up = int(word(f"{place}/flags"), 16) & 1 and word(f"{place}/carrier") != "0"
        facts.say("/sys/class/net", operational(state, set_up), "host_network_up", device=device)
        for shown in facts.labels("host_network_info"):
            if shown["device"] == device:  # sysfs has no word for the kind
                info(facts, "/sys/class/net", device, shown.get("kind"), word(f"{place}/address"))
    speed = word(f"{place}/speed")
    if speed is not None and int(speed) > 0:
        facts.say("/sys/class/net", int(speed) * 1e6 / 8, "host_network_speed_bytes_per_second", device=device)


def pairs(path):
    """{protocol: {column: number}} of snmp and netstat: a line of names, then one of numbers."""
    lines = [line.split() for line in (word(path) or "").splitlines()]
    return {names[0].rstrip(":"): dict(zip(names[1:], map(int, numbers[1:]))) for names, numbers in zip(lines[::2], lines[1::2])}


def protocols(facts):
    base = tables()
    snmp, netstat = pairs(f"{base}/snmp"), pairs(f"{base}/netstat")
    snmp6 = {name: int(value) for name, value in (line.split() for line in (word(f"{base}/snmp6") or "").splitlines())}

    def say(source, columns, names, family, prefix="", **labels):
        for column, name in names.items():
            if prefix + column in columns:
                facts.say(source, columns[prefix + column], family.format(name), **labels)

    say("/proc/net/snmp", snmp.get("Tcp", {}), TCP, "host_tcp_{}_total")
    say("/proc/net/snmp", snmp.get("Tcp", {}), {"CurrEstab": "connections"}, "host_tcp_{}")
    say("/proc/net/netstat", netstat.get("TcpExt", {}), TCP_EXTENDED, "host_tcp_{}_total")
    say("/proc/net/snmp", snmp.get("Udp", {}), UDP, "host_udp_{}_total", ip="4")
    say("/proc/net/snmp6", snmp6, UDP, "host_udp_{}_total", "Udp6", ip="6")
    say("/proc/net/snmp", snmp.get("Icmp", {}), ICMP, "host_icmp_{}_total", ip="4")
    say("/proc/net/snmp6", snmp6, ICMP, "host_icmp_{}_total", "Icmp6", ip="6")
    say("/proc/net/netstat", netstat.get("IpExt", {}), OCTETS, "host_ip_{}_bytes_total", ip="4")
    say("/proc/net/snmp6", snmp6, OCTETS, "host_ip_{}_bytes_total", "Ip6", ip="6")
    if "Ip" in snmp:
        facts.say("/proc/net/snmp", snmp["Ip"]["Forwarding"] == 1, "host_ip_forwarding", ip="4")


def sockets(facts):
    base = tables()
    told = {}
    for file in ("sockstat", "sockstat6"):
        for line in (word(f"{base}/{file}") or "").splitlines():
            protocol, *words = line.split()
            told[protocol.rstrip(":")] = dict(zip(words[::2], map(int, words[1::2])))

    def say(protocol, column, name, scale=1, **labels):
        if column in told.get(protocol, {}):
            facts.say("/proc/net/sockstat", told[protocol][column] * scale, name, **labels)

    say("sockets", "used", "host_sockets")
    for state, column in (("orphan", "orphan"), ("time_wait", "tw"), ("allocated", "alloc")):
        say("TCP", column, "host_tcp_sockets", state=state)
    for ip, suffix in (("4", ""), ("6", "6")):
        say(f"TCP{suffix}", "inuse", "host_tcp_sockets", state="in_use", ip=ip)
        say(f"UDP{suffix}", "inuse", "host_udp_sockets", ip=ip)
    say("TCP", "mem", "host_tcp_socket_memory_bytes", PAGE)
    say("UDP", "mem", "host_udp_socket_memory_bytes", PAGE)
    limit = word("/proc/sys/net/ipv4/tcp_mem")
    if limit:
        facts.say("/proc/sys", int(limit.split()[2]) * PAGE, "host_tcp_socket_memory_limit_bytes")


def softnet(facts):
    rows = [[int(column, 16) for column in line.split()] for line in (word("/proc/net/softnet_stat") or "").splitlines()]
    places = {"processed_total": 0, "dropped_total": 1, "squeezed_total": 2, "received_rps_total": 9,
              "flow_limited_total": 10, "backlog": 11}  # fmt: skip
    each = any("cpu" in labels for labels in facts.labels("host_softnet_processed_total"))
    for name, place in places.items():
        values = {str(row[12]) if len(row) > 12 else None: row[place] for row in rows if len(row) > place}
        if each:
            for cpu, value in values.items():
                facts.say("/proc/net/softnet_stat", value, f"host_softnet_{name}", cpu=cpu)
        elif values:
            facts.say("/proc/net/softnet_stat", sum(row[place] for row in rows), f"host_softnet_{name}")


def conntrack(facts):
    lines = [line.split() for line in (word(f"{tables()}/stat/nf_conntrack") or "").splitlines()]
    for column, name in enumerate(lines[0] if lines else []):
        values = [int(line[column], 16) for line in lines[1:]]
        if name == "entries":
            facts.say("/proc/net/stat", values[0], "host_conntrack_entries")
        elif name in CONNTRACK:
            facts.say("/proc/net/stat", sum(values), f"host_conntrack_{CONNTRACK[name]}_total")
    for file, name in (("count", "entries"), ("max", "entries_limit")):
        value = word(f"/proc/sys/net/netfilter/nf_conntrack_{file}")
        if value is not None and (file == "max" or own_namespace()):
            facts.say("/proc/sys", value, f"host_conntrack_{name}")


def network(facts):
    for tell in (interfaces, protocols, sockets, softnet, conntrack):
        tell(facts)
