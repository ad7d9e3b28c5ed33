"""Every error is a problem document (RFC 9457), whoever raises it."""

import re
from collections.abc import Iterator

import httpx
import pytest
from redis import Redis

import app.client
import app.embedded
import app.server
import app.supervisor  # noqa: F401 - for the error classes that they define
import worker.connections
import worker.settings  # noqa: F401
from app.kinds import STATUS, of_error
from model.errors import AtelierError, InputError
from tests.app.api import Files, problem, submit


def tree(root: type[AtelierError] = AtelierError) -> Iterator[type[AtelierError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


@pytest.mark.parametrize("error", list(tree()), ids=lambda error: error.__name__)
def test_an_error_has_a_stable_name_a_title_and_a_status(error: type[AtelierError]) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.slug)
    assert re.fullmatch(r"[A-Z].*[^.]", error.title)
    status = of_error(error).status
    assert status < 500 or not issubclass(error, InputError)


def test_what_was_asked_for_is_never_the_fault_of_the_server() -> None:
    for error, status in STATUS.items():
        assert status < 500 or not issubclass(error, InputError), error


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/nowhere", 404),
        ("GET", "/v1/jobs/", 404),
        ("GET", "/%00", 404),
        ("GET", "/" + "x" * 5000, 404),
        ("POST", "/", 405),
        ("PUT", "/v1/jobs", 405),
        ("GET", "/v1/batches", 405),
        ("DELETE", "/v1/jobs", 405),
        ("PATCH", "/v1/jobs/1", 405),
        ("POST", "/v1/jobs/1/result", 405),
        ("POST", "/livez", 405),
        ("BREW", "/v1/jobs", 405),
        ("GET", "/v1/jobs?limit=x", 422),
        ("POST", "/v1/jobs", 422),
    ],
)
def test_a_request_that_leads_nowhere_is_answered_with_a_problem(
    api: httpx.Client, method: str, path: str, status: int
) -> None:
    problem(api.request(method, path), status)


@pytest.mark.parametrize(("value", "status"), [("bytes=x", 400), ("bytes=9999999-", 416)])
def test_a_range_of_a_file_that_cannot_be_is_answered_with_a_problem(
    api: httpx.Client, value: str, status: int
) -> None:
    response = api.get("/", headers={"Range": value})
    problem(response, status)
    assert ("Content-Range" in response.headers) == (status == 416)


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "BREW"])
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/jobs", "GET, HEAD, POST"),
        ("/v1/jobs/1", "DELETE, GET, HEAD"),
        ("/v1/jobs/1/cancel", "POST"),
        ("/v1/session", "DELETE, GET, HEAD, POST"),
        ("/livez", "GET, HEAD"),
        ("/main.js", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    api: httpx.Client, method: str, path: str, allowed: str
) -> None:
    response = api.request(method, path)
    problem(response, 405)
    assert response.headers["Allow"] == allowed


def test_a_fault_of_ours_is_a_problem_that_shows_nothing_of_our_insides(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    job = submit(api, files)
    redis.hset(f"rq:job:{job['id']}", "atelier.result", "{broken")
    found = problem(api.get(job["urls"]["self"]), 500)
    assert found["type"] == "urn:atelier:problem:internal-error"
    assert "broken" not in str(found)
    assert api.get("/livez").status_code == 200


def test_a_problem_has_errors_only_where_fields_are_at_fault(
    api: httpx.Client, files: Files
) -> None:
    assert "errors" not in problem(api.get("/nowhere"), 404)
    found = problem(api.post("/v1/jobs", data={"size": "1"}, files=files), 422)
    ((error),) = found["errors"]
    assert set(error) == {"field", "message"}
    assert found["detail"] == f"{error['field']}: {error['message']}"
