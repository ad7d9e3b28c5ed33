"""A picture seen from afar: small and smooth, so that only its large forms are left."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Array = npt.NDArray[np.float32]


class View(NamedTuple):
    """How a picture of one size looks from afar: what each row and column of it is a mean of.

    As matrices, whose gradients are sums in a fixed order on every device.

    Attributes:
        rows: float32 [pictures, height of the view, height of the picture].
        columns: float32 [pictures, width of the view, width of the picture].
    """

    rows: tf.Tensor
    columns: tf.Tensor

    def of(self, picture: tf.Tensor) -> tf.Tensor:
        """The view of pictures, float32 [pictures, height, width, channels]."""
        pictures, height, width, channels = tf.unstack(tf.shape(picture))
        low = tf.matmul(self.rows, tf.reshape(picture, [pictures, height, width * channels]))
        low = tf.reshape(low, [pictures, -1, width, channels])
        return tf.matmul(self.columns[:, tf.newaxis], low)


def size(height: int, width: int, stride: int) -> tuple[int, int]:
    """Height and width of a view whose pixels are about ``stride`` of the picture's apart."""
    return max(1, round(height / stride)), max(1, round(width / stride))


def view(height: int, width: int, stride: int, *, multiple: int = 1) -> View:
    """The view of a picture.

    Args:
        height: of the picture, in pixels.
        width: likewise.
        stride: distance of the view's pixels in the picture's, about.
        multiple: the view is extended by its mirror image, at the bottom and on the right, to
            multiples of so many pixels.
    """
    lengths = zip((height, width), size(height, width, stride), strict=True)
    rows, columns = (tf.constant(_means(old, new, multiple)[np.newaxis]) for old, new in lengths)
    return View(rows, columns)


def _means(old: int, new: int, multiple: int) -> Array:
    """The matrix [new, old] of overlapping triangles: blocks side by side would be seen."""
    spacing = old / new
    centres = (np.arange(new)[:, np.newaxis] + 0.5) * spacing
    triangles = np.maximum(0.0, 1.0 - np.abs(np.arange(old) + 0.5 - centres) / spacing)
    means = triangles / triangles.sum(axis=1, keepdims=True)
    return np.pad(means, [(0, -new % multiple), (0, 0)], "symmetric").astype(np.float32)
