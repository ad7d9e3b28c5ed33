"""An assignment under way on a device: its run, how it gets on, and what is told of it.

The painting is a generator. At its ``yield`` it waits for its next chunk of steps, while the device
turns to other paintings; and whatever it says, it says in the context of its assignment.
"""

import logging
import math
from collections.abc import Callable, Generator, Hashable, Sequence

import tensorflow as tf

from model.errors import (
    AtelierError,
    CheckpointError,
    DeviceMemoryError,
    DivergedError,
    OutOfTimeError,
)
from model.painting import Studio
from model.progress import Progress
from model.run import Run, advance
from worker.assignment import Array, Assignment, Canceled, Interrupted, News
from worker.pace import Pace
from worker.tally import Painter, Tally

logger = logging.getLogger(__name__)


class Easel:
    """One assignment, from when the device has it to its outcome.

    Attributes:
        assignment: what is painted.
        is_apart: whether no steps of it are to be taken together with those of others.
        run: the painting itself, once it has begun.
        pace: how it gets on, likewise.
    """

    run: Run
    pace: Pace

    def __init__(self, assignment: Assignment, studio: Studio, tally: Tally) -> None:
        self.assignment = assignment
        self.is_apart = False
        self._studio = studio
        self._tally = tally
        self._painting = self._paint()

    @property
    def is_done(self) -> bool:
        """Whether the assignment has an outcome."""
        return self.assignment.outcome is not None

    @property
    def kin(self) -> Hashable:
        """The same for paintings whose next steps can be taken together."""
        return self if self.is_apart else self.run.kin

    @property
    def seconds_left(self) -> float:
        """An estimate; infinite while there is nothing to go by."""
        return math.inf if self.pace.seconds_left is None else self.pace.seconds_left

    def begin(self) -> None:
        """Sets the run up, if the painting is still wanted."""
        if self.assignment.cancel.is_set():
            self.break_off(Canceled())
        else:
            self._go_on(next, self._painting)

    def look_around(self, should_stop: Callable[[], bool]) -> None:
        """Breaks off if the job was canceled, the house stops, or the time is up."""
        allowed = self.assignment.timeout_seconds
        if self.assignment.cancel.is_set():
            self.break_off(Canceled())
        elif should_stop():
            self._save()
            self.break_off(Interrupted())
        elif self.pace.seconds_painted > allowed:
            message = f"The painting took longer than the {allowed:g} seconds allowed."
            self.break_off(OutOfTimeError(message))

    def break_off(self, outcome: BaseException) -> None:
        """Ends the painting without a picture."""
        self.assignment.context.run(self._painting.close)
        self._end(outcome)

    def advance(self) -> None:
        """Takes a chunk of steps, and tells of it."""
        self._go_on(self._painting.send, None)

    def take_note(self, outcome: Progress | DivergedError) -> None:
        """Tells of a chunk of steps that was taken together with others."""
        if isinstance(outcome, DivergedError):
            self.break_off(outcome)
        else:
            self._go_on(self._painting.send, outcome)

    def _go_on(self, how: Callable[..., None], *what: object) -> None:
        """To the next ``yield``, or to the end; raises what is not the job's own doing."""
        try:
            self.assignment.context.run(how, *what)
        except StopIteration as end:
            self.assignment.end(end.value)
        except AtelierError as error:
            self._end(error)

    def _end(self, outcome: BaseException) -> None:
        if isinstance(outcome, AtelierError):
            # Where the job's own error was raised nobody asks; the run and its tensors, which those
            # frames hold, would stay in the device's memory until garbage is looked for.
            outcome.__context__ = None
            outcome = outcome.with_traceback(None)
        self.assignment.end(outcome)

    def _paint(self) -> Generator[None, Progress | None, Array]:
        with self._tally.painting() as painter:
            try:
                return (yield from self._paint_to_the_end(painter))
            except tf.errors.ResourceExhaustedError as error:
                logger.warning(
                    "%s has not enough memory; the job goes on with smaller tiles. %s",
                    self._studio.device,
                    _first_line(error),
                )
            # Outside of the handler, which holds all that was in memory, and without the first run.
            self.__dict__.pop("run", None)
            try:
                return (yield from self._paint_to_the_end(painter, small_tiles=True))
            except tf.errors.ResourceExhaustedError:
                raise DeviceMemoryError(
                    f"The device {self._studio.device} has too little memory for a picture of this "
                    "size, also in small tiles."
                ) from None

    def _paint_to_the_end(
        self, painter: Painter, *, small_tiles: bool = False
    ) -> Generator[None, Progress | None, Array]:
        run = self.run = self._set_up(small_tiles=small_tiles)
        pace = self.pace = Pace(run.progress())
        while not run.done:
            taken = yield
            progress = self._take_steps() if taken is None else taken
            painter.advanced(*pace.note(progress))
            # The last preview is of the finished picture, for those that cannot show its file.
            self.assignment.tell(
                News(
                    progress,
                    pace.seconds_left,
                    run.picture() if pace.preview_due() or run.done else None,
                    _checkpoint(run, pace),
                )
            )
        return run.picture()

    def _set_up(self, *, small_tiles: bool) -> Run:
        run = self._studio.begin(self.assignment.sitting, small_tiles=small_tiles)
        if self.assignment.resume is not None:
            try:
                run.restore(self.assignment.resume)
            except CheckpointError as error:  # of another version or kind of device
                logger.warning("%s The painting starts from the beginning.", error)
            else:
                logger.info("The painting goes on at step %d.", run.progress().step)
        return run

    def _take_steps(self) -> Progress:
        try:
            return self.run.advance(self.pace.steps)
        except tf.errors.ResourceExhaustedError:
            self.assignment.resume = self.run.checkpoint()  # for the next run, in smaller tiles
            raise

    def _save(self) -> None:
        """Says how far it is, with all that is needed to go on elsewhere."""
        progress = self.run.progress()
        if progress.step and self.run.can_be_stored:
            self.assignment.tell(News(progress, checkpoint=self.run.checkpoint()))


def take_chunk(easels: Sequence[Easel]) -> None:
    """Takes a chunk of steps with each of some paintings of one kin, and tells of it."""
    if len(easels) > 1:
        _advance_together(easels)
    else:
        for easel in easels:
            easel.advance()


def _advance_together(easels: Sequence[Easel]) -> None:
    try:
        outcomes = advance(
            [easel.run for easel in easels], min(easel.pace.steps for easel in easels)
        )
    except tf.errors.ResourceExhaustedError as error:
        said = "Not enough memory for %d pictures at once; they are painted one by one. %s"
        logger.warning(said, len(easels), _first_line(error))
        for easel in easels:
            easel.is_apart = True
    else:
        for easel, outcome in zip(easels, outcomes, strict=True):
            easel.take_note(outcome)


def _checkpoint(run: Run, pace: Pace) -> bytes | None:
    """Now and then, and before it becomes too large."""
    is_due = pace.checkpoint_due() or run.is_last_to_be_stored
    return run.checkpoint() if is_due and run.can_be_stored else None


def _first_line(error: tf.errors.OpError) -> str:
    return str(error.message).partition("\n")[0]
