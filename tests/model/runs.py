"""Runs that are told what to do: painted to the end, disturbed, or fed with numbers."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from model.errors import DivergedError
from model.progress import Progress
from model.run import Run, advance
from model.sitting import Array
from model.steps import Steps

#: Nine steps over three scales: four, three and two.
STEPS = 9
SIZES = [(32, 24), (45, 34), (64, 48)]

Begin = Callable[..., Run]


def finish(run: Run, chunk: int = 1000) -> Array:
    for _ in range(100):
        if run.done:
            return run.picture()
        run.advance(chunk)
    raise AssertionError("The run does not end.")


def finish_together(runs: Sequence[Run], chunk: int = 1000) -> list[Array]:
    """Paints some runs, always those together that are of the first one's kin."""
    for _ in range(100):
        left = [run for run in runs if not run.done]
        if not left:
            return [run.picture() for run in runs]
        for outcome in advance([run for run in left if run.kin == left[0].kin], chunk):
            assert not isinstance(outcome, DivergedError)
    raise AssertionError("The runs do not end.")


class Whole(NamedTuple):
    """A run that nothing disturbed: checkpoints and reports before each step and after the last.

    A checkpoint is of the position one step before, or of the beginning.
    """

    checkpoints: list[bytes]
    reports: list[Progress]
    picture: Array


class Spoiled:
    """An objective that gives wrong numbers of the first picture wherever it is told to.

    Attributes:
        asked: the images that it was asked about, as they came.
    """

    def __init__(
        self, run: Run, when: Callable[[int], bool], *, parts: float, gradient: float
    ) -> None:
        self._right = run._objective
        self._when = when
        self._factors = (parts, gradient)
        self.asked: list[tf.Tensor] = []

    def loss_and_gradient(self, image: tf.Tensor, *rest: Any) -> tuple[tf.Tensor, tf.Tensor]:
        self.asked.append(image)
        parts, gradient = self._right.loss_and_gradient(image, *rest)
        wrong = self._factors if self._when(len(self.asked)) else (1.0, 1.0)
        return _first_times(wrong[0], parts), _first_times(wrong[1], gradient)

    def sees_whole(self, _image: tf.Tensor) -> bool:
        return False  # or it would be traced, and asked once

    def __getattr__(self, name: str) -> Any:
        return getattr(self._right, name)


def _first_times(factor: float, of_each: tf.Tensor) -> tf.Tensor:
    return tf.concat([factor * of_each[:1], of_each[1:]], 0)


def spoil(
    run: Run, when: Callable[[int], bool], *, parts: float = math.nan, gradient: float = math.nan
) -> list[tf.Tensor]:
    """Multiplies loss and gradient of the calls for which ``when`` holds, counted from 1.

    Where several runs are painted together, those of the first.

    Returns:
        The images that the objective will have been asked about, as they come.
    """
    spoiled: Any = Spoiled(run, when, parts=parts, gradient=gradient)
    run._steps = Steps(spoiled, run._optimizer, "cpu")
    return spoiled.asked  # type: ignore[no-any-return]


class Told:
    """An objective whose loss is what one says, and whose gradient is none."""

    def __init__(self, run: Run, *totals: float) -> None:
        self._right = run._objective
        self._totals = iter(totals)

    def loss_and_gradient(self, image: tf.Tensor, *_: Any) -> tuple[tf.Tensor, tf.Tensor]:
        parts = np.zeros(len(self._right.parts), np.float32)
        parts[0] = next(self._totals)
        return tf.constant(parts[np.newaxis]), tf.zeros_like(image)

    def sees_whole(self, _image: tf.Tensor) -> bool:
        return False  # or it would be traced, and asked once

    def __getattr__(self, name: str) -> Any:
        return getattr(self._right, name)


def tell(run: Run, *totals: float) -> None:
    told: Any = Told(run, *totals)
    run._steps = Steps(told, run._optimizer, "cpu")
