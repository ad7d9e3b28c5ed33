"""What comes twice, too late, or from another version; and that nothing stays behind."""

import json
import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from redis import Redis

from tests.faults.site import LONG, SHORT, Site, a_site
from tests.house import eventually
from worker import upkeep
from worker.load import LEAD_SECONDS
from worker.painting_job import PaintingJob
from worker.upkeep import Upkeep

PAYLOADS = Path(__file__).with_name("payloads")

#: What is there as long as the house is, and grows with nothing that a job does.
OF_THE_HOUSE = (
    b"rq:queues",
    b"rq:worker",
    b"rq:clean_registries:",
    b"atelier:worker",
    b"atelier:totals",
    b"atelier:upkeep",
    b"atelier:recount",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with a_site(folder, ATELIER_MAX_QUEUE_SECONDS="12") as site:
        yield site


@pytest.fixture
def redis(site: Site) -> Redis:
    return site.jobs.connection


@pytest.fixture
def all_busy(site: Site) -> Iterator[list[str]]:
    """Every worker has a job that takes long."""
    jobs = [site.submit(**LONG | {"steps": "2000"}) for _ in site.parts.workers]
    for job in jobs:
        site.until_painted(job, steps=1)
    yield jobs
    for job in jobs:
        site.jobs.cancel(job)
        site.until(job, "canceled")


def rewrite(redis: Redis, job: str, **changes: Any) -> None:
    """Changes what a job that waits is to do."""
    record = PaintingJob.fetch(job, connection=redis, serializer="json")
    record.kwargs = {**record.kwargs, **changes}
    record.save()


def test_a_job_that_is_in_the_queue_twice_is_painted_once(site: Site, redis: Redis) -> None:
    job = site.submit(**LONG)
    site.until_painted(job, steps=1)
    redis.rpush(site.jobs.queue.key, job)
    assert site.until(job, "succeeded").attempt == 1
    redis.rpush(site.jobs.queue.key, job)
    site.until(site.submit(**SHORT), "succeeded")
    site.assert_settled(job)


def test_no_job_waits_behind_a_running_one_while_another_worker_is_idle(
    site: Site, redis: Redis
) -> None:
    for _ in range(2):
        long = site.submit(**LONG)
        busy = site.until_painted(long, steps=1)
        eventually(
            lambda job=long: seconds_left(site, job) < LEAD_SECONDS,  # type: ignore[misc]
            within=60,
            what="its worker looks for another one",
        )
        while seconds_left(site, long) > LEAD_SECONDS / 2:
            assert redis.info("clients")["blocked_clients"] <= 1, "only the idle one waits for jobs"
            short = site.submit(**SHORT)
            site.until(short, "succeeded")
            assert f"Job {short} begins" not in busy.output, "the other one had nothing to do"
        site.until(long, "succeeded")


def test_two_cleaners_put_an_abandoned_job_back_once(
    site: Site, redis: Redis, all_busy: list[str]
) -> None:
    del all_busy
    job = site.submit(**SHORT)
    queue = site.jobs.queue
    redis.set(upkeep._LOCK, 1, ex=30)  # the workers keep out of it
    redis.lmove(queue.key, queue.intermediate_queue_key, "LEFT", "RIGHT")
    cleaners = [Upkeep(site.jobs, site.jobs.settings) for _ in range(2)]
    redis.hset("atelier:stranded", job, str(time.time() - 60))
    both_have_seen_it = threading.Barrier(2, timeout=10)

    def clean(cleaner: Upkeep) -> None:
        put_back = cleaner._put_back

        def together(**script: Any) -> Any:
            both_have_seen_it.wait()
            return put_back(**script)

        cleaner._put_back = together  # type: ignore[assignment]
        cleaner._make_round()

    threads = [threading.Thread(target=clean, args=[cleaner]) for cleaner in cleaners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    redis.delete(upkeep._LOCK)
    assert not both_have_seen_it.broken
    assert queue.job_ids.count(job) == 1
    site.jobs.cancel(job)


def test_a_job_that_waits_too_long_fails_and_says_so(site: Site, all_busy: list[str]) -> None:
    job = site.submit(**SHORT)
    failed = site.until(job, "failed", within=40)
    assert failed.error is not None
    assert failed.error.type == "urn:atelier:problem:queue-timeout"
    assert "12 seconds" in failed.error.detail
    assert failed.attempt == 0
    assert {site.jobs.get(busy).status for busy in all_busy} <= {"running", "succeeded"}


def test_a_job_of_a_newer_version_is_left_to_others_and_holds_nobody_up(
    site: Site, redis: Redis, all_busy: list[str]
) -> None:
    job = site.submit(**SHORT)
    rewrite(redis, job, version=2, surprise=True)
    behind = site.submit(**SHORT)
    for busy in all_busy:
        site.jobs.cancel(busy)
    assert site.until(behind, "succeeded").attempt == 1
    left = site.record(job)
    assert left.get_status() == "queued"
    assert left.facts.get("attempt", 0) == 0
    eventually(  # but for the moments in which a worker looks at it
        lambda: site.jobs.queue.job_ids == [job], within=5, what="it is in the queue"
    )
    told = "".join(worker.output for worker in site.parts.workers).count("of a newer Atelier")
    assert 1 <= told <= 4, "once for each intake thread"
    before = redis.info("commandstats")["cmdstat_rpush"]["calls"]
    threading.Event().wait(2.0)
    rounds = redis.info("commandstats")["cmdstat_rpush"]["calls"] - before
    assert rounds <= 12, "it is not taken again and again"
    rewrite(redis, job, version=1)
    assert site.until(job, "succeeded").attempt == 1
    site.assert_settled(job, behind)


def test_a_payload_of_the_first_version_is_painted(
    site: Site, redis: Redis, all_busy: list[str]
) -> None:
    job = site.submit(**SHORT)
    record = PaintingJob.fetch(job, connection=redis, serializer="json")
    recorded = json.loads((PAYLOADS / "work-1.json").read_text())
    recorded |= {name: record.kwargs[name] for name in ("content", "styles")}
    record.kwargs = recorded
    record.save()
    for busy in all_busy:
        site.jobs.cancel(busy)
    site.until(job, "succeeded")
    site.assert_settled(job)


def test_nothing_is_left_of_jobs_in_each_end_state(
    site: Site, redis: Redis, all_busy: list[str]
) -> None:
    canceled, deleted, failed = (site.submit(**SHORT) for _ in range(3))
    site.jobs.cancel(canceled)
    site.jobs.delete(deleted)
    site.until(failed, "failed", within=40)
    site.jobs.delete(all_busy[0])
    succeeded = site.submit(**SHORT)
    site.until(succeeded, "succeeded")
    eventually(lambda: not of_jobs(redis, deleted, all_busy[0]), within=10, what="it is gone")
    site.jobs.cancel(all_busy.pop())
    all_busy.clear()
    site.assert_settled(succeeded, canceled, failed)
    let_time_pass(redis)
    eventually(lambda: not of_jobs(redis), within=20, what="nothing is left of any job")


def seconds_left(site: Site, job: str) -> float:
    """Of a painting, as its worker estimates it."""
    left = site.jobs.get(job).progress.eta_seconds
    return math.inf if left is None else left


def of_jobs(redis: Redis, *job_ids: str) -> list[bytes]:
    """The keys that are not of the house, or of these jobs only."""
    keys = cast("list[bytes]", redis.keys("*"))
    if job_ids:
        return [key for key in keys if any(job_id.encode() in key for job_id in job_ids)]
    return [key for key in keys if not key.startswith(OF_THE_HOUSE)]


def let_time_pass(redis: Redis) -> None:
    """All that expires has expired; what does not is the business of those who clean up."""
    redis.delete("atelier:recount")
    for key in of_jobs(redis):
        if redis.ttl(key) >= 0:
            redis.delete(key)
        elif redis.type(key) == b"zset":
            for entry, _ in cast("list[tuple[bytes, float]]", redis.zscan(key)[1]):
                redis.zadd(key, {entry: 1.0})
