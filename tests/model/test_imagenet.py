"""The ImageNet file in the cache, from the network, and what is remembered when neither has it."""

import hashlib
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from keras.src.applications import vgg19

from model import imagenet
from model.errors import FeaturesFormatError, FeaturesUnavailableError
from model.imagenet import RETRY_AFTER_SECONDS, Remote, fetch, fetch_unless_it_just_failed
from tests.model.web import Web, serving

BODY = b"weights"


pytestmark = pytest.mark.usefixtures("no_proxy")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """A server whose folder is ``tmp_path / "served"``, which is empty."""
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as running:
        yield running


@pytest.fixture
def asked(web: Web) -> list[str]:
    """Paths that were asked of the server."""
    return web.asked


@pytest.fixture
def remote(web: Web) -> Remote:
    """A file on the server; it is not there yet."""
    return Remote(f"{web.url}/vgg.h5", len(BODY), hashlib.md5(BODY).hexdigest())


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_it_is_kerass_own_file() -> None:
    source = Path(vgg19.__file__).read_text()
    assert imagenet.KERAS_VGG19.url == vgg19.WEIGHTS_PATH_NO_TOP
    assert f'file_hash="{imagenet.KERAS_VGG19.md5}"' in source


def test_it_is_fetched_once(remote: Remote, cache: Path, tmp_path: Path, asked: list[str]) -> None:
    (tmp_path / "served" / "vgg.h5").write_bytes(BODY)
    assert fetch(cache, remote).read_bytes() == BODY
    assert fetch_unless_it_just_failed(cache, remote) == cache / "vgg.h5"
    assert asked == ["/vgg.h5"]


def test_a_damaged_cache_is_fetched_again(remote: Remote, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "served" / "vgg.h5").write_bytes(BODY)
    cache.mkdir()
    (cache / "vgg.h5").write_bytes(b"WEIGHTS")
    assert fetch_unless_it_just_failed(cache, remote).read_bytes() == BODY


def test_a_failure_is_remembered_for_an_hour(
    remote: Remote, cache: Path, tmp_path: Path, asked: list[str]
) -> None:
    with pytest.raises(FeaturesUnavailableError, match="404"):
        fetch_unless_it_just_failed(cache, remote)
    with pytest.raises(FeaturesUnavailableError, match=r"404 .*remembered; asked again in 60 min"):
        fetch_unless_it_just_failed(cache, remote)
    assert len(asked) == 1
    an_hour_ago = time.time() - RETRY_AFTER_SECONDS
    os.utime(cache / "vgg.h5.failed", (an_hour_ago, an_hour_ago))
    (tmp_path / "served" / "vgg.h5").write_bytes(BODY)
    assert fetch_unless_it_just_failed(cache, remote).read_bytes() == BODY


def test_a_failure_from_the_future_is_not_believed(
    remote: Remote, cache: Path, asked: list[str]
) -> None:
    for _ in range(2):
        with pytest.raises(FeaturesUnavailableError, match=r"404 File not found$"):
            fetch_unless_it_just_failed(cache, remote)
        tomorrow = time.time() + 86400
        os.utime(cache / "vgg.h5.failed", (tomorrow, tomorrow))
    assert len(asked) == 2


def test_a_file_in_the_cache_counts_more_than_a_remembered_failure(
    remote: Remote, cache: Path
) -> None:
    with pytest.raises(FeaturesUnavailableError):
        fetch_unless_it_just_failed(cache, remote)
    (cache / "vgg.h5").write_bytes(BODY)
    assert fetch_unless_it_just_failed(cache, remote) == cache / "vgg.h5"


def test_a_wrong_file_is_remembered_too(
    remote: Remote, cache: Path, tmp_path: Path, asked: list[str]
) -> None:
    (tmp_path / "served" / "vgg.h5").write_bytes(b"WEIGHTS")
    with pytest.raises(FeaturesFormatError, match="md5"):
        fetch_unless_it_just_failed(cache, remote)
    with pytest.raises(FeaturesUnavailableError, match="remembered"):
        fetch_unless_it_just_failed(cache, remote)
    assert len(asked) == 1


def test_who_insists_asks_again(remote: Remote, cache: Path, asked: list[str]) -> None:
    for ask in (fetch_unless_it_just_failed, fetch):
        with pytest.raises(FeaturesUnavailableError, match=r"404 File not found$"):
            ask(cache, remote)
    assert len(asked) == 2


def test_many_starts_without_a_network_wait_for_one_timeout(cache: Path) -> None:
    def start(url: str) -> str:
        with pytest.raises(FeaturesUnavailableError) as caught:
            fetch_unless_it_just_failed(cache, Remote(url, 7, "0" * 32))
        return str(caught.value)

    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(3) as pool:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/vgg.h5"
        messages = list(pool.map(start, [url] * 3))
    assert sum("remembered" in message for message in messages) == 2


def test_a_cache_that_cannot_be_written_is_a_failure_with_a_sentence(
    remote: Remote, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FeaturesUnavailableError, match=r"^the disk refused vgg\.h5: "):
        fetch_unless_it_just_failed(tmp_path / "file", remote)
