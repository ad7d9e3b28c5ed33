"""How long a job waits for its device when the house stops: a single step may take minutes."""

import time

import tensorflow as tf

from worker.assignment import Interrupted


class Patience:
    """Runs out some seconds after the coordinator was asked to stop."""

    def __init__(self, coord: tf.train.Coordinator, seconds: float) -> None:
        self._coord = coord
        self._seconds = seconds
        self._stopping_since: float | None = None

    def check(self) -> None:
        """Raises ``Interrupted`` when the device has been waited for long enough."""
        if not self._coord.should_stop():
            return
        now = time.monotonic()
        self._stopping_since = self._stopping_since or now
        if now - self._stopping_since > self._seconds:
            raise Interrupted
