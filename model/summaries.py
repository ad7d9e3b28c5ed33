"""What TensorBoard shows of a run: each layer's loss at every step, and the picture now and then.

Written by TensorFlow's own writer as the values that TensorBoard's plugins ``scalars`` and
``images`` read (``tensorboard/plugins/*/metadata.py``): TensorBoard is needed to look at them, not
to write them.
"""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Self

import tensorflow as tf

from model.images import encode_preview
from model.progress import Progress
from model.recipes import Scale
from model.run import Run

#: Between two pictures, in steps; there is one at the end of each scale, too.
PICTURE_EVERY = 25

#: Of a picture at most, in pixels.
_LONG_SIDE = 1024

_Metadata = tf.compat.v1.SummaryMetadata


class Summaries:
    """Event files of one run; a context that closes them.

    Tags, with the number of steps taken until then: ``loss/content/<layer>``,
    ``loss/style/<layer>``, those from afar with ``_afar`` at the end, ``loss/tv`` and
    ``loss/total``, weighted, and ``painting``.

    Args:
        folder: where they go; it is made where it is not there.
        scales: of the run.
    """

    def __init__(self, folder: Path, scales: Sequence[Scale]) -> None:
        self._writer = tf.summary.create_file_writer(str(folder))
        self._ends = set(accumulate(scale.steps for scale in scales))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._writer.close()

    def note(self, run: Run, progress: Progress) -> None:
        """Writes what there is to say after a step."""
        with self._writer.as_default():
            if progress.losses:  # none where the step was taken back
                self._write_losses(progress)
            if progress.step in self._ends or progress.step % PICTURE_EVERY == 0:
                self._write_picture(run, progress)

    def _write_losses(self, progress: Progress) -> None:
        sums = {kind: progress.losses[kind] for kind in ("tv", "total")}
        for name, loss in (progress.by_layer | sums).items():
            _write("scalars", f"loss/{name}", tf.constant(loss), progress.step - 1)

    def _write_picture(self, run: Run, progress: Progress) -> None:
        picture = encode_preview(run.picture(), _LONG_SIDE)
        size = str(progress.width), str(progress.height)
        _write("images", "painting", tf.constant([*size, picture]), progress.step)


def _write(plugin: str, tag: str, value: tf.Tensor, step: int) -> None:
    metadata = _Metadata(plugin_data=_Metadata.PluginData(plugin_name=plugin))
    tf.summary.write(tag, value, step=step, metadata=metadata)
