"""Fixtures that several rooms share: real servers, and pictures drawn on the spot."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.house import House, valkey
from tests.pictures import photograph, style_picture
from worker.connections import connect_impatiently
from worker.settings import Settings

# A shell that starts the tests in the background has SIGINT ignored, and what is ignored is
# inherited: processes started here would be deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Valkey for the whole run, as ``atelier up`` starts it."""
    with valkey(tmp_path_factory.mktemp("valkey")) as url:
        yield url


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """The server, empty."""
    client = connect_impatiently(redis_url)
    client.flushall()
    yield client
    client.flushall()
    client.close()


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> Settings:
    """Settings on that server, whatever the environment says."""
    return Settings(redis_url=redis_url, data_dir=tmp_path, features="bundled", devices="cpu")


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """``atelier up``, for all tests that do it no harm."""
    with House(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture(scope="session")
def content() -> bytes:
    """A JPEG with the structure of a photograph, 96x72."""
    return photograph(96, 72)


@pytest.fixture(scope="session")
def style() -> bytes:
    """A PNG full of strokes in strong colours, 80x80."""
    return style_picture(80, 80)
