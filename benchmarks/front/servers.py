"""The servers that are measured: a Valkey, our API, and the bare one beside it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from app import embedded
from benchmarks.front.http import Addresses

_START_SECONDS = 60.0

#: No limit is to be what is measured.
_WITHOUT_LIMITS = {
    "ATELIER_MAX_QUEUE_LENGTH": "1000000",
    "ATELIER_MAX_JOBS_PER_CLIENT": "1000000",
    "ATELIER_MAX_REQUESTS_PER_MINUTE": "0",
    "ATELIER_LOG_LEVEL": "warning",
}


@contextmanager
def valkey(folder: Path) -> Iterator[tuple[str, Redis]]:
    """A Valkey as `atelier up` starts it: its URL, and a connection."""
    command, url = embedded.prepare(folder)
    with _running(command, {}), Redis.from_url(url) as connection:
        _until(lambda: _pings(connection))
        yield url, connection


@contextmanager
def atelier(redis_url: str) -> Iterator[Addresses]:
    """Our API, without a worker."""
    port = _free_port()
    environment = {
        **_WITHOUT_LIMITS,
        "ATELIER_REDIS_URL": redis_url,
        "ATELIER_PORT": str(port),
    }
    with _running([sys.executable, "-m", "app.cli", "api"], environment):
        yield _address(port)


@contextmanager
def worker(redis_url: str, collector_url: str = "") -> Iterator[None]:
    """One of our workers, with the bundled features on the CPU; it may export its spans."""
    environment = {
        "ATELIER_REDIS_URL": redis_url,
        "ATELIER_FEATURES": "bundled",
        "ATELIER_DEVICES": "cpu",
        "ATELIER_LOG_LEVEL": "warning",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector_url,
    }
    with _running([sys.executable, "-m", "app.cli", "worker"], environment):
        yield


@contextmanager
def bare(redis_url: str) -> Iterator[Addresses]:
    """The bare endpoint."""
    port = _free_port()
    environment = {"REDIS_URL": redis_url, "PORT": str(port)}
    with _running([sys.executable, "-m", "benchmarks.front.bare"], environment):
        yield _address(port)


@contextmanager
def _running(command: list[str], environment: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _address(port: int) -> Addresses:
    _until(lambda: _listens(port))
    return ("127.0.0.1", port)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError("a server did not start")
        time.sleep(0.05)


def _pings(connection: Redis) -> bool:
    try:
        return bool(connection.ping())
    except RedisError:
        return False


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
