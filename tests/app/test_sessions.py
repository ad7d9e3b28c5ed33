"""Sessions: a browser gives a key once and gets a cookie that stands for it."""

from collections.abc import Iterator
from contextlib import ExitStack
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest
from redis import Redis

from tests.app.api import Files, problem, submit, traces
from tests.app.locked import ADMIN, ANNA, BERT, GRANTS, STRANGER, bearer, holding, locked_api
from tests.house import eventually, valkey

COOKIE = "atelier_session"

MONTH_SECONDS = 30 * 86_400


@pytest.fixture(scope="module")
def running(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with locked_api(redis_url, tmp_path_factory.mktemp("locked")) as client:
        yield client


@pytest.fixture
def api(running: httpx.Client, redis: Redis) -> Iterator[httpx.Client]:
    """A client of the locked API with neither key nor cookie, on an empty server."""
    del redis  # it was emptied
    with holding(running, None) as client:
        yield client


def begin(api: httpx.Client, key: str, **headers: str) -> str:
    """Begins a session, whose cookie the client keeps; returns the token."""
    response = api.post("/v1/session", headers=bearer(key) | headers)
    assert response.status_code == 204
    return response.cookies[COOKIE]


def cookie(response: httpx.Response) -> dict[str, str | bool]:
    """The attributes of the one cookie that is set, those without a value as True."""
    (header,) = response.headers.get_list("Set-Cookie")
    (morsel,) = SimpleCookie(header).values()
    assert morsel.key == COOKIE
    return {name: value for name, value in morsel.items() if value}


def test_a_session_opens_what_its_key_opens(api: httpx.Client, files: Files) -> None:
    begin(api, ANNA)
    assert api.get("/v1/session").json() == {"owner": "anna", "admin": False, "keys_required": True}
    job = submit(api, files)
    with holding(api, BERT) as bert:
        problem(bert.get(job["urls"]["self"]), 404)
    with holding(api, ADMIN) as admin:
        assert admin.get(job["urls"]["self"]).status_code == 200
        assert admin.get("/v1/session").json()["admin"] is True


def test_no_script_reads_the_cookie_and_no_other_site_has_it_sent(api: httpx.Client) -> None:
    response = api.post("/v1/session", headers=bearer(ANNA))
    assert cookie(response) == {
        "httponly": True,
        "max-age": str(MONTH_SECONDS),
        "path": "/",
        "samesite": "strict",
    }
    assert response.content == b""


def test_over_https_the_cookie_is_for_https_alone(api: httpx.Client) -> None:
    headers = bearer(ANNA) | {"X-Forwarded-Proto": "https"}  # as a proxy on this machine says it
    assert cookie(api.post("/v1/session", headers=headers))["secure"] is True


def test_redis_has_neither_key_nor_token_and_forgets_the_session_in_time(
    api: httpx.Client, redis: Redis
) -> None:
    token = begin(api, ANNA)
    assert not traces(redis, [token, ANNA])
    (key,) = redis.keys("atelier:session:*")
    assert redis.get(key) == GRANTS[0].digest.encode()
    assert MONTH_SECONDS - 60 < int(str(redis.ttl(key))) <= MONTH_SECONDS


def test_each_session_has_a_token_of_its_own(api: httpx.Client) -> None:
    tokens = {begin(api, ANNA) for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(token) == 43 for token in tokens)


def test_a_session_that_is_ended_opens_nothing_any_more(api: httpx.Client, redis: Redis) -> None:
    token = begin(api, ANNA)
    response = api.delete("/v1/session")
    assert response.status_code == 204
    assert cookie(response)["max-age"] == "0"
    assert not redis.keys("atelier:session:*")
    thief = {"Cookie": f"{COOKIE}={token}"}
    problem(api.get("/v1/session", headers=thief), 401)


def test_the_end_of_one_session_leaves_the_others(api: httpx.Client) -> None:
    begin(api, ANNA)
    with holding(api, None) as elsewhere:
        begin(elsewhere, ANNA)
        elsewhere.delete("/v1/session")
    assert api.get("/v1/session").status_code == 200


def test_a_session_ends_when_its_time_is_over(redis_url: str, redis: Redis, tmp_path: Path) -> None:
    del redis
    with locked_api(redis_url, tmp_path, ATELIER_SESSION_TTL_SECONDS="1") as api:
        token = begin(api, ANNA)
        thief = {"Cookie": f"{COOKIE}={token}"}
        eventually(
            lambda: api.get("/v1/session", headers=thief).status_code == 401,
            within=10,
            what="the session ends",
        )


def test_a_session_dies_with_its_key_and_with_no_other(
    api: httpx.Client, redis_url: str, tmp_path: Path
) -> None:
    tokens = {key: begin(api, key) for key in (ANNA, BERT)}
    left = GRANTS[1].entry + " " + GRANTS[2].entry  # anna's second key, and bert's
    with locked_api(redis_url, tmp_path, ATELIER_API_KEYS=left) as later:
        answers = {
            key: later.get("/v1/session", headers={"Cookie": f"{COOKIE}={token}"}).status_code
            for key, token in tokens.items()
        }
    assert answers == {ANNA: 401, BERT: 200}


@pytest.mark.parametrize(
    "token", ["", "x", "é", "*", GRANTS[0].digest, ANNA, "x" * 5000], ids=lambda token: token[:8]
)
def test_a_token_that_was_never_given_opens_nothing(api: httpx.Client, token: str) -> None:
    begin(api, ANNA)
    headers = {b"Cookie": f"{COOKIE}={token}".encode("latin-1")}
    problem(httpx.get(f"{api.base_url}/v1/session", headers=headers), 401)


def test_a_key_in_the_request_decides_and_not_the_cookie(api: httpx.Client) -> None:
    begin(api, ANNA)
    assert api.get("/v1/session", headers=bearer(BERT)).json()["owner"] == "bert"
    problem(api.get("/v1/session", headers=bearer(STRANGER)), 401)


def test_what_a_proxy_asks_for_itself_is_not_taken_for_a_key(api: httpx.Client) -> None:
    begin(api, ANNA)
    headers = {"Authorization": "Basic dXNlcjpwYXNz"}
    assert api.get("/v1/session", headers=headers).json()["owner"] == "anna"


def test_another_site_cannot_write_with_the_cookie(api: httpx.Client, files: Files) -> None:
    begin(api, ANNA)
    job = submit(api, files)
    elsewhere = {"Origin": "https://elsewhere.example"}
    problem(api.post("/v1/jobs", files=files, headers=elsewhere), 403)
    problem(api.delete(job["urls"]["self"], headers=elsewhere), 403)
    problem(api.delete("/v1/session", headers=elsewhere), 403)
    assert api.get(job["urls"]["self"]).status_code == 200


def test_what_a_key_opened_is_for_no_shared_cache(api: httpx.Client) -> None:
    begin(api, ANNA)
    assert "private" in api.get("/v1/session").headers["Cache-Control"]


def test_without_keys_there_is_nobody_to_be_and_nothing_to_begin(
    redis: Redis, running_api: httpx.Client
) -> None:
    nobody = {"owner": None, "admin": False, "keys_required": False}
    assert running_api.get("/v1/session").json() == nobody
    response = running_api.post("/v1/session", headers=bearer(ANNA))
    assert problem(response, 409)["type"].endswith(":no-keys")
    assert "Set-Cookie" not in response.headers
    assert running_api.delete("/v1/session").status_code == 204
    assert not redis.keys("*")


def test_while_redis_is_away_a_session_is_unavailable_and_not_refused(tmp_path: Path) -> None:
    with ExitStack() as stack:
        own_redis = stack.enter_context(ExitStack())
        url = own_redis.enter_context(valkey(tmp_path))
        api = stack.enter_context(locked_api(url, tmp_path))
        token = begin(api, ANNA)
        own_redis.close()
        response = api.get("/v1/session", headers={"Cookie": f"{COOKIE}={token}"})
        problem(response, 503)
        assert int(response.headers["Retry-After"]) > 0
        assert api.get("/v1/session", headers=bearer(ANNA)).status_code == 200
        problem(httpx.get(f"{api.base_url}/v1/session"), 401)
