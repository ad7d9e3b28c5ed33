"""Conditional requests and ranges (RFC 9110, sections 13 and 14), and HEAD."""

import io

import httpx
import pytest
from PIL import Image
from redis import Redis

from tests.app.api import SHORT, Files, Json, ended, problem, submit
from worker.blobs import Blobs

PREVIEW = bytes(range(100))


@pytest.fixture
def preview(api: httpx.Client, redis: Redis, files: Files) -> str:
    """The address of a preview of a hundred bytes."""
    job = submit(api, files)
    Blobs(redis).put(job["id"], "preview", PREVIEW, 1000)
    return str(job["urls"]["preview"])


def ask(client: httpx.Client, url: str, **headers: str) -> httpx.Response:
    """A GET with these headers, their names written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(url, headers=named)


def tag_of(client: httpx.Client, url: str) -> str:
    tag = client.get(url).headers["ETag"]
    assert tag[0] == tag[-1] == '"', "a strong one"
    return str(tag)


# What the client has.


def test_a_job_is_not_sent_again_until_it_has_changed(api: httpx.Client, files: Files) -> None:
    job = submit(api, files)
    url = job["urls"]["self"]
    tag = tag_of(api, url)
    unchanged = ask(api, url, If_None_Match=tag)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["ETag"] == tag
    api.post(job["urls"]["cancel"])
    changed = ask(api, url, If_None_Match=tag)
    assert (changed.status_code, changed.json()["status"]) == (200, "canceled")
    assert changed.headers["ETag"] != tag


def test_a_preview_is_not_sent_again_until_there_is_another(
    api: httpx.Client, redis: Redis, preview: str
) -> None:
    tag = tag_of(api, preview)
    assert ask(api, preview, If_None_Match=tag).status_code == 304
    Blobs(redis).put(preview.split("/")[3], "preview", PREVIEW[::-1], 1000)
    changed = ask(api, preview, If_None_Match=tag)
    assert (changed.status_code, changed.content) == (200, PREVIEW[::-1])


@pytest.mark.parametrize("form", ["{}", "W/{}", '"a", {}', '"a,b",{} , W/"c"', "*"])
def test_a_tag_is_found_in_every_form_of_the_field(
    api: httpx.Client, preview: str, form: str
) -> None:
    field = form.format(tag_of(api, preview))
    assert ask(api, preview, If_None_Match=field).status_code == 304


def test_tags_may_come_in_several_lines(api: httpx.Client, preview: str) -> None:
    tag = tag_of(api, preview)
    lines = [("If-None-Match", '"a"'), ("If-None-Match", tag)]
    assert api.get(preview, headers=lines).status_code == 304
    lines = [("If-Match", '"a"'), ("If-Match", tag)]
    assert api.get(preview, headers=lines).content == PREVIEW


@pytest.mark.parametrize("field", ['"a"', "", "a", '"a", W/"b"', "**"])
def test_another_tag_is_not_taken_for_it(api: httpx.Client, preview: str, field: str) -> None:
    assert ask(api, preview, If_None_Match=field).content == PREVIEW


def test_one_who_wants_a_certain_one_is_told_that_it_is_another(
    api: httpx.Client, preview: str
) -> None:
    tag = tag_of(api, preview)
    for good in (tag, f'"a", {tag}', "*"):
        assert ask(api, preview, If_Match=good).content == PREVIEW
    for other in ('"a"', f"W/{tag}", ""):
        problem(ask(api, preview, If_Match=other), 412)


# Parts.


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("Bytes=10-19", 10, 19),
        ("bytes=90-", 90, 99),
        ("bytes=90-500", 90, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-500", 0, 99),
        ("bytes=99-", 99, 99),
    ],
)
def test_a_range_is_sent_alone(
    api: httpx.Client, preview: str, asked: str, first: int, last: int
) -> None:
    part = ask(api, preview, Range=asked)
    assert (part.status_code, part.content) == (206, PREVIEW[first : last + 1])
    assert part.headers["Content-Range"] == f"bytes {first}-{last}/100"
    whole = api.get(preview)
    assert whole.headers["Accept-Ranges"] == "bytes"
    for name in ("ETag", "Content-Type", "Accept-Ranges"):
        assert part.headers[name] == whole.headers[name]


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=9999999999-"])
def test_a_range_without_a_byte_is_416(api: httpx.Client, preview: str, asked: str) -> None:
    answer = ask(api, preview, Range=asked)
    problem(answer, 416)
    assert answer.headers["Content-Range"] == "bytes */100"


@pytest.mark.parametrize(
    "asked",
    ["", "bytes", "bytes=", "bytes=-", "bytes=5-3", "bytes=a-b", "bytes=0-1,5-6", "lines=0-5",
     "bytes=" + "9" * 5000 + "-"],
)  # fmt: skip
def test_a_range_that_is_none_is_as_if_not_asked_for(
    api: httpx.Client, preview: str, asked: str
) -> None:
    whole = ask(api, preview, Range=asked)
    assert (whole.status_code, whole.content) == (200, PREVIEW)


def test_a_part_of_another_one_is_never_sent(api: httpx.Client, preview: str) -> None:
    tag = tag_of(api, preview)
    assert ask(api, preview, Range="bytes=0-9", If_Range=tag).status_code == 206
    for other in ('"a"', f"W/{tag}", "Sat, 21 Nov 2026 12:00:00 GMT"):
        whole = ask(api, preview, Range="bytes=0-9", If_Range=other)
        assert (whole.status_code, whole.content) == (200, PREVIEW)


def test_what_the_client_has_comes_before_the_part_it_asks_for(
    api: httpx.Client, preview: str
) -> None:
    tag = tag_of(api, preview)
    assert ask(api, preview, Range="bytes=0-9", If_None_Match=tag).status_code == 304


def test_a_result_is_fetched_in_parts_and_asked_for_by_its_tag(
    studio: httpx.Client, files: Files
) -> None:
    url = ended(studio, submit(studio, files, **SHORT))["urls"]["result"]
    whole = studio.get(url)
    tag, half = whole.headers["ETag"], len(whole.content) // 2
    first = ask(studio, url, Range=f"bytes=0-{half - 1}")
    rest = ask(studio, url, Range=f"bytes={half}-", If_Range=tag)
    assert first.status_code == rest.status_code == 206
    assert first.headers["Content-Disposition"] == whole.headers["Content-Disposition"]
    with Image.open(io.BytesIO(first.content + rest.content)) as picture:
        picture.load()
    assert ask(studio, url, If_None_Match=tag).status_code == 304


# HEAD.


def test_head_has_the_headers_of_get_and_no_content(studio: httpx.Client, files: Files) -> None:
    job = ended(studio, submit(studio, files, **SHORT))
    for url in addresses(studio, job):
        got, head = studio.get(url), studio.head(url)
        assert (head.status_code, head.content) == (200, b""), url
        assert constant(head) == constant(got), url


def addresses(client: httpx.Client, job: Json) -> list[str]:
    """All that there is to get, of this job."""
    paths = client.get("/openapi.json").json()["paths"]
    found = [path.replace("{job_id}", job["id"]) for path, has in paths.items() if "get" in has]
    assert set(job["urls"].values()) - {job["urls"]["cancel"], job["urls"]["retry"]} <= set(found)
    return [url for url in found if "{" not in url and url != "/metrics"]  # it has a clock in it


def constant(response: httpx.Response) -> dict[str, str]:
    """The headers that do not change from one second to the next."""
    return {
        name: value
        for name, value in response.headers.items()
        if name not in {"date", "x-request-id"}
    }


@pytest.mark.parametrize("condition", [{}, {"If-Range": '"a"'}])
def test_head_has_no_parts(api: httpx.Client, preview: str, condition: dict[str, str]) -> None:
    for url in (preview, "/style.css"):
        head = api.head(url, headers={"Range": "bytes=2-4", **condition})
        assert head.status_code == 200
        assert head.headers["Content-Length"] == api.head(url).headers["Content-Length"]


def test_head_of_a_stream_ends(api: httpx.Client, files: Files) -> None:
    job = submit(api, files)
    with httpx.Client(base_url=api.base_url, timeout=10) as one_connection:
        head = one_connection.head(job["urls"]["events"])
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Type"].startswith("text/event-stream")
        assert one_connection.get("/livez").status_code == 200


def test_head_of_what_is_not_there_is_404(api: httpx.Client) -> None:
    head = api.head(f"/v1/jobs/{'0' * 32}")
    assert (head.status_code, head.content) == (404, b"")
