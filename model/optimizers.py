"""Adam and L-BFGS with explicit state: what goes in and what comes out is all there is.

An optimiser here is a pure function ``(image, gradient, state) -> (image, state)``, and its state
a named tuple of tensors. That is what lets a run stop anywhere, be saved, and go on elsewhere
bit for bit. Keras's optimisers hide theirs in variables whose shape is fixed when they are built.

Both keep the image within [0, 1]: outside it a pixel cannot be shown, yet would count.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.graphs import IMAGES

Arrays = Mapping[str, npt.NDArray[Any]]
Strengths = npt.NDArray[np.complex64]

#: What L-BFGS starts from falls with the frequency to the power of this, beyond so many cycles per
#: pixel. A steeper fall suits one scale (a power of 1.5 takes a fifth fewer steps to a low loss);
#: coarse to fine, where the large forms are there already, it leaves more of a grid to be seen.
_FALL, _FLAT_UP_TO = 0.5, 0.02


class AdamState(NamedTuple):
    """First and second moments of the gradient, like the images; the steps taken, [pictures]."""

    first: tf.Tensor
    second: tf.Tensor
    step: tf.Tensor


class LbfgsState(NamedTuple):
    """Where the last step came from, and what past steps did; oldest first.

    Attributes:
        image: the image before the last step, [1, height, width, 3]; [0] before the first step.
        gradient: the gradient there.
        moves: past changes of the image, each like the image.
        turns: the changes of the gradient that those brought.
    """

    image: tf.Tensor
    gradient: tf.Tensor
    moves: tuple[tf.Tensor, ...]
    turns: tuple[tf.Tensor, ...]


State = TypeVar("State", AdamState, LbfgsState)


class Optimizer(Protocol[State]):
    """What runs need of an optimiser.

    Images and gradients are float32 [pictures, height, width, 3].
    """

    #: What graphs say of the state; None where its form changes from step to step: then steps are
    #: taken with one picture at a time.
    spec: Any
    #: Of the exponential average of the iterates: a faster optimiser forgets faster.
    average_decay: float
    #: What its checkpoints are of, besides its state; nothing where that has never changed.
    identity: str
    #: How many pictures a run's state is as large as, its image and average included, at most.
    images_in_state: int

    def start(self, image: tf.Tensor) -> State:
        """The state before the first step."""

    def step(
        self, image: tf.Tensor, gradient: tf.Tensor, state: State, rate: tf.Tensor
    ) -> tuple[tf.Tensor, State]:
        """The next images and state; ``rate`` scales the length of the step, float32 [pictures]."""

    def rescale(self, state: State, image: tf.Tensor) -> State:
        """The state carried over to ``image``, the same picture at the next size."""

    def to_arrays(self, state: State) -> Arrays:
        """The state as named arrays, for a checkpoint."""

    def from_arrays(self, arrays: Arrays) -> State:
        """The state that was given to ``to_arrays``, bit for bit."""


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1) with the constants that suit pictures.

    Rate 0.02 of the range of a pixel and betas (0.9, 0.99), as in Crowson's style-transfer-pytorch.
    """

    learning_rate = 0.02
    beta_1 = 0.9
    beta_2 = 0.99
    epsilon = 1e-8
    #: The average of the iterates takes the noise of Adam's constant step length out of the result.
    #: Crowson has 0.99; over a hundred steps that is half an average of what they started from.
    average_decay = 0.95
    identity = ""
    images_in_state = 4
    spec: Any = AdamState(IMAGES, IMAGES, tf.TensorSpec([None]))

    def start(self, image: tf.Tensor) -> AdamState:
        """Zero moments."""
        zeros = tf.zeros_like(image)
        return AdamState(zeros, zeros, tf.zeros(image.shape[:1]))

    def step(
        self, image: tf.Tensor, gradient: tf.Tensor, state: AdamState, rate: tf.Tensor
    ) -> tuple[tf.Tensor, AdamState]:
        """One step down the gradient, each pixel by about the learning rate."""
        step = state.step + 1.0
        first = self.beta_1 * state.first + (1.0 - self.beta_1) * gradient
        second = self.beta_2 * state.second + (1.0 - self.beta_2) * tf.square(gradient)
        unbiased_first = first / _by_picture(1.0 - self.beta_1**step)
        unbiased_second = second / _by_picture(1.0 - self.beta_2**step)
        move = unbiased_first / (tf.sqrt(unbiased_second) + self.epsilon)
        length = _by_picture(rate * self.learning_rate)
        return tf.clip_by_value(image - length * move, 0.0, 1.0), AdamState(first, second, step)

    def rescale(self, state: AdamState, image: tf.Tensor) -> AdamState:
        """Moments interpolated to the next size, so that no warm-up is needed there."""
        size = image.shape[1:3]
        return AdamState(
            tf.image.resize(state.first, size, "bilinear"),
            tf.image.resize(state.second, size, "bilinear"),  # stays >= 0, unlike bicubic
            state.step,
        )

    def to_arrays(self, state: AdamState) -> Arrays:
        """The three tensors by name."""
        return {name: tensor.numpy() for name, tensor in state._asdict().items()}

    def from_arrays(self, arrays: Arrays) -> AdamState:
        """The three tensors again."""
        return AdamState(*(tf.constant(arrays[name]) for name in AdamState._fields))


