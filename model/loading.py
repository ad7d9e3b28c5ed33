"""Loading TensorFlow, which takes seconds and greets every process with a page of notes.

The notes are written by its libraries straight to file descriptor 2 while they are loaded, before
any of its own settings is read; what matters reaches us as exceptions.
"""

import gc
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from model.errors import AtelierError


class TensorFlowMissingError(AtelierError):
    """TensorFlow is not installed."""

    slug = "no-tensorflow"
    title = "TensorFlow is missing"


def load_tensorflow() -> None:
    """Imports TensorFlow, without its notes and Keras, so that later imports find it loaded.

    Raises:
        TensorFlowMissingError: it is not installed.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise TensorFlowMissingError("TensorFlow is missing: install atelier[worker].")
    with _in_silence(), _without_keras(), _without_collecting():
        importlib.import_module("tensorflow")


@contextmanager
def _in_silence() -> Iterator[None]:
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


@contextmanager
def _without_keras() -> Iterator[None]:
    """TensorFlow's last import, which it can do without: a third of the time, and of no use here.

    ``tf.keras`` is loaded when it is first asked for, as always. A module that is None counts as
    not found (https://docs.python.org/3/reference/import.html#the-module-cache).
    """
    last = "keras.src.optimizers"
    if last in sys.modules:
        yield
        return
    sys.modules[last] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[last]


@contextmanager
def _without_collecting() -> Iterator[None]:
    """What is made meanwhile is here to stay: looking for garbage in it only costs time.

    Neither is it looked through later (https://docs.python.org/3/library/gc.html#gc.freeze).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_enabled:
            gc.enable()
