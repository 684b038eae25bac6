"""A storm of network interfaces (storms.py)."""

import os
import shutil
import socket
import subprocess
import time

from storms import History, Refused, Storm


class Links(Storm):
    """Pairs of veth, made, used, renamed, swapped and deleted, always under the same few names. Each generation has
    an address of its own and sends frames of a size of its own, so that every number tells whose it is."""

    NAMES = ["va", "vb", "vc", "vd"]
    FRAMES = 3

    def __init__(self):
        super().__init__()
        if shutil.which("ip") is None:
            raise Refused("ip is not installed (Debian: iproute2)")
        # Nothing but our own frames.
        for which in ("all", "default"):
            path = f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6"
            if os.path.exists(path):
                try:
                    with open(path, "w") as file:
                        file.write("1")
                except OSError as error:
                    raise Refused(f"IPv6 cannot be kept quiet: {error}") from None
        self.ip("link set lo up")
        try:
            self.ip("link add probe0 type veth peer name probe1")
        except OSError as error:
            raise Refused(f"no veth: {error}") from None
        self.ip("link del probe0")
        self.history, self.generation, self.sent = History(), 0, {}

    def ip(self, commands):
        result = subprocess.run(["ip", "-batch", "-"], input=commands, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise OSError(result.stderr.strip())

    def address(self, generation):
        return "02:00:" + ":".join(f"{generation >> shift & 255:02x}" for shift in (24, 16, 8, 0))

    def size(self, generation):
        return 64 + generation * 37 % 1300

    def send(self, name, generation):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
            wire.bind((name, 0))
            for _ in range(self.FRAMES):
                wire.send(bytes(self.size(generation)))

    def once(self):
        made = []
        for name in self.NAMES:
            self.generation += 1
            made.append(self.generation)
            self.history.begin(name, self.generation)
            self.ip(
                f"link add {name} address {self.address(self.generation)} type veth peer name {name}peer\n"
                f"link set {name} up\nlink set {name}peer up"
            )
            self.send(name, self.generation)
        # Two of them change names, by way of a third name.
        one, other = self.NAMES[:2]
        for name in (one, other):
            self.history.begin(name, made[0] if name == other else made[1])
        self.history.begin("swap", made[0])
        self.ip(
            f"link set {one} down\nlink set {other} down\nlink set {one} name swap\nlink set {other} name {one}\n"
            f"link set swap name {other}\nlink set {one} up\nlink set {other} up"
        )
        self.ip("\n".join(f"link del {name}" for name in self.NAMES))
        now = time.monotonic()
        for name in [*self.NAMES, "swap"]:
            for held in self.history.held[name]:
                held[1] = held[1] or now

    def clear(self):
        for name in [*self.NAMES, "swap"]:
            subprocess.run(["ip", "link", "del", name], capture_output=True, check=False)

    def told(self):
        return f"{self.generation} pairs made, {self.rounds} swaps"

    def is_own(self, labels):
        return labels.get("device", "").startswith(("va", "vb", "vc", "vd", "swap"))

    def judge(self, since, until, samples):
        seen, wrong = 0, []
        for labels in map(dict, samples.family("host_network_info")):
            name = labels["device"]
            if name not in [*self.NAMES, "swap"]:
                continue
            seen += 1
            owners = {self.address(owner): owner for owner in self.history.owners(name, since, until)}
            owner = owners.get(labels["address"])
            sent = samples.value("host_network_transmit_bytes_total", device=name)
            packets = samples.value("host_network_transmit_packets_total", device=name)
            received = samples.value("host_network_receive_bytes_total", device=name)
            right = owner is not None and packets <= self.FRAMES and sent == packets * self.size(owner) and received == 0
            if not right or labels.get("kind") != "veth":
                wrong.append((labels, sent, packets, received, owners))
        return seen, wrong
