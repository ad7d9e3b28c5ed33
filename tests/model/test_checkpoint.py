"""What is saved comes back bit for bit, and what was damaged is refused."""

import json
import zipfile
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from model import checkpoint
from model.errors import CheckpointError

HEADER: dict[str, Any] = {"of": "a painting", "scale": 2, "step": 17, "restarts": 0}


def arrays() -> dict[str, npt.NDArray[Any]]:
    rng = np.random.default_rng(4)
    return {
        "image": rng.random((1, 5, 7, 3), np.float32),
        "optimizer.step": np.asarray(np.float32(17)),
        "optimizer.moves": np.zeros((0,)),
        "special": np.array([np.nan, -0.0, np.inf, 1e-45], np.float32),
    }


def test_what_was_dumped_is_loaded_bit_for_bit() -> None:
    header, loaded = checkpoint.load(checkpoint.dump(HEADER, arrays()))
    assert header == HEADER
    assert list(loaded) == list(arrays())
    for name, array in arrays().items():
        assert loaded[name].dtype == array.dtype
        assert loaded[name].shape == array.shape
        assert loaded[name].tobytes() == array.tobytes()


def test_the_same_state_is_the_same_bytes() -> None:
    assert checkpoint.dump(HEADER, arrays()) == checkpoint.dump(HEADER, arrays())


def test_a_checkpoint_is_hardly_larger_than_what_is_in_it() -> None:
    image = np.zeros((1, 200, 300, 3), np.float32)
    assert len(checkpoint.dump(HEADER, {"image": image})) < image.nbytes + 2000


def test_a_checkpoint_can_be_read_without_us() -> None:
    with zipfile.ZipFile(BytesIO(checkpoint.dump(HEADER, arrays()))) as archive:
        names = {f"{name}.npy" for name in ("header", *arrays())}
        assert set(archive.namelist()) == names


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_checkpoint_that_was_cut_short_is_refused(kept: float) -> None:
    data = checkpoint.dump(HEADER, arrays())
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(data[: int(kept * len(data))])


def test_a_checkpoint_in_which_one_bit_of_the_image_flipped_is_refused() -> None:
    data = bytearray(checkpoint.dump(HEADER, arrays()))
    place = data.index(arrays()["image"].tobytes())
    data[place + 100] ^= 1
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(bytes(data))


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"not a checkpoint at all", b"\x89PNG\r\n\x1a\n", bytes(1000)]
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(data)


def test_a_file_of_arrays_without_a_header_is_refused() -> None:
    buffer = BytesIO()
    np.savez(buffer, image=np.zeros(3))
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(buffer.getvalue())


def test_a_header_that_is_not_json_is_refused() -> None:
    buffer = BytesIO()
    np.savez(buffer, header=np.frombuffer(b"{'of': 1}", np.uint8))
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(buffer.getvalue())


def test_a_pickle_is_never_opened() -> None:
    buffer = BytesIO()
    header = np.frombuffer(json.dumps({"format": checkpoint.FORMAT}).encode(), np.uint8)
    np.savez(buffer, header=header, image=np.array([{"a": "trap"}], dtype=object))
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(buffer.getvalue())


# Of 0.1.0, which had neither a limit nor a curve, and of a version to come.
@pytest.mark.parametrize("version", [1, checkpoint.FORMAT + 1])
def test_a_checkpoint_of_another_version_is_refused_and_says_so(
    monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "FORMAT", version)
        data = checkpoint.dump(HEADER, arrays())
    with pytest.raises(CheckpointError, match="another version of Atelier"):
        checkpoint.load(data)


def test_any_flipped_bit_is_a_damaged_checkpoint() -> None:
    data = checkpoint.dump({"of": "x"}, {"image": np.arange(3, dtype=np.float32)})
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(CheckpointError):
            checkpoint.load(bytes(damaged))
