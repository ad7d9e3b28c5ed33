"""Networks that learned nothing: as large as VGG-19, or with an eighth of its channels.

Random kernels, scaled so that activations neither fade nor grow with depth (He et al. 2015), see
pictures much as learned ones do, and cost neither a file nor a download.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from unittest import mock

import numpy as np

from model import vgg
from model.vgg import CONVOLUTIONS, Conv, Features, Pooling

#: The geometry of VGG-19, in a network that is quick.
THIN = {
    name: Conv(name, max(layer.inputs // 8, 3), layer.outputs // 8)
    for name, layer in CONVOLUTIONS.items()
}


def random_features() -> Features:
    """VGG-19 with random weights, the same each time."""
    return _random("random", "5eed" * 16, CONVOLUTIONS, 19)


def thin_features(pooling: Pooling = "max") -> Features:
    """The thin network with random weights, the same each time; of use in ``a_thin_network``."""
    return _random("thin", "711" * 21 + "1", THIN, 20, pooling)


def a_thin_network() -> AbstractContextManager[object]:
    """In which networks are thin: for what does not depend on how much they see."""
    return mock.patch.object(vgg, "CONVOLUTIONS", THIN)


def _random(
    name: str, sha256: str, layers: Mapping[str, Conv], seed: int, pooling: Pooling = "max"
) -> Features:
    rng = np.random.default_rng(seed)
    kernels, biases = {}, {}
    for layer in layers.values():
        normal = rng.standard_normal((3, 3, layer.inputs, layer.outputs), np.float32)
        kernels[layer.name] = normal * np.float32(np.sqrt(2 / (9 * layer.inputs)))
        biases[layer.name] = 0.1 * rng.standard_normal(layer.outputs, np.float32)
    mean = np.array([0.48, 0.46, 0.41], np.float32)
    return Features(name, sha256, mean, kernels, biases, pooling)
