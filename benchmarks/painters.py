"""Who paints: Atelier, at each quality level. Its peers are in `benchmarks.peers`."""

import re
import time
from typing import Protocol

from benchmarks.easel import Easel, Work
from benchmarks.source import fingerprint
from benchmarks.subjects import Pair
from model.painting import Studio
from model.params import StyleTransferParams
from model.sitting import Sitting

#: What the code of the engine imports that has no part in how it paints.
_NO_PAINTING = frozenset({"model.images", "model.errors", "model.params"})


class Painter(Protocol):
    """Paints pairs, each once."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    def paint(self, pair: Pair) -> Work:
        """The painting, from the easel where it is there."""


def sitting(pair: Pair, size: int, quality: str = "standard") -> Sitting:
    """A pair at the size at which it is painted and judged."""
    params = StyleTransferParams.model_validate({"size": size, "quality": quality})
    return Sitting.prepare(pair.content.rgb, [pair.style.rgb], params)


class Atelier:
    """Atelier itself, at one quality level.

    Args:
        studio: with the features.
        quality: the level.
        size: long side of the paintings in pixels.
        kept: where they are kept.
    """

    def __init__(self, studio: Studio, quality: str, size: int, kept: Easel) -> None:
        self.name = f"{quality}, {studio.features.name}"
        self._studio = studio
        self._quality = quality
        self._size = size
        self._kept = kept
        self._means = {
            "features": f"{studio.features.sha256}, {studio.features.pooling} pooling",
            "code": fingerprint("model.painting", _NO_PAINTING),
            "numbers": f"{studio.dtype.name} on {studio.device}",
        }

    def paint(self, pair: Pair) -> Work:
        """The painting of a pair."""
        seated = sitting(pair, self._size, self._quality)
        means = self._means | {"sitting": seated.fingerprint}
        return self._kept.painted(file_name(self, pair), means, lambda: self._work(seated))

    def _work(self, seated: Sitting) -> Work:
        began = time.perf_counter()
        run = self._studio.begin(seated)
        steps = 0
        while not run.done:
            steps = run.advance(8).step
        picture = run.picture()
        return Work(picture, time.perf_counter() - began, steps)


def file_name(painter: Painter, pair: Pair) -> str:
    """Begins the name of a painting's file."""
    return re.sub(r"[^\w.]+", "-", f"{pair.content.name} {pair.style.name} {painter.name}")
