"""Which weights paint: what a person asks for, what the machine has, and what the log says."""

import hashlib
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from model import formats
from model.errors import FeaturesFormatError, FeaturesUnavailableError
from model.imagenet import Remote
from model.vgg import CONVOLUTIONS, Features
from model.weights import choose, load
from tests.model.web import serving

pytestmark = pytest.mark.usefixtures("no_proxy")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``vgg.h5``, all ones, and ``bundled.npz``, all zeros, with its hash."""
    folder = tmp_path_factory.mktemp("served")
    kernels = {
        layer.name: np.zeros((3, 3, layer.inputs, layer.outputs), np.float32)
        for layer in CONVOLUTIONS.values()
    }
    biases = {layer.name: np.zeros(layer.outputs, np.float32) for layer in CONVOLUTIONS.values()}
    zeros = Features("", "", np.zeros(3, np.float32), kernels, biases)
    formats.save(zeros, folder / "bundled.npz", dtype=np.float16)
    sha256 = hashlib.sha256((folder / "bundled.npz").read_bytes()).hexdigest()
    (folder / "bundled.sha256").write_text(f"{sha256}  bundled.npz\n")
    with h5py.File(folder / "vgg.h5", "w") as file:
        for layer in CONVOLUTIONS:
            file[f"{layer}/{layer}_W_1:0"] = kernels[layer] + 1
            file[f"{layer}/{layer}_b_1:0"] = biases[layer] + 1
    return folder


@pytest.fixture
def bundled(served: Path) -> Path:
    return served / "bundled.npz"


@pytest.fixture(scope="module")
def online(served: Path) -> Iterator[Remote]:
    """The ImageNet file on a server."""
    data = (served / "vgg.h5").read_bytes()
    with serving(served) as web:
        yield Remote(f"{web.url}/vgg.h5", len(data), hashlib.md5(data).hexdigest())


@pytest.fixture
def offline(online: Remote) -> Remote:
    """The same file on a server that is down."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/vgg.h5"
    return Remote(url, online.size, online.md5)


def log_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "model.weights"]


