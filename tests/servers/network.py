"""A network of this machine: a bridge, and for each process a namespace of its own whose cable can be pulled.

Packets into a pulled cable vanish without a word, as they do between machines: nobody is told that a connection ended.
The addresses are those of RFC 2544, which no network routes; nothing outside this machine is reached.
"""

from __future__ import annotations

import itertools
import os
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.servers.processes import Host, absent

ADDRESSES = "198.18"


@dataclass
class Network:
    """A bridge that we reach ourselves, and its hosts."""

    name: str
    third: int
    hosts: list[Host] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(2))

    def host(self) -> Host:
        """One more host."""
        number = next(self.numbers)
        made = Host(f"{ADDRESSES}.{self.third}.{number}", f"{self.name}-{number}", f"{self.name}b{number}")
        inner = f"{self.name}i{number}"
        _ip("netns", "add", made.namespace)
        self.hosts.append(made)
        _ip("link", "add", made.cable, "type", "veth", "peer", "name", inner)
        _ip("link", "set", made.cable, "master", self.name, "up")
        _ip("link", "set", inner, "netns", made.namespace)
        _ip("-n", made.namespace, "address", "add", f"{made.address}/24", "dev", inner)
        for device in ("lo", inner):
            _ip("-n", made.namespace, "link", "set", device, "up")
        return made

    def cut(self, host: Host) -> None:
        """Pull its cable: it reaches nobody, and nobody it."""
        _ip("link", "set", host.cable, "down")

    def part(self, *hosts: Host) -> None:
        """Cut these hosts from one another; all others still reach each of them."""
        self._isolate(hosts, "on")

    def mend(self, *hosts: Host) -> None:
        """Undo :meth:`cut` and :meth:`part`."""
        for host in hosts:
            _ip("link", "set", host.cable, "up")
        self._isolate(hosts, "off")

    def remove(self) -> None:
        """Take it all away; a cable goes with its namespace."""
        for host in self.hosts:
            subprocess.run(["ip", "netns", "delete", host.namespace], check=False)
        subprocess.run(["ip", "link", "delete", self.name], check=False)

    def _isolate(self, hosts: Sequence[Host], how: str) -> None:
        for host in hosts:
            subprocess.run(["bridge", "link", "set", "dev", host.cable, "isolated", how], check=True)


def may_rule_the_machine() -> bool:
    """Whether network, disks and clocks can be disturbed here."""
    return os.geteuid() == 0 and _try("ip", "netns", "list") and _try("bridge", "link", "show")


@contextmanager
def network() -> Iterator[Network]:
    """An empty network; no test where it cannot be made."""
    if not may_rule_the_machine():
        absent("the right to make network namespaces", "scripts/servers tools, and the tests as root")
    made = Network(f"dp{secrets.token_hex(3)}", secrets.randbelow(256))
    _ip("link", "add", made.name, "type", "bridge")
    try:
        _ip("address", "add", f"{ADDRESSES}.{made.third}.1/24", "dev", made.name)
        _ip("link", "set", made.name, "up")
        yield made
    finally:
        made.remove()


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


def _try(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
