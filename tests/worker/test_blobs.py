"""Pictures in Redis, in a folder, and in an S3-compatible store; each a real one."""

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import cast

import obstore
import pytest
from redis import Redis

from tests.app.api import painted, pictures, problem, serving
from tests.house import House
from tests.s3 import URL, serving_s3
from worker import vaults
from worker.blobs import Blobs
from worker.settings import SettingsError
from worker.vaults import InRedis, InStore, StoreAway, open_vault

JOB, OTHER = "1" * 32, "2" * 32
DIGEST = "a" * 64


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The URL of a store that speaks S3; the environment leads to it."""
    with serving_s3() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield URL


@pytest.fixture(params=["file", "s3"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> InStore:
    """A vault outside of Redis, empty."""
    if request.param == "file":
        return InStore(f"file://{tmp_path}/pictures")
    made = InStore(request.getfixturevalue("s3"))
    made.drop(names(made))
    return made


@pytest.fixture(params=["redis", "elsewhere"])
def blobs(request: pytest.FixtureRequest, redis: Redis, tmp_path: Path) -> Blobs:
    """Pictures, wherever they lie."""
    url = "redis:" if request.param == "redis" else f"file://{tmp_path}/pictures"
    return Blobs(redis, open_vault(url))


def names(vault: InStore) -> list[bytes]:
    """The objects in a store."""
    listed = obstore.list(vault._store)
    return [meta["path"].encode() for page in listed for meta in page]


def keys(redis: Redis) -> list[bytes]:
    return cast("list[bytes]", redis.keys("*"))


# Wherever they lie.


def test_what_was_put_last_is_there_until_it_is_dropped(blobs: Blobs, redis: Redis) -> None:
    assert blobs.get(JOB, "preview") is None
    blobs.put(JOB, "preview", b"first", 100)
    blobs.put(JOB, "preview", b"second", 100)
    blobs.put(JOB, "result", b"picture", 100)
    assert blobs.get(JOB, "preview") == b"second"
    assert 0 < blobs.seconds_left(JOB, "preview") <= 100
    blobs.drop(JOB, "preview", "result")
    assert blobs.get(JOB, "preview") is None
    assert keys(redis) == []


def test_an_upload_is_there_until_the_last_job_that_uses_it_lets_it_go(
    blobs: Blobs, redis: Redis
) -> None:
    for job in (JOB, OTHER):
        blobs.add_upload(DIGEST, b"picture", job, 100)
    blobs.release_uploads(JOB, [DIGEST])
    assert blobs.upload(DIGEST) == b"picture"
    blobs.release_uploads(OTHER, [DIGEST])
    assert blobs.upload(DIGEST) is None
    assert keys(redis) == []


# In a store.


def test_a_store_holds_the_bytes_and_redis_little_more_than_their_names(
    vault: InStore, redis: Redis
) -> None:
    blobs, picture = Blobs(redis, vault), bytes(100_000)
    blobs.add_upload(DIGEST, picture, JOB, 100)
    blobs.put(JOB, "result", picture, 100)
    assert (blobs.upload(DIGEST), blobs.get(JOB, "result")) == (picture, picture)
    kept = [redis.get(f"atelier:upload:{DIGEST}"), redis.get(f"atelier:result:{JOB}")]
    assert sorted(names(vault)) == sorted(cast("list[bytes]", kept))
    assert all(name is not None and len(name) < 200 for name in kept)


def test_nothing_that_was_replaced_released_or_dropped_stays_in_a_store(
    vault: InStore, redis: Redis
) -> None:
    blobs = Blobs(redis, vault)
    blobs.add_upload(DIGEST, b"picture", JOB, 100)
    for data in (b"first", b"second"):
        blobs.put(JOB, "checkpoint", data, 100)
    assert len(names(vault)) == 2
    blobs.drop(JOB, "checkpoint", "preview")
    blobs.release_uploads(JOB, [DIGEST])
    assert names(vault) == []


def test_what_nobody_names_any_more_is_swept_up_and_nothing_else(
    vault: InStore, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = Blobs(redis, vault)
    blobs.put(JOB, "result", b"kept", 100)
    blobs.put(OTHER, "result", b"expired", 100)
    redis.delete(f"atelier:result:{OTHER}")  # as when its time is over
    vault.keep(f"atelier:result:{JOB}", b"its worker was killed before it was named")
    vault.keep("somebody:elses", b"not ours")
    vault.keep("atelier:notes:by hand", b"not ours")
    blobs.sweep()
    assert len(names(vault)) == 5, "too young: their names may just be on their way"
    monkeypatch.setattr(vaults, "_ORPHANED", timedelta(seconds=-2))
    blobs.sweep()
    left = [name for name in names(vault) if vault.fetch(name) != b"not ours"]
    assert (left, len(names(vault))) == ([redis.get(f"atelier:result:{JOB}")], 3)
    assert blobs.get(JOB, "result") == b"kept"


def test_of_many_workers_one_sweeps(
    vault: InStore, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vaults, "_ORPHANED", timedelta(seconds=-2))
    blobs = Blobs(redis, vault)
    for left in (0, 1):
        vault.keep(f"atelier:result:{JOB}", b"orphan")
        blobs.sweep_if_due(lambda: False)
        assert len(names(vault)) == left


def test_a_house_that_stops_sweeps_no_further(
    vault: InStore, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vaults, "_ORPHANED", timedelta(seconds=-2))
    vault.keep(f"atelier:result:{JOB}", b"orphan")
    Blobs(redis, vault).sweep_if_due(lambda: True)
    assert len(names(vault)) == 1


def test_a_reader_gets_what_has_just_taken_the_place_of_what_it_asked_for(
    vault: InStore, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs, fetch = Blobs(redis, vault), vault.fetch
    blobs.put(JOB, "preview", b"first", 100)

    def meanwhile(kept: bytes) -> bytes | None:
        monkeypatch.setattr(vault, "fetch", fetch)
        blobs.put(JOB, "preview", b"second", 100)
        return fetch(kept)

    monkeypatch.setattr(vault, "fetch", meanwhile)
    assert blobs.get(JOB, "preview") == b"second"


def test_a_picture_that_the_store_has_lost_is_not_there(vault: InStore, redis: Redis) -> None:
    blobs = Blobs(redis, vault)
    blobs.put(JOB, "result", b"picture", 100)
    vault.drop(names(vault))
    assert blobs.get(JOB, "result") is None


def test_a_store_that_does_not_answer_is_away(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anna")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    blobs = Blobs(redis, InStore("s3://pictures"))
    asked: list[Callable[[], object]] = [
        lambda: blobs.put(JOB, "result", b"picture", 100),
        lambda: blobs.add_upload(DIGEST, b"picture", JOB, 100),
    ]
    for ask in asked:
        with pytest.raises(StoreAway, match="does not answer"):
            ask()
    assert redis.get(f"atelier:result:{JOB}") is None
    blobs.release_uploads(JOB, [DIGEST])
    assert keys(redis) == [], "nothing is half there"


def test_the_api_says_that_it_cannot_take_pictures_at_present_and_keeps_nothing(
    redis_url: str, redis: Redis, tmp_path: Path, content: bytes, style: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    store = {
        "ATELIER_BLOBS_URL": "s3://pictures",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "anna",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    with serving(redis_url, tmp_path, **store) as api:
        answer = api.post("/v1/jobs", files=pictures(content, style))
        problem(answer, HTTPStatus.SERVICE_UNAVAILABLE)
        assert int(answer.headers["Retry-After"]) > 0
        assert api.get("/v1/jobs").json()["jobs"] == []
    assert [key for key in keys(redis) if b"upload" in key or b"users" in key] == []


@pytest.mark.parametrize("url", ["", "redis", "ftp://host/x", "s3://", "pictures"])
def test_what_is_no_store_is_refused_by_the_name_of_its_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="ATELIER_BLOBS_URL"):
        open_vault(url)


@pytest.mark.parametrize("url", ["redis:", "file:"])
def test_a_store_without_links_is_refused_where_there_are_to_be_some(
    url: str, tmp_path: Path
) -> None:
    place = f"file://{tmp_path}" if url == "file:" else url
    open_vault(place)
    with pytest.raises(SettingsError, match=r"^ATELIER_RESULT_LINK_SECONDS: .* Received.*"):
        open_vault(place, with_links=True)


def test_without_a_store_redis_has_it_all() -> None:
    assert isinstance(open_vault("redis:"), InRedis)


# The whole house.


def test_a_house_with_a_store_paints_from_it_and_into_it_and_leaves_nothing_there(
    tmp_path: Path, content: bytes, style: bytes
) -> None:
    folder = tmp_path / "pictures"

    def files() -> list[Path]:
        return [path for path in folder.rglob("*") if path.is_file()]

    house = House(tmp_path, ATELIER_BLOBS_URL=f"file://{folder}")
    with house, house.client() as client:
        painting = painted(client, pictures(content, style))
        assert painting in [path.read_bytes() for path in files()]
        (job,) = client.get("/v1/jobs").json()["jobs"]
        client.delete(job["urls"]["self"]).raise_for_status()
        assert files() == []
