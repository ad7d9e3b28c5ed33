"""Redis, the API and workers as processes of their own, to be harmed: what dies is started again.

Unlike ``atelier up`` there can be several workers, and no back-off: who kills for ten minutes does
not want to wait.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import httpx
from redis.exceptions import RedisError

from app import embedded
from app.supervisor import die_with_parent
from worker import presence
from worker.connections import connect_impatiently
from worker.jobs import Jobs
from worker.settings import Settings

_POLL_SECONDS = 0.05
_START_SECONDS = 90.0
_STOP_SECONDS = 15.0

WORKER = ("-m", "app.cli", "worker")


class Part:
    """One process.

    Attributes:
        wanted: whether it is started again when it ends.
        starts: how often it was started.
        log: all that it has ever written.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        self._command, self._environment = command, environment
        self._process: subprocess.Popen[bytes] | None = None
        self.wanted = True
        self.starts = 0

    @property
    def pid(self) -> int:
        """Of the process that runs, or ran last."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Starts it."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command lines
                self._command,
                env={**_without_settings(os.environ), **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
                restore_signals=False,  # a file that grows too large is an error, not the end
            )
        self.starts += 1

    def send(self, number: int) -> None:
        """Sends a signal, if it runs."""
        if self._process is not None and self.alive:
            self._process.send_signal(number)

    def wait(self, within: float = _STOP_SECONDS) -> int:
        """Waits for its end; returns the exit code."""
        assert self._process is not None
        return self._process.wait(within)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends it for good, however long that takes; returns the exit code."""
        self.wanted = False
        self.send(signal.SIGCONT)
        self.send(number)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            return self.wait()


class Parts:
    """All of them, in one folder.

    Attributes:
        url: where the API is.
        jobs: a look behind it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 2,
        worker: Sequence[str] = WORKER,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        command, self.redis_url = embedded.prepare(folder)
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        environment = {
            "ATELIER_REDIS_URL": self.redis_url,
            "ATELIER_DATA_DIR": str(folder),
            "ATELIER_FEATURES": "bundled",
            "ATELIER_DEVICES": "cpu",
            "ATELIER_PORT": str(port),
            "ATELIER_MAX_REQUESTS_PER_MINUTE": "0",
            **(settings or {}),
        }
        self._folder = folder
        python = (sys.executable,)
        self.redis = self.make("redis", command, {})
        self.api = self.make("api", (*python, "-m", "app.cli", "api"), environment)
        self.workers = [
            self.make(f"worker-{number}", (*python, *worker), environment)
            for number in range(workers)
        ]
        known = Settings(redis_url=self.redis_url, data_dir=folder)
        self.jobs = Jobs(connect_impatiently(self.redis_url), known)
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> Self:
        try:
            self.redis.start()
            self._until(self.redis_answers)
            for part in (self.api, *self.workers):
                part.start()
            self._until(self.is_ready)
        except BaseException:
            self.__exit__()
            raise
        self._keeper.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        if self._keeper.is_alive():
            self._keeper.join()
        for part in (*self.workers, self.api, self.redis):
            if part.alive:
                part.stop()

    def make(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Part:
        """A part that is yet to be started."""
        return Part(name, command, environment, self._folder)

    def is_ready(self) -> bool:
        """Whether the API answers, and all workers are there."""
        try:
            if not httpx.get(f"{self.url}/livez", timeout=5).is_success:
                return False
            return len(presence.workers(self.jobs.connection)) >= len(self.workers)
        except (httpx.HTTPError, RedisError):
            return False

    def redis_answers(self) -> bool:
        """Whether Redis does."""
        try:
            return bool(self.jobs.connection.ping())
        except RedisError:
            return False

    def _until(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not happened():
            dead = [p for p in (self.redis, self.api, *self.workers) if p.starts and not p.alive]
            if dead or time.monotonic() > deadline:
                said = {part.name: part.output[-1000:] for part in dead or self.workers}
                raise RuntimeError(f"Not started: {said}")
            self._ended.wait(_POLL_SECONDS)

    def _keep(self) -> None:
        while not self._ended.wait(_POLL_SECONDS):
            for part in (self.redis, self.api, *self.workers):
                if part.wanted and not part.alive:
                    part.start()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("ATELIER_")}
