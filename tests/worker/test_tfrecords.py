"""TFRecord files without TensorFlow: the same bytes as with it."""

import gzip
import io
from pathlib import Path

import pytest
import tensorflow as tf

from tests.pictures import photograph
from worker import tfrecords
from worker.batch_records import BrokenArchiveError


def an_example() -> bytes:
    made = tf.train.Example()
    features = made.features.feature
    features["image/encoded"].bytes_list.value.append(b"picture")
    features["floats"].float_list.value.extend([0.5, -1.25])
    features["whole"].int64_list.value.extend([1, -2, 2**62])
    features["bytes"].bytes_list.value.extend([b"\x00", b""])
    features["none"].int64_list.SetInParent()
    return bytes(made.SerializeToString(deterministic=True))


@pytest.mark.parametrize("name", ["a.tfrecord", "a.tfrecord.gz"])
def test_files_are_those_of_tensorflow_both_ways(tmp_path: Path, name: str) -> None:
    records, path = [an_example(), b"", bytes(100_000)], tmp_path / name
    compression = "GZIP" if name.endswith(".gz") else ""
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(compression)) as writer:
        for record in records:
            writer.write(record)
    assert list(tfrecords.read(path)) == records
    ours = tmp_path / f"ours-{name}"
    tfrecords.write(ours, records, compressed_as=ours)
    assert [*tf.data.TFRecordDataset(str(ours), compression).as_numpy_iterator()] == records
    unpacked = gzip.decompress if compression else bytes
    assert unpacked(ours.read_bytes()) == unpacked(path.read_bytes())


def test_of_an_example_only_the_picture_and_what_describes_it_is_changed() -> None:
    file, leaf = tfrecords.taken_out(an_example())
    assert file == b"picture"
    painting = photograph(64, 64)
    found = tf.train.Example.FromString(tfrecords.with_picture(leaf, painting))
    expected = tf.train.Example.FromString(an_example())
    expected.features.feature["image/encoded"].bytes_list.value[:] = [painting]
    assert found == expected


def test_a_painting_may_be_thinner_than_what_is_taken_at_the_door() -> None:
    record = tf.train.Example()
    record.features.feature["image/width"].int64_list.value.append(1)
    painting = photograph(1003, 125)
    found = tf.train.Example.FromString(
        tfrecords.with_picture(record.SerializeToString(), painting)
    )
    assert found.features.feature["image/encoded"].bytes_list.value == [painting]
    assert found.features.feature["image/width"].int64_list.value == [1003]


def test_a_record_that_is_larger_than_is_taken_is_not_read() -> None:
    file = io.BytesIO(tfrecords.framed(bytes(1000)))
    with pytest.raises(BrokenArchiveError, match="Received: 1,000 bytes"):
        list(tfrecords.records(file, 999))
    assert file.tell() == tfrecords.HEAD_BYTES