def test_auto_downloads_the_imagenet_weights(
    online: Remote, bundled: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    seen: list[int] = []
    features = load(
        "auto",
        tmp_path,
        remote=online,
        bundled=bundled,
        on_progress=lambda here, _total: seen.append(here),
    )
    data = (tmp_path / "vgg.h5").read_bytes()
    assert (features.name, features.sha256) == ("imagenet", hashlib.sha256(data).hexdigest())
    assert features.kernels["block5_conv1"].max() == 1
    assert seen[-1] == len(data)
    (line,) = log_of(caplog)
    assert line.startswith(f"features: imagenet (SHA-256 {features.sha256[:12]})")


def test_auto_prefers_the_cached_imagenet_weights_without_a_network(
    offline: Remote, bundled: Path, served: Path, tmp_path: Path
) -> None:
    (tmp_path / "vgg.h5").write_bytes((served / "vgg.h5").read_bytes())
    assert load("auto", tmp_path, remote=offline, bundled=bundled).name == "imagenet"


def test_auto_takes_the_bundled_weights_without_a_network_and_says_why(
    offline: Remote, bundled: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    begun = time.monotonic()
    features = load("auto", tmp_path, remote=offline, bundled=bundled)
    assert time.monotonic() - begun < 3
    assert features.name == "bundled"
    (line,) = log_of(caplog)
    assert line.startswith("features: bundled (SHA-256 ")
    assert "because 127.0.0.1 gave no file: " in line
    assert "refused" in line


def test_auto_takes_the_bundled_weights_where_the_cached_ones_are_damaged(
    offline: Remote, bundled: Path, tmp_path: Path
) -> None:
    (tmp_path / "vgg.h5").write_bytes(b"damaged")
    assert load("auto", tmp_path, remote=offline, bundled=bundled).name == "bundled"


def test_auto_takes_the_bundled_weights_where_the_cache_cannot_be_written(
    online: Remote, bundled: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert load("auto", tmp_path / "file", remote=online, bundled=bundled).name == "bundled"


def test_imagenet_insists(offline: Remote, bundled: Path, tmp_path: Path) -> None:
    with pytest.raises(FeaturesUnavailableError, match="gave no file"):
        load("imagenet", tmp_path, remote=offline, bundled=bundled)


def test_imagenet_asks_although_auto_just_failed(
    online: Remote, offline: Remote, bundled: Path, tmp_path: Path
) -> None:
    assert load("auto", tmp_path, remote=offline, bundled=bundled).name == "bundled"
    assert load("auto", tmp_path, remote=online, bundled=bundled).name == "bundled"
    assert load("imagenet", tmp_path, remote=online, bundled=bundled).name == "imagenet"
    assert load("auto", tmp_path, remote=online, bundled=bundled).name == "imagenet"


def test_bundled_asks_no_network_and_touches_no_cache(
    online: Remote, bundled: Path, tmp_path: Path
) -> None:
    features = load("bundled", tmp_path / "cache", remote=online, bundled=bundled)
    assert features.name == "bundled"
    assert features.sha256 == hashlib.sha256(bundled.read_bytes()).hexdigest()
    assert not (tmp_path / "cache").exists()


def test_the_weights_that_come_with_atelier_are_those_whose_hash_does(tmp_path: Path) -> None:
    assert load("bundled", tmp_path).name == "bundled"


def test_a_path_is_named_after_its_file(bundled: Path, tmp_path: Path) -> None:
    (tmp_path / "monet.npz").write_bytes(bundled.read_bytes())
    assert load(str(tmp_path / "monet.npz"), tmp_path).name == "monet"


def test_bundled_weights_with_another_hash_are_refused(bundled: Path, tmp_path: Path) -> None:
    copy = tmp_path / "bundled.npz"
    copy.write_bytes(bundled.read_bytes())
    copy.with_suffix(".sha256").write_text(f"{'0' * 64}  bundled.npz\n")
    with pytest.raises(FeaturesFormatError, match=r"bundled\.npz should have SHA-256 0"):
        load("bundled", tmp_path, bundled=copy)


@pytest.mark.parametrize("text", [None, "", "a b c"])
def test_bundled_weights_without_a_hash_are_refused(
    bundled: Path, tmp_path: Path, text: str | None
) -> None:
    copy = tmp_path / "bundled.npz"
    copy.write_bytes(bundled.read_bytes())
    if text is not None:
        copy.with_suffix(".sha256").write_text(text)
    with pytest.raises(FeaturesFormatError, match="comes without its SHA-256"):
        load("bundled", tmp_path, bundled=copy)


def test_an_installation_without_weights_says_so(offline: Remote, tmp_path: Path) -> None:
    with pytest.raises(FeaturesUnavailableError, match="without its bundled features"):
        load("auto", tmp_path, remote=offline, bundled=tmp_path / "bundled.npz")


def test_without_a_network_the_choice_is_what_is_cached_or_else_bundled(
    online: Remote, bundled: Path, served: Path, tmp_path: Path
) -> None:
    choice = choose("auto", tmp_path, remote=online, bundled=bundled)
    assert (choice.path, choice.read().name) == (bundled, "bundled")
    assert "can be downloaded" in choice.reason
    with pytest.raises(FeaturesUnavailableError, match=r"`atelier features fetch`.*: imagenet$"):
        choose("imagenet", tmp_path, remote=online, bundled=bundled)
    (tmp_path / "vgg.h5").write_bytes((served / "vgg.h5").read_bytes())
    for source in ("auto", "imagenet"):
        choice = choose(source, tmp_path, remote=online, bundled=bundled)
        assert (choice.path, choice.read().name) == (tmp_path / "vgg.h5", "imagenet")
        assert choice.reason == "it is in the cache"


def test_a_damaged_cache_is_no_choice(online: Remote, bundled: Path, tmp_path: Path) -> None:
    (tmp_path / "vgg.h5").write_bytes(b"damaged")
    assert choose("auto", tmp_path, remote=online, bundled=bundled).path == bundled
