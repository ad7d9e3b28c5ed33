"""PyTorch's weights, as torchvision names them: ``.safetensors``, and ``.pth`` where torch is.

The network sees RGB in [0, 1] minus a mean, divided by a deviation. Another network's weights under
the same names, such as Caffe's, which sees other colours, cannot be told from torchvision's: take
them from their own format.
"""

import importlib.util
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from model.errors import FeaturesFormatError
from model.parsed import Arrays, Parsed
from model.vgg import VGG19, Conv

#: RGB in [0, 1], of torchvision/transforms/_presets.py, ImageClassification.
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)

#: What the library raises for a damaged file, or for a type of number that NumPy lacks.
SAFETENSORS_DAMAGE = (SafetensorError, OSError, ValueError, TypeError, AttributeError)

#: What torch raises for a damaged file, or for one that holds more than tensors.
PTH_DAMAGE = (
    pickle.UnpicklingError,
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    EOFError,
    KeyError,
    AttributeError,
)

#: The first torch whose ``weights_only`` can be trusted (CVE-2025-32434).
_SAFE_TORCH = (2, 6)

_KERNEL_AXES = 4


def parse_safetensors(file: BinaryIO) -> Parsed:
    """The convolutions of ``features``; nothing else of the file is read.

    Raises:
        SAFETENSORS_DAMAGE: it is no ``.safetensors``.
    """
    # By its name: the library maps a file into memory, and takes no open one.
    with safe_open(file.name, framework="np") as opened:
        there = set(opened.keys())
        return _parsed({key: opened.get_tensor(key) for key in _keys() if key in there})


def parse_pth(file: BinaryIO) -> Parsed:
    """The same of a ``state_dict``; torch's unpickler makes tensors and nothing else.

    Raises:
        FeaturesFormatError: there is no torch that can be trusted with it.
        PTH_DAMAGE: it is no ``.pth``, or holds more than tensors.
    """
    torch = _torch(Path(file.name).name)
    state = torch.load(file, weights_only=True, map_location="cpu")
    return _parsed({key: _as_numpy(state[key]) for key in _keys() if key in state})


def _torch(file_name: str) -> Any:
    if importlib.util.find_spec("torch") is not None:
        import torch  # noqa: PLC0415 - only here, and only where somebody installed it

        if tuple(map(int, torch.__version__.split(".")[:2])) >= _SAFE_TORCH:
            return torch
    raise FeaturesFormatError(
        "a .pth is read by torch 2.6 or newer, which is not installed here: install it, or take "
        "the same weights as .safetensors, or run `atelier features convert` where torch is. "
        f"Received: {file_name}"
    )


def _as_numpy(tensor: Any) -> npt.NDArray[Any]:
    plain = tensor.detach().float() if tensor.is_floating_point() else tensor
    array: npt.NDArray[Any] = plain.numpy()
    return array


def _keys() -> Iterator[str]:
    for index, _layer in _numbered():
        yield from (f"features.{index}.weight", f"features.{index}.bias")


def _numbered() -> Iterator[tuple[int, Conv]]:
    """Our convolutions with their numbers: torch counts ReLUs and poolings as layers too."""
    index = 0
    for layer in VGG19:
        if isinstance(layer, Conv):
            yield index, layer
            index += 1
        index += 1


def _parsed(tensors: Mapping[str, npt.NDArray[Any]]) -> Parsed:
    arrays: Arrays = {"mean": np.array(MEAN, np.float32)}
    for index, layer in _numbered():
        for kind, ours in (("weight", "kernel"), ("bias", "bias")):
            if (tensor := tensors.get(f"features.{index}.{kind}")) is not None:
                arrays[f"{layer.name}/{ours}"] = _in_our_axes(tensor)
    red, green, blue = DEVIATION
    return Parsed(arrays, scale=(1 / red, 1 / green, 1 / blue))


def _in_our_axes(tensor: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """[outputs, inputs, height, width] as [height, width, inputs, outputs]."""
    if tensor.dtype.name == "bfloat16":  # which NumPy does not count among the floats
        tensor = tensor.astype(np.float32)
    return tensor.transpose(2, 3, 1, 0) if tensor.ndim == _KERNEL_AXES else tensor
