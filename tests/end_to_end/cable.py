"""Two machines on one computer: network namespaces, joined by a cable that can be cut, and by another that cannot."""

import shutil
import subprocess

IP = shutil.which("ip") or "/usr/sbin/ip"
MASTER, WORKER = "192.0.2.1", "192.0.2.2"  # on the cable that can be cut; addresses for documentation, RFC 5737
SERVICE, CLIENT = "198.51.100.1", "198.51.100.2"  # on the other


def ip(*words: str) -> None:
    subprocess.run([IP, *words], check=True)


class Cable:
    """`near` and `far` are the words that run a command on the one machine or the other.

    The cut is in a bridge between them: neither end sees that its link is gone, as with a cable between two switches.
    """

    def __init__(self, name: str) -> None:
        self._names = [f"{name}-{place}" for place in ("near", "far", "between")]
        near, far, between = self._names
        self.near, self.far = ([IP, "netns", "exec", machine] for machine in (near, far))
        for machine in self._names:
            ip("netns", "add", machine)
        ip("-n", between, "link", "add", "bridge0", "type", "bridge")
        ip("-n", between, "link", "set", "bridge0", "up")
        for machine, port, address in ((near, "port1", MASTER), (far, "port2", WORKER)):
            ip("-n", machine, "link", "set", "lo", "up")
            ip("-n", machine, "link", "add", "cable0", "type", "veth", "peer", "name", port, "netns", between)
            ip("-n", between, "link", "set", port, "up", "master", "bridge0")
            _give(machine, "cable0", address)
        ip("-n", near, "link", "add", "cable1", "type", "veth", "peer", "name", "cable1", "netns", far)
        _give(near, "cable1", SERVICE)
        _give(far, "cable1", CLIENT)

    def cut(self) -> None:
        ip("-n", self._names[2], "link", "set", "port2", "nomaster")

    def mend(self) -> None:
        ip("-n", self._names[2], "link", "set", "port2", "master", "bridge0")

    def remove(self) -> None:
        for name in self._names:
            ip("netns", "del", name)


def _give(machine: str, device: str, address: str) -> None:
    ip("-n", machine, "addr", "add", f"{address}/24", "dev", device)
    ip("-n", machine, "link", "set", device, "up")
