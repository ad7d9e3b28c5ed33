"""How much one client may ask for, and all clients together."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from redis import Redis

from app.limits import WINDOW_SECONDS
from tests.app.api import Files, Json, contents, pictures, problem, serving, submit, traces
from tests.pictures import photograph, style_picture

MOST = 5


@pytest.fixture(scope="module")
def running_strict_api(
    redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    limits = {"ATELIER_MAX_REQUESTS_PER_MINUTE": str(MOST)}
    with serving(redis_url, tmp_path_factory.mktemp("strict"), **limits) as client:
        yield client


@pytest.fixture
def strict(running_strict_api: httpx.Client, redis: Redis) -> httpx.Client:
    """An API that takes five requests in a minute from each client."""
    del redis  # it was emptied
    return running_strict_api


@pytest.fixture(scope="module")
def running_narrow_api(
    redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    limits = {"ATELIER_MAX_JOBS_PER_CLIENT": "2", "ATELIER_MAX_QUEUED_BYTES": "12000"}
    with serving(redis_url, tmp_path_factory.mktemp("narrow"), **limits) as client:
        yield client


@pytest.fixture
def narrow(running_narrow_api: httpx.Client, redis: Redis) -> httpx.Client:
    """An API with room for two jobs of each client, and for 12,000 bytes of pictures."""
    del redis  # it was emptied
    return running_narrow_api


def of(client: str) -> dict[str, str]:
    """Headers of a request that comes from elsewhere, by way of a proxy on this machine."""
    return {"X-Forwarded-For": client}


def use_up(api: httpx.Client) -> None:
    for _ in range(MOST):
        assert api.get("/v1/jobs").status_code == 200


# Requests.


def test_answers_say_how_many_requests_are_left(strict: httpx.Client) -> None:
    for left in range(MOST - 1, -1, -1):
        headers = strict.get("/v1/jobs").headers
        assert headers["RateLimit-Policy"] == f'"requests";q={MOST};w={WINDOW_SECONDS}'
        policy, remaining, reset = headers["RateLimit"].split(";")
        assert (policy, remaining) == ('"requests"', f"r={left}")
        assert 0 < int(reset.removeprefix("t=")) <= WINDOW_SECONDS


def test_one_request_too_many_is_refused_until_the_window_ends(
    strict: httpx.Client, redis: Redis
) -> None:
    use_up(strict)
    response = strict.get("/v1/jobs")
    assert problem(response, 429)["type"].endswith(":too-many-requests")
    wait = int(response.headers["Retry-After"])
    assert 0 < wait <= WINDOW_SECONDS
    assert response.headers["RateLimit"] == f'"requests";r=0;t={wait}'
    assert strict.get("/v1/jobs").status_code == 429, "nor does asking again help"
    (window,) = redis.keys("atelier:requests:*")
    assert 0 < redis.ttl(window) <= wait, "asking again does not prolong it"
    redis.delete(window)  # as its time to live does
    assert strict.get("/v1/jobs").status_code == 200


def test_a_refused_submission_stores_nothing(
    strict: httpx.Client, redis: Redis, files: Files
) -> None:
    use_up(strict)
    problem(strict.post("/v1/jobs", files=files), 429)
    assert {key.partition(b":")[2].partition(b":")[0] for key in contents(redis)} == {b"requests"}


def test_each_client_has_its_own_count(strict: httpx.Client, redis: Redis) -> None:
    use_up(strict)
    assert strict.get("/v1/jobs", headers=of("192.0.2.1")).status_code == 200
    assert strict.get("/v1/jobs").status_code == 429
    assert not traces(redis, ["192.0.2.1"]), "addresses are not written down"


def test_two_processes_count_together(strict: httpx.Client, redis_url: str, tmp_path: Path) -> None:
    use_up(strict)
    limits = {"ATELIER_MAX_REQUESTS_PER_MINUTE": str(MOST)}
    with serving(redis_url, tmp_path, **limits) as other:
        problem(other.get("/v1/jobs"), 429)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/system", 200),
        ("GET", "/v1/jobs?limit=x", 422),
        ("GET", "/v1/jobs/none", 404),
        ("GET", "/v1/jobs/none/result", 404),
        ("POST", "/v1/jobs/none/cancel", 404),
        ("POST", "/v1/jobs/none/retry", 404),
        ("GET", "/v1/admin/house", 200),
        ("GET", "/v1/admin/jobs", 200),
        ("DELETE", "/v1/jobs/none", 404),
        ("POST", "/v1/jobs", 422),
    ],
)
def test_every_endpoint_of_the_api_counts_also_when_it_refuses(
    strict: httpx.Client, method: str, path: str, status: int
) -> None:
    response = strict.request(method, path)
    assert response.status_code == status
    assert f"r={MOST - 1};" in response.headers["RateLimit"]


def test_whether_it_is_alive_and_the_page_may_be_asked_without_end(strict: httpx.Client) -> None:
    use_up(strict)
    for path, status in {"/livez": 200, "/readyz": 503, "/": 200, "/main.js": 200}.items():
        response = strict.get(path)
        assert response.status_code == status
        assert "RateLimit" not in response.headers


def test_the_limit_can_be_switched_off(api: httpx.Client, redis: Redis) -> None:
    assert "RateLimit" not in api.get("/v1/jobs").headers  # so does every test but these
    assert not redis.keys("*")


def test_only_a_trusted_proxy_is_believed(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    settings = {"ATELIER_MAX_REQUESTS_PER_MINUTE": "600", "ATELIER_TRUSTED_PROXIES": "192.0.2.9"}
    with serving(redis_url, tmp_path, **settings) as api:
        left = [api.get("/v1/jobs", headers=of(f"192.0.2.{n}")).headers for n in range(3)]
    assert ["r=599" in headers["RateLimit"] for headers in left] == [True, False, False]
    assert len(redis.keys("*")) == 1


# Jobs of one client.


def handed_in(api: httpx.Client, files: Files, client: str = "192.0.2.1") -> httpx.Response:
    return api.post("/v1/jobs", files=files, data={"reuse": "false"}, headers=of(client))


@pytest.fixture
def two_jobs(narrow: httpx.Client, files: Files) -> list[Json]:
    """All that one client may have."""
    answers = [handed_in(narrow, files) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    return [answer.json() for answer in answers]


def test_a_client_with_too_many_jobs_is_refused_and_nothing_is_stored(
    narrow: httpx.Client, redis: Redis, files: Files, two_jobs: list[Json]
) -> None:
    del two_jobs
    before = contents(redis)
    response = handed_in(narrow, pictures(photograph(64, 48), style_picture(48, 48)))
    assert problem(response, 429)["type"].endswith(":too-many-jobs")
    assert int(response.headers["Retry-After"]) > 0
    assert contents(redis) == before
    assert handed_in(narrow, files, "192.0.2.2").status_code == 202, "others are not meant"


@pytest.mark.parametrize("end", ["cancel", "delete"])
def test_a_job_that_has_ended_makes_room_for_another(
    narrow: httpx.Client, redis: Redis, files: Files, two_jobs: list[Json], end: str
) -> None:
    urls = two_jobs[0]["urls"]
    narrow.post(urls["cancel"]) if end == "cancel" else narrow.delete(urls["self"])
    (unfinished,) = redis.keys("atelier:in-flight:*")
    assert redis.smembers(unfinished) == {two_jobs[1]["id"].encode()}
    assert handed_in(narrow, files).status_code == 202


def test_a_job_that_expired_while_it_waited_does_not_count_for_ever(
    narrow: httpx.Client, redis: Redis, files: Files, two_jobs: list[Json]
) -> None:
    redis.delete(f"rq:job:{two_jobs[0]['id']}")
    new = handed_in(narrow, files)
    assert new.status_code == 202
    (unfinished,) = redis.keys("atelier:in-flight:*")
    assert redis.smembers(unfinished) == {two_jobs[1]["id"].encode(), new.json()["id"].encode()}
    problem(handed_in(narrow, files), 429)


# The pictures of all jobs.


LARGE = photograph(400, 300)
THEIRS = photograph(401, 300)


def test_pictures_that_there_is_no_room_for_are_refused(
    narrow: httpx.Client, redis: Redis, style: bytes
) -> None:
    assert len(LARGE) < 12_000 - len(style) < len(LARGE) + len(THEIRS)
    first = submit(narrow, pictures(LARGE, style))
    before = contents(redis)
    response = narrow.post("/v1/jobs", files=pictures(THEIRS, style))
    found = problem(response, 503)
    assert found["type"].endswith(":queue-full")
    assert "12,000 bytes" in found["detail"]
    assert int(response.headers["Retry-After"]) > 0
    assert contents(redis) == before
    narrow.post(first["urls"]["cancel"])
    submit(narrow, pictures(THEIRS, style))


def test_pictures_that_have_expired_need_no_room(
    narrow: httpx.Client, redis: Redis, style: bytes
) -> None:
    submit(narrow, pictures(LARGE, style))
    redis.delete(*redis.keys("atelier:upload:*"))  # as their time to live does
    submit(narrow, pictures(THEIRS, style))
    problem(narrow.post("/v1/jobs", files=pictures(LARGE, style)), 503)


# What is not taken at all.


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"size": 64}'),
        ("application/x-www-form-urlencoded", b"size=64"),
        ("image/jpeg", LARGE),
        ("multipart/mixed; boundary=b", b"--b--"),
    ],
)
def test_a_body_that_is_no_form_is_refused_by_its_kind(
    api: httpx.Client, redis: Redis, kind: str, body: bytes
) -> None:
    response = api.post("/v1/jobs", content=body, headers={"Content-Type": kind})
    assert problem(response, 415)["detail"].endswith(f"Received: {kind}.")
    assert contents(redis) == {}
