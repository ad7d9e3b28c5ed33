"""MatConvNet's weights, ``.mat``, such as the lecture's ``imagenet-vgg-verydeep-19.mat``.

The network sees RGB in 0..255 minus the average image.

Kernels lie as [height, width, inputs, outputs] and are taken as they are. Some ports transpose
them, because the help of ``vl_nnconv`` calls them FW x FH. What made and what uses the files says
otherwise: ``utils/import-caffe.py`` reverses the axes of Caffe's [outputs, inputs, height, width]
and then swaps the first two ("a sane MATLAB format"), and ``matlab/src/bits/impl/im2row_cpu.cpp``
runs along the first axis of pictures and kernels together, without a flip. A picture's first axis
is its height; SciPy gives arrays with MATLAB's axes in MATLAB's order.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np

from model.parsed import Parsed

#: What SciPy raises for a damaged file: anything (NameError and its own kinds were seen).
DAMAGE = (Exception,)


def parse(file: BinaryIO) -> Parsed:
    """The convolutions and the mean.

    SciPy reads a variable as a whole, and all layers are one variable: for a moment the fully
    connected layers, 0.5 GB, are in memory too.

    Raises:
        DAMAGE: it is no MATLAB 5 file, or none of MatConvNet's.
    """
    # Here, because it takes 0.2 s and hardly anybody has such a file.
    from scipy.io import loadmat  # noqa: PLC0415

    wanted = ["layers", "meta", "normalization"]
    net = loadmat(file, variable_names=wanted, simplify_cells=True)
    arrays = dict(_convolutions(net)) | dict(_mean(net))
    return Parsed(arrays, scale=(255.0, 255.0, 255.0))


def _convolutions(net: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Kernels and biases; ``conv4_2`` is Keras's ``block4_conv2``."""
    for layer in net.get("layers", ()):
        named = re.fullmatch(r"conv(\d)_(\d)", str(layer.get("name")))
        if named:
            kernel, bias = _weights(layer)
            name = f"block{named[1]}_conv{named[2]}"
            yield f"{name}/kernel", np.asarray(kernel)
            yield f"{name}/bias", np.ravel(bias)  # a row or a column


def _weights(layer: Mapping[str, Any]) -> tuple[Any, Any]:
    """As ``vl_simplenn_tidy`` reads them: up to its beta 7 or so they had a field each."""
    kernel, bias = layer["weights"] if "weights" in layer else (layer["filters"], layer["biases"])
    return kernel, bias


def _mean(net: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The average image, one colour or [height, width, 3], as one colour.

    It is in ``meta.normalization``, and was in ``normalization`` up to beta 16.
    """
    normalization = net.get("meta", net).get("normalization", {})
    average = np.asarray(normalization.get("averageImage", ()), np.float64)  # a sum of 50,176
    if average.size:
        yield "mean", average.reshape(-1, average.shape[-1]).mean(axis=0) / 255
