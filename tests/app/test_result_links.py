"""Results by links to a store that hands them out itself: a real one that speaks S3."""

import asyncio
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import NamedTuple

import httpx
import numpy as np
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from redis import Redis
from rq.job import JobStatus

from app.client import AsyncAtelier, Atelier
from tests.app.api import Json, pictures, problem, submit
from tests.app.locked import ANNA, BERT, holding, locked_api
from tests.s3 import URL, serving_s3
from tests.worker.leases import let_go, taken
from tests.worker.receiver import receiving
from worker import errand
from worker.connections import connect_impatiently
from worker.jobs import Jobs
from worker.settings import Settings

#: How long links hold here.
SECONDS = 120


class House(NamedTuple):
    """An API whose pictures are in a store, and who paints for it; the store's environment."""

    anna: httpx.Client
    bert: httpx.Client
    jobs: Jobs
    store: Mapping[str, str]

    def painted(self, content: bytes, style: bytes) -> Json:
        """A job of Anna's that has succeeded."""
        job = submit(self.anna, pictures(content, style), size="64")
        paint(self.jobs, job["id"])
        return job


def paint(jobs: Jobs, job_id: str) -> None:
    """What a worker does for a job, but for the painting."""
    settings, job = Settings(), jobs.fetch(job_id)
    assignment = errand.prepare(job, jobs.blobs, settings, lambda: None)
    lease, execution = taken(job)
    errand.store(lease, np.full((48, 64, 3), 0.5, np.float32), assignment, jobs, settings)
    let_go(job, execution)
    with jobs.connection.pipeline() as pipeline:
        jobs.withdraw(job, pipeline)
        job.set_status(JobStatus.FINISHED, pipeline)
        pipeline.execute()


@pytest.fixture(scope="module")
def running(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The house, for all tests here."""
    told = {"ATELIER_BLOBS_URL": URL, "ATELIER_RESULT_LINK_SECONDS": str(SECONDS)}
    with serving_s3() as store, pytest.MonkeyPatch.context() as patch:
        for name, value in store.items():
            patch.setenv(name, value)
        folder = tmp_path_factory.mktemp("links")
        with (
            locked_api(redis_url, folder, **told) as api,
            holding(api, ANNA) as anna,
            holding(api, BERT) as bert,
            connect_impatiently(redis_url) as connection,
        ):
            yield House(anna, bert, Jobs(connection, Settings(blobs_url=URL)), store)


@pytest.fixture
def house(running: House, redis: Redis) -> House:
    """The house without a job."""
    del redis  # it was emptied
    return running


def signature(store: Mapping[str, str], link: str, method: str) -> str:
    """What the store would have a link signed with, by Amazon's own library."""
    told = httpx.URL(link)
    keys = Credentials(store["AWS_ACCESS_KEY_ID"], store["AWS_SECRET_ACCESS_KEY"])
    signer = S3SigV4QueryAuth(keys, "s3", store["AWS_REGION"])
    params = {name: value for name, value in told.params.items() if name != "X-Amz-Signature"}
    request = AWSRequest(method, str(told.copy_with(query=None)), params=params)
    request.context["timestamp"] = told.params["X-Amz-Date"]
    to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(to_sign, request))


