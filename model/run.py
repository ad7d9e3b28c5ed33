"""A painting under way: scale by scale, a few steps at a time, its state explicit."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model import checkpoint
from model.errors import CheckpointError, DivergedError
from model.images import resize
from model.objective import Losses, Objective, Targets, loss_weights
from model.optimizers import OPTIMIZERS, AdamState, LbfgsState, Optimizer
from model.recipes import Scale
from model.sitting import Sitting

Array = npt.NDArray[np.float32]

#: Length of the steps, relative to the usual, after the numbers stopped being finite once.
_CAREFUL_RATE = 0.25

#: In bytes: Redis takes no value above 512 MiB, and many this size would fill it.
_LARGEST_CHECKPOINT = 128 * 2**20


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        step: optimisation steps taken, over all scales.
        steps: optimisation steps in all.
        fraction: of the work done, in [0, 1]; a step costs as much as its scale has pixels.
        width: of the picture at the present scale, in pixels.
        height: likewise.
        losses: ``content``, ``style``, ``tv`` and ``total`` before the last step; empty at first.
        restarts: times the run had to start over with shorter steps, 0 or 1.
    """

    step: int
    steps: int
    fraction: float
    width: int
    height: int
    losses: dict[str, float]
    restarts: int


class RunState(NamedTuple):
    """The tensors of a run that change from step to step.

    Attributes:
        image: float32 [1, height, width, 3], what is optimised.
        average: like ``image``: exponential average of this scale's iterates, biased towards 0.
        optimizer: the optimiser's state.
    """

    image: tf.Tensor
    average: tf.Tensor
    optimizer: AdamState | LbfgsState


