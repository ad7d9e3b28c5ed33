"""``.tfrecord`` files of ``tf.train.Example`` with pictures in them, as data sets have them.

The features are those of TensorFlow's data sets since Inception: ``image/encoded`` has the file,
``image/format``, ``image/height`` and ``image/width`` describe it; all others are carried through.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import tensorflow as tf

from model.door import inspect
from model.errors import BrokenPictureError, InputError

_ENCODED = "image/encoded"


def read(path: Path) -> Iterator[bytes]:
    """The records, one after the other; compressed by gzip where the name ends in ``.gz``.

    Raises:
        InputError: the file cannot be read to its end.
    """
    try:
        yield from tf.data.TFRecordDataset(str(path), _compression(path)).as_numpy_iterator()
    except tf.errors.OpError:
        raise InputError(f"{path} cannot be read: it is cut off, damaged or no TFRecord.") from None


def picture(record: bytes) -> bytes:
    """The picture file in a record.

    Raises:
        InputError: there is none.
    """
    try:
        example = tf.train.Example.FromString(record)
    except Exception:  # noqa: BLE001 - protobuf's DecodeError, which is not the same in all builds
        raise BrokenPictureError("The record is no tf.train.Example.") from None
    files = example.features.feature[_ENCODED].bytes_list.value
    if len(files) != 1:
        raise BrokenPictureError(f"The record has no picture in {_ENCODED!r}.")
    return bytes(files[0])


def with_picture(record: bytes, painting: bytes) -> bytes:
    """The record with another picture, and what describes it, where that was there."""
    example = tf.train.Example.FromString(record)
    feature, info = example.features.feature, inspect(painting)
    feature[_ENCODED].bytes_list.value[:] = [painting]
    if "image/format" in feature:
        feature["image/format"].bytes_list.value[:] = [info.format.encode()]
    for name, side in {"image/height": info.height, "image/width": info.width}.items():
        if name in feature:
            feature[name].int64_list.value[:] = [side]
    return bytes(example.SerializeToString(deterministic=True))


def write(path: Path, records: Iterable[bytes], *, compressed_as: Path) -> None:
    """A file of records, compressed if another's name says so."""
    options = tf.io.TFRecordOptions(compression_type=_compression(compressed_as))
    with tf.io.TFRecordWriter(str(path), options) as writer:
        for record in records:
            writer.write(record)


def _compression(path: Path) -> str:
    return "GZIP" if path.suffix.lower() == ".gz" else ""
