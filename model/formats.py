"""Files of VGG-19 weights, and what they become: ``Features``.

.npz   our own: ``LAYER/kernel`` [3, 3, inputs, outputs], ``LAYER/bias`` [outputs] and ``mean``
       [3], in any float; the network sees RGB in [0, 1] minus the mean
.h5    Keras's, from ``save``, ``save_weights`` or its own server; the network sees BGR in
       0..255 minus Keras's mean, which is folded into the first kernel
"""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from model.errors import FeaturesFormatError, FeaturesUnavailableError
from model.vgg import CONVOLUTIONS, Array, Features

#: BGR in 0..255, of keras/src/applications/imagenet_utils.py in its mode "caffe".
KERAS_MEAN = (103.939, 116.779, 123.68)

#: A kernel has the axes height, width, inputs, outputs; a bias has one.
_KERNEL_AXES = 4

Arrays = dict[str, npt.NDArray[Any]]


def read(path: Path, *, name: str | None = None, sha256: str | None = None) -> Features:
    """Read weights from a file, in the format that its ending says.

    Args:
        path: ends with ``.npz`` or ``.h5``.
        name: of the features; the file's stem if None.
        sha256: hash that the file must have, in hex, if it is known.

    Raises:
        FeaturesUnavailableError: there is no such file, or it may not be read.
        FeaturesFormatError: it is not what it claims to be.
    """
    parse = {".npz": _parse_npz, ".h5": _parse_keras}.get(path.suffix.lower())
    if parse is None:
        raise FeaturesFormatError(f"features are files in .npz or .h5. Received: {path.name}")
    try:
        data = path.read_bytes()  # once: what is hashed is what is parsed
    except OSError as error:
        msg = f"the features cannot be read: {error.strerror}. Received: {path.name}"
        raise FeaturesUnavailableError(msg) from error
    received = hashlib.sha256(data).hexdigest()
    if sha256 not in (None, received):
        raise FeaturesFormatError(f"{path.name} should have SHA-256 {sha256}. Received: {received}")
    kernels, biases, mean = _checked(parse(data, path.name), path.name)
    return Features(name or path.stem, received, mean, kernels, biases)


def save(features: Features, path: Path, *, dtype: npt.DTypeLike = np.float32) -> None:
    """Write weights as our ``.npz``; the same weights give the same bytes.

    Args:
        features: the weights.
        path: ends with ``.npz``; it is replaced in one step.
        dtype: of kernels and biases: float32 loses nothing, float16 takes half the room.

    Raises:
        FeaturesFormatError: a weight is missing, or not finite in this dtype.
        OSError: the file cannot be written.
    """
    arrays: Arrays = {"mean": np.asarray(features.mean, np.float32)}
    with np.errstate(over="ignore"):  # what overflows is found below, by its name
        for kind, values in (("kernel", features.kernels), ("bias", features.biases)):
            arrays |= {f"{layer}/{kind}": value.astype(dtype) for layer, value in values.items()}
    _checked(arrays, path.name)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    part.replace(path)


def _parse_npz(data: bytes, file_name: str) -> Arrays:
    try:
        loaded = np.load(io.BytesIO(data), allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise ValueError("one array without a name")  # noqa: TRY004, TRY301 - damage as any other
        return {key: loaded[key] for key in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise FeaturesFormatError(
            f"{file_name} is damaged or no .npz. Received: {error}"
        ) from error


def _parse_keras(data: bytes, file_name: str) -> Arrays:
    arrays: Arrays = {"mean": np.array(KERAS_MEAN[::-1], np.float32) / 255}
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            for layer, group in _keras_layers(file).items():
                arrays |= _keras_weights(layer, group)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise FeaturesFormatError(f"{file_name} is damaged or no .h5. Received: {error}") from error
    first = "block1_conv1/kernel"
    if first in arrays:  # BGR in 0..255 becomes RGB in [0, 1]
        arrays[first] = 255 * arrays[first][:, :, ::-1]
    return arrays


def _keras_layers(file: h5py.File) -> dict[str, h5py.Group]:
    """The groups of our layers, outermost first.

    Keras up to 2, and 3 in ``save("x.h5")``, name a group after its layer; Keras 3 in
    ``save_weights`` numbers the groups and has the layer's name as an attribute.
    """
    groups: dict[str, h5py.Group] = {}

    def visit(path: str, item: Any) -> None:
        layer = item.attrs.get("name", path.rsplit("/", 1)[-1])
        if isinstance(item, h5py.Group) and layer in CONVOLUTIONS:
            groups.setdefault(layer, item)

    # A whole model also holds its optimiser's state, under the same names.
    file.get("model_weights", file).visititems(visit)
    return groups


def _keras_weights(layer: str, group: h5py.Group) -> Arrays:
    """Kernel and bias of a layer, told apart by their axes: their names changed with Keras."""
    arrays: Arrays = {}

    def visit(_path: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[f"{layer}/kernel" if item.ndim == _KERNEL_AXES else f"{layer}/bias"] = item[()]

    group.visititems(visit)
    return arrays


def _checked(
    arrays: Mapping[str, npt.NDArray[Any]], file_name: str
) -> tuple[dict[str, Array], dict[str, Array], Array]:
    """Kernels, biases and mean in float32, each known to be there, of its shape and finite."""
    kernels: dict[str, Array] = {}
    biases: dict[str, Array] = {}
    for layer in CONVOLUTIONS.values():
        shape = (3, 3, layer.inputs, layer.outputs)
        kernels[layer.name] = _array(arrays, f"{layer.name}/kernel", shape, file_name)
        biases[layer.name] = _array(arrays, f"{layer.name}/bias", (layer.outputs,), file_name)
    return kernels, biases, _array(arrays, "mean", (3,), file_name)


def _array(
    arrays: Mapping[str, npt.NDArray[Any]], key: str, shape: tuple[int, ...], file_name: str
) -> Array:
    array = arrays.get(key)
    if array is None:
        raise FeaturesFormatError(f"{file_name} has no {key}. Received: {sorted(arrays)}")
    if array.shape != shape or not np.issubdtype(array.dtype, np.floating):
        msg = (
            f"{file_name} should have {key} as floats of shape {shape}. "
            f"Received: {array.dtype} of shape {array.shape}"
        )
        raise FeaturesFormatError(msg)
    if not np.isfinite(array).all():
        count = int(np.sum(~np.isfinite(array)))
        raise FeaturesFormatError(f"{key} of {file_name} is not finite. Received: {count} such")
    return np.ascontiguousarray(array, np.float32)
