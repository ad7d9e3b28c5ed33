"""TFRecord files of ``tf.train.Example`` with pictures in them, as data sets have them.

Without TensorFlow, which the front of the house never loads. A record is its length, a checksum of
that, the data and a checksum of those (tensorflow/core/lib/io/record_writer.h). The features are
those of TensorFlow's data sets since Inception: ``image/encoded`` has the file, ``image/format``,
``image/height`` and ``image/width`` describe it; all others are carried through.
"""

import gzip
import math
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from google.protobuf.message import DecodeError
from google_crc32c import value as crc32c

from model.door import PictureLimits, inspect
from model.errors import BrokenPictureError, InputError, PictureSizeError
from worker.batches.records import BrokenArchiveError
from worker.tf_example import Example
from worker.wire import CrowdedError, check_beside

_ENCODED = "image/encoded"

#: A painting is our own, and its size what was asked for: what is taken of strangers is no matter.
_ANY = PictureLimits(max_bytes=sys.maxsize, max_pixels=sys.maxsize, min_side=1, max_aspect=math.inf)

_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")


#: What a record begins with: its length, and the checksum of that.
HEAD_BYTES = _LENGTH.size + _CHECKSUM.size


def is_head(data: bytes) -> bool:
    """Whether a record may begin so."""
    return len(data) == HEAD_BYTES and data[_LENGTH.size :] == _checksum(data[: _LENGTH.size])


def records(file: IO[bytes], max_bytes: int | None = None) -> Iterator[bytes]:
    """The records of an open file, one after the other.

    Args:
        file: read from where it stands.
        max_bytes: of one record; no more than that is ever in memory.

    Raises:
        BrokenArchiveError: it is not what it should be, or has a larger record.
    """
    while head := file.read(_LENGTH.size):
        (length,) = _LENGTH.unpack(_checked(head, _LENGTH.size, file))
        if max_bytes is not None and length > max_bytes:
            raise BrokenArchiveError(
                f"A record may have up to {max_bytes:,} bytes. Received: {length:,} bytes.",
                field="pictures",
            )
        yield _checked(file.read(length), length, file)


def framed(record: bytes) -> bytes:
    """A record as it stands in a file."""
    head = _LENGTH.pack(len(record))
    return b"".join([head, _checksum(head), record, _checksum(record)])


def read(path: Path) -> Iterator[bytes]:
    """The records of a file, which is compressed by gzip where its name ends in ``.gz``.

    Raises:
        InputError: the file cannot be read to its end.
    """
    try:
        with _opened(path, "rb", compressed_as=path) as file:
            yield from records(file)
    except (OSError, EOFError, zlib.error, BrokenArchiveError):
        raise InputError(f"{path} cannot be read: it is cut off, damaged or no TFRecord.") from None


def write(path: Path, made: Iterable[bytes], *, compressed_as: Path) -> None:
    """A file of records, compressed if another's name says so."""
    with _opened(path, "wb", compressed_as=compressed_as) as file:
        for record in made:
            file.write(framed(record))


def picture(record: bytes) -> bytes:
    """The picture file in a record.

    Raises:
        InputError: there is none.
    """
    return taken_out(record)[0]


def taken_out(record: bytes, max_further: int = sys.maxsize) -> tuple[bytes, bytes]:
    """The picture file in a record, and the record without it.

    Args:
        record: a ``tf.train.Example``.
        max_further: bytes that it may have beside the largest value of bytes, as a picture is.

    Raises:
        InputError: there is none, or more beside it.
    """
    try:
        check_beside(record, max_further)
        example = Example.FromString(record)
    except CrowdedError:
        raise PictureSizeError(
            f"A record may have up to {max_further:,} bytes beside its picture. Received: more."
        ) from None
    except DecodeError:
        raise BrokenPictureError("The record is no tf.train.Example.") from None
    files = example.features.feature[_ENCODED].bytes_list.value
    if len(files) != 1:
        raise BrokenPictureError(f"The record has no picture in {_ENCODED!r}.")
    file = bytes(files[0])
    files[:] = []
    return file, _written(example)


def with_picture(record: bytes, painting: bytes) -> bytes:
    """The record with another picture, and what describes it, where that was there."""
    example = Example.FromString(record)
    feature, info = example.features.feature, inspect(painting, _ANY)
    feature[_ENCODED].bytes_list.value[:] = [painting]
    if "image/format" in feature:
        feature["image/format"].bytes_list.value[:] = [info.format.encode()]
    for name, side in {"image/height": info.height, "image/width": info.width}.items():
        if name in feature:
            feature[name].int64_list.value[:] = [side]
    return _written(example)


def _written(example: Any) -> bytes:
    return bytes(example.SerializeToString(deterministic=True))


def _checked(data: bytes, length: int, file: IO[bytes]) -> bytes:
    """What was read, if it is whole and the checksum that follows it is its own."""
    if len(data) != length or file.read(_CHECKSUM.size) != _checksum(data):
        raise BrokenArchiveError("The file is cut off, damaged or no TFRecord.", field="pictures")
    return data


def _checksum(data: bytes) -> bytes:
    """CRC-32C, turned by 15 bits and moved (tensorflow/core/lib/hash/crc32c.h: ``Mask``)."""
    crc = crc32c(data)
    turned = (crc >> 15 | crc << 17) + 0xA282EAD8
    return _CHECKSUM.pack(turned & 0xFFFFFFFF)


@contextmanager
def _opened(path: Path, mode: str, *, compressed_as: Path) -> Iterator[IO[bytes]]:
    is_compressed = compressed_as.suffix.lower() == ".gz"
    with gzip.open(path, mode) if is_compressed else path.open(mode) as file:
        yield cast("IO[bytes]", file)
