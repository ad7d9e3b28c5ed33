"""Steps of an optimiser down the loss, each with one picture or with several at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import tensorflow as tf

from model.compiled import Compiled
from model.graphs import IMAGES, WEIGHTS
from model.objective import Objective
from model.optimizers import AdamState, LbfgsState, Optimizer
from model.targets import Targets
from model.traced import graph

_RATES = tf.TensorSpec([None])

#: On a GPU, which computes while the next steps are launched. It keeps the states of all of them.
_BURST = 8


class State(NamedTuple):
    """The tensors of runs that change from step to step.

    Attributes:
        image: float32 [pictures, height, width, 3], what is optimised.
        average: like ``image``: exponential average of this scale's iterates, biased towards 0.
        optimizer: the optimiser's state.
    """

    image: tf.Tensor
    average: tf.Tensor
    optimizer: AdamState | LbfgsState


class Given(NamedTuple):
    """What does not change from step to step.

    Attributes:
        targets: what the pictures are held against.
        weights: of content, style and total variation; float32 [pictures, 3].
        rate: length of the steps, 1 is the usual; float32 [pictures].
    """

    targets: Targets
    weights: tf.Tensor
    rate: tf.Tensor


class Steps:
    """The steps of one optimiser in paintings of one kind, on one device.

    Attributes:
        objective: whose loss becomes less.
        optimizer: the optimiser.
        device: ``cpu`` or ``gpu:N``.
        can_be_shared: whether one can be taken with several pictures at once.
        burst: how many are best taken before any outcome is looked at.
    """

    def __init__(self, objective: Objective, optimizer: Optimizer[Any], device: str) -> None:
        self.objective = objective
        self.optimizer = optimizer
        self.device = device
        self.can_be_shared = optimizer.spec is not None
        self.burst = 1 if device == "cpu" else _BURST
        self._move: Callable[..., Any] = optimizer.step
        self._whole: Callable[..., tuple[State, tf.Tensor]] = self._take
        if self.can_be_shared:
            self._move = graph(optimizer.step, IMAGES, IMAGES, optimizer.spec, _RATES)
            # The CPU would gain nothing, and take its first step half a second later.
            self._whole = self._take if device == "cpu" else self._compiled()

    @property
    def are_being_compiled(self) -> bool:
        """Whether they become faster soon."""
        return isinstance(self._whole, Compiled) and self._whole.is_busy

    @cached_property
    def in_small_tiles(self) -> "Steps":
        """The same in less memory, for all runs that have little of it."""
        return Steps(self.objective.in_small_tiles(), self.optimizer, self.device)

    def take(self, state: State, given: Given) -> tuple[State, tf.Tensor]:
        """One step with each picture.

        Args:
            state: before it.
            given: of pictures of the same size.

        Returns:
            The state after it, and the parts of the loss before it, float32 [pictures, parts]. They
            are NaN where the image after it is not finite.
        """
        is_whole = self.objective.sees_whole(state.image)
        return (self._whole if is_whole else self._take)(state, given)

    def _compiled(self) -> Compiled:
        state = State(IMAGES, IMAGES, self.optimizer.spec)
        given = Given(self.objective.targets_spec, WEIGHTS, _RATES)
        return Compiled(self._take, state, given, device=self.device)

    def _take(self, state: State, given: Given) -> tuple[State, tf.Tensor]:
        (image, average, optimizer), (targets, weights, rate) = state, given
        parts, gradient = self.objective.loss_and_gradient(image, targets, weights)
        image, optimizer = self._move(image, gradient, optimizer, rate)
        decay = self.optimizer.average_decay
        average = decay * average + (1.0 - decay) * image
        is_finite = tf.reduce_all(tf.math.is_finite(image), axis=[1, 2, 3])
        # In one tensor: one that is read from a GPU has to be waited for.
        parts = tf.where(is_finite[:, tf.newaxis], parts, float("nan"))
        return State(image, average, optimizer), parts


@dataclass(frozen=True)
class Share:
    """What one run has of a state of several; it is cut out when it is looked at."""

    whole: State
    index: int = 0

    @cached_property
    def state(self) -> State:
        """The run's own, of one picture."""
        if self.whole.image.shape[0] == 1:
            return self.whole
        own = slice(self.index, self.index + 1)
        cut: State = tf.nest.map_structure(lambda tensor: tensor[own], self.whole)
        return cut


def together(shares: Sequence[Share]) -> State:
    """One state of all runs, in their order."""
    whole = shares[0].whole
    if whole.image.shape[0] == len(shares) and all(
        share.whole is whole and share.index == index for index, share in enumerate(shares)
    ):
        return whole
    state: State = joined([share.state for share in shares])
    return state


def joined(structures: Sequence[Any]) -> Any:
    """One structure of tensors, with those of all along their first axes."""
    if len(structures) == 1:
        return structures[0]
    return tf.nest.map_structure(lambda *tensors: tf.concat(tensors, 0), *structures)
