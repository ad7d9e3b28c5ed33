"""Answers that wait: `?wait=N` and `Prefer: wait=N`, without a thread and without asking Redis."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest
from fastapi import Response
from redis import Redis

from app.events import Fanout
from app.routes.submit import submit_and_wait
from app.views import JobView
from app.waiting import preferred_wait
from model.params import StyleTransferParams
from tests.app.api import LONG, SHORT, Files, Json, look, painting, problem, submit
from tests.house import eventually
from worker.jobs import Jobs
from worker.pictures import Pictures
from worker.settings import Settings
from worker.submission import Submission
from worker.watching import Watching


def waiting(
    client: httpx.Client, job: Json, seconds: int = 60, *, known: str | None = None
) -> httpx.Response:
    """The job when it has changed; ``known`` is the tag of what is known of it."""
    headers = {} if known is None else {"If-None-Match": known}
    return client.get(job["urls"]["self"], params={"wait": seconds}, headers=headers, timeout=90)


def while_waiting(
    client: httpx.Client, job: Json, redis: Redis, do: Callable[[], object]
) -> httpx.Response:
    """The answer to one who waits while something is done; it must come long before its time."""
    with ThreadPoolExecutor(1) as thread:
        before = _reads(redis)
        answer = thread.submit(waiting, client, job)
        # One to see whose it is, one to wait from there.
        eventually(lambda: _reads(redis) >= before + 2, within=10, what="it waits")
        do()
        return answer.result(20)


def _reads(redis: Redis) -> int:
    """Reads of records so far, by anybody."""
    return int(redis.info("commandstats")["cmdstat_hgetall"]["calls"])


def duration(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


# GET with a parameter.


def test_one_who_waits_is_answered_as_soon_as_the_job_moves_up(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    first, job = submit(api, files), submit(api, files)
    answer = while_waiting(api, job, redis, lambda: api.post(first["urls"]["cancel"]))
    assert (job["queue_position"], answer.json()["queue_position"]) == (2, 1)


def test_one_who_waits_is_answered_as_soon_as_the_job_ends(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    job = submit(api, files)
    answer = while_waiting(api, job, redis, lambda: api.post(job["urls"]["cancel"]))
    assert answer.json()["status"] == "canceled"
    assert answer.json() == look(api, job)


def test_one_who_waits_for_a_job_that_is_deleted_is_told_so(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    job = submit(api, files)
    answer = while_waiting(api, job, redis, lambda: api.delete(job["urls"]["self"]))
    if answer.status_code != 200:  # it may have been seen canceled, just before
        problem(answer, 404)


def test_progress_ends_the_wait(studio: httpx.Client, files: Files) -> None:
    job = painting(studio, submit(studio, files, **LONG))
    later = waiting(studio, job).json()
    assert later["status"] == "running"
    assert later["progress"]["step"] > job["progress"]["step"]


def test_a_job_that_does_not_change_is_answered_when_the_time_is_up(
    api: httpx.Client, files: Files
) -> None:
    job = submit(api, files)
    assert 1 <= duration(lambda: waiting(api, job, 1)) < 5
    assert waiting(api, job, 1).json() == job


def test_a_finished_job_is_answered_at_once(api: httpx.Client, files: Files) -> None:
    job = submit(api, files)
    api.post(job["urls"]["cancel"])
    tag = api.get(job["urls"]["self"]).headers["ETag"]
    assert duration(lambda: waiting(api, job)) < 10
    assert duration(lambda: waiting(api, job, known=tag)) < 10


def test_one_who_knows_another_state_is_answered_at_once(api: httpx.Client, files: Files) -> None:
    first, job = submit(api, files), submit(api, files)
    old = api.get(job["urls"]["self"]).headers["ETag"]
    assert waiting(api, job, 1, known=old).status_code == 304
    api.post(first["urls"]["cancel"])
    assert duration(lambda: waiting(api, job, known=old)) < 10
    assert waiting(api, job, known=old).json()["queue_position"] == 1


@pytest.mark.parametrize("wait", ["-1", "61", "x", "1.5", ""])
def test_a_wait_out_of_range_is_refused(api: httpx.Client, files: Files, wait: str) -> None:
    url = submit(api, files)["urls"]["self"]
    problem(api.get(url, params={"wait": wait}), 422, field="wait")


def test_those_who_wait_hold_no_thread_and_do_not_ask_redis_again_and_again(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    job, before = submit(api, files), _reads(redis)
    with ThreadPoolExecutor(60) as threads:
        answers: list[Future[httpx.Response]] = []
        answers += [threads.submit(waiting, api, job) for _ in range(60)]
        eventually(lambda: _reads(redis) >= before + 120, within=30, what="all wait")
        assert duration(lambda: api.get("/v1/jobs")) < 10, "the API's own threads are free"
        seen: list[int] = []

        def quiet() -> bool:
            seen.append(_reads(redis))
            return len(seen) > 5 and len(set(seen[-5:])) == 1

        eventually(quiet, within=20, what="for a while nobody asks Redis")
        api.post(job["urls"]["cancel"])
        assert {a.result(20).json()["status"] for a in answers} == {"canceled"}


# POST with a preference.


def test_a_submission_that_would_rather_wait_is_answered_with_the_painted_job(
    studio: httpx.Client, files: Files
) -> None:
    asked = SHORT | {"reuse": "false"}
    answer = studio.post("/v1/jobs", files=files, data=asked, headers={"Prefer": "wait=60"})
    assert answer.status_code == 200
    assert answer.headers["Preference-Applied"] == "wait=60"
    job = answer.json()
    assert job["status"] == "succeeded"
    assert answer.headers["Location"] == job["urls"]["self"]
    assert look(studio, job) == job


def test_a_submission_that_waited_in_vain_is_answered_with_202(
    api: httpx.Client, files: Files
) -> None:
    answer = api.post("/v1/jobs", files=files, headers={"Prefer": "respond-async, wait=1"})
    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "wait=1"
    assert answer.json()["status"] == "queued"
    assert answer.headers["Location"] == answer.json()["urls"]["self"]


def test_a_submission_whose_wait_fails_is_answered_with_the_job_that_there_is(
    redis: Redis, settings: Settings, content: bytes, style: bytes
) -> None:
    jobs = Jobs(redis, settings)
    params = StyleTransferParams(size=64)
    job = JobView.of(jobs.submit(Submission(Pictures(content, [style]), params)))

    async def answered() -> tuple[JobView, Response]:
        nowhere, response = Fanout(Watching(jobs, "redis://127.0.0.1:1")), Response()
        return await submit_and_wait(job, nowhere, response, 30), response

    answer, response = asyncio.run(answered())
    assert answer == job
    assert "Preference-Applied" not in response.headers


def test_a_preference_that_does_not_parse_is_ignored(api: httpx.Client, files: Files) -> None:
    answer = api.post("/v1/jobs", files=files, headers={"Prefer": "wait=soon"})
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ([], None),
        (["wait=10"], 10),
        (["wait=0"], 0),
        (["wait=60"], 60),
        (["wait=61"], 60),
        (["wait=" + "9" * 5000], 60),
        (["wait=0007"], 7),
        (['WAIT = "5"'], 5),
        (["respond-async, wait=5; foo=bar"], 5),
        (["respond-async", "wait=5"], 5),
        (["wait=5, wait=7"], 5),
        (['foo="a, wait=3", wait=4'], 4),
        (["wait"], None),
        (["wait="], None),
        (["wait=-1"], None),
        (["wait=1.5"], None),
        (["wait=٣"], None),
        (["await=5"], None),
        ([""], None),
    ],
)
def test_the_preference_is_read_as_the_rfc_has_it(values: list[str], seconds: int | None) -> None:
    assert preferred_wait(values) == seconds
