"""What a worker counts of one device: its threads add to it, the presence thread publishes it."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from redis import Redis

from worker import totals
from worker.totals import Stage
from worker.tracing import TRACER

_SPANS: Mapping[Stage, str] = {"preparing": "prepare", "painting": "paint", "storing": "store"}


class Tally:
    """The counts of a device and its intake threads; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unpublished: defaultdict[str, float] = defaultdict(float)
        self._busy_seconds = 0.0
        self._busy_since: float | None = None
        self._painters: set[Painter] = set()

    @property
    def busy_seconds(self) -> float:
        """How long the device has painted, up to now."""
        with self._lock:
            since = self._busy_since
            return self._busy_seconds + (time.monotonic() - since if since is not None else 0.0)

    @property
    def steps_per_second(self) -> float:
        """How fast the device paints at present, in all; 0 when it does not."""
        with self._lock:
            return sum(painter.steps_per_second for painter in self._painters)

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Meanwhile a job is in a stage: a span, and its seconds if it is completed."""
        began = time.monotonic()
        with TRACER.start_as_current_span(
            _SPANS[stage], record_exception=False, set_status_on_exception=False
        ):
            yield
        self.completed(stage, time.monotonic() - began)

    @contextmanager
    def painting(self) -> Iterator["Painter"]:
        """Meanwhile the device paints a job, perhaps beside others."""
        painter = Painter(self)
        with self._lock:
            self._painters.add(painter)
            self._busy_since = self._busy_since or time.monotonic()
        try:
            with self.stage("painting"):
                yield painter
        finally:
            busy = self.busy_seconds
            with self._lock:
                self._painters.remove(painter)
                if not self._painters:
                    self._busy_seconds, self._busy_since = busy, None

    def completed(self, stage: Stage, seconds: float) -> None:
        """A job has been through a stage. Clocks of two machines may make that less than 0."""
        self._add(totals.fields_of(stage, max(0.0, seconds)))

    def begun(self, waited_seconds: float) -> None:
        """A job that waited for so long has been begun."""
        self.completed("waiting", waited_seconds)
        self._add({"attempts": 1})

    def advanced(self, steps: int, restarts: int) -> None:
        """The device has taken so many steps, and had to go back so many times."""
        self._add({"steps": max(0, steps), "restarts": restarts})

    def publish(self, connection: Redis) -> None:
        """Adds what is new to the totals; if that fails, it is there the next time."""
        with self._lock:
            taken, self._unpublished = self._unpublished, defaultdict(float)
        try:
            totals.add(connection, taken)
        except BaseException:
            self._add(taken)
            raise

    def _add(self, amounts: Mapping[str, float]) -> None:
        with self._lock:
            for field, amount in amounts.items():
                self._unpublished[field] += amount


class Painter:
    """What is counted of one painting under way.

    Attributes:
        steps_per_second: how fast it is; several at once share the device's time.
    """

    def __init__(self, tally: Tally) -> None:
        self.steps_per_second = 0.0
        self._tally = tally

    def advanced(self, steps: int, seconds: float, restarts: int) -> None:
        """It has taken so many steps in so many seconds."""
        self.steps_per_second = steps / seconds if seconds > 0 else 0.0
        self._tally.advanced(steps, restarts)
