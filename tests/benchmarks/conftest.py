"""What the tests of the benchmarks share."""

from collections.abc import Iterator

import pytest

from benchmarks import judge
from model import weights
from model.vgg import Features


@pytest.fixture(scope="module", autouse=True)
def few_patches() -> Iterator[None]:
    """A judge content with fewer patches: the numbers are rougher, and there at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "PATCHES", 2048)
        patch.setattr(judge, "DIRECTIONS", 128)
        yield


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Features:
    """The features that come with Atelier."""
    return weights.load("bundled", tmp_path_factory.mktemp("cache"))
