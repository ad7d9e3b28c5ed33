"""Webhooks as clients meet them: what they may ask for, their secret, and what Redis keeps."""

import base64
from pathlib import Path

import httpx
import pytest
from redis import Redis

from tests.app.api import (
    SHORT,
    Files,
    contents,
    ended,
    look,
    problem,
    serving,
    submit,
    traces,
)
from tests.house import House
from tests.worker.receiver import receiving

TARGET = "https://hooks.example/hook?token=abc"


def test_a_job_does_not_show_where_it_calls(api: httpx.Client, files: Files, redis: Redis) -> None:
    job = submit(api, files, webhook_url=TARGET, webhook_events=["succeeded", "failed"])
    assert "hook" not in str(job)
    listed = api.get("/v1/jobs").json()
    assert "hook" not in str([job, look(api, job), listed])
    assert traces(redis, [TARGET]) == {f"rq:job:{job['id']}".encode()}


def test_a_canceled_job_has_a_delivery_and_a_deleted_one_has_none(
    api: httpx.Client, files: Files, redis: Redis
) -> None:
    submit(api, files)
    before = contents(redis)
    job = submit(api, files, webhook_url=TARGET)
    assert not traces(redis, ["atelier:webhook"])
    api.post(job["urls"]["cancel"])
    api.post(job["urls"]["cancel"])
    delivery = f"atelier:webhook:{job['id']}:canceled".encode()
    assert traces(redis, ["atelier:webhook:", "atelier:webhooks"]) == {
        delivery,
        b"atelier:webhooks",
    }
    assert redis.zcard("atelier:webhooks") == 1
    assert api.delete(job["urls"]["self"]).status_code == 204
    assert contents(redis).keys() == before.keys()
    assert not traces(redis, [job["id"]])


def test_a_job_that_asks_only_for_other_events_has_no_delivery(
    api: httpx.Client, files: Files, redis: Redis
) -> None:
    job = submit(api, files, webhook_url=TARGET, webhook_events="succeeded")
    api.post(job["urls"]["cancel"])
    assert not redis.exists("atelier:webhooks")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"webhook_url": "hooks.example"}, "webhook_url"),
        ({"webhook_url": "http://hooks.example"}, "webhook_url"),
        ({"webhook_url": "https://u:hunter2@hooks.example"}, "webhook_url"),
        ({"webhook_url": "https://127.0.0.1"}, "webhook_url"),
        ({"webhook_url": "https://hooks.example:0"}, "webhook_url"),
        ({"webhook_url": "https://hooks.example/" + "x" * 2000}, "webhook_url"),
        ({"webhook_url": [TARGET, TARGET]}, "webhook_url"),
        ({"webhook_url": TARGET, "webhook_events": "done"}, "webhook_events"),
        ({"webhook_url": TARGET, "webhook_events": "queued"}, "webhook_events"),
        ({"webhook_events": "failed"}, "webhook_events"),
    ],
)
def test_a_webhook_at_fault_is_refused_by_name_and_nothing_is_stored(
    api: httpx.Client,
    files: Files,
    redis: Redis,
    fields: dict[str, str | list[str]],
    named: str,
) -> None:
    response = api.post("/v1/jobs", data=fields, files=files)
    found = problem(response, 422)
    assert any(error["field"].startswith(named) for error in found["errors"]), found
    assert "hunter2" not in response.text
    assert contents(redis) == {}


def test_a_client_is_told_its_secret_and_it_stays_the_same(api: httpx.Client) -> None:
    first = api.get("/v1/webhooks/secret")
    assert first.status_code == 200
    assert first.headers["Cache-Control"] == "no-store"
    secret = first.json()["secret"]
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert secret.startswith("whsec_")
    assert api.get("/v1/webhooks/secret").json() == {"secret": secret}


def test_the_servers_own_secret_is_nowhere_in_the_answer(api: httpx.Client, redis: Redis) -> None:
    secret = api.get("/v1/webhooks/secret").json()["secret"]
    kept = redis.get("atelier:webhook-secret")
    assert isinstance(kept, bytes)
    assert kept not in base64.b64decode(secret.removeprefix("whsec_"))


def test_the_description_of_the_api_says_what_is_sent(api: httpx.Client) -> None:
    described = api.get("/openapi.json").json()
    assert "job" in described["webhooks"]
    body = described["webhooks"]["job"]["post"]["requestBody"]["content"]["application/json"]
    notice = described["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]
    assert set(notice["required"]) == {"type", "timestamp", "data"}


def test_an_api_with_a_secret_that_can_be_guessed_does_not_start(
    redis_url: str, tmp_path: Path
) -> None:
    with (
        pytest.raises(AssertionError, match="ATELIER_WEBHOOK_SECRET must have"),
        serving(redis_url, tmp_path, ATELIER_WEBHOOK_SECRET="hunter2"),
    ):
        pytest.fail("it started")
    assert "hunter2" not in (tmp_path / "api.log").read_text(encoding="utf-8")


def test_a_whole_house_calls_back_and_the_secret_it_shows_verifies(
    files: Files, tmp_path: Path
) -> None:
    with (
        receiving() as receiver,
        House(tmp_path, ATELIER_WEBHOOK_ALLOW_PRIVATE="1") as house,
        house.client() as client,
    ):
        fields = {**SHORT, "webhook_url": f"{receiver.url}/hook"}
        job = ended(client, submit(client, files, **fields))
        (received,) = receiver.wait("/hook")
        told = received.verified(client.get("/v1/webhooks/secret").json()["secret"])
        assert told["type"] == "job.succeeded"
        shown = {name: value for name, value in look(client, job).items() if name != "urls"}
        assert told["data"] == shown