def test_a_result_is_a_link_that_gives_the_picture_without_a_key(
    house: House, content: bytes, style: bytes
) -> None:
    job = house.painted(content, style)
    answer = house.anna.get(job["urls"]["result"])
    assert (answer.status_code, answer.content) == (HTTPStatus.TEMPORARY_REDIRECT, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    link = httpx.URL(answer.headers["Location"])
    assert str(link).startswith(house.store["AWS_ENDPOINT_URL"])
    assert link.params["X-Amz-Expires"] == str(SECONDS)
    picture = httpx.get(link, trust_env=False)
    assert picture.content == house.jobs.blobs.get(job["id"], "result")
    for name, value in {
        "Content-Type": "image/png",
        "Content-Disposition": f'inline; filename="atelier-{job["id"][:8]}.png"',
        "Cache-Control": "private, no-cache",
    }.items():
        assert picture.headers[name] == value
    unsigned = httpx.get(link.copy_with(query=None), trust_env=False)
    assert unsigned.status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_is_signed_for_the_method_that_asked(
    house: House, content: bytes, style: bytes, method: str
) -> None:
    job = house.painted(content, style)
    answer = house.anna.request(method, job["urls"]["result"])
    assert answer.status_code == HTTPStatus.TEMPORARY_REDIRECT
    link = answer.headers["Location"]
    signed = httpx.URL(link).params["X-Amz-Signature"]
    assert signed == signature(house.store, link, method)
    other = "HEAD" if method == "GET" else "GET"
    assert signed != signature(house.store, link, other)
    assert signed != signature(house.store, link.replace("Expires=120", "Expires=121"), method)
    found = httpx.request(method, link, trust_env=False)
    assert (found.status_code, found.headers["Content-Type"]) == (HTTPStatus.OK, "image/png")


def test_a_link_holds_no_longer_than_the_picture_is_kept(
    house: House, redis: Redis, content: bytes, style: bytes
) -> None:
    job = house.painted(content, style)
    redis.expire(f"atelier:result:{job['id']}", 30)
    link = httpx.URL(house.anna.get(job["urls"]["result"]).headers["Location"])
    assert 0 < int(link.params["X-Amz-Expires"]) <= 30
    redis.delete(f"atelier:result:{job['id']}")
    problem(house.anna.get(job["urls"]["result"]), HTTPStatus.GONE)


def test_there_is_no_link_before_the_picture_is_there_nor_to_another_ones(
    house: House, content: bytes, style: bytes
) -> None:
    job = submit(house.anna, pictures(content, style), size="64")
    problem(house.anna.get(job["urls"]["result"]), HTTPStatus.CONFLICT)
    paint(house.jobs, job["id"])
    problem(house.bert.get(job["urls"]["result"]), HTTPStatus.NOT_FOUND)
    house.anna.delete(job["urls"]["self"]).raise_for_status()
    problem(house.anna.get(job["urls"]["result"]), HTTPStatus.NOT_FOUND)


def test_who_wants_no_redirect_has_the_picture_from_here(
    house: House, content: bytes, style: bytes
) -> None:
    job = house.painted(content, style)
    answer = house.anna.get(job["urls"]["result"], params={"redirect": "false"})
    assert answer.status_code == HTTPStatus.OK
    assert answer.content == house.jobs.blobs.get(job["id"], "result")
    there = house.anna.get(job["urls"]["result"]).headers["Location"]
    for name in ("Content-Type", "Content-Disposition", "Cache-Control"):
        assert answer.headers[name] == httpx.get(there, trust_env=False).headers[name]


def test_the_clients_fetch_it_from_the_store(house: House, content: bytes, style: bytes) -> None:
    job, url = house.painted(content, style), str(house.anna.base_url)
    picture = house.jobs.blobs.get(job["id"], "result")

    async def fetched() -> bytes:
        async with AsyncAtelier(url, api_key=ANNA) as client:
            return await client.result(job["id"])

    with Atelier(url, api_key=ANNA) as client:
        assert client.result(job["id"]) == picture
    assert asyncio.run(fetched()) == picture


def test_the_clients_do_not_show_their_key_to_the_store() -> None:
    job = "1" * 32
    with receiving() as server, receiving() as store:
        path = f"/v1/jobs/{job}/result"
        server.answers[path] = HTTPStatus.TEMPORARY_REDIRECT, {"Location": f"{store.url}/picture"}
        with Atelier(server.url, api_key=ANNA) as client:
            client.result(job)
    assert server.at(path)[0].headers["authorization"] == f"Bearer {ANNA}"
    assert ANNA not in str(store.at("/picture")[0])
