"""Jobs that no worker survives, workers that speak too late of a job, and such as do in time."""

import signal
import threading
from collections.abc import Iterator

import pytest

from tests.faults.site import LONG, LONG_AT_ONCE, SHORT, Site, a_site
from tests.faults.workshop import SHORT_HEARTBEAT_SECONDS, Fault
from tests.house import eventually
from worker.upkeep import ROUND_SECONDS


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with a_site(tmp_path_factory.mktemp("site"), "--short-heartbeat") as site:
        yield site


def test_a_poison_job_fails_after_three_attempts_and_says_what_happened_at_each(
    site: Site,
) -> None:
    poison = site.submit(**SHORT, seed=str(int(Fault.KILLS)))
    bystanders = [site.submit(**SHORT) for _ in range(2)]
    failed = site.until(poison, "failed")
    assert failed.error is not None
    assert failed.error.type == "urn:atelier:problem:too-many-attempts"
    assert failed.error.detail.count("died or was cut off at") == 3, failed.error.detail
    assert failed.attempt == 3
    assert [site.until(job, "succeeded").attempt for job in bystanders] == [1, 1]
    site.ready()
    site.assert_settled(poison, *bystanders)
    assert sum(worker.starts for worker in site.parts.workers) == 2 + 3


def test_a_bug_that_a_job_meets_costs_it_an_attempt_and_is_named(site: Site) -> None:
    job = site.submit(**SHORT, seed=str(int(Fault.MEETS_A_BUG)))
    assert site.until(job, "succeeded").attempt == 2
    (mishap,) = site.record(job).facts["attempts"]["mishaps"]
    assert "met ZeroDivisionError at step" in mishap
    site.ready()
    site.assert_settled(job)


# One after the other: a second attempt waits until its worker has no other job in hand.
@pytest.mark.parametrize("fault", [Fault.STORES_LATE, Fault.FAILS_LATE])
def test_what_a_worker_says_of_a_job_that_another_has_ended_meanwhile_is_refused(
    site: Site, fault: Fault
) -> None:
    site.ready()
    expected = site.painted(**SHORT, seed="1")
    job = site.submit(**SHORT, seed=str(int(fault)))
    ended = site.until(job, "succeeded")
    assert ended.attempt == 2
    eventually(
        lambda: any(
            f"Job {job} was given to another worker meanwhile" in worker.output
            for worker in site.parts.workers
        ),
        within=30,
        what="the first worker hears that the job is not its own",
    )
    assert site.jobs.get(job) == ended
    assert site.picture(job) == expected
    site.assert_settled(job)


def test_a_job_is_nobody_elses_while_its_pictures_are_decoded_for_long(site: Site) -> None:
    job = site.submit(**SHORT, seed=str(int(Fault.DECODES_LONG)))
    assert site.until(job, "succeeded").attempt == 1
    site.assert_settled(job)


def test_paintings_outlast_a_redis_that_was_away_for_longer_than_heartbeats_do(
    site: Site,
) -> None:
    site.ready()
    undisturbed = site.painted(**LONG_AT_ONCE)
    jobs = [site.submit(**LONG) for _ in site.parts.workers]
    for job in jobs:
        site.until_painted(job)
    redis = site.parts.redis
    redis.wanted = False
    redis.send(signal.SIGTERM)
    redis.wait()
    threading.Event().wait(SHORT_HEARTBEAT_SECONDS + ROUND_SECONDS)
    redis.wanted = True
    eventually(site.parts.redis_answers, within=20, what="Redis is back")
    assert [site.until(job, "succeeded").attempt for job in jobs] == [1, 1]
    assert [site.picture(job) for job in jobs] == [undisturbed, undisturbed]
    site.assert_settled(*jobs)
