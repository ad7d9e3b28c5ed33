"""What is for who runs the house: all of it, and nobody else."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from redis import Redis

from tests.app.api import LONG, Files, painting, problem, submit
from tests.app.locked import ADMIN, ANNA, BERT, holding, locked_api

PATHS = ["/v1/admin/house", "/v1/admin/jobs"]


@pytest.fixture
def locked(redis_url: str, redis: Redis, tmp_path: Path) -> Iterator[httpx.Client]:
    """An API that asks for keys, on an empty server."""
    del redis  # it was emptied
    with locked_api(redis_url, tmp_path) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
def test_where_there_are_keys_it_is_for_admins(locked: httpx.Client, path: str) -> None:
    problem(locked.get(path), 401)
    with holding(locked, ANNA) as anna, holding(locked, ADMIN) as admin:
        found = problem(anna.get(path), 403)
        assert found["type"].endswith(":admins-only")
        assert set(found) == {"type", "title", "status", "detail"}
        assert admin.get(path).status_code == 200


def test_an_admin_sees_everybodys_jobs_and_whose_they_are(
    locked: httpx.Client, files: Files
) -> None:
    with holding(locked, ANNA) as anna, holding(locked, BERT) as bert:
        jobs = [submit(anna, files), submit(bert, files), submit(anna, files)]
        anna.post(jobs[2]["urls"]["cancel"])
        assert "owner" not in anna.get(jobs[0]["urls"]["self"]).json()
    with holding(locked, ADMIN) as admin:
        seen = admin.get("/v1/admin/jobs").json()
        assert [(job["id"], job["owner"]) for job in seen["jobs"]] == [
            (jobs[2]["id"], "anna"),
            (jobs[1]["id"], "bert"),
            (jobs[0]["id"], "anna"),
        ]
        queued = {"status": "queued", "limit": "1"}
        first = admin.get("/v1/admin/jobs", params=queued).json()
        queued["cursor"] = first["next_cursor"]
        second = admin.get("/v1/admin/jobs", params=queued).json()
        shown = [job["id"] for page in (first, second) for job in page["jobs"]]
        assert shown == [jobs[1]["id"], jobs[0]["id"]]
        house = admin.get("/v1/admin/house").json()
    counts = {"queued": 2, "running": 0, "succeeded": 0, "failed": 0, "canceled": 1}
    assert (house["queue_length"], house["jobs"], house["workers"]) == (2, counts, [])
    assert house["oldest_wait_seconds"] > 0


def test_without_keys_it_shows_what_the_workers_do(studio: httpx.Client, files: Files) -> None:
    job = painting(studio, submit(studio, files, **LONG))
    seen = studio.get("/v1/admin/jobs", params={"status": "running"}).json()["jobs"]
    assert [(shown["id"], shown["owner"]) for shown in seen] == [(job["id"], None)]
    house = studio.get("/v1/admin/house").json()
    (worker,) = house["workers"]
    (device,) = worker["devices"]
    assert device["name"] == "cpu"
    assert house["jobs"]["running"] == 1
    assert house["oldest_wait_seconds"] == 0
