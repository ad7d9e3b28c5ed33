"""A job of which an attempt failed, among others, with a device's real threads on a real Valkey."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import tensorflow as tf
from redis import Redis

from model.painting import Studio
from model.params import StyleTransferParams
from tests.house import eventually
from tests.networks import a_thin_network, thin_features
from worker import errand
from worker.coordination import QueueRunner
from worker.device import Device
from worker.intake import IntakeWorker
from worker.jobs import Jobs
from worker.lease import Lease
from worker.painting_job import PaintingJob
from worker.pictures import Pictures
from worker.records import Attempts
from worker.settings import Settings
from worker.submission import Submission

PARAMS = StyleTransferParams(size=64, quality="draft", steps=3)

#: A deadline for what takes seconds on a busy machine, and one for what is not to be.
SOON, WHILE = 60.0, 1.0


@contextmanager
def painting(jobs: Jobs, settings: Settings, together: int) -> Iterator[None]:
    """A device that paints so many at once, and those who feed it."""
    studio = Studio(thin_features(), precision="float32")
    device, coord = Device(studio, together), tf.train.Coordinator()
    threading.Thread(target=device.run, args=[coord], daemon=True).start()
    crew = [IntakeWorker(str(n), jobs, device, coord, settings) for n in range(together + 1)]
    for one in crew:
        one.register_birth()  # type: ignore[no-untyped-call]
    runner = QueueRunner(device.queue, [one.take_one for one in crew])
    threads = runner.create_threads(coord, daemon=True, start=True)
    try:
        yield
    finally:
        coord.request_stop()
        coord.join(threads, stop_grace_period_secs=SOON)


def test_nothing_else_is_at_stake_with_a_job_of_which_an_attempt_failed(
    redis: Redis, settings: Settings, content: bytes, style: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = Jobs(redis, settings)
    pictures = Pictures(content, [style])
    first, suspect, last = (jobs.submit(Submission(pictures, PARAMS)).id for _ in range(3))
    jobs.note(suspect, attempts=Attempts(mishaps=("the other died at the start",)))
    course: list[tuple[str, str]] = []
    last_is_begun = threading.Event()
    prepare, store = errand.prepare, errand.store

    def is_begun(job_id: str) -> bool:
        attempts = Attempts(**jobs.fetch(job_id).facts.get("attempts", {}))
        return attempts.worker is not None and not attempts.counts

    def prepare_and_say(job: PaintingJob, *others: Any) -> Any:
        course.append(("prepared", job.id))
        if job.id == last:
            last_is_begun.set()
        return prepare(job, *others)

    def store_and_say(lease: Lease, *others: Any) -> None:
        if lease.job.id == first:
            eventually(lambda: is_begun(suspect), within=SOON, what="the suspect waits")
        if lease.job.id == suspect:
            last_is_begun.wait(WHILE)
        store(lease, *others)
        course.append(("stored", lease.job.id))

    monkeypatch.setattr(errand, "prepare", prepare_and_say)
    monkeypatch.setattr(errand, "store", store_and_say)
    with a_thin_network(), painting(jobs, settings, together=2):
        eventually(lambda: jobs.get(last).status == "succeeded", within=SOON, what="all are done")
    assert course == [
        (what, job) for job in (first, suspect, last) for what in ("prepared", "stored")
    ]
    assert [jobs.get(job).attempt for job in (first, suspect, last)] == [1, 2, 1]
