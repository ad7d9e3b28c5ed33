"""Runs that are told what to do: painted to the end, disturbed, or fed with numbers."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from model.progress import Progress
from model.run import Run
from model.sitting import Array

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


class Whole(NamedTuple):
    """A run that nothing disturbed: checkpoints and reports before each step and after the last.

    A checkpoint is of the position one step before, or of the beginning.
    """

    checkpoints: list[bytes]
    reports: list[Progress]
    picture: Array


class Spoiled:
    """An objective that gives wrong numbers wherever it is told to.

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
        found = self._right.loss_and_gradient(image, *rest)
        wrong = self._factors if self._when(len(self.asked)) else (1.0, 1.0)
        return found[0] * wrong[0], found[1] * wrong[1]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._right, name)


def spoil(
    run: Run, when: Callable[[int], bool], *, parts: float = math.nan, gradient: float = math.nan
) -> list[tf.Tensor]:
    """Multiplies loss and gradient of the calls for which ``when`` holds, counted from 1.

    Returns:
        The images that the objective will have been asked about, as they come.
    """
    spoiled: Any = Spoiled(run, when, parts=parts, gradient=gradient)
    run._objective = spoiled
    return spoiled.asked  # type: ignore[no-any-return]


class Told:
    """An objective whose loss is what one says, and whose gradient is none."""

    def __init__(self, run: Run, *totals: float) -> None:
        self._right = run._objective
        self._totals = iter(totals)

    def loss_and_gradient(self, image: tf.Tensor, *_: Any) -> tuple[tf.Tensor, tf.Tensor]:
        parts = np.zeros(len(self._right.parts), np.float32)
        parts[0] = next(self._totals)
        return tf.constant(parts), tf.zeros_like(image)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._right, name)


def tell(run: Run, *totals: float) -> None:
    told: Any = Told(run, *totals)
    run._objective = told
