"""How much a device has to do, and when it will be free: what decides who takes the next job."""

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

#: The next job is taken when the present one has so many seconds left: enough to fetch and
#: decode it, too few for it to be better off with another worker.
LEAD_SECONDS = 3.0


class Load:
    """The load of one device; safe to share between threads."""

    def __init__(self) -> None:
        self._at_stake: Counter[str] = Counter()  # jobs that an intake thread has in hand
        self._owed = 0  # assignments handed over and not ended
        self._under_way = 0  # those of them that are painted; the others wait
        self._has_room = False
        self._free_at = math.inf  # when the first of them ends; monotonic
        self._changed = threading.Condition()

    @property
    def is_idle(self) -> bool:
        """Whether it has no assignment."""
        return self._owed == 0

    @property
    def has_room(self) -> bool:
        """Whether it paints, and could paint one more beside."""
        return self._has_room

    @contextmanager
    def at_stake(self, job_id: str) -> Iterator[None]:
        """In which an intake thread has a job in hand: what kills the process befalls it too."""
        self._stake(job_id, 1)
        try:
            yield
        finally:
            self._stake(job_id, -1)

    def owe(self, change: int) -> None:
        """Takes note of assignments: 1 that was handed over, -1 that has ended."""
        with self._changed:
            self._owed += change
            self._changed.notify_all()

    def take_note(self, under_way: int, seconds_left: float, *, has_room: bool) -> None:
        """Takes note of how many are painted, when the first will have ended, and of room beside.

        Args:
            under_way: how many are painted.
            seconds_left: until the first of them ends.
            has_room: whether a small one could be painted beside them.
        """
        with self._changed:
            self._under_way, self._has_room = under_way, has_room
            self._free_at = time.monotonic() + seconds_left
            self._changed.notify_all()

    def wait_until_nearly_free(self, timeout: float) -> bool:
        """Waits until the next job should be got ready; False when ``timeout`` seconds are over."""
        with self._changed:
            return self._changed.wait_for(self._is_nearly_free, timeout)

    def wait_until_idle(self, timeout: float) -> bool:
        """Waits until there is no assignment; False when ``timeout`` seconds are over."""
        with self._changed:
            return self._changed.wait_for(lambda: self.is_idle, timeout)

    def wait_until_alone(self, job_id: str, timeout: float) -> bool:
        """Waits until no other job is at stake; False when ``timeout`` seconds are over.

        The same job may be: in the hands of one who has not yet heard that it is lost.
        """
        with self._changed:
            return self._changed.wait_for(lambda: self._at_stake.keys() <= {job_id}, timeout)

    def _stake(self, job_id: str, change: int) -> None:
        with self._changed:
            self._at_stake[job_id] += change
            self._at_stake += Counter()  # without those that are at none
            self._changed.notify_all()

    def _is_nearly_free(self) -> bool:
        nobody_waits = self._owed == self._under_way
        ends_soon = self._free_at - time.monotonic() < LEAD_SECONDS
        return self.is_idle or (nobody_waits and (self._has_room or ends_soon))
