"""A run's state as bytes and back, bit for bit.

The format is NumPy's ``.npz`` without pickles: a ``header`` with JSON, and one array per tensor.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from model.errors import CheckpointError

#: Raised with every change of what is stored: an older run cannot be continued.
FORMAT = 1

Arrays = Mapping[str, npt.NDArray[Any]]


def dump(header: Mapping[str, Any], arrays: Arrays) -> bytes:
    """A checkpoint of JSON-able facts and of arrays.

    Not compressed: mantissas of float32 hardly are, and painting waits meanwhile.
    """
    text = json.dumps({"format": FORMAT, **header}).encode()
    buffer = io.BytesIO()
    np.savez(buffer, header=np.frombuffer(text, np.uint8), **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def load(data: bytes) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """What was given to ``dump``.

    Raises:
        CheckpointError: the bytes are damaged, or of another version of the format.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = dict(stored)
        header = json.loads(arrays.pop("header").tobytes())
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointError("The checkpoint is damaged.") from error
    if header.pop("format", None) != FORMAT:
        raise CheckpointError("The checkpoint was written by another version of Atelier.")
    return header, arrays
