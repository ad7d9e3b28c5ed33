"""Files of leaves: records of a batch without their pictures, many in one file.

A TFRecord file whose first record is the batch's id, so that no two batches share one; the leaves
follow it in the order of the pictures.
"""

from collections.abc import Iterator
from io import BytesIO

from worker import tfrecords

#: A file is stored when it has become larger than so many bytes.
FILE_BYTES = 2**20


def begun(batch: str) -> bytearray:
    """A file that has no leaf so far."""
    return bytearray(tfrecords.framed(batch.encode()))


def add(file: bytearray, leaf: bytes) -> None:
    """One more at the end."""
    file += tfrecords.framed(leaf)


def read(file: bytes) -> Iterator[bytes]:
    """The leaves of a file."""
    found = tfrecords.records(BytesIO(file))
    next(found, None)
    yield from found
