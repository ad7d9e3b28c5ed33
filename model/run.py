"""Paintings under way: scale by scale, a few steps at a time, their state explicit."""

import math
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model import checkpoint
from model.errors import CheckpointError, DivergedError
from model.group import Group, Ready
from model.images import resize
from model.objective import loss_weights
from model.position import Position
from model.progress import CurvePoint, Progress, summed
from model.recipes import Scale
from model.sitting import Sitting
from model.steps import Given, Share, State, Steps
from model.targets import Targets

Array = npt.NDArray[np.float32]

#: Length of the steps, relative to the usual, after the loss exploded once.
_CAREFUL_RATE = 0.25

#: A loss so many times that of its scale's first step has exploded.
_EXPLODED = 10.0

#: Points of the loss curve, at most.
_CURVE_POINTS = 200

#: In bytes: Redis takes no value above 512 MiB, and many this size would fill it.
_LARGEST_CHECKPOINT = 128 * 2**20


class Run:
    """One painting under way, on one device.

    Between two calls of ``advance`` it can be looked at, saved, or dropped. A checkpoint restored
    into a run of the same sitting, features and kind of device goes on to the same picture: on the
    CPU bit for bit, if it is advanced alone and cut into the same tiles.

    Attributes:
        device: ``cpu`` or ``gpu:N``.
    """

    def __init__(self, sitting: Sitting, steps: Steps) -> None:
        self._sitting = sitting
        self._steps = steps
        self._objective = steps.objective
        self._optimizer = steps.optimizer
        self.device = steps.device
        with tf.device(self.device):
            self._weights = loss_weights(sitting.params)
            image = _tensor(sitting.first_image())
            self._now = Position.at_start_of(0, image, self._optimizer.start(image))
        self._good = self._now  # the last position whose loss is known to be sound
        self._targets: Targets | None = None
        self._parts: dict[str, float] = {}
        self._restarts = 0

    @property
    def done(self) -> bool:
        """Whether the last step of the last scale has been taken."""
        is_last = self._now.scale == len(self._sitting.scales) - 1
        return is_last and self.is_between_scales

    @property
    def is_between_scales(self) -> bool:
        """Whether the last step of the present scale has been taken."""
        return self._now.step == self._present.steps

    @property
    def kin(self) -> Hashable:
        """The same for runs whose next steps can be taken together: of one kind, at one size."""
        is_next = self.is_between_scales and not self.done
        scale = self._sitting.scales[self._now.scale + is_next]
        alone = None if self._steps.can_be_shared else self
        return self._steps, scale.width, scale.height, alone

    def advance(self, steps: int) -> Progress:
        """Takes up to ``steps`` steps; fewer where a scale ends.

        Raises:
            DivergedError: the loss exploded, or stopped being finite, for the second time.
        """
        (outcome,) = advance([self], steps)
        if isinstance(outcome, DivergedError):
            raise outcome
        return outcome

    def ready(self) -> Ready:
        """What is needed for the next step: of the next scale if this one is at its end."""
        if self.is_between_scales and not self.done:
            self._next_scale()
        if self._targets is None:  # computed late: here we are on the device, in its thread
            self._targets = self._objective.targets(self._sitting, self._present)
        rate = tf.constant([_CAREFUL_RATE if self._restarts else 1.0])
        left = self._present.steps - self._now.step
        given = Given(self._targets, self._weights, rate)
        return Ready(self._steps, left, self._now.share, given)

    def settle(self, parts: Sequence[float], share: Share) -> bool:
        """Goes on with what a step made of the tensors, or back if its loss exploded.

        Returns:
            Whether it goes on.

        Raises:
            DivergedError: it has been back before.
        """
        self._parts = dict(zip(self._objective.parts, parts, strict=True))
        limit, curve = self._limit(), self._curve()
        if not (math.isfinite(sum(parts)) and sum(parts) <= limit):
            self._go_back()
            return False
        self._good = self._now._replace(limit=limit)
        self._now = Position(self._now.scale, self._now.step + 1, limit, curve, share)
        return True

    def progress(self) -> Progress:
        """How far the run is."""
        scales, present = self._sitting.scales, self._present
        past = scales[: self._now.scale]
        work = sum(scale.work for scale in past) + self._now.step * present.pixels
        return Progress(
            step=self._steps_taken,
            steps=sum(scale.steps for scale in scales),
            fraction=work / sum(scale.work for scale in scales),
            width=present.width,
            height=present.height,
            losses=summed(self._parts) if self._parts else {},
            by_layer={name: loss for name, loss in self._parts.items() if "/" in name},
            curve=self._now.curve,
            restarts=self._restarts,
        )

    def picture(self) -> Array:
        """The painting as it is now: float32 in [0, 1], shape [height, width, 3].

        With alpha as the fourth channel where the content picture has one.
        """
        return self._sitting.finished(self._averaged())

    @property
    def can_be_stored(self) -> bool:
        """Whether a checkpoint is of a size to be kept; another attempt goes on from the last."""
        return self._can_be_stored(self._present)

    @property
    def is_last_to_be_stored(self) -> bool:
        """Whether a scale has ended after which checkpoints are too large to be kept."""
        following = self._sitting.scales[self._now.scale + 1 :][:1]
        return self.is_between_scales and not all(map(self._can_be_stored, following))

    def checkpoint(self) -> bytes:
        """All that is needed to go on elsewhere.

        It is of the last position known to be sound, one step before the present one: so a run
        that has to go back finds the same one after an interruption as without.
        """
        scale, step, limit, curve, share = self._good
        state = share.state
        header = {"of": self._identity(), "restarts": self._restarts, "limit": limit}
        header |= {"scale": scale, "step": step, "curve": curve}
        optimizer = self._optimizer.to_arrays(state.optimizer)
        arrays = {f"optimizer.{name}": array for name, array in optimizer.items()}
        arrays["image"], arrays["average"] = state.image, state.average
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
        with tf.device(self.device):
            images = tf.constant(arrays["image"]), tf.constant(arrays["average"])
            share = Share(State(*images, self._optimizer.from_arrays(optimizer)))
        curve = tuple(CurvePoint(*point) for point in header["curve"])
        self._now = Position(header["scale"], header["step"], header["limit"], curve, share)
        self._good = self._now
        self._restarts = header["restarts"]
        self._targets, self._parts = None, {}

    @property
    def _present(self) -> Scale:
        return self._sitting.scales[self._now.scale]

    def _can_be_stored(self, scale: Scale) -> bool:
        image = scale.pixels * 3 * 4
        return image * self._optimizer.images_in_state <= _LARGEST_CHECKPOINT

    @property
    def _steps_taken(self) -> int:
        past = self._sitting.scales[: self._now.scale]
        return sum(scale.steps for scale in past) + self._now.step

    def _identity(self) -> str:
        kind = self.device.partition(":")[0]  # a GPU rounds differently from a CPU
        optimizer = self._optimizer.identity
        return f"{self._sitting.fingerprint} {self._objective.identity} {kind}{optimizer}"

    def _limit(self) -> float:
        """Of the loss: some times what the scale began with, or a picture of nothing has."""
        if self._now.limit is not None:
            return self._now.limit
        return _EXPLODED * (sum(self._parts.values()) + float(tf.reduce_sum(self._weights)))

    def _curve(self) -> tuple[CurvePoint, ...]:
        spacing = -(-sum(scale.steps for scale in self._sitting.scales) // _CURVE_POINTS)
        if self._steps_taken % spacing:
            return self._now.curve
        losses = summed(self._parts)
        point = CurvePoint(self._steps_taken, losses["content"], losses["style"], losses["tv"])
        return (*self._now.curve, point)

    def _go_back(self) -> None:
        """To the last sound position, once, and on from there with shorter steps."""
        if self._restarts:
            raise DivergedError(
                "The optimisation diverged twice, the second time with steps "
                f"{_CAREFUL_RATE:g} times as long. Smaller weights may help."
            )
        self._restarts += 1
        if self._good.scale != self._now.scale:
            self._targets = None
        state = self._good.share.state
        state = state._replace(optimizer=self._optimizer.start(state.image))
        self._now = self._good = self._good._replace(share=Share(state))
        self._parts = {}

    def _averaged(self) -> Array:
        """The average of the iterates without its bias (Kingma & Ba 2015, section 3)."""
        state = self._now.share.state
        if self._now.step == 0:
            return np.asarray(state.image[0])
        unbiased = state.average[0] / (1.0 - self._optimizer.average_decay**self._now.step)
        return np.asarray(tf.clip_by_value(unbiased, 0.0, 1.0))

    def _next_scale(self) -> None:
        picture, optimizer = self._averaged(), self._now.share.state.optimizer
        index = self._now.scale + 1
        scale = self._sitting.scales[index]
        image = _tensor(resize(picture, scale.width, scale.height))
        carried = self._optimizer.rescale(optimizer, image)
        self._now = Position.at_start_of(index, image, carried, self._now.curve)
        self._targets = None


def advance(runs: Sequence[Run], steps: int) -> list[Progress | DivergedError]:
    """Takes up to ``steps`` steps with each of some runs; fewer where a scale of one ends.

    They are taken together: several small pictures take a GPU hardly longer than one. It ends
    earlier as well where one of them goes back, because its loss exploded.

    Args:
        runs: one, or several of which ``kin`` is the same; none of which is done.
        steps: of each.

    Returns:
        For each how far it is, or that its loss exploded, or stopped being finite, for the second
        time.
    """
    with tf.device(runs[0].device):
        diverged = Group(runs).advance(steps)
    return [diverged.get(run) or run.progress() for run in runs]


def _tensor(picture: Array) -> tf.Tensor:
    return tf.constant(picture[np.newaxis])
