"""Jobs that dead workers leave behind, on a real Valkey."""

import pytest
from redis import Redis
from rq.executions import Execution
from rq.job import JobStatus

from model.params import StyleTransferParams
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


def start(jobs: Jobs, job_id: str, heartbeat_ttl: int) -> None:
    """What RQ writes when a worker begins a job."""
    job = PaintingJob.fetch(job_id, connection=jobs.connection, serializer="json")
    jobs.connection.lrem(jobs.queue.key, 1, job_id)
    with jobs.connection.pipeline() as pipeline:
        Execution.create(job, heartbeat_ttl, pipeline)
        job.set_status(JobStatus.STARTED, pipeline=pipeline)
        pipeline.execute()


def test_an_abandoned_job_goes_back_to_the_front(
    jobs: Jobs, settings: Settings, one_waits: str, content: bytes, style: bytes
) -> None:
    abandoned = jobs.submit(Submission(Pictures(content, [style]), PARAMS)).id
    start(jobs, abandoned, heartbeat_ttl=0)
    Upkeep(jobs, settings).run_if_due()
    assert jobs.get(abandoned).status == "queued"
    assert jobs.queue.job_ids == [abandoned, one_waits]


def test_a_job_with_a_heartbeat_is_left_alone(
    jobs: Jobs, settings: Settings, one_waits: str
) -> None:
    start(jobs, one_waits, heartbeat_ttl=30)
    Upkeep(jobs, settings).run_if_due()
    assert jobs.get(one_waits).status == "running"
    assert jobs.waiting() == 0


def test_a_stranded_job_goes_back_to_the_queue_and_not_to_the_failed(
    jobs: Jobs, settings: Settings, redis: Redis, one_waits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.lmove(jobs.queue.key, jobs.queue.intermediate_queue_key, "LEFT", "RIGHT")
    Upkeep(jobs, settings).run_if_due()
    assert jobs.waiting() == 0, "its worker may only be slow"
    redis.delete(upkeep._LOCK)
    monkeypatch.setattr(upkeep, "STRANDED_SECONDS", -1)
    Upkeep(jobs, settings).run_if_due()
    assert jobs.get(one_waits).status == "queued"
    assert jobs.queue.job_ids == [one_waits]
    assert not redis.exists(STRANDED)


def test_one_worker_at_a_time_makes_the_rounds(
    jobs: Jobs, settings: Settings, redis: Redis, one_waits: str
) -> None:
    redis.set(upkeep._LOCK, 1, ex=5)
    start(jobs, one_waits, heartbeat_ttl=0)
    Upkeep(jobs, settings).run_if_due()
    assert jobs.waiting() == 0


def test_a_crash_cannot_hold_the_lock(jobs: Jobs, settings: Settings, redis: Redis) -> None:
    Upkeep(jobs, settings).run_if_due()
    assert 0 < redis.ttl(upkeep._LOCK) <= upkeep.ROUND_SECONDS
