"""Who is given a finished job, and who is not: on a real Valkey, with jobs ended by hand."""

from dataclasses import replace

import pytest
from redis import Redis
from rq.job import JobStatus

from model.params import StyleTransferParams
from tests.app.api import contents
from worker import presence
from worker.jobs import Jobs
from worker.painting_job import PaintingJob, as_rq_writes
from worker.pictures import Pictures
from worker.presence import WorkerInfo
from worker.records import FeaturesUsed, Job, JobResult
from worker.settings import Settings
from worker.submission import Submission

FEATURES = FeaturesUsed(name="bundled", sha256="f" * 64)

WORKER = WorkerInfo(
    name="w", host="h", pid=1, version="0", started_at="now", features=FEATURES, devices=[]
)


@pytest.fixture
def jobs(redis: Redis, settings: Settings) -> Jobs:
    """Jobs, and a worker that says that it is there."""
    presence.announce(redis, WORKER)
    return Jobs(redis, settings)


@pytest.fixture
def asked(content: bytes, style: bytes) -> Submission:
    params = StyleTransferParams(size=64)
    return Submission(Pictures(content, [style]), params, client="me", reuse=True)


@pytest.fixture
def finished(jobs: Jobs, asked: Submission) -> Job:
    return finish(jobs, jobs.submit(asked))


def finish(jobs: Jobs, job: Job) -> Job:
    """What a worker writes when a job has succeeded."""
    jobs.connection.lrem(jobs.queue.key, 1, job.id)
    jobs.blobs.put(job.id, "result", b"png", 86_400)
    jobs.note(job.id, features=FEATURES, result=JobResult(width=1, height=1, format="png", bytes=3))
    record = PaintingJob.fetch(job.id, connection=jobs.connection, serializer="json")
    with jobs.connection.pipeline() as pipeline:
        record.set_status(JobStatus.FINISHED, pipeline)
        pipeline.hset(record.key, "ended_at", as_rq_writes(record.created_at))
        pipeline.expire(record.key, 86_400)
        pipeline.execute()
    return jobs.get(job.id)


def test_an_identical_request_is_answered_although_there_is_no_room(
    jobs: Jobs, redis: Redis, settings: Settings, asked: Submission, finished: Job
) -> None:
    jobs.submit(replace(asked, reuse=False))
    limits = {"max_queue_length": 1, "max_jobs_per_client": 1, "max_queued_bytes": 1}
    full = Jobs(redis, settings.model_copy(update=limits))
    before = redis.keys("*")
    assert full.submit(asked) == finished.model_copy(update={"reused": True})
    assert redis.keys("*") == before


def test_a_job_of_somebody_else_does_not_answer(
    jobs: Jobs, asked: Submission, finished: Job
) -> None:
    theirs = jobs.submit(replace(asked, owner="them"))
    assert not theirs.reused
    assert finish(jobs, theirs).id != finished.id
    assert jobs.submit(asked).id == finished.id


def test_without_a_worker_nobody_knows_what_would_be_painted(
    jobs: Jobs, redis: Redis, asked: Submission, finished: Job
) -> None:
    presence.withdraw(redis, WORKER.name)
    assert jobs.submit(asked).id != finished.id


def test_workers_that_disagree_leave_it_open_what_would_be_painted(
    jobs: Jobs, redis: Redis, asked: Submission, finished: Job
) -> None:
    features = FeaturesUsed(name="imagenet", sha256="0" * 64)
    presence.announce(redis, WORKER.model_copy(update={"name": "v", "features": features}))
    assert jobs.submit(asked).id != finished.id


def test_a_reused_answer_is_replayed_until_its_job_is_deleted(
    jobs: Jobs, redis: Redis, asked: Submission, finished: Job
) -> None:
    named = replace(asked, idempotency_key="k")
    first = jobs.submit(named)
    assert first == finished.model_copy(update={"reused": True})
    presence.withdraw(redis, WORKER.name)
    assert jobs.submit(named) == first.model_copy(update={"replayed": True})
    jobs.delete(finished.id)
    assert not contents(redis)
    assert jobs.submit(named).status == "queued"


def test_a_reused_answer_is_replayed_no_longer_than_its_job_is_there(
    jobs: Jobs, redis: Redis, asked: Submission, finished: Job
) -> None:
    redis.expire(PaintingJob.key_for(finished.id), 40_000)
    assert jobs.submit(replace(asked, idempotency_key="k")).id == finished.id
    (record,) = redis.keys("atelier:idempotency:*")
    assert 39_000 < redis.ttl(record) <= 40_000


def test_a_job_that_will_soon_be_forgotten_does_not_answer_although_its_result_stays(
    jobs: Jobs, redis: Redis, asked: Submission, finished: Job
) -> None:
    redis.expire(PaintingJob.key_for(finished.id), 60)
    assert jobs.submit(asked).id != finished.id


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELED])
def test_only_a_job_that_has_succeeded_answers(
    jobs: Jobs, redis: Redis, asked: Submission, finished: Job, status: JobStatus
) -> None:
    later = jobs.submit(replace(asked, reuse=False))
    PaintingJob.fetch(later.id, connection=redis, serializer="json").set_status(status)
    assert jobs.submit(asked).id == finished.id
