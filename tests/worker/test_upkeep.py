"""Jobs that dead workers leave behind, on a real Valkey."""

import pytest
from redis import Redis
from rq.executions import Execution
from rq.job import JobStatus
from rq.utils import now

from model.params import StyleTransferParams
from tests.worker.leases import taken
from worker import upkeep
from worker.jobs import Jobs
from worker.painting_job import PaintingJob
from worker.pictures import Pictures
from worker.removal import STRANDED
from worker.settings import Settings
from worker.submission import Submission
from worker.upkeep import Upkeep

PARAMS = StyleTransferParams(size=64)


@pytest.fixture
def jobs(redis: Redis, settings: Settings) -> Jobs:
    return Jobs(redis, settings)


@pytest.fixture
def one_waits(jobs: Jobs, content: bytes, style: bytes) -> str:
    """A job that waits while another is about to be abandoned."""
    return jobs.submit(Submission(Pictures(content, [style]), PARAMS)).id


def start(jobs: Jobs, job_id: str, heartbeat_ttl: int) -> Execution:
    """What RQ writes when a worker begins a job."""
    job = PaintingJob.fetch(job_id, connection=jobs.connection, serializer="json")
    jobs.connection.lrem(jobs.queue.key, 1, job_id)
    with jobs.connection.pipeline() as pipeline:
        execution = Execution.create(job, heartbeat_ttl, pipeline)
        job.set_status(JobStatus.STARTED, pipeline=pipeline)
        pipeline.execute()
    return execution


def make_rounds(upkeep: Upkeep) -> None:
    """The worker has looked all the time, and the next round is due."""
    upkeep.run_if_due()
    upkeep._next_round = 0.0
    upkeep.run_if_due()


def test_an_abandoned_job_goes_back_to_the_front(
    jobs: Jobs, settings: Settings, one_waits: str, content: bytes, style: bytes
) -> None:
    abandoned = jobs.submit(Submission(Pictures(content, [style]), PARAMS)).id
    start(jobs, abandoned, heartbeat_ttl=0)
    make_rounds(Upkeep(jobs, settings))
    assert jobs.get(abandoned).status == "queued"
    assert jobs.queue.job_ids == [abandoned, one_waits]


def test_whoever_watches_an_abandoned_job_is_told_that_it_waits_again(
    jobs: Jobs, settings: Settings, redis: Redis, one_waits: str
) -> None:
    start(jobs, one_waits, heartbeat_ttl=0)
    make_rounds(Upkeep(jobs, settings))
    assert "queued" in str(redis.xrevrange(f"atelier:events:{one_waits}", count=1))


def test_a_job_with_a_heartbeat_is_left_alone(
    jobs: Jobs, settings: Settings, one_waits: str
) -> None:
    start(jobs, one_waits, heartbeat_ttl=30)
    make_rounds(Upkeep(jobs, settings))
    assert jobs.get(one_waits).status == "running"
    assert jobs.waiting() == 0


def test_heartbeats_come_first_where_nobody_could_look_for_a_while(
    jobs: Jobs, settings: Settings, redis: Redis, one_waits: str
) -> None:
    upkeep_ = Upkeep(jobs, settings)
    make_rounds(upkeep_)
    redis.delete(upkeep._LOCK)
    start(jobs, one_waits, heartbeat_ttl=0)
    upkeep_._next_round = 0.0
    upkeep_._last_look -= 2 * upkeep.ROUND_SECONDS  # Redis was away
    upkeep_.run_if_due()
    assert jobs.get(one_waits).status == "running"
    make_rounds(upkeep_)
    assert jobs.get(one_waits).status == "queued"


def test_a_worker_that_speaks_while_its_job_is_about_to_be_taken_from_it_keeps_it(
    jobs: Jobs, settings: Settings, one_waits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = start(jobs, one_waits, heartbeat_ttl=0)
    fetch = jobs.fetch

    def meanwhile(job_id: str) -> PaintingJob:
        monkeypatch.setattr(jobs, "fetch", fetch)
        job = fetch(job_id)
        with jobs.connection.pipeline() as pipeline:
            execution.heartbeat(job.started_job_registry, 30, pipeline)
            job.heartbeat(now(), 30, pipeline)
            pipeline.execute()
        return job

    monkeypatch.setattr(jobs, "fetch", meanwhile)
    make_rounds(Upkeep(jobs, settings))
    assert jobs.get(one_waits).status == "running"
    assert jobs.waiting() == 0


@pytest.mark.parametrize("ended", [JobStatus.FINISHED, JobStatus.FAILED, JobStatus.CANCELED])
def test_a_job_that_has_ended_stays_as_it_is_when_a_heartbeat_of_it_is_found(
    jobs: Jobs, settings: Settings, redis: Redis, one_waits: str, ended: JobStatus
) -> None:
    start(jobs, one_waits, heartbeat_ttl=0)
    jobs.fetch(one_waits).set_status(ended)
    before = jobs.get(one_waits).status
    make_rounds(Upkeep(jobs, settings))
    assert jobs.get(one_waits).status == before
    assert jobs.waiting() == 0
    assert not redis.zcard(jobs.queue.started_job_registry.key)


def test_a_job_that_another_worker_has_by_now_is_left_to_it(
    jobs: Jobs, settings: Settings, redis: Redis, one_waits: str
) -> None:
    start(jobs, one_waits, heartbeat_ttl=0)
    lease, execution = taken(jobs.fetch(one_waits))
    make_rounds(Upkeep(jobs, settings))
    assert jobs.waiting() == 0
    lease.check()
    left = redis.zrange(jobs.queue.started_job_registry.key, 0, -1)
    assert left == [execution.composite_key.encode()]


def test_a_stranded_job_goes_back_to_the_queue_and_not_to_the_failed(
    jobs: Jobs, settings: Settings, redis: Redis, one_waits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.lmove(jobs.queue.key, jobs.queue.intermediate_queue_key, "LEFT", "RIGHT")
    make_rounds(Upkeep(jobs, settings))
    assert jobs.waiting() == 0, "its worker may only be slow"
    redis.delete(upkeep._LOCK)
    monkeypatch.setattr(upkeep, "STRANDED_SECONDS", -1)
    make_rounds(Upkeep(jobs, settings))
    assert jobs.get(one_waits).status == "queued"
    assert jobs.queue.job_ids == [one_waits]
    assert not redis.exists(STRANDED)


def test_a_job_whose_last_worker_was_an_older_one_goes_back_whoever_is_named_in_it(
    jobs: Jobs, settings: Settings, one_waits: str
) -> None:
    start(jobs, one_waits, heartbeat_ttl=0)
    jobs.note(one_waits, lease="let go of long ago")
    make_rounds(Upkeep(jobs, settings))
    assert jobs.queue.job_ids == [one_waits]


def test_one_worker_at_a_time_makes_the_rounds(
    jobs: Jobs, settings: Settings, redis: Redis, one_waits: str
) -> None:
    redis.set(upkeep._LOCK, 1, ex=5)
    start(jobs, one_waits, heartbeat_ttl=0)
    make_rounds(Upkeep(jobs, settings))
    assert jobs.waiting() == 0


def test_a_crash_cannot_hold_the_lock(jobs: Jobs, settings: Settings, redis: Redis) -> None:
    make_rounds(Upkeep(jobs, settings))
    assert 0 < redis.ttl(upkeep._LOCK) <= upkeep.ROUND_SECONDS
