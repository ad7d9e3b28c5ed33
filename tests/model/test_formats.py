"""Weights in Keras's files and in ours: the same network, or an error that says why not."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from model import formats
from model.errors import FeaturesFormatError, FeaturesUnavailableError
from model.vgg import CONVOLUTIONS, Features, Network, Pooling

Arrays = dict[str, npt.NDArray[Any]]

# Keras asks its own tensors for NumPy arrays in a way that NumPy has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    """Random weights, of a size that keeps activations alive through all layers (He 2015)."""
    random = np.random.default_rng(0)
    arrays: Arrays = {"mean": np.array([0.5, 0.4, 0.3], np.float32)}
    for layer in CONVOLUTIONS.values():
        shape = (3, 3, layer.inputs, layer.outputs)
        kernel = random.standard_normal(shape, np.float32) * np.sqrt(2 / 9 / layer.inputs)
        arrays[f"{layer.name}/kernel"] = kernel.astype(np.float32)
        arrays[f"{layer.name}/bias"] = random.standard_normal(layer.outputs, np.float32)
    return arrays


@pytest.fixture(scope="module")
def features(arrays: Arrays) -> Features:
    kernels = {layer: arrays[f"{layer}/kernel"] for layer in CONVOLUTIONS}
    biases = {layer: arrays[f"{layer}/bias"] for layer in CONVOLUTIONS}
    return Features("random", "", arrays["mean"], kernels, biases)


@pytest.fixture(scope="module")
def keras_vgg19(arrays: Arrays) -> keras.Model:
    network = keras.applications.VGG19(include_top=False, weights=None)
    for layer in CONVOLUTIONS:
        network.get_layer(layer).set_weights([arrays[f"{layer}/kernel"], arrays[f"{layer}/bias"]])
    return network


def write_kerass_server_file(network: keras.Model, path: Path) -> None:
    """The layout of the file on Keras's server, which its first versions wrote."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in network.layers]
        for layer in network.layers:
            names = [f"{layer.name}_{kind}_1:0" for kind in "Wb"[: len(layer.weights)]]
            group = file.create_group(layer.name)
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, layer.get_weights(), strict=True):
                group[name] = value


def write_keras_2_file(network: keras.Model, path: Path) -> None:
    """The layout of ``save_weights("x.h5")`` in Keras 2: each group has its name twice."""
    with h5py.File(path, "w") as file:
        for layer in network.layers:
            for kind, value in zip(("kernel:0", "bias:0"), layer.get_weights(), strict=False):
                file[f"{layer.name}/{layer.name}/{kind}"] = value


def write_keras_3_model(network: keras.Model, path: Path) -> None:
    network.save(path)


def write_keras_3_weights(network: keras.Model, path: Path) -> None:
    network.save_weights(path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("server.h5", write_kerass_server_file),
        ("two.h5", write_keras_2_file),
        ("three.h5", write_keras_3_model),
        ("three.weights.h5", write_keras_3_weights),
    ],
)
def test_our_network_sees_in_keras_weights_what_keras_sees(
    tmp_path: Path, keras_vgg19: keras.Model, name: str, write: Callable[[keras.Model, Path], None]
) -> None:
    write(keras_vgg19, tmp_path / name)
    features = formats.read(tmp_path / name)
    assert features.sha256 == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()

    image = np.random.default_rng(1).random((1, 64, 48, 3), np.float32)
    # We pad by replication, Keras with zeros behind its mean: in a frame of the mean it is one.
    image[:, [0, -1]] = image[:, :, [0, -1]] = features.mean
    layers = ["block1_conv1", "block3_conv4", "block5_conv1"]
    ours = Network(features).activations(tf.constant(image), layers, pooling="max")
    outputs = [keras_vgg19.get_layer(layer).output for layer in layers]
    sees = keras.Model(keras_vgg19.input, outputs)
    theirs = sees(keras.applications.vgg19.preprocess_input(255 * image))
    for layer, their in zip(layers, theirs, strict=True):
        expected = their.numpy()
        assert (expected > 0).mean() > 0.1
        np.testing.assert_allclose(
            ours[layer].numpy(), expected, rtol=0, atol=1e-5 * expected.max(), err_msg=layer
        )


def test_float32_comes_back_as_it_was(tmp_path: Path, features: Features) -> None:
    path = tmp_path / "mine.npz"
    formats.save(features, path)
    read = formats.read(path)
    assert read.name == "mine"
    assert read.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    np.testing.assert_array_equal(read.mean, features.mean)
    for layer in CONVOLUTIONS:
        np.testing.assert_array_equal(read.kernels[layer], features.kernels[layer])
        np.testing.assert_array_equal(read.biases[layer], features.biases[layer])
    assert [path.name for path in tmp_path.iterdir()] == ["mine.npz"]


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_the_pooling_that_it_was_learned_with_comes_back(
    tmp_path: Path, features: Features, pooling: Pooling
) -> None:
    formats.save(replace(features, pooling=pooling), tmp_path / "x.npz")
    assert formats.read(tmp_path / "x.npz").pooling == pooling


def test_weights_that_do_not_say_were_learned_with_the_maximum(
    tmp_path: Path, arrays: Arrays
) -> None:
    np.savez(tmp_path / "x.npz", **arrays)  # type: ignore[arg-type]
    assert formats.read(tmp_path / "x.npz").pooling == "max"


