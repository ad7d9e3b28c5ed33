"""From pictures to a painting.

    painting = paint(content, [style], StyleTransferParams(size=512), features)

and, where several are painted on one device, or one a few steps at a time:

    studio = Studio(features)
    run = studio.begin(Sitting.prepare(content, [style], params))
    while not run.done:
        progress = run.advance(steps=8)
    picture = run.picture()
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model import memory, recipes
from model.graphs import Kind
from model.objective import Objective, remembered_styles
from model.optimizers import OPTIMIZERS
from model.params import StyleTransferParams
from model.precision import Precision, fastest
from model.progress import Progress
from model.run import Run
from model.sitting import Sitting
from model.steps import Steps
from model.vgg import Features, Network

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Painting:
    """The result.

    Attributes:
        pixels: float32 in [0, 1], shape [height, width, 3], or 4 where the content has alpha.
        progress: the last report of the run.
        features: the weights that painted.
    """

    pixels: Array
    progress: Progress
    features: Features


class Studio:
    """Features on a device and the graphs traced for them. One thread at a time may use it."""

    def __init__(
        self, features: Features, *, device: str = "cpu", precision: Precision = "auto"
    ) -> None:
        self.features = features
        self.device = device
        arithmetic = fastest(precision, device)
        self.dtype = arithmetic.dtype
        with tf.device(device):
            self._network = Network(features, arithmetic)
        self._remembered = remembered_styles()
        # None is ever let go: TensorFlow would keep what it made of them, and make it again.
        self._objectives: dict[tuple[str | int | None, ...], Objective] = {}
        self._all_steps: dict[tuple[Objective, str], Steps] = {}

    def begin(self, sitting: Sitting, *, small_tiles: bool = False) -> Run:
        """A run that has taken no step yet.

        Args:
            sitting: what is painted.
            small_tiles: for less memory, in more time; on a CPU they are taken without being asked
                for where the memory would not suffice.
        """
        steps = self._steps(sitting.params, sitting.region_count)
        is_scarce = self.device == "cpu" and not memory.suffices(
            sitting.scales[-1].pixels,
            [math.prod(style.shape[:2]) for style in sitting.styles],
            steps.optimizer.images_in_state,
            sitting.region_count,
            len(self._objectives),
        )
        return Run(sitting, steps.in_small_tiles if small_tiles or is_scarce else steps)

    def paint(
        self,
        content: Array,
        styles: Sequence[Array],
        params: StyleTransferParams,
        *,
        content_mask: Array | None = None,
        style_masks: Sequence[Array] = (),
        on_progress: Callable[[Run, Progress], None] | None = None,
        resume: bytes | None = None,
    ) -> Painting:
        """A painting from its first step to its last; arguments and errors as of ``paint``."""
        sitting = Sitting.prepare(
            content, styles, params, content_mask=content_mask, style_masks=style_masks
        )
        run = self.begin(sitting)
        if resume is not None:
            run.restore(resume)
        while not run.done:
            progress = run.advance(1)
            if on_progress is not None:
                on_progress(run, progress)
        return Painting(run.picture(), run.progress(), self.features)

    def _steps(self, params: StyleTransferParams, regions: int) -> Steps:
        key = self._objective(params, regions), params.optimizer
        if key not in self._all_steps:
            self._all_steps[key] = Steps(key[0], OPTIMIZERS[params.optimizer](), self.device)
        return self._all_steps[key]

    def _objective(self, params: StyleTransferParams, regions: int = 0) -> Objective:
        """The graphs for a request, traced at the first one of its kind."""
        key = (params.preset, params.pooling, params.style_loss, regions)
        if key not in self._objectives:
            kind = Kind(recipes.layers(params), params.pooling, params.style_loss, regions)
            self._objectives[key] = Objective(self._network, kind, self._remembered)
        return self._objectives[key]


def paint(
    content: Array,
    styles: Sequence[Array],
    params: StyleTransferParams,
    features: Features,
    *,
    content_mask: Array | None = None,
    style_masks: Sequence[Array] = (),
    device: str = "cpu",
    precision: Precision = "auto",
    on_progress: Callable[[Run, Progress], None] | None = None,
    resume: bytes | None = None,
) -> Painting:
    """Paints a photograph in the style of other pictures.

    Args:
        content: float32 RGB, or RGB and alpha, in [0, 1], shape [height, width, 3 or 4], any size.
        styles: 1 to 8 pictures of the same form.
        params: how to paint.
        features: the network's weights.
        content_mask: RGB, a plain colour for each region; None where all is one region.
        style_masks: one for each style, with the same colours.
        device: ``cpu`` or ``gpu:N``, made ready by ``model.devices``.
        precision: of the convolutions.
        on_progress: called after each step with the run, which may be looked at or saved.
        resume: a checkpoint of an interrupted run with the same arguments.

    Raises:
        ParameterError: the number of styles or masks does not fit, or a mask its picture.
        DivergedError: the optimisation diverged twice.
        CheckpointError: ``resume`` does not belong to these arguments.
    """
    return Studio(features, device=device, precision=precision).paint(
        content,
        styles,
        params,
        content_mask=content_mask,
        style_masks=style_masks,
        on_progress=on_progress,
        resume=resume,
    )
