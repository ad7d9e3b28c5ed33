"""One set of random VGG-19 weights as every publisher's file, made as the publishers make them.

The origin of all is Caffe's form, in which Simonyan & Zisserman published theirs: kernels
[outputs, inputs, height, width], and a network that sees BGR in 0..255 minus a mean.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import scipy.io
from safetensors.numpy import save_file

from model.vgg import CONVOLUTIONS, VGG19, Conv

Array = npt.NDArray[np.float32]
Arrays = dict[str, npt.NDArray[Any]]

#: BGR in 0..255.
CAFFE_MEAN = np.array([103.939, 116.779, 123.68], np.float32)


@dataclass(frozen=True)
class Caffe:
    """Kernels and biases by our layers' names."""

    kernels: dict[str, Array]
    biases: dict[str, Array]


def random_weights(seed: int = 0) -> Caffe:
    """Of a size that keeps activations alive through all layers (He et al. 2015)."""
    random = np.random.default_rng(seed)
    kernels, biases = {}, {}
    for layer in CONVOLUTIONS.values():
        shape = (layer.outputs, layer.inputs, 3, 3)
        gain = np.sqrt(2 / 9 / layer.inputs) / (60 if layer.inputs == 3 else 1)
        kernels[layer.name] = np.float32(gain) * random.standard_normal(shape, np.float32)
        biases[layer.name] = random.standard_normal(layer.outputs, np.float32)
    return Caffe(kernels, biases)


def write_keras(weights: Caffe, path: Path) -> None:
    """In the axes of TensorFlow, and otherwise as Caffe's."""
    with h5py.File(path, "w") as file:
        for layer in CONVOLUTIONS:
            file[f"{layer}/{layer}_W_1:0"] = weights.kernels[layer].transpose(2, 3, 1, 0)
            file[f"{layer}/{layer}_b_1:0"] = weights.biases[layer]


def torchvision(weights: Caffe) -> Arrays:
    """For RGB in [0, 1] with torchvision's mean and deviation, under torchvision's names."""
    mean = np.array([0.485, 0.456, 0.406], np.float32)
    deviation = np.array([0.229, 0.224, 0.225], np.float32)
    tensors: Arrays = {}
    index = 0
    for layer in VGG19:
        if isinstance(layer, Conv):
            kernel, bias = weights.kernels[layer.name], weights.biases[layer.name]
            if layer.inputs == 3:
                rgb = 255 * kernel[:, ::-1]
                bias = bias + rgb.sum(axis=(2, 3)) @ (mean - CAFFE_MEAN[::-1] / 255)
                kernel = rgb * deviation[:, np.newaxis, np.newaxis]
            tensors[f"features.{index}.weight"] = np.ascontiguousarray(kernel)
            tensors[f"features.{index}.bias"] = bias
            index += 1
        index += 1
    return tensors


def write_torchvision(weights: Caffe, path: Path) -> None:
    """With a classifier, as torchvision's have one."""
    save_file(torchvision(weights) | {"classifier.6.bias": np.zeros(1000, np.float32)}, path)


def struct(**fields: Any) -> npt.NDArray[Any]:
    """A MATLAB struct."""
    made = np.empty((1, 1), [(name, object) for name in fields])
    for name, value in fields.items():
        made[name][0, 0] = value
    return made


def cell(*items: Any) -> npt.NDArray[Any]:
    """A MATLAB cell array, a row."""
    made = np.empty((1, len(items)), object)
    for index, item in enumerate(items):
        made[0, index] = item
    return made


def imported(kernel: Array) -> Array:
    """A kernel as MatConvNet's ``utils/import-caffe.py`` and ``layers.py`` import it from Caffe."""
    reversed_axes = kernel.transpose()  # blobproto_to_array: [width, height, inputs, outputs]
    return reversed_axes.transpose(1, 0, 2, 3)  # CaffeConv.transpose: "a sane MATLAB format"


def matconvnet_layers(
    weights: Caffe, fields: Callable[[Array, Array], dict[str, Any]]
) -> npt.NDArray[Any]:
    """The variable ``layers`` of a SimpleNN; ``fields`` lays out a kernel and a bias."""
    layers = []
    for layer in VGG19:
        name = layer.name.replace("block", "").replace("_conv", "_").replace("_pool", "")
        if isinstance(layer, Conv):
            kernel = imported(weights.kernels[layer.name])
            if layer.inputs == 3:
                kernel = kernel[:, :, ::-1]  # "to RGB"
            made = fields(kernel, weights.biases[layer.name])
            layers.append(struct(name=f"conv{name}", type="conv", **made, pad=np.ones((1, 4))))
            layers.append(struct(name=f"relu{name}", type="relu"))
        else:
            layers.append(struct(name=f"pool{name}", type="pool", method="max"))
    layers.append(struct(name="fc8", type="conv", weights=cell(np.zeros((1, 1, 9, 9)), [0.0])))
    return cell(*layers, struct(name="prob", type="softmax"))


def write_matconvnet(weights: Caffe, path: Path) -> None:
    """The layout of the lecture's file, as beta 17 and later write it."""
    layers = matconvnet_layers(weights, lambda k, b: {"weights": cell(k, b[:, np.newaxis])})
    mean = CAFFE_MEAN[::-1].reshape(1, 1, 3)
    meta = struct(classes=struct(name="cat"), normalization=struct(averageImage=mean))
    scipy.io.savemat(path, {"layers": layers, "meta": meta}, do_compression=True)


def write_matconvnet_beta_16(weights: Caffe, path: Path) -> None:
    """With the mean as an image, outside ``meta``, and the weights as the first field."""
    layers = matconvnet_layers(weights, lambda k, b: {"weights": cell(k, b[np.newaxis])})
    _write_with_average_image(layers, path)


def write_matconvnet_beta_7(weights: Caffe, path: Path) -> None:
    """With a field each for kernel and bias."""
    layers = matconvnet_layers(weights, lambda k, b: {"filters": k, "biases": b[np.newaxis]})
    _write_with_average_image(layers, path)


def _write_with_average_image(layers: npt.NDArray[Any], path: Path) -> None:
    image = np.broadcast_to(CAFFE_MEAN[::-1].astype(np.float64), (224, 224, 3))
    normalization = struct(imageSize=np.array([[224.0, 224.0, 3.0]]), averageImage=image)
    scipy.io.savemat(path, {"normalization": normalization, "layers": layers})
