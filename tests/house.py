"""Atelier as real processes: what the tests that need the whole house live in."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar

import httpx
from redis import Redis
from redis.exceptions import RedisError

from app import embedded
from worker.connections import connect_impatiently

T = TypeVar("T")

#: TensorFlow, features and graphs on a busy machine with two cores.
START_SECONDS = 90.0


def eventually(look: Callable[[], T], *, within: float, what: str) -> T:
    """The first true thing that ``look`` sees; fails after ``within`` seconds."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while not (seen := look()):
        assert time.monotonic() < deadline, f"{what}: not within {within:g} s"
        pause.wait(0.05)
    return seen


@contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """A real Valkey, as ``atelier up`` starts it; gives its URL."""
    command, url = embedded.prepare(folder)
    server = subprocess.Popen(command)
    try:
        client = connect_impatiently(url)
        eventually(lambda: pings(client), within=10, what="Valkey answers")
        client.close()
        yield url
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def pings(client: Redis) -> bool:
    """Whether it answers."""
    try:
        return bool(client.ping())
    except RedisError:
        return False


class Process:
    """A command of Atelier in a process of its own, its output kept."""

    def __init__(self, *arguments: str, environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", *arguments],
                env={**_without_settings(os.environ), **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._process.poll() is None:
            self.end()

    @property
    def output(self) -> str:
        """All that the process has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def wait_for(self, pattern: str, *, within: float = START_SECONDS) -> re.Match[str]:
        """Waits until the output matches."""

        def look() -> re.Match[str] | None:
            found = re.search(pattern, self.output)
            assert found or self.alive, f"the process ended: {self.output[-2000:]}"
            return found

        found = eventually(look, within=within, what=f"output {pattern!r}")
        assert found is not None
        return found

    def signal(self, number: int) -> None:
        """Sends a signal."""
        self._process.send_signal(number)

    def wait(self, *, within: float) -> int:
        """Waits for the end; returns the exit code."""
        return self._process.wait(within)

    def end(self, *, within: float = 15.0) -> int:
        """Asks it to stop, and kills it if it does not; returns the exit code."""
        self.signal(signal.SIGTERM)
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise


class House(Process):
    """``atelier up`` on a free port, with a data folder of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.environment = house_environment(folder, **settings)
        super().__init__("up", environment=self.environment, log=folder / "up.log")
        self.url = ""

    def __enter__(self) -> Self:
        try:
            self.url = self.wait_for(r"Atelier is ready at (\S+)").group(1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def client(self) -> httpx.Client:
        """A client of the API."""
        return httpx.Client(base_url=self.url, timeout=30.0)


def house_environment(folder: Path, **settings: str) -> dict[str, str]:
    """The settings of a house in ``folder``, on bundled features, whatever is on this machine."""
    return {
        "ATELIER_PORT": "0",
        "ATELIER_DATA_DIR": str(folder / "data"),
        "ATELIER_FEATURES": "bundled",
        "ATELIER_DEVICES": "cpu",
        "ATELIER_MAX_REQUESTS_PER_MINUTE": "0",  # who waits for something looks often
        **settings,
    }


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environment.items() if not k.startswith("ATELIER_")}
