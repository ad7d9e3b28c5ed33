"""Painting without a queue: what ``atelier stylize`` and ``atelier batch`` do on this machine."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model import images, recipes, weights
from model.devices import open_devices
from model.door import PictureInfo
from model.painting import Studio
from model.params import StyleTransferParams
from model.progress import Progress
from model.run import Run
from model.summaries import Summaries
from worker import decoding
from worker.pictures import Pictures
from worker.settings import Settings

Array = npt.NDArray[np.float32]


Report = Callable[[float, str], None]


class Soloist:
    """Paints on this machine, one picture after the other; one thread at a time may use it.

    Args:
        settings: which features and device, and the limits of pictures.

    Raises:
        FeaturesError: the features cannot be had.
    """

    def __init__(self, settings: Settings) -> None:
        self._limits = settings.picture_limits
        self._studio = Studio(
            weights.load(settings.features, settings.folder / "features"),
            device=open_devices(settings.devices)[0],
            precision=settings.precision,
        )

    def paint(
        self,
        pictures: Pictures,
        params: StyleTransferParams,
        report: Report,
        *,
        logdir: Path | None = None,
    ) -> bytes:
        """Decodes, paints and encodes: the same bytes as a job's with the same features and device.

        Args:
            pictures: the files.
            params: how to paint.
            report: is told of each step how much is done, in [0, 1], and with what features.
            logdir: where summaries for TensorBoard go, if they are wanted.

        Raises:
            InputError: a picture or a parameter is at fault.
            DivergedError: the optimisation diverged twice.
        """
        content = pictures.check(self._limits)
        with _summaries(logdir, params, content) as summaries:

            def on_progress(run: Run, progress: Progress) -> None:
                report(progress.fraction, f"painting with {self._studio.features.name} features")
                if summaries is not None:
                    summaries.note(run, progress)

            painted = self._painted(pictures, params, on_progress)
        return images.encode(painted, params.format)

    def _painted(
        self,
        pictures: Pictures,
        params: StyleTransferParams,
        on_progress: Callable[[Run, Progress], None],
    ) -> Array:
        limits, mask = self._limits, pictures.content_mask
        return self._studio.paint(
            decoding.picture(pictures.content, limits),
            [decoding.picture(style, limits) for style in pictures.styles],
            params,
            content_mask=None if mask is None else decoding.mask(mask, limits),
            style_masks=[decoding.mask(style_mask, limits) for style_mask in pictures.style_masks],
            on_progress=on_progress,
        ).pixels


def _summaries(
    logdir: Path | None, params: StyleTransferParams, content: PictureInfo
) -> contextlib.AbstractContextManager[Summaries | None]:
    if logdir is None:
        return contextlib.nullcontext()
    return Summaries(logdir, recipes.scales(params, content.width, content.height))
