"""The same weights in every publisher's format: the same picture gives the same activations."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import scipy.io
import tensorflow as tf

from model import formats
from model.vgg import Features, Network
from tests.model import weights_files
from tests.model.weights_files import CAFFE_MEAN, Caffe

LAYERS = ["block1_conv1", "block3_conv4", "block5_conv1"]

Activations = dict[str, npt.NDArray[np.float32]]


@pytest.fixture(scope="module")
def weights() -> Caffe:
    return weights_files.random_weights()


@pytest.fixture(scope="module")
def picture() -> npt.NDArray[np.float32]:
    """Nothing in it is the same upright and on its side."""
    return np.random.default_rng(1).random((1, 32, 48, 3), np.float32)


def seen(features: Features, picture: npt.NDArray[np.float32]) -> Activations:
    found = Network(features).activations(tf.constant(picture), LAYERS)
    return {layer: found[layer].numpy() for layer in LAYERS}


@pytest.fixture(scope="module")
def from_keras(
    weights: Caffe, picture: npt.NDArray[np.float32], tmp_path_factory: pytest.TempPathFactory
) -> Activations:
    path = tmp_path_factory.mktemp("keras") / "vgg19.h5"
    weights_files.write_keras(weights, path)
    return seen(formats.read(path), picture)


Form = tuple[str, Callable[[Caffe, Path], None]]

FORMS: dict[str, Form] = {
    "the lecture's": ("vgg19.mat", weights_files.write_matconvnet),
    "MatConvNet beta 16": ("vgg19.mat", weights_files.write_matconvnet_beta_16),
    "MatConvNet beta 7": ("vgg19.mat", weights_files.write_matconvnet_beta_7),
    "torchvision": ("vgg19.safetensors", weights_files.write_torchvision),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_same_weights_in_another_format_see_the_same_in_a_picture(
    weights: Caffe,
    picture: npt.NDArray[np.float32],
    from_keras: Activations,
    tmp_path: Path,
    form: Form,
) -> None:
    name, write = form
    write(weights, tmp_path / name)
    found = seen(formats.read(tmp_path / name), picture)
    for layer, expected in from_keras.items():
        assert (expected > 0).mean() > 0.1
        np.testing.assert_allclose(found[layer], expected, rtol=0, atol=1e-5 * expected.max())


@pytest.mark.parametrize("form", [FORMS["the lecture's"], FORMS["torchvision"]])
def test_kernels_on_their_side_would_see_something_else(
    weights: Caffe,
    picture: npt.NDArray[np.float32],
    from_keras: Activations,
    tmp_path: Path,
    form: Form,
) -> None:
    name, write = form
    turned = {layer: kernel.transpose(0, 1, 3, 2) for layer, kernel in weights.kernels.items()}
    write(replace(weights, kernels=turned), tmp_path / name)
    found = seen(formats.read(tmp_path / name), picture)
    for layer, expected in from_keras.items():
        assert np.abs(found[layer] - expected).max() > 0.1 * expected.max()


def vl_nnconv(
    x: npt.NDArray[np.float32], f: npt.NDArray[np.float32], b: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """MatConvNet's ``nnconv_forward_blas`` on MATLAB's memory, first axis fastest.

    ``im2row`` calls the first axis of picture and kernel "width", whatever it is to the caller.
    """
    high, wide, depth = x.shape
    first, second, _, outputs = f.shape
    rows = (high - first + 1, wide - second + 1)
    stacked = np.empty((rows[0] * rows[1], first * second * depth), np.float32)
    for row in range(stacked.shape[1]):
        v, u = divmod(row, first)
        z, v = divmod(v, second)
        stacked[:, row] = x[u : u + rows[0], v : v + rows[1], z].ravel("F")
    y = stacked @ f.ravel("F").reshape(-1, outputs, order="F") + b
    return y.reshape(*rows, outputs, order="F")


def test_our_first_layer_is_what_matconvnet_computes_from_its_file(
    weights: Caffe, picture: npt.NDArray[np.float32], tmp_path: Path
) -> None:
    path = tmp_path / "vgg19.mat"
    weights_files.write_matconvnet(weights, path)
    kernel, bias = scipy.io.loadmat(path)["layers"][0][0][0][0][2][0]  # as the lecture reads it
    image = 255 * picture[0] - CAFFE_MEAN[::-1]
    theirs = np.maximum(vl_nnconv(image, kernel, bias.ravel()), 0)
    ours = seen(formats.read(path), picture)["block1_conv1"][0, 1:-1, 1:-1]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * theirs.max())
