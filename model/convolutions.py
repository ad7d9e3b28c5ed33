"""3x3 convolutions by other ways than TensorFlow's own, there and back."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Convolution:
    """A 3x3 convolution with stride 1 and zeros around. Its gradient is one too.

    Attributes:
        apply: from a kernel, in a form of its own, and [batch, height, width, inputs] to
            [batch, height, width, outputs].
        there: the kernel.
        back: that of the convolution which takes gradients back.
    """

    apply: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    there: tf.Tensor
    back: tf.Tensor

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """[batch, height, width, inputs] to [batch, height, width, outputs]."""

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def convolved(x: tf.Tensor) -> tuple[tf.Tensor, object]:
            return self.apply(self.there, x), lambda upstream: self.apply(self.back, upstream)

        return convolved(x)


def transposed(kernel: Array, dtype: tf.DType) -> Convolution:
    """As the gradient of another one, which is how oneDNN takes gradients back.

    With AVX2 alone it has its fast kernels only for that: what goes there is spread out in memory
    and multiplied (``gemm:jit``, says ``ONEDNN_VERBOSE=1``), and takes up to three times as long.

    Args:
        kernel: [3, 3, inputs, outputs], of a cross-correlation, as ``tf.nn.conv2d`` takes it.
        dtype: of what is multiplied and what comes out.
    """
    there, back = (tf.constant(k, dtype) for k in (turned(kernel), kernel))
    return Convolution(_transposed, there, back)


def turned(kernel: Array) -> Array:
    """The kernel of the convolution that takes gradients back, [3, 3, outputs, inputs]."""
    return kernel[::-1, ::-1].transpose(0, 1, 3, 2)


def _transposed(kernel: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    outputs = kernel.shape[2]
    shape = tf.concat([tf.shape(x)[:3], [outputs]], axis=0)
    return tf.nn.conv2d_transpose(x, kernel, shape, strides=1, padding="SAME")
