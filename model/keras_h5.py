"""Keras's weights, ``.h5``, from ``save``, ``save_weights`` or its own server.

The network sees BGR in 0..255 minus Keras's mean.
"""

from typing import Any, BinaryIO

import h5py
import numpy as np

from model.parsed import Arrays, Parsed
from model.vgg import CONVOLUTIONS

#: BGR in 0..255, of keras/src/applications/imagenet_utils.py in its mode "caffe".
KERAS_MEAN = (103.939, 116.779, 123.68)

#: What h5py raises for a damaged file.
DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError)

#: A kernel has the axes height, width, inputs, outputs; a bias has one.
_KERNEL_AXES = 4


def parse(file: BinaryIO) -> Parsed:
    """The arrays of our layers.

    Raises:
        DAMAGE: it is no ``.h5``.
    """
    arrays: Arrays = {"mean": np.array(KERAS_MEAN[::-1], np.float32) / 255}
    with h5py.File(file, "r") as opened:
        for layer, group in _layers(opened).items():
            arrays |= _weights(layer, group)
    return Parsed(arrays, scale=(255.0, 255.0, 255.0), bgr=True)


def _layers(file: h5py.File) -> dict[str, h5py.Group]:
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


def _weights(layer: str, group: h5py.Group) -> Arrays:
    """Kernel and bias of a layer, told apart by their axes: their names changed with Keras."""
    arrays: Arrays = {}

    def visit(_path: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[f"{layer}/kernel" if item.ndim == _KERNEL_AXES else f"{layer}/bias"] = item[()]

    group.visititems(visit)
    return arrays
