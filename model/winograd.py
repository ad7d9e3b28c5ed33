"""3x3 convolutions in fewer multiplications: Winograd's minimal filtering.

Lavin & Gray 2016 ("Fast Algorithms for Convolutional Neural Networks"): tiles of the input and
kernels are transformed, by small matrices that are constants, so that each pair of channels takes
one multiplication for each element of a transformed tile; what comes out is transformed once more.
What is multiplied are matrices of tiles and channels.

F(4x4, 3x3) takes 36 multiplications for 16 outputs, where a direct convolution takes 144, and errs
by about three times as much. F(2x2, 3x3) takes 16 for 4, and as its constants are 0, 1, -1 and 1/2,
it errs so little that it can be done in bfloat16.
"""

from collections.abc import Callable
from functools import cache, reduce

import numpy as np
import tensorflow as tf

from model.by_rows import joined, no_rows, over_rows, with_rows
from model.convolutions import Array, Convolution, turned
from model.traced import graph

#: F(4x4, 3x3) of the paper (section 4.3): B^T, G and A^T, each along both axes of a tile.
_B4 = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    np.float32,
)
_G4 = np.array(
    [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], np.float32
) / np.float32(24)
_A4 = np.array(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], np.float32
)
_OF_INPUTS, _OF_OUTPUTS = np.kron(_B4, _B4), np.kron(_A4, _A4)

#: Numbers of transformed tiles that are in memory at once, 16 MiB: as fast as more.
_AT_ONCE = 2**22

#: G of F(2x2, 3x3) (section 4.1); its other matrices are in ``_spread`` and ``_gathered``.
_G2 = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)


def in_tiles_of_four(kernel: Array) -> Convolution:
    """F(4x4, 3x3), in float32.

    Args:
        kernel: [3, 3, inputs, outputs], of a cross-correlation, as ``tf.nn.conv2d`` takes it. It is
            transformed once, to [36, inputs, outputs].
    """
    there, back = (_transformed(_G4, k) for k in (kernel, turned(kernel)))
    return Convolution(_fours, there, back)


def in_tiles_of_two(kernel: Array, dtype: tf.DType) -> Convolution:
    """F(2x2, 3x3).

    Args:
        kernel: [3, 3, inputs, outputs], of a cross-correlation, as ``tf.nn.conv2d`` takes it. It is
            transformed once, to [16, inputs, outputs].
        dtype: of what is multiplied and what comes out. In bfloat16 the error is 6.0e-3 of the
            outputs' root mean square, where a direct convolution has 1.7e-3.
    """
    there, back = (tf.cast(_transformed(_G2, k), dtype) for k in (kernel, turned(kernel)))
    return Convolution(_twos, there, back)


def _transformed(g: Array, kernel: Array) -> tf.Tensor:
    inputs, outputs = kernel.shape[2:]
    weights = tf.matmul(np.kron(g, g), kernel.reshape(9, inputs * outputs))
    return tf.reshape(weights, [len(g) ** 2, inputs, outputs])


def _fours(kernels: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    return tf.ensure_shape(_traced_by_fours()(kernels, x), [None, None, None, kernels.shape[2]])


def _twos(kernels: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    return _traced_by_twos(kernels.dtype, *kernels.shape)(kernels, x)


@cache
def _traced_by_twos(dtype: tf.DType, *shape: int) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Once for all layers of these channels: traced in each graph, they take a second more."""
    kernels = tf.TensorSpec(shape, dtype)
    x = tf.TensorSpec([None, None, None, shape[1]], dtype)
    return graph(_by_twos, kernels, x)


@cache
def _traced_by_fours() -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Once for all layers, and apart: a process takes its first step 1.5 s earlier."""
    kernels, x = tf.TensorSpec([36, None, None]), tf.TensorSpec([None, None, None, None])
    return graph(_by_fours, kernels, x, apart=True)


def _by_fours(kernels: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """Some rows of tiles at a time: transformed, they take more than twice as much memory.

    XLA cannot compile it; on a GPU, where it compiles, cuDNN convolves.
    """
    pictures, height, width, _ = tf.unstack(tf.shape(x))
    rows, columns = -(-height // 4), -(-width // 4)
    x = tf.pad(x, [[0, 0], [1, 4 * rows - height + 1], [1, 4 * columns - width + 1], [0, 0]])
    channels = tf.reduce_max(tf.shape(kernels)[1:])
    at_once = tf.maximum(_AT_ONCE // (36 * pictures * columns * channels), 1)

    def convolve(first: tf.Tensor, last: tf.Tensor, done: tf.TensorArray) -> tf.TensorArray:
        count = last - first
        seen = tf.slice(x, [0, 4 * first, 0, 0], [-1, 4 * count + 2, -1, -1])
        return with_rows(done, _some_by_fours(kernels, seen, count, columns))

    done = over_rows(rows, at_once, convolve, no_rows(x.dtype, None))
    return tf.slice(joined(done), [0, 0, 0, 0], [-1, height, width, -1])


def _some_by_fours(
    kernels: tf.Tensor, x: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor
) -> tf.Tensor:
    _, inputs, outputs = tf.unstack(tf.shape(kernels))
    pictures = tf.shape(x)[0]
    tiles = pictures * rows * columns
    x = _in_tiles(x, rows, columns)
    x = tf.matmul(_OF_INPUTS, tf.reshape(x, [36, tiles * inputs]))
    x = tf.matmul(tf.reshape(x, [36, tiles, inputs]), kernels)
    x = tf.matmul(_OF_OUTPUTS, tf.reshape(x, [36, tiles * outputs]))
    shape = tf.stack([pictures, 4 * rows, 4 * columns])
    return _in_pictures(tf.reshape(x, [16 * tiles, outputs]), shape, rows, columns)


def _in_tiles(x: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Tiles of 6 x 6 at distances of 4, [6 x 6 x pictures x rows x columns, channels]."""
    pictures, tall, wide, channels = tf.unstack(tf.shape(x))
    picture, row, column = tf.range(pictures), 4 * tf.range(rows), 4 * tf.range(columns)
    places = _sums(wide * tf.range(6), tf.range(6), tall * wide * picture, wide * row, column)
    return tf.gather(tf.reshape(x, [-1, channels]), places)


def _in_pictures(x: tf.Tensor, shape: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """[4 x 4 x pictures x rows x columns, channels] to [pictures, height, width, channels]."""
    picture, down, right = (tf.range(n) for n in tf.unstack(shape))
    tiles = shape[0] * rows * columns
    places = _sums(
        rows * columns * picture,
        4 * tiles * (down % 4) + columns * (down // 4),
        tiles * (right % 4) + right // 4,
    )
    return tf.reshape(tf.gather(x, places), tf.concat([shape, [-1]], axis=0))


def _sums(*axes: tf.Tensor) -> tf.Tensor:
    """Of one element of each axis, in all ways, the last axis counting fastest; flat."""
    return reduce(lambda found, axis: tf.reshape(found[:, tf.newaxis] + axis, [-1]), axes)


def _by_twos(kernels: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
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
