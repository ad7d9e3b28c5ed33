"""What a scrape of /metrics says, on a real API, a real Valkey and a whole house."""

import re
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import httpx
import psutil
import pytest
from redis import Redis

from tests.app.api import (
    LONG,
    SHORT,
    Files,
    contents,
    ended,
    painting,
    serving,
    submit,
)
from tests.app.scraping import Scrape
from tests.house import House, eventually, valkey

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"

STAGES = ("waiting", "preparing", "painting", "storing")

#: Of a family of samples, the name that is written in the table.
_PART = re.compile(r"_(bucket|count|sum)$")


#: | `rq_jobs{queue, status}` | gauge | what it is |
_ROW = re.compile(r"^\| `([a-z_]+)(?:\{([^}]*)\})?` \| (gauge|counter|histogram) \|", re.MULTILINE)


def documented() -> dict[str, set[str]]:
    """The labels of each metric in the table."""
    rows = _ROW.findall(OPERATIONS.read_text(encoding="utf-8"))
    return {name: set(labels.split(", ")) - {""} for name, labels, _type in rows}


def test_operations_md_lists_every_metric_and_no_other(studio: httpx.Client, files: Files) -> None:
    ended(studio, submit(studio, files, **SHORT))
    scrape = Scrape(studio)
    own = {_PART.sub("", s.name) for s in scrape.samples if not s.name.startswith("process_")}
    named = {name for name in documented() if not name.startswith("process_")}
    assert own == named
    assert scrape.all("process_resident_memory_bytes")


def test_the_labels_in_operations_md_are_those_of_the_metrics(
    studio: httpx.Client, files: Files
) -> None:
    ended(studio, submit(studio, files, **SHORT))
    scrape = Scrape(studio)
    for name, labels in documented().items():
        found = scrape.all(name) or scrape.all(f"{name}_count")
        assert set(found[0]) == labels, name


def test_jobs_are_counted_by_their_status(api: httpx.Client, files: Files) -> None:
    first, *_ = [submit(api, files) for _ in range(3)]
    api.post(first["urls"]["cancel"])
    scrape = Scrape(api)
    counts = {s: scrape("rq_jobs", queue="atelier", status=s) for s in ("queued", "canceled")}
    assert counts == {"queued": 2, "canceled": 1}
    assert scrape("atelier_queue_length") == 2
    assert {labels["status"] for labels in scrape.all("rq_jobs")} == {
        *("queued", "running", "succeeded", "failed", "canceled")
    }


def test_a_job_that_ended_is_counted_once_and_stays_counted_when_it_is_forgotten(
    api: httpx.Client, files: Files
) -> None:
    job = submit(api, files)
    for _ in range(2):
        api.post(job["urls"]["cancel"])
    api.delete(job["urls"]["self"])
    scrape = Scrape(api)
    assert scrape("rq_jobs", status="canceled") == 0
    assert scrape("atelier_jobs_total", status="canceled") == 1
    assert scrape("atelier_jobs_total", status="failed") == 0


