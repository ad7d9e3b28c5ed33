"""TFRecord files without TensorFlow: the same bytes as with it."""

import gzip
import io
from pathlib import Path

import pytest
import tensorflow as tf

from model.errors import InputError, PictureSizeError
from tests.pictures import photograph
from worker import tfrecords
from worker.batches.records import BrokenArchiveError


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


def test_what_is_beside_the_picture_has_a_bound_that_is_held_before_it_is_unpacked() -> None:
    picture = tf.train.Feature(bytes_list=tf.train.BytesList(value=[bytes(300_000)]))
    label = tf.train.Feature(bytes_list=tf.train.BytesList(value=[bytes(900)]))
    pixels = tf.train.Feature(int64_list=tf.train.Int64List(value=[1] * 2000))
    numbers = {f"{n}": tf.train.Feature() for n in range(100)}

    def record(**further: tf.train.Feature) -> bytes:
        features = {"image/encoded": picture} | further
        made = tf.train.Example(features=tf.train.Features(feature=features))
        return bytes(made.SerializeToString())

    for allowed in (record(), record(label=label), record(**numbers)):
        assert tfrecords.taken_out(allowed, 1000)[0] == bytes(300_000)
    for crowded in (record(pixels=pixels), record(label=label, **numbers)):
        with pytest.raises(PictureSizeError, match="up to 1,000 bytes beside"):
            tfrecords.taken_out(crowded, 1000)
    without = tf.train.Example(features=tf.train.Features(feature={"image/encoded": pixels}))
    with pytest.raises(PictureSizeError):
        tfrecords.taken_out(without.SerializeToString(), 1000)
    for torn in (b"\x0a" + b"\xff" * 5000, b"\x0a" * 2001 + b"\xff"):
        with pytest.raises(InputError):
            tfrecords.taken_out(torn, 1000)


def test_nothing_hides_behind_a_field_that_an_example_does_not_have() -> None:
    pixels = tf.train.Feature(int64_list=tf.train.Int64List(value=[1] * 2000))
    made = tf.train.Example(features=tf.train.Features(feature={"image/encoded": pixels}))
    crowded = bytes(made.SerializeToString())
    for tag in (0x0A, 0x0A, 0x12, 0x0A, 0x0A):
        # For protobuf it is field 15 with eight bytes; as tags and lengths nothing, then the rest.
        length = bytes(len(crowded) >> 7 * place & 0x7F | 0x80 for place in range(5)) + b"\x00"
        crowded = bytes([0x79, 0x00, tag]) + length + crowded
    tf.train.Example.FromString(crowded)  # it is one
    with pytest.raises(InputError, match=r"no tf\.train\.Example"):
        tfrecords.taken_out(crowded, 1000)


def test_a_record_that_is_larger_than_is_taken_is_not_read() -> None:
    file = io.BytesIO(tfrecords.framed(bytes(1000)))
    with pytest.raises(BrokenArchiveError, match="Received: 1,000 bytes"):
        list(tfrecords.records(file, 999))
    assert file.tell() == tfrecords.HEAD_BYTES
