"""Loading TensorFlow, which takes seconds and greets every process with a page of notes.

The notes are written by its libraries straight to file descriptor 2 while they are loaded, before
any of its own settings is read; what matters reaches us as exceptions.
"""

import importlib
import importlib.util
import os

from model.errors import AtelierError


class TensorFlowMissingError(AtelierError):
    """TensorFlow is not installed."""

    slug = "no-tensorflow"
    title = "TensorFlow is missing"


def load_tensorflow() -> None:
    """Imports TensorFlow without its notes, so that later imports find it loaded.

    Raises:
        TensorFlowMissingError: it is not installed.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise TensorFlowMissingError("TensorFlow is missing: install atelier[worker].")
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        importlib.import_module("tensorflow")
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)
