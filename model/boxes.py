"""What layers of the network see in a box of a picture: int32 [4], its edges in pixels.

As of ``tiles.Box``: top, left, and bottom and right just outside.
"""

from collections.abc import Mapping

import tensorflow as tf

from model import vgg
from model.tiles import STRIDE


def whole(image: tf.Tensor) -> tf.Tensor:
    """All of pictures, [pictures, height, width, channels]."""
    return tf.concat([[0, 0], tf.shape(image)[1:3]], 0)


def extended(box: tf.Tensor) -> tf.Tensor:
    """To multiples of the coarsest stride, as the network extends pictures."""
    return -(-box // STRIDE) * STRIDE


def inside(seen: Mapping[str, tf.Tensor], box: tf.Tensor) -> dict[str, tf.Tensor]:
    """Of each layer, [pictures, height, width, channels], the positions in an extended box."""
    return {name: cut(x, box // vgg.STRIDES[name]) for name, x in seen.items()}


def cut(x: tf.Tensor, box: tf.Tensor) -> tf.Tensor:
    """The positions in a box that is given in positions; [pictures, height, width, channels]."""
    # The gradient of tf.slice is a padding; that of [top:bottom] is several times as slow.
    top, left, bottom, right = tf.unstack(box)
    return tf.slice(x, [0, top, left, 0], [-1, bottom - top, right - left, x.shape[-1]])
