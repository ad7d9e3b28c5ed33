"""The API alone, and the whole house with a look behind it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from redis import Redis

from tests.app.api import Files, OwnRedis, pictures, serving
from tests.house import House, eventually
from worker.connections import connect_impatiently


@pytest.fixture
def files(content: bytes, style: bytes) -> Files:
    """One content picture and one style picture."""
    return pictures(content, style)


@pytest.fixture(scope="session")
def running_api(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """One API for all tests that need no worker."""
    with serving(redis_url, tmp_path_factory.mktemp("api")) as client:
        yield client


@pytest.fixture
def api(running_api: httpx.Client, redis: Redis) -> httpx.Client:
    """The API without a worker, on an empty server."""
    del redis  # it was emptied
    return running_api


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    """A server of the test's own."""
    server = OwnRedis(tmp_path)
    yield server
    server.let_go()
    server.stop()


@pytest.fixture
def alone(own_redis: OwnRedis, tmp_path: Path) -> Iterator[httpx.Client]:
    """An API whose Redis a test may stop; it counts requests there, as it does by default."""
    with serving(own_redis.url, tmp_path, ATELIER_MAX_REQUESTS_PER_MINUTE="600") as client:
        yield client


@pytest.fixture
def studio(house: House) -> Iterator[httpx.Client]:
    """A client of the whole house, which is left as it was found: with nothing to do."""
    with house.client() as client:
        yield client
        for status in ("queued", "running"):
            for job in client.get("/v1/jobs", params={"status": status, "limit": 100}).json()[
                "jobs"
            ]:
                client.post(job["urls"]["cancel"])
        eventually(lambda: _idle(client), within=20, what="the house is idle")


@pytest.fixture
def house_redis(house: House) -> Iterator[Redis]:
    """The house's own Valkey."""
    urls = {
        child.environ().get("ATELIER_REDIS_URL") for child in psutil.Process(house.pid).children()
    }
    (url,) = urls - {None}
    assert url is not None
    client = connect_impatiently(url)
    yield client
    client.close()


def _idle(client: httpx.Client) -> bool:
    counts = [
        len(client.get("/v1/jobs", params={"status": status}).json()["jobs"])
        for status in ("queued", "running")
    ]
    return not any(counts)
