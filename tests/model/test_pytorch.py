"""Weights under torchvision's names: half precision, what is refused, and what torch does."""

import importlib.machinery
import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import save_file

from model import formats
from model.errors import FeaturesFormatError
from tests.model import weights_files
from tests.model.weights_files import Arrays


@pytest.fixture(scope="module")
def tensors() -> Arrays:
    return weights_files.torchvision(weights_files.random_weights())


@pytest.mark.parametrize(("dtype", "close"), [("float16", 1e-3), ("bfloat16", 1e-2)])
def test_half_precision_is_taken(tmp_path: Path, tensors: Arrays, dtype: str, close: float) -> None:
    save_file(tensors, tmp_path / "whole.safetensors")
    half = {
        key: tensor.astype(tf.as_dtype(dtype).as_numpy_dtype) for key, tensor in tensors.items()
    }
    save_file(half, tmp_path / "half.safetensors")
    assert (tmp_path / "half.safetensors").stat().st_size < 30e6
    whole = formats.read(tmp_path / "whole.safetensors").kernels["block4_conv1"]
    kernel = formats.read(tmp_path / "half.safetensors").kernels["block4_conv1"]
    assert kernel.dtype == np.float32
    np.testing.assert_allclose(kernel, whole, rtol=close, atol=1e-6)


FLAWS: dict[str, tuple[Arrays, str]] = {
    "of another network": (
        {"features.2.weight": np.zeros((64, 3, 3), np.float32)},
        r"block1_conv2/kernel as floats of shape \(3, 3, 64, 64\)",
    ),
    "for grey pictures": (
        {"features.0.weight": np.zeros((64, 1, 3, 3), np.float32)},
        r"block1_conv1/kernel as floats of shape \(3, 3, 3, 64\)",
    ),
    "quantised": ({"features.28.bias": np.zeros(512, np.int8)}, "block5_conv1/bias as floats"),
}


@pytest.mark.parametrize(("change", "says"), FLAWS.values(), ids=FLAWS)
def test_weights_that_are_not_vgg_19_are_refused(
    tmp_path: Path, tensors: Arrays, change: Arrays, says: str
) -> None:
    save_file(tensors | change, tmp_path / "x.safetensors")
    with pytest.raises(FeaturesFormatError, match=rf"^x\.safetensors should have {says}"):
        formats.read(tmp_path / "x.safetensors")


def test_a_layer_that_is_not_there_is_named(tmp_path: Path, tensors: Arrays) -> None:
    less = {key: tensor for key, tensor in tensors.items() if key != "features.19.weight"}
    save_file(less, tmp_path / "x.safetensors")
    with pytest.raises(FeaturesFormatError, match=r"^x\.safetensors has no block4_conv1/kernel"):
        formats.read(tmp_path / "x.safetensors")


# torch's own format. Most machines have no torch, and those that have one show that it is read.


@pytest.mark.parametrize("version", [None, "2.5.1+cpu"], ids=["none", "too old"])
def test_without_a_torch_to_be_trusted_a_pth_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    torch = ModuleType("torch") if version else None
    if torch:
        torch.__spec__ = importlib.machinery.ModuleSpec("torch", None)
        torch.__version__ = version  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    (tmp_path / "vgg19.pth").write_bytes(b"PK\x03\x04")
    says = r"torch 2\.6 or newer.* \.safetensors, .*`atelier features convert`.*: vgg19\.pth$"
    with pytest.raises(FeaturesFormatError, match=says):
        formats.read(tmp_path / "vgg19.pth")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "as torchvision's file is"])
def test_a_pth_holds_what_the_safetensors_holds(
    tmp_path: Path, tensors: Arrays, *, zipped: bool
) -> None:
    torch = pytest.importorskip("torch")
    save_file(tensors, tmp_path / "x.safetensors")
    state = {key: torch.from_numpy(tensor) for key, tensor in tensors.items()}
    torch.save(state, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    expected, read = (formats.read(tmp_path / name) for name in ("x.safetensors", "x.pth"))
    for layer, kernel in expected.kernels.items():
        np.testing.assert_array_equal(read.kernels[layer], kernel)
        np.testing.assert_array_equal(read.biases[layer], expected.biases[layer])


class Intruder:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("zipped", [True, False, None], ids=["zip", "not zipped", "bare pickle"])
def test_code_in_a_pth_is_never_run(tmp_path: Path, *, zipped: bool | None) -> None:
    torch = pytest.importorskip("torch")
    intruder = {"features.0.weight": Intruder(tmp_path / "trace")}
    if zipped is None:
        (tmp_path / "x.pth").write_bytes(pickle.dumps(intruder, protocol=2))
    else:
        torch.save(intruder, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(FeaturesFormatError, match=r"^x\.pth is damaged or no \.pth\. Received: .+"):
        formats.read(tmp_path / "x.pth")
    assert not (tmp_path / "trace").exists()
