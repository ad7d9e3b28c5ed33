"""A run's state as bytes and back, bit for bit.

The format is a SHA-256 of the rest, then NumPy's ``.npz`` without pickles: a ``header`` of JSON,
and one array per tensor. The hash comes first because nothing short of it finds every flipped bit.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from model.errors import CheckpointError

#: Raised with every change of what is stored: an older run cannot be continued.
FORMAT = 2

_HASH_BYTES = hashlib.sha256().digest_size

Arrays = Mapping[str, npt.NDArray[Any]]


def dump(header: Mapping[str, Any], arrays: Arrays) -> bytes:
    """A checkpoint of JSON-able facts and of arrays.

    Not compressed: mantissas of float32 hardly are, and painting waits meanwhile.
    """
    text = json.dumps({"format": FORMAT, **header}).encode()
    buffer = io.BytesIO()
    np.savez(buffer, header=np.frombuffer(text, np.uint8), **arrays)  # type: ignore[arg-type]
    payload = buffer.getvalue()
    return hashlib.sha256(payload).digest() + payload


def load(data: bytes) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """What was given to ``dump``.

    Raises:
        CheckpointError: the bytes are damaged, or of another version of the format.
    """
    digest, payload = data[:_HASH_BYTES], data[_HASH_BYTES:]
    if hashlib.sha256(payload).digest() != digest:
        raise CheckpointError("The checkpoint is damaged.")
    with np.load(io.BytesIO(payload), allow_pickle=False) as stored:
        arrays = dict(stored)
    header = json.loads(arrays.pop("header").tobytes())
    if header.pop("format", None) != FORMAT:
        raise CheckpointError("The checkpoint was written by another version of Atelier.")
    return header, arrays
