"""What an intake thread says of a job, on a real Valkey."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from redis import Redis
from rq.executions import Execution

from model.params import StyleTransferParams
from model.progress import CurvePoint, Progress
from tests.worker.leases import let_go, taken
from worker.assignment import Interrupted, Lost, News
from worker.errand import Reporter, prepare
from worker.jobs import Jobs
from worker.lease import Lease
from worker.painting_job import PaintingJob
from worker.pictures import Pictures
from worker.settings import Settings
from worker.submission import Submission

CURVE = (CurvePoint(0, 1.0, 4.0, 0.5), CurvePoint(25, 0.75, 2.0, 0.25))
PROGRESS = Progress(30, 5000, 0.01, 64, 48, {"total": 3.0}, {}, CURVE, restarts=1)
PREVIEW = np.full((48, 64, 3), 0.5, np.float32)


@pytest.fixture
def jobs(redis: Redis, settings: Settings) -> Jobs:
    return Jobs(redis, settings)


@pytest.fixture
def job(jobs: Jobs, content: bytes, style: bytes) -> PaintingJob:
    submitted = jobs.submit(Submission(Pictures(content, [style]), StyleTransferParams(size=64)))
    return jobs.fetch(submitted.id)


@pytest.fixture
def held(job: PaintingJob) -> Iterator[tuple[Lease, Execution]]:
    """A worker has the job."""
    lease, execution = taken(job)
    yield lease, execution
    let_go(job, execution)


@pytest.fixture
def reporter(held: tuple[Lease, Execution], jobs: Jobs, settings: Settings) -> Reporter:
    return Reporter(held[0], jobs, settings)


def test_a_run_that_had_to_go_back_is_noted_in_the_job(
    reporter: Reporter, jobs: Jobs, job: PaintingJob
) -> None:
    assert jobs.get(job.id).progress.restarts == 0
    reporter.publish(News(PROGRESS))
    assert jobs.get(job.id).progress.restarts == 1


def test_the_loss_curve_is_stored_with_each_preview(
    reporter: Reporter, jobs: Jobs, job: PaintingJob, redis: Redis, settings: Settings
) -> None:
    reporter.publish(News(PROGRESS))
    assert jobs.blobs.get(job.id, "losses") is None
    reporter.publish(News(PROGRESS, preview=PREVIEW))
    stored = jobs.blobs.get(job.id, "losses")
    assert stored is not None
    assert json.loads(stored)["points"] == [
        {"step": 0, "content": 1.0, "style": 4.0, "tv": 0.5, "total": 5.5},
        {"step": 25, "content": 0.75, "style": 2.0, "tv": 0.25, "total": 3.0},
    ]
    lives = [redis.ttl(f"atelier:{kind}:{job.id}") for kind in ("losses", "preview")]
    assert all(0 < ttl <= settings.result_ttl_seconds for ttl in lives)


def test_a_deleted_job_takes_its_loss_curve_with_it(
    reporter: Reporter, jobs: Jobs, job: PaintingJob, held: tuple[Lease, Execution], redis: Redis
) -> None:
    reporter.publish(News(PROGRESS, preview=PREVIEW))
    let_go(job, held[1])
    jobs.delete(job.id)
    assert redis.keys(f"*{job.id}*") == []


def test_no_picture_is_decoded_once_the_house_stops(
    jobs: Jobs, job: PaintingJob, settings: Settings
) -> None:
    looks = iter([False, True])  # it stops while the photograph is decoded

    def check() -> None:
        if next(looks):
            raise Interrupted

    with pytest.raises(Interrupted):
        prepare(job, jobs.blobs, settings, check)
    assert next(looks, None) is None


def test_news_of_a_job_that_another_worker_has_are_not_written(
    reporter: Reporter, job: PaintingJob, held: tuple[Lease, Execution], redis: Redis
) -> None:
    let_go(job, held[1])
    before = redis.hgetall(job.key), set(redis.keys("*"))
    with pytest.raises(Lost):
        reporter.publish(News(PROGRESS, preview=PREVIEW, checkpoint=b"steps"))
    assert (redis.hgetall(job.key), set(redis.keys("*"))) == before


def test_news_of_a_job_that_is_gone_do_not_bring_it_back(
    reporter: Reporter, job: PaintingJob, redis: Redis
) -> None:
    redis.delete(job.key)  # as it expires, or Redis forgets
    before = set(redis.keys("*"))
    with pytest.raises(Lost):
        reporter.publish(News(PROGRESS, preview=PREVIEW, checkpoint=b"steps"))
    assert set(redis.keys("*")) == before
