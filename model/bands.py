"""The shallow layers of large pictures, a band of rows at a time.

The first two blocks of VGG-19 are a quarter of its arithmetic and two thirds of its memory. So what
they see is not kept for the way back but computed once more: gradient checkpointing (Chen et al.
2016, "Training Deep Nets with Sublinear Memory Cost"), with bands of the picture for segments. A
band sees some rows beyond its own, so that what is found is that of the whole.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from model import vgg
from model.boxes import extended, inside
from model.by_rows import joined, no_rows, over_rows, with_rows
from model.moments import Moments, moments
from model.targets import ByLayer
from model.tiles import STRIDE

#: How far beyond its own rows a band looks: 6 pixels, rounded up to the stride of what comes out.
_HALO = 8

#: Pixels of a band, about.
_PIXELS = 2**17

#: Of what comes out.
_STRIDE = vgg.STRIDES[vgg.DEEP[0].name]

#: Moments by layer, and what the deep layers go on with.
Found = tuple[ByLayer, tf.Tensor]


class _Band(NamedTuple):
    """Rows of a picture that a band answers for, and those that it sees."""

    top: tf.Tensor
    bottom: tf.Tensor
    seen_top: tf.Tensor
    seen_bottom: tf.Tensor


class Bands:
    """The shallow layers of a network, in less memory.

    Args:
        network: that looks at pictures.
        pooling: of the network.
    """

    def __init__(self, network: vgg.Network, pooling: vgg.Pooling) -> None:
        self._network = network
        self._pooling = pooling

    def look(self, image: tf.Tensor, inner: tf.Tensor, guides: ByLayer) -> Found:
        """What the shallow layers find; its gradient is computed band by band as well.

        Args:
            image: float32 [pictures, height, width, 3].
            inner: the box in which moments are wanted, in pixels, int32 [4].
            guides: of the positions in there, for each shallow layer whose moments are wanted.
        """
        box = extended(inner)

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def look(framed: tf.Tensor) -> tuple[Found, object]:
            found = self._forward(framed, box, guides)

            def pull_back(*upstream: tf.Tensor) -> tf.Tensor:
                of_found = tf.nest.pack_sequence_as(found, [*upstream])
                return self._back(framed, box, guides, of_found)

            return found, pull_back

        found: Found = look(self._network.framed(image))
        return found

    def _forward(self, framed: tf.Tensor, box: tf.Tensor, guides: ByLayer) -> Found:
        def add(band: _Band, state: Any) -> Any:
            sums, ends = state
            found, end = self._see(_part(framed, band), band, box, guides)
            sums = {name: sums[name].plus(found[name]) for name in guides}
            return sums, with_rows(ends, end)

        sums = {name: _nothing(name, guide) for name, guide in guides.items()}
        ends = no_rows(framed.dtype, vgg.CONVOLUTIONS[vgg.DEEP[0].name].inputs)
        sums, ends = _fold(add, (sums, ends), framed)
        return sums, joined(ends)

    def _back(
        self, framed: tf.Tensor, box: tf.Tensor, guides: ByLayer, upstream: Found
    ) -> tf.Tensor:
        of_sums, of_end = upstream

        def add(band: _Band, gradient: tf.Tensor) -> tf.Tensor:
            part = _part(framed, band)
            with tf.GradientTape() as tape:
                tape.watch(part)
                found = self._see(part, band, box, guides)
            of_rows = _rows(of_end, band.top // _STRIDE, band.bottom // _STRIDE)
            pulled = tape.gradient(found, part, (of_sums, of_rows))
            # Bands overlap, and there it adds up.
            above, below = band.seen_top, tf.shape(framed)[1] - tf.shape(part)[1] - band.seen_top
            return gradient + tf.pad(pulled, [[0, 0], [above, below], [0, 0], [0, 0]])

        return _fold(add, tf.zeros_like(framed), framed)

    def _see(self, part: tf.Tensor, band: _Band, box: tf.Tensor, guides: ByLayer) -> Found:
        """What a band finds in its own rows; moments of those that are in the box as well."""
        seen = self._network.shallow(part, self._pooling)
        top, left, bottom, right = tf.unstack(box)
        first, last = (tf.clip_by_value(edge, band.top, band.bottom) for edge in (top, bottom))
        own = tf.stack([first - band.seen_top, left, last - band.seen_top, right])
        layers = inside({name: seen[name] for name in guides}, own)
        above, rows = tf.clip_by_value(first, top, bottom) - top, last - first
        found = {
            name: moments(layers[name], _of_rows(guide, above, rows, vgg.STRIDES[name]))
            for name, guide in guides.items()
        }
        own_rows = [(edge - band.seen_top) // _STRIDE for edge in (band.top, band.bottom)]
        return found, _rows(seen[vgg.SHALLOW[-1].name], *own_rows)


def _fold(add: Callable[[_Band, Any], Any], state: Any, framed: tf.Tensor) -> Any:
    """Goes over the bands of a framed picture, from above."""
    height, width = tf.shape(framed)[1] - 2, tf.shape(framed)[2] - 2

    def go_on(top: tf.Tensor, bottom: tf.Tensor, state: Any) -> Any:
        seen = tf.maximum(top - _HALO, 0), tf.minimum(bottom + _HALO, height)
        return add(_Band(top, bottom, *seen), state)

    rows = tf.maximum(_PIXELS // width // STRIDE, 1) * STRIDE
    return over_rows(height, rows, go_on, state)


def _part(framed: tf.Tensor, band: _Band) -> tf.Tensor:
    """What a band sees, with its frame."""
    return _rows(framed, band.seen_top, band.seen_bottom + 2)


def _rows(x: tf.Tensor, top: tf.Tensor, bottom: tf.Tensor) -> tf.Tensor:
    return tf.slice(x, [0, top, 0, 0], [-1, bottom - top, -1, -1])


def _of_rows(guide: tf.Tensor, above: tf.Tensor, rows: tf.Tensor, stride: int) -> tf.Tensor:
    if guide.shape[2:] == (1, 1):  # all positions count alike
        return guide
    return tf.slice(guide, [0, 0, above // stride, 0], [-1, guide.shape[1], rows // stride, -1])


def _nothing(layer: str, guide: tf.Tensor) -> Moments:
    """The moments of no positions."""
    pictures, regions = tf.shape(guide)[0], guide.shape[1]
    channels = vgg.CONVOLUTIONS[layer].outputs
    mean = tf.zeros([pictures, regions, channels])
    return Moments(mean, tf.zeros([pictures, regions, channels, channels]))
