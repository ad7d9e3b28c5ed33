"""What the activations of a layer have in common over many positions, wherever these are."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import tensorflow as tf

from model.traced import graph

#: Of VGG-19's layers. Half as many channels have four times as many positions.
_MOST_CHANNELS = 512


class Moments(NamedTuple):
    """Means over the positions of each region; they add up over the tiles of a picture.

    Attributes:
        mean: of the activations, float32 [pictures, regions, channels].
        second: of their outer products, float32 [pictures, regions, channels, channels]: the Gram
            matrix (Gatys et al. 2016, equation 3) with a mean for the paper's sum, which makes
            pictures of different sizes comparable.
    """

    mean: tf.Tensor
    second: tf.Tensor

    def plus(self, other: "Moments") -> "Moments":
        """The sum of both: of two tiles, or of two styles that were scaled to their shares."""
        return Moments(self.mean + other.mean, self.second + other.second)

    def scaled(self, factors: tf.Tensor) -> "Moments":
        """Each region times its factor; float32 [regions]."""
        return Moments(
            factors[:, tf.newaxis] * self.mean, factors[:, tf.newaxis, tf.newaxis] * self.second
        )


def moments(activations: tf.Tensor, guides: tf.Tensor) -> Moments:
    """Mean and second moment of a layer, guided (Gatys et al. 2017, equation 5).

    Args:
        activations: [pictures, height, width, channels], any float type.
        guides: how much each position counts for each region, float32 [pictures, regions, height,
            width]; [pictures, 1, 1, 1] where all count alike. Those of a region sum to 1 over the
            whole picture.

    Returns:
        In float32, whatever the type of the activations. Products of bfloat16 are summed up in
        float32 over a part of the positions, whose sum is rounded to bfloat16, and the parts in
        float32 again: the rounding of many parts is less than that of one.
    """
    pictures, channels = tf.shape(activations)[0], activations.shape[-1]
    flat = tf.reshape(activations, [pictures, -1, channels])
    regions = tf.unstack(guides, axis=1)
    return Moments(
        tf.concat([_mean(flat, guide) for guide in regions], axis=1),
        tf.stack([_second(flat, guide) for guide in regions], axis=1),
    )


def _mean(flat: tf.Tensor, guide: tf.Tensor) -> tf.Tensor:
    flat = tf.cast(flat, tf.float32)
    if _counts_alike(guide):  # weighed after the sum, not position by position
        return guide * tf.reduce_sum(flat, 1, keepdims=True)
    return tf.reduce_sum(flat * _column(guide), 1, keepdims=True)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _second(flat: tf.Tensor, guide: tf.Tensor) -> tuple[tf.Tensor, object]:
    alike = _counts_alike(guide)
    found = guide * _products(flat, flat) if alike else _products(_weighed(flat, guide), flat)

    def pull_back(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        # By hand: both factors of an outer product are the same activations, so one product does
        # for two. In the activations' type: in float32 it takes three times as long.
        both = upstream + tf.linalg.matrix_transpose(upstream)
        if alike:
            return tf.matmul(flat, tf.cast(guide * both, flat.dtype)), None
        return _weighed(tf.matmul(flat, tf.cast(both, flat.dtype)), guide), None

    return found, pull_back


def _products(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Sum of the outer products of rows, float32 [pictures, channels, channels]."""
    found = _traced(a.dtype)(a, b)
    return tf.ensure_shape(found, [None, a.shape[-1], a.shape[-1]])


@cache
def _traced(dtype: tf.DType) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Once for all layers."""
    rows = tf.TensorSpec([None, None, None], dtype)
    return graph(_sum_of_products, rows, rows, apart=True)


def _sum_of_products(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    pictures, positions, channels = tf.unstack(tf.shape(a))
    # The parts' matrices are to be no larger than the activations, and all parts of one length:
    # VGG-19's channels are powers of two.
    most = tf.square(_MOST_CHANNELS // channels)
    divisor = tf.bitwise.bitwise_and(positions, -positions)  # the largest power of two
    parts = tf.clip_by_value(divisor, 1, most)  # 0 is a divisor of no positions
    a, b = (tf.reshape(x, [pictures * parts, positions // parts, channels]) for x in (a, b))
    found = tf.cast(tf.matmul(a, b, transpose_a=True), tf.float32)
    return tf.reduce_sum(tf.reshape(found, [pictures, parts, channels, channels]), 1)


def _weighed(flat: tf.Tensor, guide: tf.Tensor) -> tf.Tensor:
    # Weights of hundredths of thousandths in bfloat16 would all be wrong by the same share.
    return tf.cast(tf.cast(flat, tf.float32) * _column(guide), flat.dtype)


def _column(guide: tf.Tensor) -> tf.Tensor:
    return tf.reshape(guide, [tf.shape(guide)[0], -1, 1])


def _counts_alike(guide: tf.Tensor) -> bool:
    return bool(guide.shape[1:] == (1, 1))