class Lbfgs:
    """L-BFGS (Nocedal & Wright 2006, algorithms 7.4 and 7.5) without a line search.

    As in neural-style, the step has unit length in the quasi-Newton metric: a line search would
    pay for its safety with evaluations, the only expensive thing here. Two guards replace it: a
    bound on how far the image moves in one step, and pairs of negative curvature are not kept.
    """

    history = 10
    #: Root mean square over the pixels of a move, at most.
    largest_move = 0.05
    #: The first step has no curvature to go by: its root mean square move.
    first_move = 0.01
    average_decay = 0.8
    identity = f" from {_FALL} beyond {_FLAT_UP_TO}"
    images_in_state = 4 + 2 * history
    spec: Any = None

    def start(self, image: tf.Tensor) -> LbfgsState:
        """No history."""
        del image
        nothing = tf.zeros([0])
        return LbfgsState(nothing, nothing, (), ())

    def step(
        self, image: tf.Tensor, gradient: tf.Tensor, state: LbfgsState, rate: tf.Tensor
    ) -> tuple[tf.Tensor, LbfgsState]:
        """One quasi-Newton step."""
        moves, turns = self._remember(image, gradient, state)
        free = _free(image, gradient)
        direction = -free * _inverse_hessian_times(free * gradient, moves, turns)
        length = _root_mean_square(direction)
        shrink = tf.minimum(1.0, self.largest_move / length) if moves else self.first_move / length
        moved = tf.clip_by_value(image + rate * shrink * direction, 0.0, 1.0)
        return moved, LbfgsState(image, gradient, moves, turns)

    def rescale(self, state: LbfgsState, image: tf.Tensor) -> LbfgsState:
        """Forgets: curvature between pixels does not survive interpolation."""
        del state
        return self.start(image)

    def to_arrays(self, state: LbfgsState) -> Arrays:
        """The four by name, the history stacked."""
        return {name: np.asarray(value) for name, value in state._asdict().items()}

    def from_arrays(self, arrays: Arrays) -> LbfgsState:
        """The four again."""
        return LbfgsState(
            tf.constant(arrays["image"]),
            tf.constant(arrays["gradient"]),
            tuple(tf.constant(move) for move in arrays["moves"]),
            tuple(tf.constant(turn) for turn in arrays["turns"]),
        )

    def _remember(
        self, image: tf.Tensor, gradient: tf.Tensor, state: LbfgsState
    ) -> tuple[tuple[tf.Tensor, ...], tuple[tf.Tensor, ...]]:
        if state.image.shape.rank == 1:
            return (), ()
        move, turn = image - state.image, gradient - state.gradient
        if _dot(move, turn) <= 1e-10 * _dot(turn, turn):  # as small as rounding
            return state.moves, state.turns
        return (*state.moves, move)[-self.history :], (*state.turns, turn)[-self.history :]


def _inverse_hessian_times(
    gradient: tf.Tensor, moves: tuple[tf.Tensor, ...], turns: tuple[tf.Tensor, ...]
) -> tf.Tensor:
    """The two-loop recursion (Nocedal & Wright 2006, algorithm 7.4), from ``_preconditioned``."""
    if not moves:
        return _preconditioned(gradient)
    alphas = []
    for move, turn in zip(reversed(moves), reversed(turns), strict=True):
        alphas.append(_dot(move, gradient) / _dot(move, turn))
        gradient = gradient - alphas[-1] * turn
    move, turn = moves[-1], turns[-1]
    scale = _dot(move, turn) / _dot(turn, _preconditioned(turn))
    direction = scale * _preconditioned(gradient)
    for move, turn, alpha in zip(moves, turns, reversed(alphas), strict=True):
        direction += (alpha - _dot(turn, direction) / _dot(move, turn)) * move
    return direction


def _free(image: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    """1 for the pixels that may move down the gradient, 0 for those at a bound that it points to.

    What is not to move must not be in the way of others (Bertsekas 1982, "Projected Newton Methods
    for Optimization Problems with Simple Constraints"): a step that is cut to the bounds need not
    go down.
    """
    at_black, at_white = image <= 0.0, image >= 1.0
    return tf.where((at_black & (gradient > 0.0)) | (at_white & (gradient < 0.0)), 0.0, 1.0)


def _preconditioned(gradient: tf.Tensor) -> tf.Tensor:
    """With large forms more and fine ones less, as a picture itself has them.

    A loss hardly bends with the large forms of a picture, and steeply with the finest, and an
    optimiser is as slow with those as these allow. As in Olah et al. 2017 ("Feature Visualization",
    section on preconditioning), where a picture is described by its frequencies.

    Args:
        gradient: [pictures, height, width, 3].

    Returns:
        Likewise: a matrix times it that is symmetric and positive definite.
    """
    height, width = gradient.shape[1:3]
    planes = tf.transpose(gradient, [0, 3, 1, 2])
    spectrum = _strengths(height, width) * tf.signal.rfft2d(planes)
    return tf.transpose(tf.signal.irfft2d(spectrum, [height, width]), [0, 2, 3, 1])


@lru_cache(maxsize=2)
def _strengths(height: int, width: int) -> Strengths:
    """Of the frequencies of a picture, complex64 [height, width // 2 + 1]."""
    down, right = np.fft.fftfreq(height)[:, np.newaxis], np.fft.rfftfreq(width)
    frequencies = np.hypot(down, right)  # cycles per pixel
    return np.asarray((1.0 + frequencies / _FLAT_UP_TO) ** -_FALL, np.complex64)


def _by_picture(factors: tf.Tensor) -> tf.Tensor:
    """[pictures] in front of images."""
    return factors[:, tf.newaxis, tf.newaxis, tf.newaxis]


def _dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.tensordot(tf.reshape(a, [-1]), tf.reshape(b, [-1]), 1)


def _root_mean_square(x: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_mean(tf.square(x))) + 1e-20


OPTIMIZERS: dict[str, Callable[[], Optimizer[Any]]] = {"adam": Adam, "lbfgs": Lbfgs}
