"""A device, the thread that paints on it, and the bounded queue of prepared work in front of it.

The thread takes assignments in while there is room for them, and paints them in short chunks of
steps. Everything slow that is not painting (decoding, encoding, Redis) is done by the intake
threads, meanwhile.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context

import numpy as np
import tensorflow as tf

from model.painting import Studio
from model.params import StyleTransferParams
from model.sitting import Sitting
from worker.assignment import Assignment, DeviceHung, DeviceLost, Interrupted
from worker.coordination import BoundedQueue
from worker.easel import Easel
from worker.load import Load
from worker.presence import DeviceInfo
from worker.tally import Tally
from worker.under_way import UnderWay

logger = logging.getLogger(__name__)

#: How many small pictures a GPU paints at once, by itself: one leaves most of it idle.
TOGETHER_ON_A_GPU = 8

#: How long the device waits for the job's record to say that it has the job, in seconds: it is
#: written within milliseconds, or Redis is away, and then there is no use in waiting.
RECORD_SECONDS = 2.0

#: How often a device that warms up looks whether the house stops.
_LOOK_SECONDS = 0.1

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

    Args:
        studio: that paints on it.
        together: how many assignments may be under way at once; None for what suits the device.

    Attributes:
        together: how many assignments may be under way at once.
        queue: prepared assignments; one may wait while others are painted.
        reception: held by the intake thread that is getting the next assignment, so that no two
            take a job each where there is room for one; and by one whose job is to be alone.
        load: what it has to do.
        tally: what it and its intake threads have done.
        lost: why it paints no more; None while it does.
    """

    def __init__(self, studio: Studio, together: int | None = None) -> None:
        self.studio = studio
        self.name = studio.device
        self.together = together or (TOGETHER_ON_A_GPU if self.name.startswith("gpu") else 1)
        self.queue: BoundedQueue[Assignment] = BoundedQueue(1, self.name)
        self.reception = threading.Lock()
        self.warm = threading.Event()
        self.load = Load()
        self.tally = Tally()
        self.lost: str | None = None
        self._under_way = UnderWay(self.together, self.load)
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

        An error of a job ends its assignment, one of the device ends all of them and this thread,
        and any other ends the house as well.
        """
        try:
            with coord.stop_on_exception(), self._until_lost(), self._until_broken_off():
                if not self._warm_up(coord.should_stop):
                    return
                while True:
                    self._take_in()
                    self._under_way.go_round(coord.should_stop, self._at_work)
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

    @contextlib.contextmanager
    def _until_broken_off(self) -> Iterator[None]:
        """Whatever ends the thread ends all that is under way."""
        try:
            yield
        except BaseException as error:
            is_lost = isinstance(error, _OUT_OF_ORDER)
            lost = DeviceLost(f"lost {self.name} ({type(error).__name__})")
            self._under_way.break_off(lost if is_lost else error)
            raise

    def _take_in(self) -> None:
        """Begins what there is room for; waits only where nothing is under way."""
        while self._under_way.is_empty or self._fits(self.queue.peek()):
            assignment = self.queue.dequeue()
            assignment.take(RECORD_SECONDS)
            with self._at_work():
                self._under_way.begin(Easel(assignment, self.studio, self.tally))

    def _fits(self, following: Assignment | None) -> bool:
        """Nothing overtakes it: where it does not, it waits until others have ended."""
        if following is None:
            return False
        return following.cancel.is_set() or self._under_way.has_room_for(following.room)

    def _turn_away(self) -> None:
        """Sends back what is left in the queue of a device that paints no more."""
        self.queue.close(cancel_pending_enqueues=True)
        with contextlib.suppress(tf.errors.OutOfRangeError):
            while True:
                self.queue.dequeue().end(Interrupted())
                self.load.owe(-1)

    def _warm_up(self, should_stop: Callable[[], bool]) -> bool:
        """Traces the graphs that most jobs use, so that the first one need not wait for it.

        In a thread of its own: nothing can break it off, and a house that stops need not wait.

        Returns:
            Whether it came to its end.
        """
        background = ThreadPoolExecutor(1, f"{self.name}-warm-up")
        with self._at_work():
            tracing = background.submit(self._trace)
            while not wait([tracing], _LOOK_SECONDS).done:
                if should_stop():
                    return False
        background.shutdown()
        tracing.result()
        self.warm.set()
        return True

    def _trace(self) -> None:
        grey = np.full((64, 64, 3), 0.5, np.float32)
        params = StyleTransferParams(size=64, steps=1)
        self.studio.begin(Sitting.prepare(grey, [grey], params)).advance(1)

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        self._busy_since = time.monotonic()
        try:
            yield
        finally:
            self._busy_since = None
