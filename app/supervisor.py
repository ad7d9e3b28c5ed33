"""``atelier up``: Redis, API and worker as children of one process, which ends them all.

A child that dies while all is well is started again, ever later. The listening socket is the
supervisor's: the port is taken before anything starts, and stays when the API is started again.
"""

import contextlib
import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from types import FrameType

import httpx
from redis.exceptions import RedisError

from app import embedded
from app.hosts import check_reach
from app.keys import Keyring
from app.server import listen
from model.errors import AtelierError
from worker import presence
from worker.connections import connect_impatiently, ping
from worker.settings import Settings

logger = logging.getLogger(__name__)

#: What the parts get beyond a worker's own grace, and Redis after them, in seconds.
_MORE_THAN_GRACE_SECONDS = 2.0
_REDIS_STOP_SECONDS = 1.5

#: The embedded server reads its append-only file when it starts, in seconds.
_REDIS_START_SECONDS = 60.0

#: Waits before a child is started again, in seconds; the last one repeats.
_BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)

#: A child that has lived for so long had started well, in seconds.
_SETTLED_SECONDS = 60.0

_POLL_SECONDS = 0.1

_PR_SET_PDEATHSIG = 1


class StartError(AtelierError):
    """A part did not start."""

    slug = "start-failed"
    title = "A part did not start"


