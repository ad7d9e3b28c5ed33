"""From pictures to a painting.

    painting = paint(content, [style], StyleTransferParams(size=512), features)

and, where several are painted on one device, or one a few steps at a time:

    studio = Studio(features)
    run = studio.begin(Sitting.prepare(content, [style], params))
    while not run.done:
        progress = run.advance(steps=8)
    picture = run.picture()
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model import recipes
from model.objective import Objective
from model.params import StyleTransferParams
from model.precision import Precision, compute_dtype
from model.run import Progress, Run
from model.sitting import Sitting
from model.vgg import Features, Network

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Painting:
    """The result.

    Attributes:
        rgb: float32 in [0, 1], shape [height, width, 3].
        progress: the last report of the run.
        features: the weights that painted.
    """

    rgb: Array
    progress: Progress
    features: Features


class Studio:
    """Features on a device and the graphs traced for them. One thread at a time may use it."""

    def __init__(
        self, features: Features, *, device: str = "cpu", precision: Precision = "auto"
    ) -> None:
        self.features = features
        self.device = device
        self.dtype = compute_dtype(precision, device)
        with tf.device(device):
            self._network = Network(features, self.dtype)
        self._objectives: dict[tuple[str | None, str], Objective] = {}

    def begin(self, sitting: Sitting) -> Run:
        """A run that has taken no step yet."""
        return Run(sitting, self._objective(sitting.params), self.device)

    def _objective(self, params: StyleTransferParams) -> Objective:
        """The graphs for a request, traced at the first one of its kind."""
        kind = (params.preset, params.pooling)
        if kind not in self._objectives:
            layers = recipes.layers(params)
            self._objectives[kind] = Objective(self._network, layers, params.pooling)
        return self._objectives[kind]


def paint(
    content: Array,
    styles: Sequence[Array],
    params: StyleTransferParams,
    features: Features,
    *,
    device: str = "cpu",
    precision: Precision = "auto",
    on_progress: Callable[[Run, Progress], None] | None = None,
    resume: bytes | None = None,
) -> Painting:
    """Paints a photograph in the style of other pictures.

    Args:
        content: float32 RGB in [0, 1], shape [height, width, 3], any size.
        styles: 1 to 8 pictures of the same form.
        params: how to paint.
        features: the network's weights.
        device: ``cpu`` or ``gpu:N``, made ready by ``model.devices``.
        precision: of the convolutions.
        on_progress: called after each step with the run, which may be looked at or saved.
        resume: a checkpoint of an interrupted run with the same arguments.

    Raises:
        ParameterError: the number of styles does not fit the parameters.
        DivergedError: the optimisation left the finite numbers twice.
        CheckpointError: ``resume`` does not belong to these arguments.
    """
    studio = Studio(features, device=device, precision=precision)
    run = studio.begin(Sitting.prepare(content, styles, params))
    if resume is not None:
        run.restore(resume)
    while not run.done:
        progress = run.advance(1)
        if on_progress is not None:
            on_progress(run, progress)
    return Painting(run.picture(), run.progress(), features)
