"""Pictures some rows at a time, in a graph: the memory of one part is free for the next.

Parts of rows, [pictures, rows, width, channels], are gathered in a ``tf.TensorArray``, which puts
together what it holds along the first axis: there the rows are meanwhile.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

#: A transposition of the first two axes, which is its own inverse.
_ROWS_FIRST = [1, 0, 2, 3]


def over_rows(
    height: tf.Tensor,
    at_once: tf.Tensor,
    go_on: Callable[[tf.Tensor, tf.Tensor, Any], Any],
    state: Any,
) -> Any:
    """Goes over rows from above, one part after the other.

    Args:
        height: rows, int32.
        at_once: rows of a part; the last one may have fewer.
        go_on: (first row of the part, the one after its last, state) -> state.
        state: before the first part, in tensors and tensor arrays.
    """

    def body(top: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
        bottom = tf.minimum(top + at_once, height)
        return bottom, go_on(top, bottom, state)

    _, state = tf.while_loop(lambda top, _: top < height, body, (0, state), parallel_iterations=1)
    return state


def no_rows(dtype: tf.DType, channels: int | None) -> tf.TensorArray:
    """Where parts are gathered."""
    shape = [None, None, None, channels]
    return tf.TensorArray(dtype, 0, dynamic_size=True, infer_shape=False, element_shape=shape)


def with_rows(gathered: tf.TensorArray, part: tf.Tensor) -> tf.TensorArray:
    """One part more, below the others."""
    return gathered.write(gathered.size(), tf.transpose(part, _ROWS_FIRST))


def joined(gathered: tf.TensorArray) -> tf.Tensor:
    """All of them as one."""
    return tf.transpose(gathered.concat(), _ROWS_FIRST)
