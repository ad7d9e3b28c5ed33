"""What the tests of the engine share: features that learned nothing, and tiny pictures."""

import numpy as np
import pytest

from model import images
from model.devices import open_devices
from model.painting import Studio
from model.sitting import Array
from model.vgg import Features
from tests.networks import random_features
from tests.pictures import photograph, style_picture


@pytest.fixture(scope="session")
def features() -> Features:
    """VGG-19 with random weights, the same each time."""
    return random_features()


@pytest.fixture(scope="session")
def studio(features: Features) -> Studio:
    """The studio of a worker, in float32; its graphs are traced once for all tests."""
    open_devices("cpu")
    return Studio(features, precision="float32")


@pytest.fixture(scope="session")
def photo() -> Array:
    """A content picture, 64x48."""
    return images.decode(photograph(64, 48, "PNG")).rgb


@pytest.fixture(scope="session")
def strokes() -> Array:
    """A style picture, 64x64."""
    return images.decode(style_picture(64, 64)).rgb


@pytest.fixture(scope="session")
def stripes() -> Array:
    """Another style picture, 48x64: red and white diagonals."""
    rows, columns = np.mgrid[:64, :48]
    red = ((rows + columns) // 6 % 2)[..., np.newaxis]
    return np.where(red, [0.8, 0.1, 0.15], [0.95, 0.9, 0.85]).astype(np.float32)


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of tests are on this machine, whatever the environment says of the way to others."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