def test_the_oldest_job_need_not_be_the_next(api: httpx.Client, redis: Redis, files: Files) -> None:
    assert Scrape(api)("atelier_queue_oldest_seconds") == 0
    old, _ = submit(api, files), submit(api, files)
    submit(api, files, priority="high")
    since = datetime.now(UTC) - timedelta(hours=2)
    redis.hset(f"rq:job:{old['id']}", "enqueued_at", since.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    assert Scrape(api)("atelier_queue_oldest_seconds") == pytest.approx(7200, abs=60)


def test_a_head_is_counted_for_the_route_that_it_asks(api: httpx.Client, files: Files) -> None:
    url = submit(api, files)["urls"]["self"]

    def count() -> float:
        labels = {"handler": "/v1/jobs/{job_id}", "method": "HEAD", "status": "2xx"}
        return Scrape(api)("http_requests_total", **labels)

    before = count()
    assert api.head(url).status_code == 200
    assert count() == before + 1


def test_a_scrape_changes_nothing_in_redis(api: httpx.Client, redis: Redis, files: Files) -> None:
    submit(api, files)
    for registry in ("wip", "finished", "failed", "canceled"):  # RQ would clean these up
        redis.zadd(f"rq:{registry}:atelier", {"abandoned": 1})
    redis.sadd("rq:workers:atelier", "rq:worker:dead")
    before = contents(redis)
    scrape = Scrape(api)
    assert contents(redis) == before
    assert scrape("rq_jobs", status="failed") == 0
    assert scrape.all("rq_workers") == []


def test_a_scrape_asks_redis_no_more_when_many_jobs_wait(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    def asked() -> int:
        before = redis.info("stats")["total_commands_processed"]
        Scrape(api)
        return int(redis.info("stats")["total_commands_processed"] - before)

    asked()  # the connection is made
    few = asked()
    for _ in range(20):
        submit(api, files)
    assert asked() == few < 30


def test_while_redis_is_away_a_scrape_says_so_and_shows_the_process(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = ExitStack()
        url = server.enter_context(valkey(tmp_path))
        client = stack.enter_context(serving(url, tmp_path))
        assert Scrape(client)("atelier_redis_up") == 1
        server.close()
        scrape = Scrape(client)
    assert scrape.all("atelier_redis_up") == [{}]
    assert scrape("atelier_redis_up") == 0
    assert scrape("process_resident_memory_bytes") > 1e6
    assert not scrape.all("rq_jobs")


def test_openmetrics_is_for_those_who_ask_for_it(api: httpx.Client) -> None:
    plain = api.get("/metrics", headers={"Accept": "text/plain"})
    assert plain.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    asked = {"Accept": "application/openmetrics-text; version=1.0.0; charset=utf-8"}
    open_metrics = api.get("/metrics", headers=asked)
    assert open_metrics.headers["Content-Type"].startswith("application/openmetrics-text")
    assert open_metrics.text.endswith("# EOF\n")


def test_requests_are_counted_by_template_and_never_by_path(
    api: httpx.Client, files: Files
) -> None:
    def count(handler: str, status: str) -> float:
        labels = {"handler": handler, "method": "GET", "status": status}
        return Scrape(api)("http_requests_total", **labels)

    job, found, lost = submit(api, files), "/v1/jobs/{job_id}", "none"
    before = [count(found, "2xx"), count(found, "4xx"), count(lost, "4xx")]
    api.get(job["urls"]["self"])
    api.get("/v1/jobs/nobody")
    api.get("/somewhere/else")
    after = [count(found, "2xx"), count(found, "4xx"), count(lost, "4xx")]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1]
    text = Scrape(api).text
    assert job["id"] not in text
    assert "somewhere" not in text


def test_methods_that_somebody_made_up_are_counted_as_one(api: httpx.Client) -> None:
    for method in ("PAINT", "STEAL"):
        api.request(method, "/v1/jobs")
    methods = {labels["method"] for labels in Scrape(api).all("http_requests_total")}
    assert "other" in methods
    assert not methods & {"PAINT", "STEAL"}


def test_two_apps_count_for_themselves(api: httpx.Client, redis_url: str, tmp_path: Path) -> None:
    api.get("/livez")
    with serving(redis_url, tmp_path) as other:
        assert Scrape(other)("http_requests_total", handler="/livez") == 0
    assert Scrape(api)("http_requests_total", handler="/livez") > 0


def test_a_painting_is_in_the_numbers(studio: httpx.Client, files: Files) -> None:
    before = Scrape(studio)
    ended(studio, submit(studio, files, **SHORT))

    def published() -> Scrape | None:
        now = Scrape(studio)
        done = now("atelier_job_seconds_count", stage="storing")
        return now if done > before("atelier_job_seconds_count", stage="storing") else None

    after = eventually(published, within=30, what="the worker publishes its counts")
    assert after is not None

    def grown(name: str, **labels: str) -> float:
        return after(name, **labels) - before(name, **labels)

    assert grown("atelier_jobs_total", status="succeeded") == 1
    assert grown("atelier_steps_total") == 3
    assert grown("atelier_job_attempts_total") == 1
    assert grown("atelier_job_restarts_total") == 0
    assert [grown("atelier_job_seconds_count", stage=stage) for stage in STAGES] == [1, 1, 1, 1]
    painted = grown("atelier_job_seconds_sum", stage="painting")
    assert painted > 0
    assert after.all("atelier_job_seconds_bucket")[-1]["le"] == "+Inf"


def test_a_device_that_paints_shows_its_speed_and_its_time(
    studio: httpx.Client, files: Files
) -> None:
    before = Scrape(studio)
    job = painting(studio, submit(studio, files, **LONG))

    def fast() -> Scrape | None:
        now = Scrape(studio)
        return now if now("atelier_device_steps_per_second", device="cpu") > 0 else None

    during = eventually(fast, within=30, what="the speed is published")
    assert during is not None
    busy = "atelier_device_busy_seconds_total"
    assert during(busy) > before(busy)
    assert during("rq_jobs", status="running") == 1
    studio.post(job["urls"]["cancel"])
    eventually(
        lambda: Scrape(studio)("atelier_device_steps_per_second") == 0,
        within=30,
        what="it is idle again",
    )
    canceled = Scrape(studio)("atelier_jobs_total", status="canceled")
    assert canceled == before("atelier_jobs_total", status="canceled") + 1


def test_workers_are_shown_as_rq_has_them_and_as_they_are(
    studio: httpx.Client, house_redis: Redis
) -> None:
    scrape = Scrape(studio)
    assert {worker["queues"] for worker in scrape.all("rq_workers")} == {"atelier"}
    keys = cast("set[bytes]", house_redis.smembers("rq:workers"))
    names = {key.decode().removeprefix("rq:worker:") for key in keys}
    assert {worker["name"] for worker in scrape.all("rq_workers")} == names
    (worker,) = scrape.all("atelier_worker_info")
    assert worker["features"] == "bundled"
    assert all(name.startswith(worker["worker"]) for name in names)


def test_the_process_is_that_of_the_api(house: House, studio: httpx.Client) -> None:
    (api,) = [p for p in psutil.Process(house.pid).children() if "api" in p.cmdline()]
    shown = Scrape(studio)("process_start_time_seconds")
    assert shown == pytest.approx(api.create_time(), abs=2)
