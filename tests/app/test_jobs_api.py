"""/v1/jobs without a worker: taken, listed, canceled, deleted, and refused for lack of room."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from redis import Redis

from model.params import StyleTransferParams
from tests.app.api import Files, Json, contents, look, pictures, problem, serving, submit, traces
from tests.pictures import photograph, style_picture
from worker.settings import Settings

#: DESIGN.md, "HTTP".
JOB = {
    "id", "status", "created_at", "started_at", "finished_at", "expires_at", "attempt",
    "queue_position", "progress", "params", "features", "result", "error", "urls", "reused",
}  # fmt: skip
PROGRESS = {"step", "steps", "fraction", "loss", "eta_seconds", "preview_version", "restarts"}
URLS = {"self", "result", "preview", "losses", "events", "cancel", "retry"}

UNKNOWN = "0" * 32


def ids(client: httpx.Client, **query: Any) -> list[str]:
    response = client.get("/v1/jobs", params=query)
    assert response.status_code == 200, response.text
    return [job["id"] for job in response.json()["jobs"]]


def time_of(text: str) -> datetime:
    """An RFC 3339 time in UTC."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text), text
    return datetime.fromisoformat(text)


# Handing in.


def test_a_job_that_is_taken_is_answered_with_202_and_where_it_is(
    api: httpx.Client, files: Files
) -> None:
    response = api.post("/v1/jobs", files=files)
    assert response.status_code == 202
    job = response.json()
    assert response.headers["Location"] == job["urls"]["self"] == f"/v1/jobs/{job['id']}"
    assert look(api, job) == job


def test_a_job_has_the_fields_of_the_design(api: httpx.Client, files: Files) -> None:
    job = submit(api, files)
    assert set(job) == JOB
    assert set(job["progress"]) == PROGRESS
    assert set(job["urls"]) >= URLS
    assert set(job["params"]) == set(StyleTransferParams.model_fields)