def test_float16_takes_half_the_room_and_comes_back_as_float32(
    tmp_path: Path, features: Features
) -> None:
    path = tmp_path / "half.npz"
    formats.save(features, path, dtype=np.float16)
    kernel = formats.read(path).kernels["block4_conv1"]
    assert path.stat().st_size < 27e6
    assert kernel.dtype == np.float32
    np.testing.assert_allclose(kernel, features.kernels["block4_conv1"], rtol=1e-3, atol=1e-6)


def test_the_same_weights_give_the_same_bytes(tmp_path: Path, features: Features) -> None:
    hashes = set()
    for name in ("one.npz", "two.npz"):
        formats.save(features, tmp_path / name, dtype=np.float16)
        hashes.add(formats.read(tmp_path / name).sha256)
    assert len(hashes) == 1


def test_weights_too_large_for_their_format_are_not_written(
    tmp_path: Path, features: Features
) -> None:
    large = {**features.biases, "block2_conv2": np.full(128, 7e4, np.float32)}
    too_large = Features("large", "", features.mean, features.kernels, large)
    with pytest.raises(FeaturesFormatError, match=r"^block2_conv2/bias of x\.npz is not finite"):
        formats.save(too_large, tmp_path / "x.npz", dtype=np.float16)
    assert list(tmp_path.iterdir()) == []


FLAWS: dict[str, tuple[Callable[[Arrays], object], str]] = {
    "missing": (lambda a: a.pop("block4_conv2/kernel"), "no block4_conv2/kernel"),
    "mean": (lambda a: a.pop("mean"), "no mean"),
    "shape": (
        lambda a: a.update({"block1_conv1/kernel": np.zeros((64, 3, 3, 3), np.float32)}),
        r"block1_conv1/kernel as floats of shape \(3, 3, 3, 64\)",
    ),
    "integers": (
        lambda a: a.update({"block1_conv1/bias": np.zeros(64, np.int32)}),
        "block1_conv1/bias as floats",
    ),
    "not a number": (
        lambda a: a.update({"block5_conv1/bias": np.full(512, np.nan, np.float32)}),
        "block5_conv1/bias of x.npz is not finite",
    ),
    "pooling": (
        lambda a: a.update({"pooling": np.array("median")}),
        "pooling of x.npz should be average or max",
    ),
    "pickle": (lambda a: a.update({"mean": np.array([{}], object)}), "damaged or no .npz"),
}


@pytest.mark.parametrize(("damage", "says"), FLAWS.values(), ids=FLAWS.keys())
def test_a_flaw_is_named(
    tmp_path: Path, arrays: Arrays, damage: Callable[[Arrays], object], says: str
) -> None:
    damaged = dict(arrays)
    damage(damaged)
    np.savez(tmp_path / "x.npz", **damaged)  # type: ignore[arg-type]
    with pytest.raises(FeaturesFormatError, match=rf"{says}.*Received: "):
        formats.read(tmp_path / "x.npz")


def npz(**arrays: npt.NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


WHOLE = npz(mean=np.zeros(3, np.float32))
BITROT = WHOLE.replace(bytes(12), b"\x01" + bytes(11))  # the zip's checksum finds it


@pytest.mark.parametrize("ending", [".npz", ".h5", ".mat", ".safetensors"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>404</html>" * 99,
        b"PK\x03\x04",
        WHOLE[:-30],
        BITROT,
        npy(),
        b"\x89HDF\r\n\x1a\n",
        b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + b"\x0f\x00\x00\x00\xff\xff\x00\x00",
        b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM",
        (64).to_bytes(8, "little") + b'{"features.0.weight":'.ljust(64),
    ],
    ids=[
        "empty",
        "html",
        "zip head",
        "cut",
        "bitrot",
        "npy",
        "hdf head",
        "mat head",
        "mat 7.3",
        "safetensors head",
    ],
)
def test_what_is_no_file_of_weights_is_refused(tmp_path: Path, ending: str, data: bytes) -> None:
    path = tmp_path / f"x{ending}"
    path.write_bytes(data)
    with pytest.raises(
        FeaturesFormatError, match=rf"^x\{ending} is damaged or no \{ending}\. Received: ."
    ):
        formats.read(path)


def test_a_keras_file_of_another_network_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["conv1/kernel:0"] = np.zeros((3, 3, 3, 64), np.float32)
    with pytest.raises(FeaturesFormatError, match=r"^x\.h5 has no block1_conv1/kernel\. Received"):
        formats.read(tmp_path / "x.h5")


def test_a_keras_file_in_the_order_of_theano_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["block1_conv1/block1_conv1_W"] = np.zeros((64, 3, 3, 3), np.float32)
    with pytest.raises(FeaturesFormatError, match=r"block1_conv1/kernel as floats of shape"):
        formats.read(tmp_path / "x.h5")


def test_a_wrong_hash_is_refused_before_the_file_is_parsed(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"not even a zip")
    with pytest.raises(FeaturesFormatError, match=r"^x\.npz should have SHA-256 0+\. Received: "):
        formats.read(tmp_path / "x.npz", sha256="0" * 64)


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FeaturesFormatError, match=r"\.npz, \.h5, .*\.pth\. Received: x\.bin$"):
        formats.read(tmp_path / "x.bin")


def test_a_file_that_is_not_there_is_unavailable_and_its_folder_unsaid(tmp_path: Path) -> None:
    with pytest.raises(FeaturesUnavailableError, match=r"Received: x\.npz$") as caught:
        formats.read(tmp_path / "x.npz")
    assert str(tmp_path) not in str(caught.value)
