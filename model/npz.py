"""Our own weights, ``.npz``: ``LAYER/kernel``, ``LAYER/bias`` and ``mean``, in any float.

The network sees RGB in [0, 1] minus the mean. ``pooling``, a string, may say what it was learned
with; without it that is the maximum.
"""

import zipfile
import zlib
from typing import BinaryIO

import numpy as np

from model.parsed import Arrays, Parsed

#: What NumPy raises for a damaged file.
DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


def parse(file: BinaryIO) -> Parsed:
    """All arrays of the file; nothing is unpickled.

    Raises:
        DAMAGE: it is no ``.npz``.
    """
    loaded = np.load(file, allow_pickle=False)
    if not isinstance(loaded, np.lib.npyio.NpzFile):
        raise ValueError("one array without a name")  # noqa: TRY004 - damage as any other
    return Parsed({key: loaded[key] for key in loaded.files})


def write(file: BinaryIO, arrays: Arrays) -> None:
    """The same arrays give the same bytes: the times in the archive are constants."""
    np.savez(file, **arrays)  # type: ignore[arg-type]
