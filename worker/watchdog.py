"""Ends a process in which Python itself stands still: native code that never lets go of its lock.

No Python thread could notice that, so it is left to ``faulthandler``, whose thread needs no lock. A
device that hangs without holding the lock is noticed by its intake threads, in better words.
"""

import faulthandler
import time

#: How often the clock is set back, in seconds: each time costs a thread.
_PAT_SECONDS = 1.0


class Watchdog:
    """To be patted again and again by the main thread; bites with traces and exit code 1."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._next = 0.0

    def pat(self) -> None:
        """Says that Python is alive."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _PAT_SECONDS
            faulthandler.dump_traceback_later(self._patience_seconds, exit=True)

    def dismiss(self) -> None:
        """No pats are to be expected any more."""
        faulthandler.cancel_dump_traceback_later()
