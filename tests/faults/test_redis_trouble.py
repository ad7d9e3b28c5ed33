"""Redis that restarts, is emptied, full, read-only, frozen or gone, and an API that restarts."""

import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from redis import Redis

from tests.faults.site import LONG, LONG_AT_ONCE, SHORT, Site, a_site, is_gone, seconds_of
from tests.house import eventually

#: How soon the API says that the queue does not answer, in seconds, and some for a busy machine.
SOON = 2.0 + 1.0

#: How soon a worker has stopped, in seconds: its grace, and some for a busy machine.
GRACE = 6.0 + 2.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with a_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(autouse=True)
def _all_there(site: Site) -> None:
    site.ready()


@pytest.fixture
def redis(site: Site) -> Redis:
    return site.jobs.connection


@pytest.fixture(scope="module")
def undisturbed(site: Site) -> bytes:
    return site.painted(**LONG_AT_ONCE)


def assert_unavailable(answer: httpx.Response) -> None:
    """It is refused for now, soon, in our words."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["type"] == "urn:atelier:problem:redis-unreachable"
    assert seconds_of(answer) < SOON


def uploads(redis: Redis) -> int:
    return len(list(redis.scan_iter("atelier:upload:*"))) + len(
        list(redis.scan_iter("atelier:users:*"))
    )


def test_a_restart_of_redis_is_waited_out_and_no_job_is_lost(
    site: Site, undisturbed: bytes
) -> None:
    running, waiting = site.submit(**LONG), site.submit(**SHORT)
    site.until_painted(running)
    site.parts.redis.wanted = False
    site.parts.redis.send(signal.SIGTERM)
    site.parts.redis.wait()
    assert_unavailable(site.api.get(f"/v1/jobs/{running}"))
    assert_unavailable(site.post(**SHORT))
    site.parts.redis.wanted = True
    eventually(site.parts.redis_answers, within=20, what="Redis is back")
    assert site.until(running, "succeeded").attempt == 1
    assert site.until(waiting, "succeeded").attempt == 1
    assert site.picture(running) == undisturbed
    site.assert_settled(running, waiting)


def test_a_frozen_redis_is_told_soon_and_a_painting_goes_on(site: Site, undisturbed: bytes) -> None:
    job = site.submit(**LONG)
    site.until_painted(job)
    site.parts.redis.send(signal.SIGSTOP)
    try:
        assert_unavailable(site.api.get(f"/v1/jobs/{job}"))
        assert_unavailable(site.post(**SHORT))
        assert site.api.get("/livez").status_code == 200
    finally:
        site.parts.redis.send(signal.SIGCONT)
    site.until(job, "succeeded")
    assert site.picture(job) == undisturbed
    site.assert_settled(job)


def test_a_redis_that_is_emptied_makes_nobody_stumble(site: Site, redis: Redis) -> None:
    job = site.submit(**LONG)
    site.until_painted(job)
    redis.flushall()
    assert is_gone(site, job)
    site.ready()
    follower = site.submit(**SHORT)
    site.until(follower, "succeeded")
    assert is_gone(site, job)
    assert not [key for key in redis.keys("*") if job.encode() in key]
    assert [worker.starts for worker in site.parts.workers] == [1, 1]
    site.assert_settled(follower)


def test_a_full_redis_takes_nothing_and_forgets_nothing(
    site: Site, redis: Redis, undisturbed: bytes
) -> None:
    job = site.submit(**LONG)
    worker = site.until_painted(job, steps=48)
    before, said = uploads(redis), len(worker.output)
    redis.config_set("maxmemory", 1)
    try:
        assert_unavailable(site.post(**SHORT))
        assert uploads(redis) == before, "nothing is half-stored"
        assert site.api.get(f"/v1/jobs/{job}").status_code == 200
        eventually(
            lambda: "picture waits for it" in worker.output[said:], within=60, what="it is painted"
        )
    finally:
        redis.config_set("maxmemory", 0)
    assert site.until(job, "succeeded").attempt == 1
    assert site.picture(job) == undisturbed
    site.assert_settled(job)


def test_a_read_only_redis_takes_nothing_until_it_is_the_first_again(
    site: Site, redis: Redis, undisturbed: bytes
) -> None:
    job = site.submit(**LONG)
    site.until_painted(job)
    before, starts = uploads(redis), [worker.starts for worker in site.parts.workers]
    redis.replicaof("127.0.0.1", 1)
    try:
        assert_unavailable(site.post(**SHORT))
        assert uploads(redis) == before
    finally:
        redis.replicaof("NO", "ONE")
    site.until(job, "succeeded")
    assert site.picture(job) == undisturbed
    assert [worker.starts for worker in site.parts.workers] == starts
    site.assert_settled(job)


def test_a_full_disk_is_told_and_mends_when_there_is_room(site: Site) -> None:
    pid = site.parts.redis.pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    def refused() -> httpx.Response | None:
        answer = site.post(**SHORT)
        return answer if answer.status_code == 503 else None

    try:
        answer = eventually(refused, within=10, what="a job is refused")
        assert answer is not None
        assert_unavailable(answer)
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    eventually(lambda: site.post(**SHORT).is_success, within=20, what="jobs are taken again")
    newest, _ = site.jobs.list_newest(limit=100)
    for job in newest:
        site.until(job.id, "succeeded", "canceled", "failed")
    site.assert_settled(*(job.id for job in newest))


def test_readers_and_jobs_survive_a_restart_of_the_api(site: Site, undisturbed: bytes) -> None:
    job = site.submit(**LONG)
    site.until_painted(job)
    ended = threading.Event()

    def read() -> None:
        with suppress(httpx.HTTPError), site.api.stream("GET", f"/v1/jobs/{job}/events") as answer:
            for _ in answer.iter_lines():
                pass
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    site.parts.api.send(signal.SIGTERM)
    assert ended.wait(10), "an open stream does not hold the exit"
    site.ready()
    with site.api.stream("GET", f"/v1/jobs/{job}/events") as answer:
        events = [line for line in answer.iter_lines() if line.startswith("event:")]
    assert events[-1] == "event: done"
    site.until(job, "succeeded")
    assert site.picture(job) == undisturbed
    site.assert_settled(job)


def test_a_worker_whose_redis_hangs_stops_within_its_grace_and_its_job_goes_on_elsewhere(
    site: Site, undisturbed: bytes
) -> None:
    job = site.submit(**LONG)
    worker = site.until_painted(job, steps=24)
    worker.wanted = False
    site.parts.redis.send(signal.SIGSTOP)
    try:
        worker.send(signal.SIGTERM)
        assert worker.wait(GRACE) == 0, "nothing is lost"
    finally:
        site.parts.redis.send(signal.SIGCONT)
        worker.wanted = True
    assert site.until(job, "succeeded").attempt == 2
    assert site.picture(job) == undisturbed
    site.assert_settled(job)


def test_a_worker_whose_redis_has_vanished_stops_within_its_grace(site: Site) -> None:
    site.parts.redis.wanted = False
    site.parts.redis.send(signal.SIGKILL)
    site.parts.redis.wait()
    worker = site.parts.workers[0]
    eventually(lambda: "Redis does not answer" in worker.output, within=60, what="it is noticed")
    worker.wanted = False
    worker.send(signal.SIGTERM)
    assert worker.wait(GRACE) == 0
    worker.wanted = site.parts.redis.wanted = True
    site.ready()