class Child:
    """A process of ours that is to run as long as we do."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._pass_fds: tuple[int, ...] = ()
        self._failures = 0
        self._start_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def inherit(self, listener: socket.socket) -> None:
        """Hands a listening socket on, as the command's last argument."""
        self._command = [*self._command, str(listener.fileno())]
        self._pass_fds = (listener.fileno(),)

    def start(self) -> None:
        """Starts the process."""
        self._process = subprocess.Popen(  # noqa: S603 - our own command lines
            self._command,
            env={**os.environ, **self._environment},
            pass_fds=self._pass_fds,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is ours to pass on
            preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one thread
        )
        self._started = time.monotonic()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def keep_alive(self) -> None:
        """Starts the process again if it has died and its wait is over."""
        if self.alive:
            return
        if self._process is not None:
            lived = time.monotonic() - self._started
            self._failures = 1 if lived > _SETTLED_SECONDS else self._failures + 1
            wait = _BACKOFF_SECONDS[min(self._failures, len(_BACKOFF_SECONDS)) - 1]
            code = self._process.returncode
            logger.error("%s has ended (%s); starting it again in %g s", self.name, code, wait)
            self._start_at = time.monotonic() + wait
            self._process = None
        if time.monotonic() >= self._start_at:
            self.start()

    def signal(self, number: int) -> None:
        """Sends a signal, if the process runs."""
        if self._process is not None and self.alive:
            self._process.send_signal(number)

    def end(self, deadline: float) -> None:
        """Waits for the process to end, until the deadline (monotonic); then kills it."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            logger.warning("%s did not stop in time and is killed", self.name)
            self._process.kill()
            self._process.wait()


class Supervisor:
    """All parts of Atelier on this machine."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._is_stopping = False
        self._redis: Child | None = None
        self._children: list[Child] = []

    def run(self) -> None:
        """Runs everything until SIGTERM or SIGINT.

        Raises:
            AtelierError: something could not be started; all that was is ended.
        """
        check_reach(self._settings, Keyring.of(self._settings))
        listener = listen(self._settings.host, self._settings.port)
        self._watch_signals()
        try:
            if self._settings.redis_url is None:
                redis_url = self._start_redis()
                self._start_parts({"ATELIER_REDIS_URL": redis_url}, listener)
            else:
                redis_url = self._settings.required_redis_url
                ping(redis_url)
                self._start_parts({}, listener)
            if self._wait_until_ready(listener):
                self._greet(listener, redis_url)
            while self._goes_on():
                for child in self._everyone():
                    child.keep_alive()
        finally:
            self._end_all()

    def _everyone(self) -> list[Child]:
        return [child for child in (self._redis, *self._children) if child is not None]

    def _start_redis(self) -> str:
        if self._settings.redis_password_file is not None:
            raise StartError("ATELIER_REDIS_PASSWORD_FILE is for a Redis of ATELIER_REDIS_URL.")
        command, url = embedded.prepare(self._settings.folder)
        self._lock = embedded.lock(self._settings.folder)
        self._redis = Child("Valkey", command, {})
        self._redis.start()
        deadline = time.monotonic() + _REDIS_START_SECONDS
        while not _answers(url) and self._goes_on():
            if not self._redis.alive or time.monotonic() > deadline:
                log = self._settings.folder / "valkey" / "valkey.log"
                raise StartError(f"The embedded Valkey did not start; {log} says why.")
        return url

    def _start_parts(self, environment: Mapping[str, str], listener: socket.socket) -> None:
        program = [sys.executable, "-m", "app.cli"]
        api = Child("The API", [*program, "api", "--fd"], environment)
        api.inherit(listener)
        self._children = [api, Child("The worker", [*program, "worker"], environment)]
        for child in self._children:
            child.start()

    def _wait_until_ready(self, listener: socket.socket) -> bool:
        """Waits for the API and a worker; False if asked to stop meanwhile.

        Raises:
            StartError: one of them has ended.
        """
        # In a thread: an API that has the port and does not answer yet must hold up no signal.
        is_ready = threading.Event()
        arguments = f"{_url(listener)}/readyz", is_ready
        asking = threading.Thread(target=self._ask_until_ready, args=arguments, daemon=True)
        asking.start()
        while self._goes_on():
            for child in self._everyone():
                if not child.alive:
                    raise StartError(f"{child.name} did not start.")
            if is_ready.is_set():
                asking.join()  # no thread is left when a child is started again
                return True
            if not asking.is_alive():
                raise StartError("The API cannot be asked whether it is ready.")
        return False

    def _ask_until_ready(self, url: str, is_ready: threading.Event) -> None:
        while self._goes_on():
            with contextlib.suppress(httpx.HTTPError):
                if _ask(url).is_success:
                    is_ready.set()
                    return

    def _greet(self, listener: socket.socket, redis_url: str) -> None:
        # Not asked of /v1/system: the API may ask for a key, and here is none.
        workers = presence.workers(connect_impatiently(redis_url))
        features = ", ".join(sorted({worker.features.name for worker in workers}))
        devices = ", ".join(
            f"{device.name} ({device.precision})" for worker in workers for device in worker.devices
        )
        sys.stdout.write(
            f"Atelier is ready at {_url(listener)} (features: {features}; devices: {devices})\n"
        )
        sys.stdout.flush()

    def _watch_signals(self) -> None:
        def handle(_number: int, _frame: FrameType | None) -> None:
            if self._is_stopping:  # the second time somebody means it
                for child in self._everyone():
                    child.signal(signal.SIGKILL)
            self._is_stopping = True

        signal.signal(signal.SIGTERM, handle)
        signal.signal(signal.SIGINT, handle)

    def _goes_on(self) -> bool:
        """False, after a moment, once asked to stop.

        Not an event: a signal may come while its lock is held, and the handler would never get it.
        """
        time.sleep(_POLL_SECONDS)
        return not self._is_stopping

    def _end_all(self) -> None:
        """The worker puts its jobs back first; Redis goes last, when nobody writes any more."""
        for child in self._children:
            child.signal(signal.SIGTERM)
        grace = self._settings.stop_grace_seconds + _MORE_THAN_GRACE_SECONDS
        deadline = time.monotonic() + grace
        for child in self._children:
            child.end(deadline)
        if self._redis is not None:
            self._redis.signal(signal.SIGTERM)
            self._redis.end(time.monotonic() + _REDIS_STOP_SECONDS)


def _answers(url: str) -> bool:
    try:
        connect_impatiently(url).ping()
    except RedisError:
        return False
    return True


def _ask(url: str) -> httpx.Response:
    return httpx.get(url, timeout=5.0, trust_env=False)  # a proxy does not lead to ourselves


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - only compared
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def die_with_parent() -> None:
    """In the child: to be ended with the supervisor, even when that is killed (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
