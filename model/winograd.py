"""3x3 convolutions in fewer multiplications: Winograd's minimal filtering F(2x2, 3x3).

Lavin & Gray 2016 ("Fast Algorithms for Convolutional Neural Networks", section 4.1): inputs and
kernels are transformed, by additions alone, so that 2x2 outputs take 4x4 multiplications for each
pair of channels instead of 36. What is multiplied are matrices of tiles and channels.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import tensorflow as tf

from model.convolutions import Array, Convolution

#: G of the paper, along both axes: nine weights become sixteen.
_G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)
_OF_KERNELS = np.kron(_G, _G)

#: Where the sixteen are in a kernel turned around: along each axis first and last change places.
_TURNED = np.arange(16).reshape(4, 4)[np.ix_([3, 1, 2, 0], [3, 1, 2, 0])].ravel()


def in_fewer_multiplications(kernel: Array, dtype: tf.DType) -> Convolution:
    """Kernels are transformed once, to [16, inputs, outputs].

    Its gradient is its own: TensorFlow's would write those of the slices below element by element.

    Args:
        kernel: [3, 3, inputs, outputs], of a cross-correlation, as ``tf.nn.conv2d`` takes it.
        dtype: of what is multiplied and what comes out. In bfloat16 the error is 6.0e-3 of the
            outputs' root mean square, where a direct convolution has 1.7e-3.
    """
    inputs, outputs = kernel.shape[2:]
    weights = tf.matmul(_OF_KERNELS, kernel.reshape(9, inputs * outputs))
    there = tf.cast(tf.reshape(weights, [16, inputs, outputs]), dtype)
    return Convolution(_applied, there, tf.transpose(tf.gather(there, _TURNED), [0, 2, 1]))


def _applied(kernels: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    return _traced(kernels.dtype, *kernels.shape[1:])(kernels, x)


@cache
def _traced(dtype: tf.DType, inputs: int, outputs: int) -> Callable[..., tf.Tensor]:
    """Once for all layers of these channels: traced in each graph, they take a second more."""
    kernels = tf.TensorSpec([16, inputs, outputs], dtype)
    x = tf.TensorSpec([None, None, None, inputs], dtype)
    traced: Callable[..., tf.Tensor] = tf.function(
        _convolved, input_signature=[kernels, x], autograph=False
    )
    return traced


def _convolved(kernels: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    inputs, outputs = kernels.shape[1:]
    odd = tf.shape(x)[1:3] % 2
    x = tf.space_to_batch(x, [2, 2], tf.stack([[1, 1], 1 + odd], axis=1))
    pictures, rows, columns, _ = tf.unstack(tf.shape(x))
    x = _spread(tf.reshape(x, [1, 2, -1, rows, columns * inputs]))
    x = _spread(tf.reshape(x, [4, 2, -1, columns, inputs]))
    x = tf.matmul(tf.reshape(x, [16, -1, inputs]), kernels)
    x = _gathered(_gathered(tf.reshape(x, [4, 4, -1, outputs])))
    x = tf.reshape(x, [pictures, rows - 1, columns - 1, outputs])
    return tf.batch_to_space(x, [2, 2], tf.stack([[0, 0], odd], axis=1))


def _spread(x: tf.Tensor) -> tf.Tensor:
    """B of the paper along an axis of which every other position is in the second half of another.

    [others, 2, outer, n + 1, inner] to [others, 4, outer, n, inner].
    """
    even, odd = tf.unstack(x, axis=1)
    a, b, c, d = even[:, :, :-1], odd[:, :, :-1], even[:, :, 1:], odd[:, :, 1:]
    return tf.stack([a - c, b + c, c - b, b - d], axis=1)


def _gathered(x: tf.Tensor) -> tf.Tensor:
    """A of the paper along an axis: [others, 4, ...] to [2, others, ...]."""
    a, b, c, d = tf.unstack(x, axis=1)
    return tf.stack([a + b + c, b - c - d])
