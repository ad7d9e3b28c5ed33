"""A job that failed is queued again only where there is room for it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis, WatchError
from redis.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from rq.job import JobStatus

from model.params import StyleTransferParams
from worker.admission import QueueFull, TooManyJobs
from worker.jobs import Jobs
from worker.pictures import Pictures
from worker.records import Attempts, Job, JobProgress
from worker.revival import NotFailed, PicturesGone
from worker.settings import Settings
from worker.submission import Submission
from worker.submitter import TAKEOVERS

PARAMS = StyleTransferParams(size=64, quality="draft", seed=3)


@pytest.fixture
def jobs(redis: Redis, settings: Settings) -> Jobs:
    """Where one job may wait, and a client may have one."""
    few = {"max_queue_length": 2, "max_jobs_per_client": 1}
    return Jobs(redis, settings.model_copy(update=few))


@pytest.fixture
def submission(content: bytes, style: bytes) -> Submission:
    return Submission(Pictures(content, [style]), PARAMS, client="anna")


def failed(jobs: Jobs, submission: Submission) -> Job:
    """A job that failed, as RQ writes it."""
    job = jobs.submit(submission)
    record = jobs.fetch(job.id)
    with jobs.connection.pipeline() as pipeline:
        pipeline.lrem(jobs.queue.key, 1, job.id)
        record.retries_left = None
        record.set_status(JobStatus.FAILED, pipeline)
        record._handle_failure("", pipeline)
        pipeline.execute()
    return jobs.get(job.id)


def test_it_counts_for_its_client_again(jobs: Jobs, submission: Submission) -> None:
    first = failed(jobs, submission)
    second = jobs.submit(submission)
    with pytest.raises(TooManyJobs):
        jobs.retry(first.id)
    assert jobs.get(first.id) == first
    jobs.cancel(second.id)
    assert jobs.retry(first.id).status == "queued"
    with pytest.raises(TooManyJobs):
        jobs.submit(submission)


def test_it_waits_only_where_there_is_room(jobs: Jobs, submission: Submission) -> None:
    first = failed(jobs, submission)
    for client in ("bert", "carla"):
        jobs.submit(Submission(submission.pictures, PARAMS, client=client))
    with pytest.raises(QueueFull):
        jobs.retry(first.id)
    assert jobs.get(first.id) == first


def test_nothing_of_what_befell_it_is_held_against_it(jobs: Jobs, submission: Submission) -> None:
    job = failed(jobs, submission)
    attempts = Attempts(mishaps=("one", "two", "three"), worker=None)
    progress = JobProgress(step=9, steps=20, fraction=0.3, preview_version=4)
    jobs.note(job.id, attempt=3, attempts=attempts, progress=progress, cancel=1)
    jobs.retry(job.id)
    again = jobs.fetch(job.id)
    assert set(again.facts) <= {"client", "traceparent", "progress"}
    assert again.client == submission.client_digest
    assert again.facts["progress"] == JobProgress(preview_version=4).model_dump()
    assert not jobs.cancel_requested(job.id)


def test_its_idempotency_key_lives_as_long_as_it_may_again(
    jobs: Jobs, redis: Redis, submission: Submission, settings: Settings
) -> None:
    job = failed(jobs, replace(submission, idempotency_key="k"))
    (record,) = redis.keys("atelier:idempotency:*")
    assert redis.ttl(record) <= settings.result_ttl_seconds
    jobs.retry(job.id)
    assert redis.ttl(record) > settings.input_ttl_seconds


def test_it_is_taken_from_dead_workers_as_often_as_any_other(
    jobs: Jobs, submission: Submission
) -> None:
    job = failed(jobs, submission)
    jobs.connection.hset(f"rq:job:{job.id}", "retries_left", 3)
    jobs.retry(job.id)
    assert jobs.fetch(job.id).retries_left == TAKEOVERS
    assert jobs.queue.failed_job_registry.get_job_ids() == []
    assert jobs.queue.get_job_ids() == [job.id]


@pytest.mark.parametrize("left", ["the uploads", "their users"])
def test_without_pictures_of_its_own_it_stays_as_it_is(
    jobs: Jobs, redis: Redis, submission: Submission, left: str
) -> None:
    job = failed(jobs, submission)
    if left == "the uploads":  # which another has handed in, too
        for key in redis.scan_iter("atelier:users:*"):
            redis.srem(key.decode(), job.id)
            redis.sadd(key.decode(), "another")
    else:
        redis.delete(*redis.scan_iter("atelier:upload:*"))
    with pytest.raises(PicturesGone):
        jobs.retry(job.id)
    assert jobs.get(job.id) == job


def test_who_is_overtaken_by_another_is_refused(
    jobs: Jobs, submission: Submission, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = failed(jobs, submission)
    look, looks = jobs.blobs.has_uploads, []

    def meddle(job_id: str, digests: Iterable[str]) -> bool:
        looks.append(job_id)
        if len(looks) == 2:  # between the last look and the deed
            Jobs(jobs.connection, settings).retry(job_id)
        return look(job_id, digests)

    monkeypatch.setattr(jobs.blobs, "has_uploads", meddle)
    with pytest.raises(NotFailed):
        jobs.retry(job.id)
    assert jobs.queue.get_job_ids() == [job.id]


def test_whoever_hears_no_answer_to_a_retry_has_retried_it_all_the_same(
    jobs: Jobs, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = failed(jobs, submission)
    execute = Pipeline.execute

    def cut(pipeline: Pipeline, *args: bool) -> list[Any]:
        """As redis-py tells of it where something is watched."""
        watched = pipeline.watching
        answer = execute(pipeline, *args)
        if not watched:
            return answer
        error = WatchError()
        error.__context__ = RedisConnectionError("cut off")
        raise error

    monkeypatch.setattr(Pipeline, "execute", cut)
    assert jobs.retry(job.id).status == "queued"
    assert jobs.queue.get_job_ids() == [job.id]
