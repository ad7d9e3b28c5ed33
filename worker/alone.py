"""One painting without a queue: what ``atelier stylize`` does on this machine."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model import images, recipes, weights
from model.devices import open_devices
from model.door import PictureInfo
from model.painting import paint
from model.params import StyleTransferParams
from model.progress import Progress
from model.run import Run
from model.summaries import Summaries
from model.vgg import Features
from worker import decoding
from worker.pictures import Pictures
from worker.settings import Settings

Array = npt.NDArray[np.float32]


def paint_alone(
    pictures: Pictures,
    params: StyleTransferParams,
    settings: Settings,
    *,
    logdir: Path | None,
    report: Callable[[float, str], None],
) -> bytes:
    """Decodes, paints and encodes: the same bytes as a job's with the same features and device.

    Args:
        pictures: the files.
        params: how to paint.
        settings: which features and device, and the limits of pictures.
        logdir: where summaries for TensorBoard go, if they are wanted.
        report: is told of each step how much is done, in [0, 1], and with what features.

    Raises:
        InputError: a picture or a parameter is at fault.
        FeaturesError: the features cannot be had.
        DivergedError: the optimisation diverged twice.
    """
    content = pictures.check(settings.picture_limits)
    features = weights.load(settings.features, settings.folder / "features")
    with _summaries(logdir, params, content) as summaries:

        def on_progress(run: Run, progress: Progress) -> None:
            report(progress.fraction, f"painting with {features.name} features")
            if summaries is not None:
                summaries.note(run, progress)

        painted = _painted(pictures, params, settings, features, on_progress)
    return images.encode(painted, params.format)


def _summaries(
    logdir: Path | None, params: StyleTransferParams, content: PictureInfo
) -> contextlib.AbstractContextManager[Summaries | None]:
    if logdir is None:
        return contextlib.nullcontext()
    return Summaries(logdir, recipes.scales(params, content.width, content.height))


def _painted(
    pictures: Pictures,
    params: StyleTransferParams,
    settings: Settings,
    features: Features,
    on_progress: Callable[[Run, Progress], None],
) -> Array:
    limits, mask = settings.picture_limits, pictures.content_mask
    return paint(
        decoding.picture(pictures.content, limits),
        [decoding.picture(style, limits) for style in pictures.styles],
        params,
        features,
        content_mask=None if mask is None else decoding.mask(mask, limits),
        style_masks=[decoding.mask(style_mask, limits) for style_mask in pictures.style_masks],
        device=open_devices(settings.devices)[0],
        precision=settings.precision,
        on_progress=on_progress,
    ).pixels
