"""What the activations of a layer have in common over many positions, wherever these are."""

import math
from typing import NamedTuple

import tensorflow as tf

#: Of VGG-19's layers. Half as many channels have four times as many positions.
_MOST_CHANNELS = 512


class Moments(NamedTuple):
    """Means over the positions of each region; they add up over the tiles of a picture.

    Attributes:
        mean: of the activations, float32 [regions, channels].
        second: of their outer products, float32 [regions, channels, channels]: the Gram matrix
            (Gatys et al. 2016, equation 3) with a mean for the paper's sum, which makes pictures
            of different sizes comparable.
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
        activations: [1, height, width, channels], any float type.
        guides: how much each position counts for each region, float32 [regions, height, width];
            [1, 1, 1] where all count alike. Those of a region sum to 1 over the whole picture.

    Returns:
        In float32, whatever the type of the activations. Products of bfloat16 are summed up in
        float32 over a part of the positions, whose sum is rounded to bfloat16, and the parts in
        float32 again: the rounding of many parts is less than that of one.
    """
    flat = tf.reshape(activations, [-1, activations.shape[-1]])
    columns = [tf.reshape(guide, [-1, 1]) for guide in tf.unstack(guides)]
    return Moments(
        tf.stack([_mean(flat, column) for column in columns]),
        tf.stack([_second(flat, column) for column in columns]),
    )


def _mean(flat: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
    flat = tf.cast(flat, tf.float32)
    if _counts_alike(column):  # weighed after the sum, not position by position
        return column[0, 0] * tf.reduce_sum(flat, 0)
    return tf.reduce_sum(flat * column, 0)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _second(flat: tf.Tensor, column: tf.Tensor) -> tuple[tf.Tensor, object]:
    alike = _counts_alike(column)
    found = column * _products(flat, flat) if alike else _products(_weighed(flat, column), flat)

    def pull_back(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        # By hand: both factors of an outer product are the same activations, so one product does
        # for two. In the activations' type: in float32 it takes three times as long.
        both = upstream + tf.transpose(upstream)
        if alike:
            return tf.matmul(flat, tf.cast(column * both, flat.dtype)), None
        return _weighed(tf.matmul(flat, tf.cast(both, flat.dtype)), column), None

    return found, pull_back


def _products(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Sum of the outer products of rows, float32 [channels, channels]."""
    positions, channels = tf.shape(a)[0], a.shape[-1]
    # The parts' matrices are to be no larger than the activations, and all parts of one length.
    most = 4 ** int(math.log2(_MOST_CHANNELS / channels))
    divisor = tf.bitwise.bitwise_and(positions, -positions)  # the largest power of two
    shape = [tf.minimum(divisor, most), -1, channels]
    parts = tf.matmul(tf.reshape(a, shape), tf.reshape(b, shape), transpose_a=True)
    return tf.reduce_sum(tf.cast(parts, tf.float32), 0)


def _weighed(flat: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
    # Weights of hundredths of thousandths in bfloat16 would all be wrong by the same share.
    return tf.cast(tf.cast(flat, tf.float32) * column, flat.dtype)


def _counts_alike(column: tf.Tensor) -> bool:
    return bool(column.shape[0] == 1)
