"""How much a device has to do, and when it will be free: what decides who takes the next job."""

import math
import threading
import time

#: The next job is taken when the present one has so many seconds left: enough to fetch and
#: decode it, too few for it to be better off with another worker.
LEAD_SECONDS = 3.0


class Load:
    """The load of one device; safe to share between threads."""

    def __init__(self) -> None:
        self._owed = 0  # assignments handed over and not ended
        self._free_at = math.inf  # of the one that is painted; monotonic
        self._changed = threading.Condition()

    @property
    def is_idle(self) -> bool:
        """Whether it has no assignment."""
        return self._owed == 0

    def owe(self, change: int) -> None:
        """Takes note of assignments: 1 that was handed over, -1 that has ended."""
        with self._changed:
            self._owed += change
            self._changed.notify_all()

    def expect_free_in(self, seconds: float) -> None:
        """Takes note of when the painting at hand will have ended."""
        with self._changed:
            self._free_at = time.monotonic() + seconds
            self._changed.notify_all()

    def wait_until_nearly_free(self, timeout: float) -> bool:
        """Waits until the next job should be got ready; False when ``timeout`` seconds are over."""
        with self._changed:
            return self._changed.wait_for(self._is_nearly_free, timeout)

    def wait_until_idle(self, timeout: float) -> bool:
        """Waits until there is no assignment; False when ``timeout`` seconds are over."""
        with self._changed:
            return self._changed.wait_for(lambda: self.is_idle, timeout)

    def _is_nearly_free(self) -> bool:
        ends_soon = self._free_at - time.monotonic() < LEAD_SECONDS
        return self.is_idle or (self._owed == 1 and ends_soon)
