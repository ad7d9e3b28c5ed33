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
from collections.abc import Callable, Iterator
from contextvars import copy_context

import numpy as np
import tensorflow as tf

from model.errors import (
    AtelierError,
    CheckpointError,
    DeviceMemoryError,
    OutOfTimeError,
)
from model.painting import Studio
from model.params import StyleTransferParams
from model.progress import Progress
from model.run import Run
from model.sitting import Sitting
from worker.assignment import (
    Array,
    Assignment,
    Canceled,
    DeviceHung,
    DeviceLost,
    Interrupted,
    News,
)
from worker.coordination import BoundedQueue
from worker.load import Load
from worker.pace import Pace
from worker.presence import DeviceInfo
from worker.tally import Tally

logger = logging.getLogger(__name__)

#: How long the device waits for the job's record to say that it has the job, in seconds: it is
#: written within milliseconds, or Redis is away, and then there is no use in waiting.
RECORD_SECONDS = 2.0

#: What TensorFlow raises when a device does not work any more, rather than when it is misused.
_OUT_OF_ORDER = (
    tf.errors.InternalError,
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.UnknownError,
    tf.errors.DataLossError,
)


class Device:
    """One device of this process, with its studio.

    Attributes:
        queue: prepared assignments; one may wait while another is painted.
        reception: held by the intake thread that is getting the next assignment, so that no two
            take a job each where there is room for one.
        load: what it has to do.
        tally: what it and its intake threads have done.
        lost: why it paints no more; None while it does.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.name = studio.device
        self.queue: BoundedQueue[Assignment] = BoundedQueue(1, self.name)
        self.reception = threading.Lock()
        self.warm = threading.Event()
        self.load = Load()
        self.tally = Tally()
        self.lost: str | None = None
        self._busy_since: float | None = None  # with one chunk; monotonic

    def info(self) -> DeviceInfo:
        """What people are told of it."""
        return DeviceInfo(
            name=self.name,
            precision=self.studio.dtype.name,
            busy=not self.load.is_idle,
            lost=self.lost is not None,
            busy_seconds=self.tally.busy_seconds,
            steps_per_second=self.tally.steps_per_second,
        )

    def hand_over(self, assignment: Assignment) -> None:
        """Puts an assignment into the queue.

        Raises:
            tf.errors.CancelledError: the house is stopping.
        """
        assignment.context = copy_context()
        self.load.owe(1)
        try:
            self.queue.enqueue(assignment)
        except tf.errors.CancelledError:
            self.load.owe(-1)
            raise

    def check_pulse(self, longest_chunk_seconds: float) -> None:
        """Makes sure that the device comes back from its chunks of steps.

        Raises:
            DeviceHung: it has been with one for longer.
        """
        since = self._busy_since
        if since is not None and time.monotonic() - since > longest_chunk_seconds:
            raise DeviceHung(f"hung for more than {longest_chunk_seconds:g} s on {self.name}")

    def run(self, coord: tf.train.Coordinator) -> None:
        """The thread: paints what is in the queue, until it is closed and empty.

        An error of a job ends the assignment, one of the device ends this thread, and any other
        ends the house as well.
        """
        try:
            with coord.stop_on_exception(), self._until_lost():
                self._warm_up()
                while True:
                    self._paint_next(coord.should_stop)
        finally:
            self._turn_away()

    @contextlib.contextmanager
    def _until_lost(self) -> Iterator[None]:
        try:
            yield
        except _OUT_OF_ORDER as error:
            logger.exception("The device %s is lost.", self.name)
            self.lost = type(error).__name__
            self.warm.set()  # nobody need wait for it

    def _paint_next(self, should_stop: Callable[[], bool]) -> None:
        assignment = self.queue.dequeue()
        assignment.take(RECORD_SECONDS)
        try:
            assignment.end(assignment.context.run(self._paint, assignment, should_stop))
        except (AtelierError, Canceled, Interrupted) as outcome:
            assignment.end(outcome)
        except _OUT_OF_ORDER as error:
            assignment.end(DeviceLost(f"lost {self.name} ({type(error).__name__})"))
            raise
        except BaseException as error:
            assignment.end(error)
            raise
        finally:
            self.load.expect_free_in(math.inf)
            self.load.owe(-1)

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
        with self._at_work():
            self.studio.begin(Sitting.prepare(grey, [grey], params)).advance(1)
        self.warm.set()

    def _paint(self, assignment: Assignment, should_stop: Callable[[], bool]) -> Array:
        with self.tally.painting():
            try:
                return self._advance_to_the_end(assignment, should_stop)
            except tf.errors.ResourceExhaustedError as error:
                logger.warning(
                    "%s has not enough memory; the job goes on with smaller tiles. %s",
                    self.name,
                    error.message.partition("\n")[0],
                )
            # Outside of the handler, which holds all that was in memory.
            try:
                return self._advance_to_the_end(assignment, should_stop, small_tiles=True)
            except tf.errors.ResourceExhaustedError:
                raise DeviceMemoryError(
                    f"The device {self.name} has too little memory for a picture of this size, "
                    "also in small tiles."
                ) from None

    def _advance_to_the_end(
        self, assignment: Assignment, should_stop: Callable[[], bool], *, small_tiles: bool = False
    ) -> Array:
        run = self._begin(assignment, small_tiles=small_tiles)
        pace = Pace(run.progress())
        while not run.done:
            self._look_around(assignment, run, pace, should_stop)
            progress = self._advance(assignment, run, pace.steps)
            self.tally.advanced(*pace.note(progress))
            if pace.seconds_left is not None:
                self.load.expect_free_in(pace.seconds_left)
            # The last preview is of the finished picture, for those that cannot show its file.
            assignment.tell(
                News(
                    progress,
                    pace.seconds_left,
                    run.picture() if pace.preview_due() or run.done else None,
                    _checkpoint(run, pace),
                )
            )
        return run.picture()

    def _advance(self, assignment: Assignment, run: Run, steps: int) -> Progress:
        with self._at_work():
            try:
                return run.advance(steps)
            except tf.errors.ResourceExhaustedError:
                assignment.resume = run.checkpoint()  # for the next run, in smaller tiles
                raise

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        self._busy_since = time.monotonic()
        try:
            yield
        finally:
            self._busy_since = None

    def _begin(self, assignment: Assignment, *, small_tiles: bool) -> Run:
        run = self.studio.begin(assignment.sitting, small_tiles=small_tiles)
        if assignment.resume is not None:
            try:
                run.restore(assignment.resume)
            except CheckpointError as error:  # of another version or kind of device
                logger.warning("%s The painting starts from the beginning.", error)
            else:
                logger.info("The painting goes on at step %d.", run.progress().step)
        return run

    def _look_around(
        self, assignment: Assignment, run: Run, pace: Pace, should_stop: Callable[[], bool]
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


def _checkpoint(run: Run, pace: Pace) -> bytes | None:
    """Now and then, and before it becomes too large."""
    is_due = pace.checkpoint_due() or run.is_last_to_be_stored
    return run.checkpoint() if is_due and run.can_be_stored else None
