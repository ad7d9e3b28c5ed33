"""How a painting gets on: when to look around, and what is due."""

import math
import time

from model.progress import Progress

#: The length of a chunk that is aimed at, in seconds: how soon a cancel or a stop is seen.
CHUNK_SECONDS = 0.5

#: Painting time between two previews and between two checkpoints, in seconds.
PREVIEW_SECONDS = 2.0
CHECKPOINT_SECONDS = 15.0


class Pace:
    """Measures a painting: how long the next chunk should be, how long the rest will take."""

    def __init__(self, progress: Progress) -> None:
        self.steps = 1
        self.seconds_left: float | None = None
        self._began = self._noted = self._checkpointed = time.monotonic()
        self._previewed = -math.inf  # the first preview is due at once
        self._first, self._last = progress, progress

    @property
    def seconds_painted(self) -> float:
        """Since this attempt began."""
        return time.monotonic() - self._began

    def note(self, progress: Progress) -> tuple[int, float, int]:
        """Takes the measure of a chunk that has just ended: steps, seconds, restarts."""
        now, last = time.monotonic(), self._last
        seconds, steps = now - self._noted, progress.step - last.step
        per_step = seconds / max(1, steps)
        self.steps = max(1, min(2 * self.steps, round(CHUNK_SECONDS / per_step)))
        done = progress.fraction - self._first.fraction
        if done > 0:
            self.seconds_left = (1.0 - progress.fraction) * (now - self._began) / done
        self._noted, self._last = now, progress
        return steps, seconds, progress.restarts - last.restarts

    def preview_due(self) -> bool:
        """Whether it is time for a preview; saying so restarts the clock."""
        due = self._noted - self._previewed >= PREVIEW_SECONDS
        self._previewed = self._noted if due else self._previewed
        return due

    def checkpoint_due(self) -> bool:
        """Whether it is time for a checkpoint; saying so restarts the clock."""
        due = self._noted - self._checkpointed >= CHECKPOINT_SECONDS
        self._checkpointed = self._noted if due else self._checkpointed
        return due
