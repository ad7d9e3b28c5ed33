"""What the activations of a layer have in common over many positions, wherever these are."""

from typing import NamedTuple

import tensorflow as tf


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
        Sums in float32, whatever the type of the activations.
    """
    return Moments(*_guided_sums(activations, guides))


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _guided_sums(activations: tf.Tensor, guides: tf.Tensor) -> tuple[tuple[tf.Tensor, ...], object]:
    flat = _flat(activations)
    columns = [tf.reshape(guide, [-1, 1]) for guide in tf.unstack(guides)]
    means, seconds = zip(*(_sums(flat, column) for column in columns), strict=True)

    def pull_back(d_mean: tf.Tensor, d_second: tf.Tensor) -> tuple[tf.Tensor, None]:
        # By hand: both factors of an outer product are the same activations, so one product does
        # for two, and no copy of them in float32 is kept meanwhile.
        flat = _flat(activations)
        pulled = tf.add_n(
            [
                column * (tf.matmul(flat, d + tf.transpose(d)) + d_m)
                for column, d_m, d in zip(
                    columns, tf.unstack(d_mean), tf.unstack(d_second), strict=True
                )
            ]
        )
        return tf.cast(tf.reshape(pulled, tf.shape(activations)), activations.dtype), None

    return (tf.stack(means), tf.stack(seconds)), pull_back


def _sums(flat: tf.Tensor, column: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    if column.shape[0] == 1:  # all count alike: weighed after the sum, not position by position
        return column[0, 0] * tf.reduce_sum(flat, 0), column * tf.matmul(flat, flat, True)  # noqa: FBT003
    guided = flat * column
    return tf.reduce_sum(guided, 0), tf.matmul(guided, flat, transpose_a=True)


def _flat(activations: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.reshape(activations, [-1, activations.shape[-1]]), tf.float32)
