"""A device, its one thread, and the bounded queue of prepared work in front of it.

The thread dequeues an assignment and paints it in short chunks of steps. Before each chunk it
looks around: was the job canceled, does the house stop, is the time up? Everything slow that is
not painting (decoding, encoding, Redis) is done by the intake threads, meanwhile.
"""

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable
from contextvars import copy_context

import numpy as np
import tensorflow as tf

from model.errors import AtelierError, CheckpointError, OutOfTimeError
from model.painting import Studio
from model.params import StyleTransferParams
from model.progress import Progress
from model.run import Run
from model.sitting import Sitting
from worker.assignment import Array, Assignment, Canceled, Interrupted, News
from worker.coordination import BoundedQueue
from worker.presence import DeviceInfo
from worker.tally import Tally

logger = logging.getLogger(__name__)

#: The length of a chunk that is aimed at, in seconds: how soon a cancel or a stop is seen.
CHUNK_SECONDS = 0.5

#: Painting time between two previews and between two checkpoints, in seconds.
PREVIEW_SECONDS = 2.0
CHECKPOINT_SECONDS = 15.0

#: The next job is taken when the present one has so many seconds left: enough to fetch and
#: decode it, too few for it to be better off with another worker.
LEAD_SECONDS = 3.0


class Device:
    """One device of this process, with its studio.

    Attributes:
        queue: prepared assignments; one may wait while another is painted.
        reception: held by the intake thread that is getting the next assignment, so that no two
            take a job each where there is room for one.
        tally: what it and its intake threads have done.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.name = studio.device
        self.queue: BoundedQueue[Assignment] = BoundedQueue(1, self.name)
        self.reception = threading.Lock()
        self.warm = threading.Event()
        self.tally = Tally()
        self._owed = 0  # assignments handed over and not ended
        self._free_at = math.inf  # of the one that is painted; monotonic
        self._load_changed = threading.Condition()

    def info(self) -> DeviceInfo:
        """What people are told of it."""
        return DeviceInfo(
            name=self.name,
            precision=self.studio.dtype.name,
            busy=self._owed > 0,
            busy_seconds=self.tally.busy_seconds,
            steps_per_second=self.tally.steps_per_second,
        )

    def hand_over(self, assignment: Assignment) -> None:
        """Puts an assignment into the queue.

        Raises:
            tf.errors.CancelledError: the house is stopping.
        """
        assignment.context = copy_context()
        self._owe(1)
        try:
            self.queue.enqueue(assignment)
        except tf.errors.CancelledError:
            self._owe(-1)
            raise

    def wait_until_nearly_free(self, timeout: float) -> bool:
        """Waits until the next job should be got ready; False when ``timeout`` seconds are over."""
        with self._load_changed:
            return self._load_changed.wait_for(self._is_nearly_free, timeout)

    def run(self, coord: tf.train.Coordinator) -> None:
        """The thread: paints what is in the queue, until it is closed and empty.

        An error of a job ends the assignment; any other ends the house as well.
        """
        try:
            with coord.stop_on_exception():
                self._warm_up()
                while True:
                    self._paint_next(coord.should_stop)
        finally:
            self._turn_away()

    def _paint_next(self, should_stop: Callable[[], bool]) -> None:
        assignment = self.queue.dequeue()
        try:
            assignment.end(assignment.context.run(self._paint, assignment, should_stop))
        except (AtelierError, Canceled, Interrupted) as outcome:
            assignment.end(outcome)
        except BaseException as error:
            assignment.end(error)
            raise
        finally:
            self._expect_free_in(math.inf)
            self._owe(-1)

    def _turn_away(self) -> None:
        """Sends back what is left in the queue of a device that paints no more."""
        self.queue.close(cancel_pending_enqueues=True)
        with contextlib.suppress(tf.errors.OutOfRangeError):
            while True:
                self.queue.dequeue().end(Interrupted())

    def _warm_up(self) -> None:
        """Traces the graphs that most jobs use, so that the first one need not wait for it."""
        grey = np.full((64, 64, 3), 0.5, np.float32)
        params = StyleTransferParams(size=64, steps=1)
        self.studio.begin(Sitting.prepare(grey, [grey], params)).advance(1)
        self.warm.set()

    def _paint(self, assignment: Assignment, should_stop: Callable[[], bool]) -> Array:
        with self.tally.painting():
            return self._advance_to_the_end(assignment, should_stop)

    def _advance_to_the_end(self, assignment: Assignment, should_stop: Callable[[], bool]) -> Array:
        run = self._begin(assignment)
        pace = _Pace(run.progress())
        while not run.done:
            self._look_around(assignment, run, pace, should_stop)
            progress = run.advance(pace.steps)
            self.tally.advanced(*pace.note(progress))
            if pace.seconds_left is not None:
                self._expect_free_in(pace.seconds_left)
            # The last preview is of the finished picture, for those that cannot show its file.
            assignment.tell(
                News(
                    progress,
                    pace.seconds_left,
                    run.picture() if pace.preview_due() or run.done else None,
                    run.checkpoint() if pace.checkpoint_due() and run.can_be_stored else None,
                )
            )
        return run.picture()

    def _begin(self, assignment: Assignment) -> Run:
        run = self.studio.begin(assignment.sitting)
        if assignment.resume is not None:
            try:
                run.restore(assignment.resume)
            except CheckpointError as error:  # of another version or kind of device
                logger.warning("%s The painting starts from the beginning.", error)
        return run

    def _look_around(
        self, assignment: Assignment, run: Run, pace: "_Pace", should_stop: Callable[[], bool]
    ) -> None:
        if assignment.cancel.is_set():
            raise Canceled
        if should_stop():
            progress = run.progress()
            if progress.step and run.can_be_stored:
                assignment.tell(News(progress, checkpoint=run.checkpoint()))
            raise Interrupted
        if pace.seconds_painted > assignment.timeout_seconds:
            raise OutOfTimeError(
                f"The painting took longer than the {assignment.timeout_seconds:g} seconds allowed."
            )

    def _owe(self, change: int) -> None:
        with self._load_changed:
            self._owed += change
            self._load_changed.notify_all()

    def _expect_free_in(self, seconds: float) -> None:
        with self._load_changed:
            self._free_at = time.monotonic() + seconds
            self._load_changed.notify_all()

    def _is_nearly_free(self) -> bool:
        ends_soon = self._free_at - time.monotonic() < LEAD_SECONDS
        return self._owed == 0 or (self._owed == 1 and ends_soon)


class _Pace:
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
