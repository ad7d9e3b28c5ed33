"""VGG-19 up to ``block5_conv1`` (Simonyan & Zisserman 2015, configuration E), as a readable list.

The image is what is optimised; the weights are constants. Layer names are Keras's
(``block4_conv2`` is ``relu4_2`` elsewhere: a layer's activations are taken after its ReLU).
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.convolutions import Convolution, transposed
from model.precision import Arithmetic
from model.tiles import STRIDE
from model.winograd import in_tiles_of_four, in_tiles_of_two

Pooling = Literal["average", "max"]
Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Conv:
    """A 3x3 convolution with stride 1, a bias and a ReLU."""

    name: str
    inputs: int
    outputs: int


@dataclass(frozen=True)
class Pool:
    """A 2x2 pooling with stride 2, which drops an odd last row or column."""

    name: str


VGG19: tuple[Conv | Pool, ...] = (
    Conv("block1_conv1", 3, 64),
    Conv("block1_conv2", 64, 64),
    Pool("block1_pool"),
    Conv("block2_conv1", 64, 128),
    Conv("block2_conv2", 128, 128),
    Pool("block2_pool"),
    Conv("block3_conv1", 128, 256),
    Conv("block3_conv2", 256, 256),
    Conv("block3_conv3", 256, 256),
    Conv("block3_conv4", 256, 256),
    Pool("block3_pool"),
    Conv("block4_conv1", 256, 512),
    Conv("block4_conv2", 512, 512),
    Conv("block4_conv3", 512, 512),
    Conv("block4_conv4", 512, 512),
    Pool("block4_pool"),
    Conv("block5_conv1", 512, 512),
)

#: The first two blocks, whose activations take two thirds of the memory, and the others.
SHALLOW, DEEP = VGG19[:6], VGG19[6:]

SHALLOW_NAMES = frozenset(layer.name for layer in SHALLOW)

CONVOLUTIONS: dict[str, Conv] = {layer.name: layer for layer in VGG19 if isinstance(layer, Conv)}


def _geometry() -> tuple[dict[str, int], dict[str, int]]:
    strides, reaches = {}, {}
    stride, radius = 1, 0.0
    for layer in VGG19:
        if isinstance(layer, Pool):
            radius += stride / 2
            stride *= 2
        else:
            radius += stride
            strides[layer.name] = stride
            reaches[layer.name] = math.ceil(radius / stride / 2)
    return strides, reaches


#: Distance of a layer's positions, in pixels; and how many positions away what lies there still
#: matters to a position: half the radius of what it sees, for what is far out hardly weighs
#: (Luo et al. 2016, "effective receptive field").
STRIDES, REACHES = _geometry()


@dataclass(frozen=True)
class Features:
    """The weights of the network, in one form whatever file they came from.

    The network sees RGB in [0, 1] minus ``mean``; loaders fold their file's own channel order
    and range into the first kernel.

    Attributes:
        name: what people see, such as ``bundled`` or ``imagenet``.
        sha256: hash of the file that the weights came from, in hex.
        mean: RGB in [0, 1], shape [3].
        kernels: float32 by layer name, shape [3, 3, inputs, outputs] (cross-correlation, as
            TensorFlow's convolutions are).
        biases: float32 by layer name, shape [outputs].
        pooling: what the weights were learned with.
    """

    name: str
    sha256: str
    mean: Array
    kernels: dict[str, Array]
    biases: dict[str, Array]
    pooling: Pooling = "max"


#: By how much the largest of four activations is above their mean, about: the other pooling than
#: that of the weights is rescaled by it, or the biases weigh too much or too little. Crowson's
#: style-transfer-pytorch has the same factor for VGG-19.
_LARGEST_TO_MEAN = 2.0


#: Convolutions of fewer channels are not worth Winograd's additions: they would take as long as the
#: multiplications that they save.
_WINOGRAD_CHANNELS = {tf.float32: 128, tf.bfloat16: 256}

#: One of fewer input channels, the first, takes hardly any time.
_TRANSPOSED_CHANNELS = 64

_PLAIN = Arithmetic()


class Network:
    """The network on a device: the features as constant tensors, to be shared by all graphs.

    They are captured by the graphs rather than embedded in them: with so many constants (52 MB in
    float32, 0.4 GB with Winograd's kernels) a graph takes seconds to trace and is copied several
    times while it is optimised.

    Args:
        features: the weights.
        arithmetic: of the convolutions.
    """

    def __init__(self, features: Features, arithmetic: Arithmetic = _PLAIN) -> None:
        self.features = features
        self.dtype = arithmetic.dtype
        self._kernels = {name: _on_device(k, arithmetic) for name, k in features.kernels.items()}
        self._biases = {name: tf.constant(b, self.dtype) for name, b in features.biases.items()}

    def activations(
        self, image: tf.Tensor, layers: Iterable[str], pooling: Pooling = "average"
    ) -> dict[str, tf.Tensor]:
        """What the network sees in an image.

        Args:
            image: float32 RGB in [0, 1], shape [batch, height, width, 3].
            layers: names of the convolutions wanted; it is run no deeper than the last.
            pooling: Gatys et al. 2016 (section 2) prefer the average for synthesis.

        Returns:
            Activations by layer name, each [batch, height', width', channels] in ``dtype``, where
            height' is the height rounded up to a multiple of 16, over the layer's stride.
        """
        return self._found(self.framed(image), VGG19, layers, pooling)

    def framed(self, image: tf.Tensor) -> tf.Tensor:
        """An image as the first convolution takes it: it comes out smaller by its frame.

        Args:
            image: as of ``activations``.

        Returns:
            [batch, height' + 2, width' + 2, 3] in ``dtype``, with a height' that is a multiple of
            16.
        """
        return tf.cast(_extended(image - self.features.mean), self.dtype)

    def shallow(self, framed: tf.Tensor, pooling: Pooling) -> dict[str, tf.Tensor]:
        """All that the layers of ``SHALLOW`` see in a framed image, or in some rows of one."""
        return dict(self._through(framed, SHALLOW, pooling))

    def deep(self, x: tf.Tensor, layers: Iterable[str], pooling: Pooling) -> dict[str, tf.Tensor]:
        """What those of ``layers`` that lie below see in what the last of ``SHALLOW`` sees."""
        return self._found(x, DEEP, layers, pooling)

    def _found(
        self, x: tf.Tensor, part: Iterable[Conv | Pool], layers: Iterable[str], pooling: Pooling
    ) -> dict[str, tf.Tensor]:
        wanted = set(layers)
        found: dict[str, tf.Tensor] = {}
        for name, seen in self._through(x, part, pooling):
            if name in wanted & CONVOLUTIONS.keys():
                found[name] = seen
            if len(found) == len(wanted):
                return found
        message = "There is no such layer in this part of VGG-19."
        raise ValueError(f"{message} Received: {sorted(wanted - found.keys())}")

    def _through(
        self, x: tf.Tensor, part: Iterable[Conv | Pool], pooling: Pooling
    ) -> Iterator[tuple[str, tf.Tensor]]:
        for layer in part:
            if isinstance(layer, Pool):
                x = self._pool(x, pooling)
            else:
                x = self._convolve(x, layer.name, "VALID" if layer == VGG19[0] else "SAME")
            yield layer.name, x

    def _convolve(self, x: tf.Tensor, name: str, padding: str) -> tf.Tensor:
        kernel = self._kernels[name]
        if isinstance(kernel, Convolution):
            x = kernel(x)
        else:
            x = tf.nn.conv2d(x, kernel, strides=1, padding=padding)
        return tf.nn.relu(tf.nn.bias_add(x, self._biases[name]))

    def _pool(self, x: tf.Tensor, pooling: Pooling) -> tf.Tensor:
        learned = self.features.pooling
        if pooling == "average":
            x = tf.nn.avg_pool2d(x, ksize=2, strides=2, padding="VALID")
            return x if learned == "average" else _LARGEST_TO_MEAN * x
        x = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")
        return x if learned == "max" else x / _LARGEST_TO_MEAN


def _on_device(kernel: Array, arithmetic: Arithmetic) -> tf.Tensor | Convolution:
    channels, dtype = min(kernel.shape[2:]), arithmetic.dtype
    if arithmetic.winograd and channels >= _WINOGRAD_CHANNELS[dtype]:
        return in_tiles_of_four(kernel) if dtype == tf.float32 else in_tiles_of_two(kernel, dtype)
    if arithmetic.transposed and channels >= _TRANSPOSED_CHANNELS:
        return transposed(kernel, dtype)
    return tf.constant(kernel, dtype)


def _extended(image: tf.Tensor) -> tf.Tensor:
    """The image with what lies at its borders repeated beyond them, [batch, height, width, 3].

    Up to a multiple of 16 on the right and at the bottom, or the pools would drop the last rows and
    columns, and anything be painted there that no deep layer sees. And by a pixel all around for
    the first convolution: with zeros there the border is an edge, and paints a frame. The deeper
    layers' zeros are further from what is seen, and hardly show.
    """
    height, width = tf.shape(image)[1], tf.shape(image)[2]
    down, right = -height % STRIDE, -width % STRIDE
    image = tf.pad(image, [[0, 0], [0, down], [0, right], [0, 0]], "SYMMETRIC")
    return tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
