"""A real worker process on a real Valkey: what it does with jobs while nothing befalls it."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import cast

import pytest
from rq import Worker as RqWorker

from tests.house import Process, eventually, house_environment
from tests.pictures import photograph
from tests.worker.crew import LONG, SHORT, Crew, a_crew
from worker.jobs import Jobs
from worker.pictures import Pictures
from worker.submission import Submission


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    with a_crew(tmp_path_factory.mktemp("crew")) as crew:
        yield crew


@pytest.fixture(scope="module", autouse=True)
def worker(crew: Crew) -> Iterator[Process]:
    with crew.worker("worker") as process:
        crew.ready()
        yield process
        assert process.alive, process.output
        assert process.end() == 0
        assert "Traceback" not in process.output


def test_a_job_becomes_a_picture(crew: Crew, content: bytes, style: bytes) -> None:
    job = crew.until(crew.jobs.submit(Submission(Pictures(content, [style]), SHORT)), "succeeded")
    assert job.result is not None
    assert (job.result.width, job.result.height, job.result.format) == (64, 48, "png")
    assert job.progress.step == job.progress.steps == 12
    assert job.progress.fraction == 1.0
    assert job.attempt == 1
    assert job.features is not None
    assert job.features.name == "bundled"
    assert crew.jobs.blobs.get(job.id, "preview") is not None
    assert crew.jobs.blobs.get(job.id, "losses") is not None
    assert crew.jobs.blobs.get(job.id, "checkpoint") is None


def test_rq_sees_one_worker_for_each_intake_thread(crew: Crew) -> None:
    seen = RqWorker.all(connection=crew.jobs.connection, serializer="json")
    assert len(seen) == 2
    assert {queue for one in seen for queue in one.queue_names()} == {"atelier"}


def test_no_worker_takes_a_job_that_it_cannot_begin_soon(
    crew: Crew, content: bytes, style: bytes
) -> None:
    painted = crew.jobs.submit(Submission(Pictures(content, [style]), LONG))
    waiting = crew.jobs.submit(Submission(Pictures(content, [style]), SHORT))
    crew.until_painting(painted, steps=3)
    assert crew.jobs.get(waiting.id).queue_position == 1
    assert crew.jobs.waiting() == 1
    for job in (painted, waiting):
        crew.jobs.cancel(job.id)
    crew.until(painted, "canceled")


def test_a_running_job_is_canceled_within_three_seconds_and_stays_canceled(
    crew: Crew, content: bytes, style: bytes
) -> None:
    job = crew.until_painting(crew.jobs.submit(Submission(Pictures(content, [style]), LONG)))
    crew.jobs.cancel(job.id)
    canceled = crew.until(job, "canceled", within=3)
    assert canceled.result is None
    follower = crew.jobs.submit(Submission(Pictures(content, [style]), SHORT))
    crew.until(follower, "succeeded")
    assert crew.jobs.get(job.id) == canceled


def test_a_deleted_running_job_stops_and_leaves_nothing(
    crew: Crew, content: bytes, style: bytes
) -> None:
    job = crew.until_painting(crew.jobs.submit(Submission(Pictures(content, [style]), LONG)))
    crew.jobs.delete(job.id)
    follower = crew.jobs.submit(Submission(Pictures(content, [style]), SHORT))
    crew.until(follower, "succeeded")
    assert crew.keys_of(job) == []


def test_a_job_whose_time_is_up_fails_and_keeps_its_last_preview(
    crew: Crew, content: bytes, style: bytes
) -> None:
    hasty = Jobs(crew.jobs.connection, crew.settings.model_copy(update={"job_timeout_seconds": 1}))
    job = crew.until(hasty.submit(Submission(Pictures(content, [style]), LONG)), "failed")
    assert job.error is not None
    assert job.error.type == "urn:atelier:problem:timeout"
    assert "1 seconds allowed" in job.error.detail
    assert crew.jobs.blobs.get(job.id, "preview") is not None


def test_a_job_whose_pictures_have_expired_says_so(
    crew: Crew, content: bytes, style: bytes
) -> None:
    blocker = crew.until_painting(crew.jobs.submit(Submission(Pictures(content, [style]), LONG)))
    job = crew.jobs.submit(Submission(Pictures(style, [style]), SHORT))
    crew.jobs.connection.delete(*cast("list[bytes]", crew.jobs.connection.keys("atelier:upload:*")))
    crew.jobs.cancel(blocker.id)
    failed = crew.until(job, "failed")
    assert failed.error is not None
    assert "expired" in failed.error.detail


def test_the_uploads_of_a_painted_job_are_released(crew: Crew, style: bytes) -> None:
    content = photograph(90, 60)
    job = crew.until(crew.jobs.submit(Submission(Pictures(content, [style]), SHORT)), "succeeded")
    digest = hashlib.sha256(content).hexdigest()
    eventually(lambda: crew.jobs.blobs.upload(digest) is None, within=5, what="it is released")
    assert crew.jobs.blobs.get(job.id, "result") is not None


def test_a_job_that_was_given_to_another_worker_is_let_go(
    crew: Crew, content: bytes, style: bytes
) -> None:
    job = crew.until_painting(crew.jobs.submit(Submission(Pictures(content, [style]), LONG)))
    crew.jobs.connection.delete(crew.jobs.queue.started_job_registry.key)
    crew.until(crew.jobs.submit(Submission(Pictures(content, [style]), SHORT)), "succeeded")
    assert crew.jobs.get(job.id).result is None
    assert crew.jobs.blobs.get(job.id, "result") is None
    crew.jobs.delete(job.id)


def test_a_canceled_job_that_is_still_in_the_queue_is_not_painted(
    crew: Crew, content: bytes, style: bytes
) -> None:
    blocker = crew.until_painting(crew.jobs.submit(Submission(Pictures(content, [style]), LONG)))
    job = crew.jobs.cancel(crew.jobs.submit(Submission(Pictures(content, [style]), SHORT)).id)
    crew.jobs.connection.rpush(crew.jobs.queue.key, job.id)
    crew.jobs.cancel(blocker.id)
    crew.until(crew.jobs.submit(Submission(Pictures(content, [style]), SHORT)), "succeeded")
    assert crew.jobs.get(job.id) == job
    assert crew.jobs.waiting() == 0


ASKED_WHETHER_IT_COLLECTS = """
import gc, signal
from worker.__main__ import main
signal.signal(signal.SIGUSR1, lambda *_: print("collects:", gc.isenabled(), flush=True))
main()
"""


def test_a_worker_that_has_started_collects_garbage(crew: Crew) -> None:
    environment = house_environment(crew.folder, ATELIER_REDIS_URL=crew.url)
    with subprocess.Popen(
        [sys.executable, "-c", ASKED_WHETHER_IT_COLLECTS],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            crew.ready(workers=2)
            process.send_signal(signal.SIGUSR1)
            assert process.stdout is not None
            assert process.stdout.readline() == "collects: True\n"
        finally:
            process.terminate()
    crew.ready(workers=1)
