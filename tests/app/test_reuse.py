"""The same work twice: a finished job answers for an identical request, in the whole house."""

from collections.abc import Iterator
from functools import partial

import httpx
import pytest
from redis import Redis

from app.client import Atelier
from model.params import StyleTransferParams
from tests.app.api import (
    LONG,
    SHORT,
    Files,
    Json,
    contents,
    ended,
    look,
    masked,
    painting,
    pictures,
    submit,
    traces,
)
from tests.house import House, eventually
from tests.pictures import halves, photograph, style_picture
from worker import presence
from worker.records import FeaturesUsed
from worker.settings import Settings

ASKED = SHORT | {"steps": "1", "seed": "1234"}


@pytest.fixture
def painted_job(studio: httpx.Client, files: Files) -> Iterator[Json]:
    """A job that has succeeded, and is gone afterwards."""
    job = ended(studio, submit(studio, files, **ASKED))
    assert job["status"] == "succeeded"
    yield job
    studio.delete(job["urls"]["self"])


def send(client: httpx.Client, files: Files, **fields: str) -> httpx.Response:
    return client.post("/v1/jobs", data=ASKED | fields, files=files)


def is_new(client: httpx.Client, response: httpx.Response) -> bool:
    """Whether a request made a job, which is not needed any more."""
    job = response.json()
    if response.status_code == 200:
        assert job["reused"] is True
        return False
    assert (response.status_code, job["reused"]) == (202, False)
    client.delete(job["urls"]["self"])
    return True


def _gave_up_uploads(redis: Redis, job_id: str) -> bool:
    users = redis.scan_iter("atelier:users:*")
    return not any(redis.sismember(key, job_id) for key in users)


def test_an_identical_request_is_answered_with_the_finished_job(
    studio: httpx.Client, house_redis: Redis, files: Files, painted_job: Json
) -> None:
    # The worker tidies up once it has said that the job has succeeded.
    given_up = partial(_gave_up_uploads, house_redis, painted_job["id"])
    eventually(given_up, within=20, what="the job's uploads are given up")
    before = contents_without_workers(house_redis)
    response = send(studio, files)
    assert response.status_code == 200
    assert response.json() == painted_job | {"reused": True}
    assert response.headers["Location"] == painted_job["urls"]["self"]
    assert look(studio, painted_job)["reused"] is False
    assert studio.get(response.json()["urls"]["result"]).status_code == 200
    assert contents_without_workers(house_redis) == before


def contents_without_workers(redis: Redis) -> dict[bytes, object]:
    """All but what workers say of themselves every few seconds."""
    told = (b"atelier:worker", b"atelier:upkeep", b"rq:worker", b"rq:clean")
    return {key: value for key, value in contents(redis).items() if not key.startswith(told)}


def test_who_does_not_want_it_has_a_new_painting(
    studio: httpx.Client, files: Files, painted_job: Json
) -> None:
    del painted_job
    assert is_new(studio, send(studio, files, reuse="false"))


@pytest.mark.parametrize(
    "other",
    [{"seed": "1235"}, {"steps": "2"}, {"format": "webp"}, {"style_weight": "2"}],
    ids=lambda other: str(next(iter(other))),
)
def test_another_parameter_makes_another_painting(
    studio: httpx.Client, files: Files, painted_job: Json, other: dict[str, str]
) -> None:
    del painted_job
    assert is_new(studio, send(studio, files, **other))


def test_another_picture_makes_another_painting(
    studio: httpx.Client, content: bytes, style: bytes, painted_job: Json
) -> None:
    del painted_job
    mask, its = halves(48, 36, "#ff0000", "#0000ff"), halves(40, 40, "#ff0000", "#0000ff")
    others = [
        pictures(photograph(97, 72), style),
        pictures(content, style_picture(81, 80)),
        pictures(content, style, style),
        masked(content, style, mask, its),
    ]
    assert all(is_new(studio, send(studio, files)) for files in others)


def test_the_way_to_say_the_same_does_not_matter(
    studio: httpx.Client, files: Files, painted_job: Json
) -> None:
    del painted_job
    assert not is_new(studio, send(studio, files, style_weight="1.0", priority="high"))


def test_a_job_that_is_not_finished_does_not_answer(studio: httpx.Client, files: Files) -> None:
    asked = LONG | {"seed": "99"}
    job = painting(studio, submit(studio, files, **asked))
    assert is_new(studio, studio.post("/v1/jobs", data=asked, files=files))
    studio.post(job["urls"]["cancel"])
    ended(studio, job)
    assert is_new(studio, studio.post("/v1/jobs", data=asked, files=files))


def test_a_deleted_job_does_not_answer(
    studio: httpx.Client, house_redis: Redis, files: Files
) -> None:
    job = ended(studio, submit(studio, files, **ASKED))
    studio.delete(job["urls"]["self"])
    assert not traces(house_redis, [job["id"]])
    assert is_new(studio, send(studio, files))


def test_of_two_finished_jobs_the_one_that_is_left_answers(
    studio: httpx.Client, files: Files, painted_job: Json
) -> None:
    later = ended(studio, submit(studio, files, **ASKED))
    studio.delete(painted_job["urls"]["self"])
    assert send(studio, files).json()["id"] == later["id"]
    studio.delete(later["urls"]["self"])


def test_a_result_that_is_gone_or_soon_will_be_does_not_answer(
    studio: httpx.Client, house_redis: Redis, files: Files, painted_job: Json, settings: Settings
) -> None:
    result, ttl = f"atelier:result:{painted_job['id']}", settings.result_ttl_seconds
    house_redis.expire(result, ttl // 4 - 1)
    assert is_new(studio, send(studio, files))
    house_redis.expire(result, ttl // 4 + 60)
    assert not is_new(studio, send(studio, files))
    house_redis.delete(result)
    assert is_new(studio, send(studio, files))


@pytest.mark.parametrize("theirs", ["0" * 64, None], ids=["others too", "the same"])
def test_workers_with_other_features_would_paint_another_picture(
    studio: httpx.Client, house_redis: Redis, files: Files, painted_job: Json, theirs: str | None
) -> None:
    sha256 = theirs or painted_job["features"]["sha256"]
    (worker,) = presence.workers(house_redis)
    another = worker.model_copy(
        update={"name": "another", "features": FeaturesUsed(name="x", sha256=sha256)}
    )
    presence.announce(house_redis, another)
    try:
        assert is_new(studio, send(studio, files)) is (theirs is not None)
    finally:
        presence.withdraw(house_redis, "another")


def test_the_command_line_is_given_the_finished_painting(
    house: House, content: bytes, style: bytes, painted_job: Json
) -> None:
    params = StyleTransferParams(size=64, quality="draft", steps=1, seed=1234)
    with Atelier(house.url) as atelier:
        job = atelier.submit(content, [style], params)
        assert (job.id, job.reused) == (painted_job["id"], True)
