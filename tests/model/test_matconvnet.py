"""MatConvNet's files that are not quite the lecture's."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.io

from model import formats
from model.errors import FeaturesFormatError
from tests.model import weights_files
from tests.model.weights_files import cell, struct

NO_MEAN = struct(normalization=struct(averageImage=np.zeros((0, 0))))


def first_layer(kernel: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return struct(name="conv1_1", type="conv", weights=cell(kernel, np.zeros((1, 64), np.float32)))


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "no network": ({"x": np.eye(3)}, "has no block1_conv1/kernel"),
    "a network of another kind": (
        {"layers": cell(), "params": cell()},
        "has no block1_conv1/kerne",
    ),
    "layers that are numbers": ({"layers": np.eye(3)}, "is damaged or no .mat"),
    "another first layer": (
        {"layers": cell(first_layer(np.zeros((11, 11, 3, 64), np.float32)), struct(name="relu"))},
        r"should have block1_conv1/kernel as floats of shape \(3, 3, 3, 64\)",
    ),
    "weights without a bias": (
        {"layers": cell(struct(name="conv1_1", weights=cell(np.zeros((3, 3)))), struct(name="x"))},
        "is damaged or no .mat",
    ),
}


@pytest.mark.parametrize(("variables", "says"), OTHERS.values(), ids=OTHERS)
def test_another_mat_file_is_refused(tmp_path: Path, variables: dict[str, Any], says: str) -> None:
    scipy.io.savemat(tmp_path / "x.mat", variables)
    with pytest.raises(FeaturesFormatError, match=rf"^x\.mat {says}.*Received: ."):
        formats.read(tmp_path / "x.mat")


@pytest.mark.parametrize("meta", [{}, {"meta": NO_MEAN}], ids=["nowhere", "empty"])
def test_a_network_without_its_mean_is_refused(tmp_path: Path, meta: dict[str, Any]) -> None:
    layers = weights_files.matconvnet_layers(
        weights_files.random_weights(), lambda k, b: {"weights": cell(k, b)}
    )
    scipy.io.savemat(tmp_path / "x.mat", {"layers": layers, **meta})
    with pytest.raises(FeaturesFormatError, match=r"^x\.mat has no mean\. Received: "):
        formats.read(tmp_path / "x.mat")


def test_a_download_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.mat"
    weights_files.write_matconvnet(weights_files.random_weights(), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FeaturesFormatError, match=r"^x\.mat is damaged or no \.mat"):
        formats.read(path)
