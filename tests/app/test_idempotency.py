"""`Idempotency-Key` on POST /v1/jobs: one job however often a request is sent."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import httpx
import pytest
from redis import Redis

from tests.app.api import Files, contents, pictures, problem, serving, traces
from tests.house import eventually
from tests.pictures import photograph, style_picture
from worker.ledger import longest_life_seconds
from worker.settings import Settings

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


@pytest.fixture(scope="module")
def running_twin(
    redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A second API process on the same Redis, where one job may wait."""
    limits = {"ATELIER_MAX_QUEUE_LENGTH": "1"}
    with serving(redis_url, tmp_path_factory.mktemp("twin"), **limits) as client:
        yield client


def send(api: httpx.Client, files: Files, key: str, **fields: str) -> httpx.Response:
    return api.post("/v1/jobs", files=files, data=fields, headers={"Idempotency-Key": key})


def jobs_made(api: httpx.Client) -> int:
    return len(api.get("/v1/jobs", params={"limit": 100}).json()["jobs"])


def record(redis: Redis) -> str:
    """The key of the one record there is."""
    (key,) = cast("list[bytes]", redis.keys("atelier:idempotency:*"))
    return key.decode()


def test_a_repeated_request_has_the_same_answer_and_makes_no_second_job(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    api.post("/v1/jobs", files=files)  # so that the place in the queue is not simply the first
    first = api.post("/v1/jobs", files=files, headers=KEY)
    assert first.status_code == 202
    assert "Idempotency-Replayed" not in first.headers
    assert first.json()["queue_position"] == 2
    before = contents(redis)
    again = api.post("/v1/jobs", files=files, headers=KEY)
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert contents(redis) == before


def test_an_urgent_job_is_told_its_place_again(api: httpx.Client, files: Files) -> None:
    api.post("/v1/jobs", files=files)
    first, again = (send(api, files, "k", priority="high") for _ in range(2))
    assert first.json()["queue_position"] == 1
    assert again.content == first.content


def test_the_answer_is_the_first_one_although_the_job_has_gone_on(
    api: httpx.Client, files: Files
) -> None:
    first = api.post("/v1/jobs", files=files, headers=KEY)
    api.post(first.json()["urls"]["cancel"])
    assert api.post("/v1/jobs", files=files, headers=KEY).content == first.content


def test_another_process_knows_the_answer_even_where_the_queue_is_full(
    api: httpx.Client, running_twin: httpx.Client, files: Files
) -> None:
    first = api.post("/v1/jobs", files=files, headers=KEY)
    problem(running_twin.post("/v1/jobs", files=files), 503)
    assert running_twin.post("/v1/jobs", files=files, headers=KEY).content == first.content


@pytest.mark.parametrize(
    "other",
    [
        {"data": {"seed": "7"}},
        {"data": {"priority": "high"}},
        {"data": {"reuse": "false"}},
        {"files": pictures(photograph(64, 48), style_picture(48, 48))},
    ],
    ids=["a parameter", "a term", "reuse", "a picture"],
)
def test_a_key_that_comes_with_another_request_is_refused(
    api: httpx.Client, redis: Redis, files: Files, other: dict[str, object]
) -> None:
    api.post("/v1/jobs", files=files, headers=KEY)
    before = contents(redis)
    response = api.post("/v1/jobs", headers=KEY, **({"files": files} | other))  # type: ignore[arg-type]
    found = problem(response, 422, field="Idempotency-Key")
    assert found["type"].endswith(":idempotency-key-reused")
    assert contents(redis) == before


def test_twins_in_two_processes_make_one_job(
    api: httpx.Client, redis_url: str, tmp_path: Path, files: Files
) -> None:
    with serving(redis_url, tmp_path) as other, ThreadPoolExecutor(20) as pool:
        for round_ in range(3):
            clients = [api, other] * 10
            answers = list(pool.map(lambda c, r=round_: send(c, files, f"k{r}"), clients))
            assert [answer.status_code for answer in answers] == [202] * 20
            assert len({answer.content for answer in answers}) == 1
            assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert jobs_made(api) == 3


def test_a_twin_of_a_request_that_is_not_answered_is_sent_away_for_a_moment(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    first = api.post("/v1/jobs", files=files, headers=KEY).json()
    key = record(redis)
    redis.hdel(key, "answer")  # as it is before the first has its answer
    response = api.post("/v1/jobs", files=files, headers=KEY)
    assert problem(response, 409)["type"].endswith(":idempotency-key-in-use")
    assert int(response.headers["Retry-After"]) > 0
    assert [job["id"] for job in api.get("/v1/jobs").json()["jobs"]] == [first["id"]]


def test_a_twin_waits_for_the_answer_of_the_first(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    first = api.post("/v1/jobs", files=files, headers=KEY)
    key = record(redis)
    answer = redis.hget(key, "answer")
    redis.hdel(key, "answer")
    looks = commands(redis, "evalsha")
    with ThreadPoolExecutor() as pool:
        twin = pool.submit(api.post, "/v1/jobs", files=files, headers=KEY)
        eventually(lambda: commands(redis, "evalsha") > looks + 1, within=10, what="twin waits")
        redis.hset(key, "answer", answer)
        assert twin.result().content == first.content


def commands(redis: Redis, name: str) -> int:
    return int(redis.info("commandstats").get(f"cmdstat_{name}", {"calls": 0})["calls"])


def test_a_request_that_is_refused_leaves_its_key_free(
    api: httpx.Client, running_twin: httpx.Client, redis: Redis, files: Files
) -> None:
    problem(send(api, files, "k", size="1"), 422)
    waiting = api.post("/v1/jobs", files=files).json()
    before = contents(redis)
    problem(send(running_twin, files, "k"), 503)
    assert contents(redis) == before
    api.post(waiting["urls"]["cancel"])
    assert send(running_twin, files, "k", seed="9").status_code == 202


def test_two_clients_may_use_the_same_key(api: httpx.Client, files: Files) -> None:
    answers = [
        api.post("/v1/jobs", files=files, headers=KEY | {"X-Forwarded-For": address})
        for address in ("192.0.2.1", "192.0.2.2")
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert jobs_made(api) == 2


def test_a_record_is_kept_as_long_as_its_job_may_be_and_names_nobody(
    api: httpx.Client, redis: Redis, settings: Settings, files: Files
) -> None:
    headers = KEY | {"X-Forwarded-For": "192.0.2.1"}
    api.post("/v1/jobs", files=files, headers=headers)
    assert 0 < redis.ttl(record(redis)) <= longest_life_seconds(settings)
    assert redis.ttl(record(redis)) > settings.result_ttl_seconds - 60
    assert not traces(redis, ["192.0.2.1", KEY["Idempotency-Key"]])


def test_after_its_job_was_deleted_a_key_is_new(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    first = api.post("/v1/jobs", files=files, headers=KEY).json()
    api.delete(first["urls"]["self"])
    assert contents(redis) == {}
    second = api.post("/v1/jobs", files=files, headers=KEY)
    assert "Idempotency-Replayed" not in second.headers
    assert second.json()["id"] != first["id"]


@pytest.mark.parametrize("key", ["k", '"k"', "!" * 255, '"a\\"b\\\\"', "a,b;c=d"])
def test_a_key_is_taken_bare_or_in_quotes(api: httpx.Client, files: Files, key: str) -> None:
    assert [send(api, files, key).status_code for _ in range(2)] == [202, 202]
    assert jobs_made(api) == 1


def test_quotes_are_not_part_of_the_key(api: httpx.Client, files: Files) -> None:
    assert send(api, files, "k").content == send(api, files, '"k"').content


@pytest.mark.parametrize(
    "key", ["", '""', '"', '"a', "a b", "a\tb", "x" * 256, "ä", '"a"b"', '"a";p=1', '"\\a"']
)
def test_a_key_that_is_none_is_refused(
    api: httpx.Client, redis: Redis, files: Files, key: str
) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    found = problem(api.post("/v1/jobs", files=files, headers=headers), 422)
    assert found["errors"][0]["field"] == "Idempotency-Key"
    assert contents(redis) == {}


def test_two_keys_are_refused(api: httpx.Client, files: Files) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    problem(api.post("/v1/jobs", files=files, headers=headers), 422, field="Idempotency-Key")
