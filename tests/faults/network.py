"""Hosts of their own for Redis and each worker, and cables between them that can be unplugged.

A host is a network namespace of Linux (network_namespaces(7)), a cable a pair of virtual Ethernet
devices. What is unplugged says nothing, no FIN and no RST: either end only hears no more.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from scripts.parts import Part, Parts

_PORT = 6379


class NoNetwork(Exception):  # noqa: N818 - reads better where it is raised and caught
    """This machine lets nobody like us have hosts; the message says why."""


class Hosts(Parts):
    """Parts whose workers reach Redis each from a host, and over a cable, of its own.

    The API and the tests are beside Redis, at its socket, so that they hear of everything.

    Raises:
        NoNetwork: there cannot be hosts here.
    """

    def __init__(self, folder: Path, worker: Sequence[str]) -> None:
        self._hosts = ExitStack()
        with self._hosts:
            super().__init__(folder, worker=worker)
            self._hosts = self._hosts.pop_all()

    def __exit__(self, *exc: object) -> None:
        with self._hosts:
            super().__exit__(*exc)

    def make(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Part:
        """A part on its host."""
        if name == "api":
            return super().make(name, command, environment)
        host = _host(name)
        _ip("netns", "add", host)
        self._hosts.callback(_ip, "netns", "delete", host)
        if name == "redis":  # only the other hosts can reach it
            command = (*command, "--port", str(_PORT), "--protected-mode", "no")
        else:
            data = self._folder / name
            data.mkdir()
            url = f"redis://{self._plug_in(name)}:{_PORT}"
            environment = {**environment, "ATELIER_REDIS_URL": url, "ATELIER_DATA_DIR": str(data)}
        return super().make(name, ("ip", "netns", "exec", host, *command), environment)

    def unplug(self, worker: Part) -> None:
        """Nothing that a worker says reaches Redis any more, nor the other way round."""
        _ip("-n", _host("redis"), "link", "set", worker.name, "down")

    def plug_in_again(self, worker: Part) -> None:
        """They hear of each other again."""
        _ip("-n", _host("redis"), "link", "set", worker.name, "up")

    def _plug_in(self, worker: str) -> str:
        """Lays a worker's cable; gives Redis' address on it."""
        network = f"10.0.{worker.rpartition('-')[2]}"
        there = (_host("redis"), worker, f"{network}.1")
        here = (_host(worker), "eth0", f"{network}.2")
        ends = [("name", device, "netns", host) for host, device, _ in (there, here)]
        _ip("link", "add", *ends[0], "type", "veth", "peer", *ends[1])
        for host, device, address in (there, here):
            _ip("-n", host, "address", "add", f"{address}/30", "dev", device)
            _ip("-n", host, "link", "set", device, "up")
        return there[2]


def _host(part: str) -> str:
    return f"atelier-{os.getpid()}-{part}"


def _ip(*arguments: str) -> None:
    """Runs the command ``ip`` (iproute2)."""
    try:
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoNetwork("there is no command `ip` (Debian: apt install iproute2)") from None
    if done.returncode:
        raise NoNetwork(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
