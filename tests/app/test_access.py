"""What browsers may do: headers on every answer, and no writes from other sites."""

import re
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from redis import Redis

from tests.app.api import Files, contents, problem, submit
from tests.app.locked import ANNA, bearer, locked_api

HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
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

FORM = {"Content-Type": "multipart/form-data; boundary=x"}
PART = b'--x\r\nContent-Disposition: form-data; name="content"; filename="content"\r\n\r\n'

ELSEWHERE = {"Origin": "https://elsewhere.example"}

ANSWERS: dict[str, tuple[int, Callable[[httpx.Client, Files], httpx.Response]]] = {
    "the page": (200, lambda api, _: api.get("/")),
    "a file of the page": (200, lambda api, _: api.get("/main.js")),
    "a file that is as it was": (304, lambda api, _: api.get("/", headers=as_it_was(api))),
    "the documentation": (200, lambda api, _: api.get("/docs")),
    "a vendored file": (200, lambda api, _: api.get("/vendor/swagger-ui/swagger-ui.css")),
    "the description": (200, lambda api, _: api.get("/openapi.json")),
    "headers alone": (200, lambda api, _: api.head("/livez")),
    "nothing": (204, lambda api, _: api.delete("/v1/session")),
    "JSON": (200, lambda api, _: api.get("/v1/system")),
    "a job": (202, lambda api, files: api.post("/v1/jobs", files=files)),
    "no such page": (404, lambda api, _: api.get("/nowhere")),
    "no such job": (404, lambda api, _: api.get("/v1/jobs/1")),
    "a wrong method": (405, lambda api, _: api.put("/v1/jobs")),
    "a wrong field": (422, lambda api, _: api.post("/v1/jobs")),
    "not ready": (503, lambda api, _: api.get("/readyz")),
    "another host": (421, lambda api, _: api.get("/", headers={"Host": "rebound.example"})),
    "another site": (403, lambda api, _: api.post("/v1/jobs", headers=ELSEWHERE)),
}


def as_it_was(api: httpx.Client) -> dict[str, str]:
    """The header that asks for the page only if it has changed."""
    return {"If-None-Match": api.get("/").headers["ETag"]}


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


def test_security_headers_are_on_the_answers_to_whom_a_door_is_shut(
    redis_url: str, tmp_path: Path
) -> None:
    with locked_api(redis_url, tmp_path, ATELIER_MAX_UPLOAD_BYTES="1000") as locked:
        stranger = locked.get("/v1/jobs")
        body = PART + b"x" * (18 * 1000 + 2**20)
        declared = locked.post("/v1/jobs", content=body, headers=bearer(ANNA) | FORM)
        chunked = locked.post("/v1/jobs", content=iter([body]), headers=bearer(ANNA) | FORM)
    problem(stranger, 401)
    for response in (declared, chunked):
        assert problem(response, 413)["type"].endswith(":too-large")
    for response in (stranger, declared, chunked):
        assert {header: response.headers.get(header) for header in HEADERS} == HEADERS
        assert policy_of(response) >= POLICY


def test_no_policy_allows_more_than_the_pages(api: httpx.Client) -> None:
    for path in ("/", "/docs", "/v1/jobs", "/nowhere"):
        assert policy_of(api.get(path)) == POLICY


def test_the_documentation_brings_its_scripts_along(api: httpx.Client) -> None:
    """What is inline or elsewhere the policy would not let run."""
    page = api.get("/docs").text
    assert re.findall(r"<script[^>]*>[^<]", page) == []
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) >= 4
    for source in sources:
        assert source.startswith("/")
        assert api.get(source).status_code == 200, source


@pytest.mark.parametrize("path", ["/", "/main.js", "/livez", "/docs", "/openapi.json", "/v1/jobs"])
def test_head_is_get_without_the_body(api: httpx.Client, path: str) -> None:
    head, get = api.head(path), api.get(path)
    assert head.status_code == get.status_code == 200
    assert head.content == b""
    differing = {"date", "x-request-id"}
    assert {k: v for k, v in head.headers.items() if k not in differing} == {
        k: v for k, v in get.headers.items() if k not in differing
    }


def test_head_on_what_is_not_there_or_not_ready_says_so(api: httpx.Client) -> None:
    assert api.head("/nowhere").status_code == 404
    assert api.head("/readyz").status_code == 503
    assert api.head(f"/v1/jobs/{'0' * 32}").status_code == 404


def test_head_goes_on_with_the_same_connection(api: httpx.Client) -> None:
    """Its answer has ended: nothing of a body is left over for the next one."""
    with socket.create_connection((api.base_url.host, api.base_url.port or 0), 10) as line:
        line.sendall(
            b"HEAD /v1/system HTTP/1.1\r\nHost: localhost\r\n\r\n"
            b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        answers = b"".join(iter(lambda: line.recv(65536), b""))
    first, second = re.split(rb"(?<=\r\n\r\n)(?=HTTP/1\.1 )", answers)
    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.endswith(b'{"status":"ok"}')


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
        ("POST", job["urls"]["retry"]),
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
