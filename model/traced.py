"""Functions of tensors as graphs of TensorFlow."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def graph(
    function: Callable[..., Any],
    *signature: Any,
    compiled: bool = False,
    apart: bool = False,
) -> Callable[..., Any]:
    """Traced once. Without AutoGraph: there is no control flow to find, and it leaves files.

    Args:
        function: of tensors.
        signature: of its arguments.
        compiled: by XLA, for each size anew.
        apart: not copied into the graphs that call it, which are smaller for it: they are traced
            and made ready sooner.
    """
    traced: Callable[..., Any] = tf.function(
        function,
        input_signature=signature,
        autograph=False,
        jit_compile=compiled or None,
        experimental_attributes={"_noinline": True} if apart else None,
    )
    return traced