def test_a_new_job_waits_and_has_nothing_to_show_yet(api: httpx.Client, files: Files) -> None:
    job = submit(api, files)
    assert re.fullmatch(r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", job["id"]), "a uuid4 in hex"
    assert (job["status"], job["queue_position"], job["attempt"]) == ("queued", 1, 0)
    assert time_of(job["created_at"])
    for field in ("started_at", "finished_at", "expires_at", "features", "result", "error"):
        assert job[field] is None, field
    nothing = dict.fromkeys(PROGRESS, 0) | {"loss": None, "eta_seconds": None}
    assert job["progress"] == nothing


def test_what_was_not_asked_for_has_its_default(api: httpx.Client, files: Files) -> None:
    assert submit(api, files)["params"] == StyleTransferParams().model_dump(mode="json")


def test_what_was_asked_for_comes_back(api: httpx.Client, content: bytes, style: bytes) -> None:
    asked: Json = {
        "size": 256,
        "quality": "fine",
        "steps": 12,
        "content_weight": 0.5,
        "style_weight": 2.0,
        "style_weights": [3.0, 1.0],
        "style_scale": 0.5,
        "tv_weight": 0.0,
        "preserve_color": "luminance",
        "init": "noise",
        "optimizer": "lbfgs",
        "pooling": "max",
        "seed": 2**31 - 1,
        "format": "webp",
    }
    form = {k: [str(x) for x in v] if isinstance(v, list) else str(v) for k, v in asked.items()}
    job = submit(api, pictures(content, style, content), **form)
    assert asked.items() <= job["params"].items()


def test_a_preset_fills_in_what_was_not_asked_for(api: httpx.Client, files: Files) -> None:
    params = submit(api, files, preset="gatys", steps="7")["params"]
    assert (params["preset"], params["init"], params["steps"]) == ("gatys", "noise", 7)


@pytest.mark.parametrize("styles", [1, 8])
def test_one_to_eight_styles_are_taken(api: httpx.Client, content: bytes, styles: int) -> None:
    submit(api, pictures(content, *(style_picture(32 + n, 32) for n in range(styles))))


def test_a_picture_that_comes_twice_is_stored_once(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    submit(api, files)
    submit(api, files)
    uploads = [value for key, value in contents(redis).items() if b"upload" in key]
    assert sorted(uploads, key=repr) == sorted((f[1] for _, f in files), key=repr)


def test_no_picture_is_in_the_queue(api: httpx.Client, redis: Redis, files: Files) -> None:
    job = submit(api, files)
    for key in traces(redis, [job["id"]]):
        assert len(redis.dump(key) or b"") < 2000, key


def test_a_high_priority_goes_before_all_that_waits(api: httpx.Client, files: Files) -> None:
    first, second = submit(api, files), submit(api, files)
    urgent = submit(api, files, priority="high")
    positions = [look(api, job)["queue_position"] for job in (urgent, first, second)]
    assert positions == [1, 2, 3]


# The list.


def test_jobs_are_listed_newest_first_and_page_by_page(api: httpx.Client, files: Files) -> None:
    made = [submit(api, files)["id"] for _ in range(5)]
    found, query = [], {"limit": "2"}
    for expected in (2, 2, 1):
        page = api.get("/v1/jobs", params=query).json()
        assert len(page["jobs"]) == expected
        found += [job["id"] for job in page["jobs"]]
        query["cursor"] = page["next_cursor"]
    assert page["next_cursor"] is None
    assert found == made[::-1]


def test_a_job_made_while_the_list_is_read_does_not_shift_the_pages(
    api: httpx.Client, files: Files
) -> None:
    older, newer = submit(api, files)["id"], submit(api, files)["id"]
    page = api.get("/v1/jobs", params={"limit": 1}).json()
    assert [job["id"] for job in page["jobs"]] == [newer]
    submit(api, files)
    assert ids(api, cursor=page["next_cursor"]) == [older]


def test_the_list_can_be_of_one_status(api: httpx.Client, files: Files) -> None:
    waiting, canceled = submit(api, files), submit(api, files)
    api.post(canceled["urls"]["cancel"])
    assert ids(api, status="queued") == [waiting["id"]]
    assert ids(api, status="canceled") == [canceled["id"]]
    assert ids(api, status="running") == []


def test_a_listed_job_is_the_job(api: httpx.Client, files: Files) -> None:
    job = submit(api, files)
    assert api.get("/v1/jobs").json() == {"jobs": [job], "next_cursor": None}


def test_a_job_that_has_expired_is_neither_found_nor_listed(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    kept, expired = submit(api, files), submit(api, files)
    redis.delete(f"rq:job:{expired['id']}")
    problem(api.get(expired["urls"]["self"]), 404)
    assert ids(api) == [kept["id"]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "many"),
        ("limit", "9" * 30),
        ("status", "finished"),
        ("status", ""),
        ("cursor", "2"),
        ("cursor", "+"),
        ("cursor", "\0"),
        ("cursor", "\N{ARABIC-INDIC DIGIT ONE}" * 20 + ":" + "0" * 32),
    ],
)
def test_a_wrong_question_to_the_list_is_refused_by_name(
    api: httpx.Client, field: str, value: str
) -> None:
    problem(api.get("/v1/jobs", params={field: value}), 422, field=field)


# Cancel.


def test_a_waiting_job_is_canceled_at_once(
    api: httpx.Client, files: Files, settings: Settings
) -> None:
    job, behind = submit(api, files), submit(api, files)
    response = api.post(job["urls"]["cancel"])
    assert response.status_code == 200
    now = response.json()
    assert (now["status"], now["queue_position"]) == ("canceled", None)
    assert now["result"] is None
    assert now["error"] is None
    kept = time_of(now["expires_at"]) - time_of(now["finished_at"])
    assert kept == timedelta(seconds=settings.result_ttl_seconds)
    assert look(api, behind)["queue_position"] == 1
    assert api.get("/v1/system").json()["queue_length"] == 1


def test_canceling_twice_changes_nothing(api: httpx.Client, redis: Redis, files: Files) -> None:
    job = submit(api, files)
    first = api.post(job["urls"]["cancel"]).json()
    before = contents(redis)
    assert api.post(job["urls"]["cancel"]).json() == first
    assert contents(redis) == before


# Delete.


def test_deleting_a_waiting_job_leaves_nothing_that_names_it(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    job = submit(api, files)
    response = api.delete(job["urls"]["self"])
    assert (response.status_code, response.content) == (204, b"")
    assert not traces(redis, [job["id"]])
    problem(api.get(job["urls"]["self"]), 404)
    problem(api.delete(job["urls"]["self"]), 404)
    assert ids(api) == []


def test_deleting_a_job_forgets_its_pictures(api: httpx.Client, redis: Redis, files: Files) -> None:
    submit(api, files)
    before = contents(redis)
    other = submit(api, pictures(photograph(64, 48), style_picture(48, 48)))
    api.delete(other["urls"]["self"])
    assert contents(redis) == before


def test_deleting_a_job_keeps_the_pictures_that_another_needs(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    submit(api, files)
    before = {key for key in contents(redis) if b"upload" in key}
    api.delete(submit(api, files)["urls"]["self"])
    assert {key for key in contents(redis) if b"upload" in key} == before


# Pictures that are not there.


def test_the_result_of_an_unfinished_job_is_a_conflict(api: httpx.Client, files: Files) -> None:
    job = submit(api, files)
    assert "queued" in problem(api.get(job["urls"]["result"]), 409)["detail"]
    api.post(job["urls"]["cancel"])
    assert "canceled" in problem(api.get(job["urls"]["result"]), 409)["detail"]


def test_there_is_no_preview_before_the_first(api: httpx.Client, files: Files) -> None:
    job = submit(api, files)
    assert problem(api.get(job["urls"]["preview"]), 404)["type"].endswith(":no-preview")


def test_there_is_no_loss_curve_before_the_first_preview(api: httpx.Client, files: Files) -> None:
    job = submit(api, files)
    assert problem(api.get(job["urls"]["losses"]), 404)["type"].endswith(":no-losses")


@pytest.mark.parametrize(
    "job_id",
    [UNKNOWN, "1", "A" * 32, "a" * 5000, "index.html", "a b", "%00", "%0a", "%ff", "*", "a:b"],
)
def test_a_job_that_never_was_is_not_found(api: httpx.Client, job_id: str) -> None:
    url = f"/v1/jobs/{job_id}"
    for method, path in [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/result"),
        ("GET", "/preview"),
        ("GET", "/losses"),
        ("POST", "/cancel"),
        ("POST", "/retry"),
    ]:
        found = problem(api.request(method, url + path), 404)
        assert found["type"].endswith(":no-such-job")


# Lack of room.


@pytest.fixture(scope="module")
def running_small_api(
    redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    limits = {"ATELIER_MAX_QUEUE_LENGTH": "2", "ATELIER_MAX_UPLOAD_BYTES": "10000"}
    with serving(redis_url, tmp_path_factory.mktemp("small"), **limits) as client:
        yield client


@pytest.fixture
def small(running_small_api: httpx.Client, redis: Redis) -> httpx.Client:
    """An API where two jobs may wait and pictures have up to 10,000 bytes."""
    del redis  # it was emptied
    return running_small_api


def test_a_full_queue_refuses_and_stores_nothing(
    small: httpx.Client, redis: Redis, files: Files
) -> None:
    first, _ = submit(small, files), submit(small, files)
    before = contents(redis)
    response = small.post("/v1/jobs", files=pictures(photograph(64, 48), style_picture(48, 48)))
    assert problem(response, 503)["type"].endswith(":queue-full")
    assert int(response.headers["Retry-After"]) > 0
    assert contents(redis) == before
    small.post(first["urls"]["cancel"])
    submit(small, files)


def test_a_picture_above_the_limit_is_refused_and_nothing_is_stored(
    small: httpx.Client, redis: Redis, content: bytes, style: bytes
) -> None:
    large = content + b"\0" * 10_000
    found = problem(small.post("/v1/jobs", files=pictures(large, style)), 422, field="content")
    assert "10,000 bytes" in found["detail"]
    problem(small.post("/v1/jobs", files=pictures(content, large)), 422, field="style")
    assert contents(redis) == {}


def test_a_body_above_the_limit_is_refused_and_nothing_is_stored(
    small: httpx.Client, redis: Redis, style: bytes
) -> None:
    response = small.post("/v1/jobs", files=pictures(b"\xff\xd8\xff" + b"\0" * 2_000_000, style))
    assert problem(response, 413)["type"].endswith(":too-large")
    assert contents(redis) == {}


def test_a_body_above_the_limit_is_refused_although_it_does_not_say_its_length(
    small: httpx.Client, redis: Redis
) -> None:
    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="content"; filename="c"\r\n\r\n'
        for _ in range(20):
            yield b"\0" * 100_000
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    problem(small.post("/v1/jobs", content=body(), headers=headers), 413)
    assert contents(redis) == {}


def test_a_job_that_costs_too_much_is_refused_by_its_size(api: httpx.Client, files: Files) -> None:
    asked = {"size": "4096", "steps": "5000", "preset": "gatys"}  # all of them on the one scale
    response = api.post("/v1/jobs", data=asked, files=files)
    assert "megapixel-steps" in problem(response, 422, field="size")["detail"]