class Run:
    """One painting under way, on one device.

    Between two calls of ``advance`` it can be looked at, saved, or dropped. A checkpoint restored
    into a run of the same sitting, features and kind of device goes on to the same picture, bit
    for bit.
    """

    def __init__(self, sitting: Sitting, objective: Objective, device: str) -> None:
        self._sitting = sitting
        self._objective = objective
        self._device = device
        self._optimizer: Optimizer[Any] = OPTIMIZERS[sitting.params.optimizer]()
        with tf.device(device):
            self._weights = loss_weights(sitting.params)
        self._targets: Targets | None = None
        self._losses: Losses | None = None
        self._scale = self._step = self._restarts = 0
        self._start_over()

    @property
    def done(self) -> bool:
        """Whether the last step of the last scale has been taken."""
        is_last = self._scale == len(self._sitting.scales) - 1
        return is_last and self._step == self._present.steps

    def advance(self, steps: int) -> Progress:
        """Takes up to ``steps`` steps; fewer where a scale ends.

        Raises:
            DivergedError: the numbers stopped being finite for the second time.
        """
        with tf.device(self._device):
            if self._step == self._present.steps and not self.done:
                self._next_scale()
            for _ in range(min(steps, self._present.steps - self._step)):
                self._take_step()
            if not self._is_finite():
                self._start_over_carefully()
        return self.progress()

    def progress(self) -> Progress:
        """How far the run is."""
        scales = self._sitting.scales
        past = scales[: self._scale]
        work = sum(scale.work for scale in past) + self._step * self._present.pixels
        return Progress(
            step=sum(scale.steps for scale in past) + self._step,
            steps=sum(scale.steps for scale in scales),
            fraction=work / sum(scale.work for scale in scales),
            width=self._present.width,
            height=self._present.height,
            losses={k: float(v) for k, v in self._losses._asdict().items()} if self._losses else {},
            restarts=self._restarts,
        )

    def picture(self) -> Array:
        """The painting as it is now: float32 RGB in [0, 1], shape [height, width, 3]."""
        return self._sitting.finished(self._averaged())

    @property
    def can_be_stored(self) -> bool:
        """Whether a checkpoint is of a size to be kept; if not, another attempt begins anew."""
        image = self._present.pixels * 3 * 4
        return image * self._optimizer.images_in_state <= _LARGEST_CHECKPOINT

    def checkpoint(self) -> bytes:
        """All that is needed to go on elsewhere."""
        header: dict[str, Any] = {"of": self._identity(), "scale": self._scale, "step": self._step}
        header["restarts"] = self._restarts
        optimizer = self._optimizer.to_arrays(self._state.optimizer)
        arrays = {f"optimizer.{name}": array for name, array in optimizer.items()}
        arrays["image"], arrays["average"] = self._state.image, self._state.average
        return checkpoint.dump(header, {name: np.asarray(a) for name, a in arrays.items()})

    def restore(self, data: bytes) -> None:
        """Goes on from a checkpoint.

        Raises:
            CheckpointError: it is damaged, or of other pictures, parameters, features or numbers.
        """
        header, arrays = checkpoint.load(data)
        if header["of"] != self._identity():
            raise CheckpointError("The checkpoint belongs to another painting.")
        prefix = "optimizer."
        optimizer = {
            name.removeprefix(prefix): array
            for name, array in arrays.items()
            if name.startswith(prefix)
        }
        with tf.device(self._device):
            self._state = RunState(
                tf.constant(arrays["image"]),
                tf.constant(arrays["average"]),
                self._optimizer.from_arrays(optimizer),
            )
        self._scale, self._step = header["scale"], header["step"]
        self._restarts = header["restarts"]
        self._targets = self._losses = None

    @property
    def _present(self) -> Scale:
        return self._sitting.scales[self._scale]

    def _identity(self) -> str:
        kind = self._device.partition(":")[0]  # a GPU rounds differently from a CPU
        return f"{self._sitting.fingerprint} {self._objective.identity} {kind}"

    def _take_step(self) -> None:
        if self._targets is None:  # computed late: here we are on the device, in its thread
            self._targets = self._objective.targets(self._sitting, self._present)
        image, average, optimizer = self._state
        rate = tf.constant(_CAREFUL_RATE if self._restarts else 1.0)
        self._losses, gradient = self._objective.loss_and_gradient(
            image, self._targets, self._weights
        )
        image, optimizer = self._optimizer.step(image, gradient, optimizer, rate)
        decay = self._optimizer.average_decay
        self._state = RunState(image, decay * average + (1.0 - decay) * image, optimizer)
        self._step += 1

    def _averaged(self) -> Array:
        """The average of the iterates without its bias (Kingma & Ba 2015, section 3)."""
        if self._step == 0:
            return np.asarray(self._state.image[0])
        unbiased = self._state.average[0] / (1.0 - self._optimizer.average_decay**self._step)
        return np.asarray(tf.clip_by_value(unbiased, 0.0, 1.0))

    def _next_scale(self) -> None:
        picture = self._averaged()
        self._scale += 1
        image = _tensor(resize(picture, self._present.width, self._present.height))
        optimizer = self._optimizer.rescale(self._state.optimizer, image)
        self._begin_scale(image, optimizer)

    def _start_over(self) -> None:
        self._scale, self._losses = 0, None
        with tf.device(self._device):
            image = _tensor(self._sitting.first_image())
            self._begin_scale(image, self._optimizer.start(image))

    def _begin_scale(self, image: tf.Tensor, optimizer: AdamState | LbfgsState) -> None:
        self._step = 0
        self._targets = None
        self._state = RunState(image, tf.zeros_like(image), optimizer)

    def _is_finite(self) -> bool:
        return bool(tf.reduce_all(tf.math.is_finite(self._state.image)))

    def _start_over_carefully(self) -> None:
        # From the beginning, not from the last good state: so the picture does not depend on
        # where the chunks of steps happened to end.
        if self._restarts:
            raise DivergedError(
                "The optimisation left the finite numbers twice, the second time with steps "
                f"{_CAREFUL_RATE:g} times as long. Smaller weights may help."
            )
        self._restarts += 1
        self._start_over()


def _tensor(picture: Array) -> tf.Tensor:
    return tf.constant(picture[np.newaxis])
