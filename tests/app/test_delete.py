"""Deleting leaves no trace, canceling twice is canceling once: wherever a job is in its life."""

import contextlib
from collections.abc import Callable

import httpx
import pytest
from redis import Redis

from tests.app.api import (
    FINAL,
    LONG,
    SHORT,
    Files,
    Json,
    contents,
    ended,
    look,
    masked,
    painting,
    submit,
    traces,
)
from tests.house import eventually
from tests.pictures import halves

#: What belongs to no job: workers, which write of themselves every few seconds, and their rounds.
NO_JOB = (
    b"rq:worker:",
    b"rq:workers",
    b"rq:queues",
    b"atelier:worker:",
    b"atelier:workers",
    b"atelier:upkeep",
)


Life = Callable[[httpx.Client, Files, Files], Json]


def ask(client: httpx.Client, files: Files, fields: dict[str, str]) -> Json:
    """A job with an idempotency key, which counts for its client and may answer for others."""
    response = client.post("/v1/jobs", files=files, data=fields, headers={"Idempotency-Key": "k"})
    assert response.status_code == 202, response.text
    return dict(response.json())


def queued(client: httpx.Client, files: Files, _unfit: Files) -> Json:
    painting(client, submit(client, files, **LONG))  # which keeps the only device
    job = ask(client, files, SHORT)
    assert look(client, job)["status"] == "queued"
    return job


def running(client: httpx.Client, files: Files, _unfit: Files) -> Json:
    return painting(client, ask(client, files, LONG))


def taken(client: httpx.Client, files: Files, _unfit: Files) -> Json:
    job = ask(client, files, SHORT)
    eventually(lambda: look(client, job)["status"] != "queued", within=30, what="a worker has it")
    return job


def succeeded(client: httpx.Client, files: Files, _unfit: Files) -> Json:
    return end_of(client, ask(client, files, SHORT), "succeeded")


def failed(client: httpx.Client, _files: Files, unfit: Files) -> Json:
    return end_of(client, ask(client, unfit, SHORT), "failed")


def canceled_waiting(client: httpx.Client, files: Files, unfit: Files) -> Json:
    job = queued(client, files, unfit)
    client.post(job["urls"]["cancel"])
    return end_of(client, job, "canceled")


def canceled_running(client: httpx.Client, files: Files, unfit: Files) -> Json:
    job = running(client, files, unfit)
    client.post(job["urls"]["cancel"])
    return end_of(client, job, "canceled")


def end_of(client: httpx.Client, job: Json, status: str) -> Json:
    job = ended(client, job)
    assert job["status"] == status, job["error"]
    return job


LIVES: list[Life] = [
    queued,
    taken,
    running,
    succeeded,
    failed,
    canceled_waiting,
    canceled_running,
]


@pytest.fixture
def unfit(content: bytes, style: bytes) -> Files:
    """Masks whose colours do not go together, which is seen when they are decoded."""
    left, right = halves(48, 36, "#ff0000", "#0000ff"), halves(40, 40, "#00ff00", "#ffff00")
    return masked(content, style, left, right)


@pytest.fixture
def bare(studio: httpx.Client, house_redis: Redis) -> Redis:
    """The house's Valkey without a job."""
    delete_all(studio)
    wait_until_bare(house_redis)
    return house_redis


def delete_all(client: httpx.Client) -> None:
    while jobs := client.get("/v1/jobs", params={"limit": 100}).json()["jobs"]:
        for job in jobs:
            client.delete(job["urls"]["self"])


def of_jobs(redis: Redis) -> dict[bytes, object]:
    found = contents(redis)
    return {key: value for key, value in found.items() if not key.startswith(NO_JOB)}


def held(redis: Redis, job: Json) -> set[bytes]:
    """What a worker has yet to let go of a job that has ended."""
    kinds = {b"rq:executions"}
    if job["status"] != "failed":  # it may be tried again
        kinds |= {b"atelier:users", b"atelier:checkpoint"}
    return {key for key in traces(redis, [job["id"]]) if key.rpartition(b":")[0] in kinds}


def wait_until_bare(redis: Redis) -> None:
    """A worker lets go of a job that was deleted within a chunk of steps."""
    with contextlib.suppress(AssertionError):
        eventually(lambda: not of_jobs(redis), within=20, what="nothing is left of any job")
    assert of_jobs(redis) == {}


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_of_a_deleted_job_nothing_is_left(
    studio: httpx.Client, bare: Redis, files: Files, unfit: Files, life: Life
) -> None:
    job = life(studio, files, unfit)
    assert traces(bare, [job["id"]])
    assert bare.keys("atelier:idempotency:*")
    assert studio.delete(job["urls"]["self"]).status_code == 204
    assert studio.get(job["urls"]["self"]).status_code == 404
    delete_all(studio)  # the one that kept the device
    wait_until_bare(bare)
    assert not traces(bare, [job["id"]])


def test_nothing_is_left_of_jobs_that_are_deleted_while_workers_take_and_finish_them(
    studio: httpx.Client, bare: Redis, files: Files
) -> None:
    one_step = SHORT | {"steps": "1"}
    for _ in range(3):
        first, second, third = (submit(studio, files, **one_step) for _ in range(3))
        studio.delete(first["urls"]["self"])
        eventually(
            lambda job=second: look(studio, job)["progress"]["step"],  # type: ignore[misc]
            within=30,
            what="it is nearly finished",
        )
        studio.delete(second["urls"]["self"])
        studio.delete(third["urls"]["self"])
    wait_until_bare(bare)


def test_a_deleted_job_takes_nothing_with_it_that_is_not_its_own(
    studio: httpx.Client, bare: Redis, files: Files
) -> None:
    kept = ended(studio, submit(studio, files, **SHORT))
    before = of_jobs(bare)
    other = ended(studio, submit(studio, files, **(SHORT | {"seed": "5"})))
    studio.delete(other["urls"]["self"])
    assert of_jobs(bare) == before
    assert look(studio, kept) == kept


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_canceling_again_changes_nothing(
    studio: httpx.Client, bare: Redis, files: Files, unfit: Files, life: Life
) -> None:
    job = life(studio, files, unfit)
    cancel = job["urls"]["cancel"]
    answers = [studio.post(cancel) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    final = ended(studio, job)
    assert final["status"] in FINAL
    eventually(lambda: not held(bare, final), within=20, what="its worker let it go")
    before = traces(bare, [job["id"]])
    assert studio.post(cancel).json() == final
    assert traces(bare, [job["id"]]) == before
