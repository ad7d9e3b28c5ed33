"""Graphs that XLA compiles for the sizes they meet, without anybody waiting for it."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from model.traced import graph

logger = logging.getLogger(__name__)

#: So many sizes are compiled in a process, at most: what XLA has compiled it never forgets.
_MOST_SIZES = 64

_ONE_AT_A_TIME = threading.Lock()


class Compiled:
    """A function of tensors that is computed as a graph until XLA has compiled it.

    What is compiled takes a GPU less time: many small operations become few, which are launched
    in few calls. But XLA compiles for each size anew, and takes seconds for it: a thread of its own
    does that, while the graph goes on.

    Args:
        function: of tensors; the first of them in its arguments has the shape that is the size.
        signature: of its arguments, as ``tf.function`` takes it.
        device: for which it is compiled.
    """

    def __init__(self, function: Callable[..., Any], *signature: Any, device: str) -> None:
        self._plain = graph(function, *signature)
        self._compiled = graph(self._plain, *signature, compiled=True)  # traced but once
        self._device = device
        self._met: set[tuple[int, ...]] = set()
        self._ready: set[tuple[int, ...]] = set()
        self._pending: set[tuple[int, ...]] = set()

    @property
    def is_busy(self) -> bool:
        """Whether something is being compiled."""
        return bool(self._pending)

    def __call__(self, *inputs: Any) -> Any:
        """What the function makes of them; one thread at a time may ask."""
        size = tuple(tf.nest.flatten(inputs)[0].shape)
        if size in self._ready:
            return self._compiled(*inputs)
        if size not in self._met and len(self._met) < _MOST_SIZES:
            self._met.add(size)
            self._pending.add(size)
            # A daemon: a process need not wait for it at its end.
            threading.Thread(target=self._compile, args=[size, inputs], daemon=True).start()
        return self._plain(*inputs)

    def _compile(self, size: tuple[int, ...], inputs: Any) -> None:
        try:
            with _ONE_AT_A_TIME, tf.device(self._device):
                self._compiled(*inputs)
        except tf.errors.OpError as error:
            logger.warning("XLA cannot compile for %s: %s", size, error.message.partition("\n")[0])
        else:
            self._ready.add(size)
        finally:
            self._pending.remove(size)
