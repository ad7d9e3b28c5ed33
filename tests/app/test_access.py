"""What browsers may do: headers on every answer, and no writes from other sites."""

from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest
from redis import Redis

from tests.app.api import Files, contents, problem, submit

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

POLICY = {
    "default-src 'self'",
    "img-src 'self' blob: data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}

ELSEWHERE = {"Origin": "https://elsewhere.example"}

ANSWERS: dict[str, tuple[int, Callable[[httpx.Client, Files], httpx.Response]]] = {
    "the page": (200, lambda api, _: api.get("/")),
    "JSON": (200, lambda api, _: api.get("/v1/system")),
    "a job": (202, lambda api, files: api.post("/v1/jobs", files=files)),
    "no such page": (404, lambda api, _: api.get("/nowhere")),
    "no such job": (404, lambda api, _: api.get("/v1/jobs/1")),
    "a wrong method": (405, lambda api, _: api.put("/v1/jobs")),
    "a wrong field": (422, lambda api, _: api.post("/v1/jobs")),
    "not ready": (503, lambda api, _: api.get("/readyz")),
    "another site": (403, lambda api, _: api.post("/v1/jobs", headers=ELSEWHERE)),
}


def policy_of(response: httpx.Response) -> set[str]:
    return {part.strip() for part in response.headers["Content-Security-Policy"].split(";")}


@pytest.mark.parametrize("name", ANSWERS)
def test_security_headers_are_on_the_answer(api: httpx.Client, files: Files, name: str) -> None:
    status, ask = ANSWERS[name]
    response = ask(api, files)
    assert response.status_code == status
    assert {header: response.headers.get(header) for header in HEADERS} == HEADERS
    assert policy_of(response) >= POLICY


def test_security_headers_are_on_the_answer_to_a_fault_of_ours(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    job = submit(api, files)
    redis.hset(f"rq:job:{job['id']}", "atelier.result", "{broken")
    response = api.get(job["urls"]["self"])
    assert response.status_code == 500
    assert {header: response.headers.get(header) for header in HEADERS} == HEADERS


def test_no_answer_allows_other_sites_to_read_it(api: httpx.Client) -> None:
    for path in ("/", "/v1/jobs", "/nowhere"):
        response = api.get(path, headers=ELSEWHERE)
        assert not [name for name in response.headers if name.startswith("access-control-")]


def test_no_answer_says_what_serves_it(api: httpx.Client) -> None:
    assert "Server" not in api.get("/").headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://["},
        {"Origin": ""},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://elsewhere.example"},
    ],
    ids=str,
)
def test_a_write_from_another_site_is_refused(
    api: httpx.Client, redis: Redis, files: Files, headers: dict[str, str]
) -> None:
    job = submit(api, files)
    before = contents(redis)
    for method, path in [
        ("POST", "/v1/jobs"),
        ("POST", job["urls"]["cancel"]),
        ("DELETE", job["urls"]["self"]),
    ]:
        upload = files if path == "/v1/jobs" else None
        response = api.request(method, path, headers=headers, files=upload)
        assert problem(response, 403)["type"].endswith(":cross-site")
    assert contents(redis) == before


@pytest.mark.parametrize("fetch", ["same-origin", "none"])
def test_a_write_from_the_page_itself_is_taken(api: httpx.Client, files: Files, fetch: str) -> None:
    origin = f"http://{urlsplit(str(api.base_url)).netloc}"
    headers = {"Origin": origin, "Sec-Fetch-Site": fetch}
    assert api.post("/v1/jobs", files=files, headers=headers).status_code == 202


def test_another_site_may_link_here(api: httpx.Client) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert api.get("/", headers=headers).status_code == 200
