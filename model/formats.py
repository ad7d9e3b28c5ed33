"""Files of VGG-19 weights, and what they become: ``Features``.

.npz           our own
.h5            Keras's
.mat           MatConvNet's
.safetensors   torchvision's
.pth           torchvision's, where torch is installed

Each has a file of its own that says how it is laid out and what its network sees; whatever that
is, it is folded into the first kernel, so that our network sees RGB in [0, 1] minus a mean.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, get_args

import numpy as np
import numpy.typing as npt

from model import keras_h5, matconvnet, npz, pytorch
from model.errors import FeaturesFormatError, FeaturesUnavailableError
from model.parsed import Arrays, Parsed
from model.vgg import CONVOLUTIONS, VGG19, Array, Features, Pooling


@dataclass(frozen=True)
class _Format:
    """How a kind of file is read, and what that raises where the file is damaged."""

    parse: Callable[[BinaryIO], Parsed]
    damage: tuple[type[Exception], ...]


_FORMATS = {
    ".npz": _Format(npz.parse, npz.DAMAGE),
    ".h5": _Format(keras_h5.parse, keras_h5.DAMAGE),
    ".mat": _Format(matconvnet.parse, matconvnet.DAMAGE),
    ".safetensors": _Format(pytorch.parse_safetensors, pytorch.SAFETENSORS_DAMAGE),
    ".pth": _Format(pytorch.parse_pth, pytorch.PTH_DAMAGE),
}


def read(path: Path, *, name: str | None = None, sha256: str | None = None) -> Features:
    """Read weights from a file, in the format that its ending says.

    Args:
        path: ends with ``.npz``, ``.h5``, ``.mat``, ``.safetensors`` or ``.pth``.
        name: of the features; the file's stem if None.
        sha256: hash that the file must have, in hex, if it is known.

    Raises:
        FeaturesUnavailableError: there is no such file, or it may not be read.
        FeaturesFormatError: it is not what it claims to be, or torch is needed and not there.
    """
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        known = ", ".join(_FORMATS)
        raise FeaturesFormatError(f"features are files in {known}. Received: {path.name}")
    try:
        with path.open("rb") as file:  # once: what is hashed is what is parsed
            received = hashlib.file_digest(file, "sha256").hexdigest()
            if sha256 not in (None, received):
                msg = f"{path.name} should have SHA-256 {sha256}. Received: {received}"
                raise FeaturesFormatError(msg)
            file.seek(0)
            parsed = _parse(kind, file, path)
    except OSError as error:
        msg = f"the features cannot be read: {error.strerror}. Received: {path.name}"
        raise FeaturesUnavailableError(msg) from error
    kernels, biases, mean = _checked(parsed.arrays, path.name)
    first = VGG19[0].name
    kernels[first] = parsed.fold(kernels[first])
    pooling = _pooling(parsed.arrays, path.name)
    return Features(name or path.stem, received, mean, kernels, biases, pooling)


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
    arrays: Arrays = {
        "mean": np.asarray(features.mean, np.float32),
        "pooling": np.array(features.pooling),
    }
    with np.errstate(over="ignore"):  # what overflows is found below, by its name
        for kind, values in (("kernel", features.kernels), ("bias", features.biases)):
            arrays |= {f"{layer}/{kind}": value.astype(dtype) for layer, value in values.items()}
    _checked(arrays, path.name)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        npz.write(file, arrays)
    part.replace(path)


def _parse(kind: _Format, file: BinaryIO, path: Path) -> Parsed:
    try:
        return kind.parse(file)
    except kind.damage as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        msg = f"{path.name} is damaged or no {path.suffix.lower()}. Received: {said}"
        raise FeaturesFormatError(msg) from error


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


def _pooling(arrays: Mapping[str, npt.NDArray[Any]], file_name: str) -> Pooling:
    """What the weights were learned with; published ones, which do not say, with the maximum."""
    received = str(arrays.get("pooling", "max"))
    for pooling in get_args(Pooling):
        if pooling == received:
            return pooling  # type: ignore[no-any-return]
    known = " or ".join(get_args(Pooling))
    raise FeaturesFormatError(f"pooling of {file_name} should be {known}. Received: {received}")


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
