"""A job that failed is queued once more, as it was handed in and as if for the first time."""

from collections.abc import Mapping
from itertools import islice
from typing import cast

import httpx
import pytest
from redis import Redis

from app.client import Atelier, Refused
from tests.app.api import LONG, SHORT, Files, Json, ended, look, masked, painting, problem, submit
from tests.app.streams import Event, listening
from tests.house import House
from tests.pictures import halves

IDEMPOTENCY = {"Idempotency-Key": "once"}


class Failed:
    """A job that failed because its pictures were gone, and its pictures.

    Attributes:
        job: as it ended.
        answer: the first answer to its idempotency key.
        last_event: of its stream.
    """

    def __init__(self, studio: httpx.Client, redis: Redis, files: Files) -> None:
        self._redis = redis
        in_front = painting(studio, submit(studio, files, **LONG))
        self.answer = handed_in(studio, files)
        users = [key for key in redis.scan_iter("atelier:users:*") if self._uses(key)]
        self._uploads = {key.replace(b"users", b"upload"): b"" for key in users}
        with listening(studio, self.answer, within=60) as stream:
            list(islice(stream, 2))
            self._uploads = {key: cast("bytes", redis.getdel(key)) for key in self._uploads}
            studio.post(in_front["urls"]["cancel"])
            self.last_event = list(stream)[-1]
        self.job = look(studio, self.answer)
        assert self.job["status"] == "failed"
        assert "expired" in self.job["error"]["detail"]

    def give_back(self) -> None:
        """Puts the pictures where they were."""
        self._redis.mset(cast("Mapping[bytes, bytes]", self._uploads))

    def _uses(self, key: bytes) -> bool:
        return bool(self._redis.sismember(key.decode(), self.answer["id"]))


def handed_in(studio: httpx.Client, files: Files) -> Json:
    fields = SHORT | {"seed": "77"}
    answer = studio.post("/v1/jobs", files=files, data=fields, headers=IDEMPOTENCY)
    return dict(answer.raise_for_status().json())


@pytest.fixture
def failed(studio: httpx.Client, house_redis: Redis, files: Files) -> Failed:
    for job in studio.get("/v1/jobs", params={"limit": 100}).json()["jobs"]:
        studio.delete(job["urls"]["self"])  # none answers for it
    return Failed(studio, house_redis, files)


def test_a_failed_job_whose_pictures_are_there_is_painted(
    studio: httpx.Client, failed: Failed, house_redis: Redis, files: Files
) -> None:
    failed.give_back()
    in_front = painting(studio, submit(studio, files, **LONG))
    submit(studio, files, **SHORT)
    response = studio.post(failed.job["urls"]["retry"])
    assert response.status_code == 200
    job = response.json()
    assert (job["status"], job["queue_position"], job["attempt"]) == ("queued", 2, 0)
    for fact in ("started_at", "finished_at", "expires_at", "error", "features", "result"):
        assert job[fact] is None
    assert job["progress"]["step"] == 0
    for fact in ("id", "created_at", "params"):
        assert job[fact] == failed.job[fact]
    assert house_redis.ttl(f"rq:job:{job['id']}") == -1, "it may wait as long as any other"
    assert studio.get("/v1/jobs", params={"status": "failed"}).json()["jobs"] == []

    studio.post(in_front["urls"]["cancel"])
    job = ended(studio, job)
    assert (job["status"], job["attempt"], job["error"]) == ("succeeded", 1, None)
    assert studio.get(job["urls"]["result"]).content.startswith(b"\x89PNG")
    assert house_redis.ttl(f"rq:job:{job['id']}") > 0


def test_its_stream_goes_on_from_where_it_had_ended(
    studio: httpx.Client, failed: Failed, files: Files
) -> None:
    failed.give_back()
    at_end = {"Last-Event-ID": failed.last_event.id or ""}
    assert studio.get(failed.job["urls"]["events"], headers=at_end).status_code == 204
    in_front = painting(studio, submit(studio, files, **LONG))
    studio.post(failed.job["urls"]["retry"])
    with listening(studio, failed.job, after=failed.last_event.id, within=60) as stream:
        told = list(islice(stream, 2))
        studio.post(in_front["urls"]["cancel"])
        told += stream
    assert [event.kind for event in told[:2]] == ["status", "progress"]
    assert told[0].data["status"] == "queued"
    assert told[1].data["step"] == 0
    assert statuses(told)[-2:] == ["running", "succeeded"]
    assert told[-1].data == look(studio, failed.job)


def statuses(told: list[Event]) -> list[str]:
    return [event.data["status"] for event in told if event.kind == "status"]


def test_it_answers_what_it_would_have_answered_without_the_failure(
    studio: httpx.Client, failed: Failed, files: Files
) -> None:
    failed.give_back()
    studio.post(failed.job["urls"]["retry"])
    assert ended(studio, failed.job)["status"] == "succeeded"
    assert handed_in(studio, files) == failed.answer, "to its idempotency key, as the first time"
    again = studio.post("/v1/jobs", files=files, data=SHORT | {"seed": "77"})
    assert (again.status_code, again.json()["id"]) == (200, failed.job["id"])
    assert again.json()["reused"]


def test_a_job_fails_again_if_what_is_wrong_has_stayed(
    studio: httpx.Client, content: bytes, style: bytes
) -> None:
    left, right = halves(48, 36, "#ff0000", "#0000ff"), halves(40, 40, "#00ff00", "#ffff00")
    job = ended(studio, submit(studio, masked(content, style, left, right), **SHORT))
    first = job["error"]
    for _ in range(2):
        assert studio.post(job["urls"]["retry"]).json()["error"] is None
        job = ended(studio, job)
        assert (job["status"], job["attempt"], job["error"]) == ("failed", 1, first)
    assert studio.delete(job["urls"]["self"]).status_code == 204


def test_of_a_canceled_job_no_pictures_are_kept(studio: httpx.Client, files: Files) -> None:
    job = painting(studio, submit(studio, files, **LONG))
    studio.post(job["urls"]["cancel"])
    ended(studio, job)
    found = problem(studio.post(job["urls"]["retry"]), 410)
    assert "canceled" in found["detail"]


def test_what_has_not_failed_is_refused_and_stays_as_it_is(
    studio: httpx.Client, files: Files
) -> None:
    running = painting(studio, submit(studio, files, **LONG))
    waiting = submit(studio, files, **LONG)
    for job, status in (running, "running"), (waiting, "queued"):
        found = problem(studio.post(job["urls"]["retry"]), 409)
        assert found["type"].endswith(":not-failed")
        assert found["detail"].endswith(f"{status}.")
        assert look(studio, job)["status"] == status
    for job in waiting, running:
        studio.post(job["urls"]["cancel"])
    succeeded = ended(studio, submit(studio, files, **SHORT))
    problem(studio.post(succeeded["urls"]["retry"]), 409)
    assert look(studio, succeeded) == succeeded


def test_the_client_library_tries_again(house: House, failed: Failed) -> None:
    with Atelier(house.url) as atelier:
        with pytest.raises(Refused) as refused:
            atelier.retry(failed.job["id"])
        assert refused.value.status == 410
        assert refused.value.type.endswith(":pictures-gone")
        assert atelier.get(failed.job["id"]).status == "failed"
        failed.give_back()
        assert atelier.retry(failed.job["id"]).status in {"queued", "running"}
        assert atelier.wait(failed.job["id"], within_seconds=60).status == "succeeded"
