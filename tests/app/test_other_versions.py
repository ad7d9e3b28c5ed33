"""An API that meets a job of a newer Atelier, while a house is upgraded."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import httpx
import pytest
from redis import Redis

from tests.app.api import Files, Json, contents, problem, submit
from tests.app.locked import ANNA, BERT, holding, locked_api
from worker.painting_job import PaintingJob

RECORDED = Path(__file__).parents[1] / "faults" / "payloads" / "work-2.json"


@pytest.fixture(scope="module")
def locked(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with locked_api(redis_url, tmp_path_factory.mktemp("locked")) as client:
        yield client


@pytest.fixture
def anna(locked: httpx.Client, redis: Redis) -> Iterator[httpx.Client]:
    del redis  # it was emptied
    with holding(locked, ANNA) as client:
        yield client


@pytest.fixture
def newer(anna: httpx.Client, redis: Redis, files: Files) -> Json:
    """A job of Anna's as a newer API would have handed it in."""
    job = submit(anna, files)
    record = cast("PaintingJob", PaintingJob.fetch(job["id"], connection=redis, serializer="json"))
    recorded = json.loads(RECORDED.read_text())
    assert recorded["version"] > record.kwargs["version"]
    record.kwargs = recorded
    record.save()
    return job


def assert_of_another_version(answer: httpx.Response) -> None:
    assert problem(answer, 503)["type"] == "urn:atelier:problem:other-version"
    assert int(answer.headers["Retry-After"]) > 0


def test_a_newer_job_is_said_to_be_of_another_version_and_stays_as_it_is(
    anna: httpx.Client, redis: Redis, newer: Json
) -> None:
    before = contents(redis)
    for part in ("self", "result", "preview", "losses", "events"):
        assert_of_another_version(anna.get(newer["urls"][part]))
    assert_of_another_version(anna.get(newer["urls"]["self"], params={"wait": "1"}))
    for part in ("cancel", "retry"):
        assert_of_another_version(anna.post(newer["urls"][part]))
    assert_of_another_version(anna.delete(newer["urls"]["self"]))
    assert contents(redis) == before


def test_the_others_are_listed(anna: httpx.Client, newer: Json, files: Files) -> None:
    older = submit(anna, files)
    assert newer["id"] != older["id"]
    page = anna.get("/v1/jobs").json()
    assert [job["id"] for job in page["jobs"]] == [older["id"]]
    assert page["next_cursor"] is None


def test_to_somebody_else_it_does_not_exist(locked: httpx.Client, newer: Json) -> None:
    with holding(locked, BERT) as bert:
        problem(bert.get(newer["urls"]["self"]), 404)
