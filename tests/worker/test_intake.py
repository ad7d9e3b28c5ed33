"""Who has a job, and what an intake thread does while its device paints, on a real Valkey."""

import math
import threading
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import tensorflow as tf
from redis import Redis, WatchError
from redis.client import Pipeline

from model.params import StyleTransferParams
from model.progress import Progress
from model.sitting import Sitting
from worker import events
from worker import intake as intake_module
from worker.assignment import Assignment, Lost, News
from worker.device import Device
from worker.intake import Hung, IntakeWorker
from worker.jobs import Jobs
from worker.load import Load
from worker.painting_job import PaintingJob
from worker.pictures import Pictures
from worker.records import Attempts
from worker.rq_worker import Settled
from worker.settings import Settings
from worker.submission import Submission

PARAMS = StyleTransferParams(size=64, steps=3)
PICTURE = np.full((48, 64, 3), 0.5, np.float32)


@pytest.fixture
def jobs(redis: Redis, settings: Settings) -> Jobs:
    return Jobs(redis, settings)


@pytest.fixture
def job(jobs: Jobs, content: bytes, style: bytes) -> PaintingJob:
    return jobs.fetch(jobs.submit(Submission(Pictures(content, [style]), PARAMS)).id)


def intake_of(jobs: Jobs, settings: Settings, name: str = "intake") -> IntakeWorker:
    """One without a device."""
    no_device = cast("Device", None)
    intake = IntakeWorker(name, jobs, no_device, tf.train.Coordinator(), settings)
    intake.register_birth()  # type: ignore[no-untyped-call]
    return intake


def test_of_two_that_took_a_job_at_once_one_has_it(
    jobs: Jobs, settings: Settings, job: PaintingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (intake_of(jobs, settings, name) for name in ("first", "second"))
    is_settled = jobs.is_settled

    def slowly(job: PaintingJob) -> bool:
        """Between its look and its word the other one comes."""
        monkeypatch.setattr(jobs, "is_settled", is_settled)
        settled = is_settled(job)
        second.prepare_execution(job)
        return settled

    monkeypatch.setattr(jobs, "is_settled", slowly)
    with pytest.raises(Settled):
        first.prepare_execution(job)
    second._lease.check()


@pytest.mark.parametrize("ended", ["canceled", "deleted"])
def test_what_is_not_to_be_painted_any_more_is_taken_by_nobody(
    jobs: Jobs, settings: Settings, redis: Redis, job: PaintingJob, ended: str
) -> None:
    jobs.cancel(job.id) if ended == "canceled" else jobs.delete(job.id)
    with pytest.raises(Settled):
        intake_of(jobs, settings).prepare_execution(job)
    assert not redis.zcard(jobs.queue.started_job_registry.key)
    assert bool(redis.exists(job.key)) == (ended == "canceled")


def test_who_takes_a_job_fences_off_whoever_had_it(
    jobs: Jobs, settings: Settings, redis: Redis, job: PaintingJob
) -> None:
    first, second = (intake_of(jobs, settings, name) for name in ("first", "second"))
    execution = first.prepare_execution(job)
    registry = jobs.queue.started_job_registry.key
    redis.zadd(registry, {execution.composite_key: 1.0})  # its last heartbeat is long ago
    second.prepare_execution(job)
    redis.zadd(registry, {execution.composite_key: 2e9}, xx=True)  # it comes back
    with pytest.raises(Lost):
        first._lease.check()
    second._lease.check()


def test_who_hears_late_that_a_job_was_given_to_another_does_not_begin_it(
    jobs: Jobs, settings: Settings, redis: Redis, job: PaintingJob
) -> None:
    first, second = (intake_of(jobs, settings, name) for name in ("first", "second"))
    execution = first.prepare_execution(job)
    redis.zadd(jobs.queue.started_job_registry.key, {execution.composite_key: 1.0})
    second.prepare_execution(job)
    second._end(job, jobs.end_canceled)
    before = redis.hgetall(job.key), redis.xlen(events.key_for(job.id))
    with pytest.raises(Lost):
        first.prepare_job_execution(job, remove_from_intermediate_queue=True)
    assert (redis.hgetall(job.key), redis.xlen(events.key_for(job.id))) == before
    assert redis.ttl(job.key) > 0, "it is not kept for ever"


def test_a_worker_that_stops_does_not_begin_what_it_has_just_taken(
    jobs: Jobs, settings: Settings, redis: Redis, job: PaintingJob
) -> None:
    intake = intake_of(jobs, settings)
    before = Attempts(worker="dead", counts=True)  # whose end is yet to be told
    jobs.note(job.id, attempts=before)
    redis.lmove(jobs.queue.key, jobs.queue.intermediate_queue_key, "LEFT", "RIGHT")
    intake._coord.request_stop()
    job.perform_with = intake._perform
    intake.execute_job(job, jobs.queue)
    assert jobs.get(job.id).status == "queued"
    assert jobs.queue.job_ids == [job.id]
    assert Attempts(**jobs.fetch(job.id).facts["attempts"]) == before
    assert not redis.llen(jobs.queue.intermediate_queue_key)


@pytest.mark.timeout(30)
def test_where_there_is_room_beside_what_is_painted_the_next_job_is_taken_at_once(
    jobs: Jobs, settings: Settings, job: PaintingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "LOOK_SECONDS", 600.0)
    intake, load = intake_of(jobs, settings), Load()
    intake._device = cast("Device", SimpleNamespace(load=load))
    load.owe(1)
    load.take_note(1, math.inf, has_room=True)
    found = intake._dequeue()
    assert found is not None
    assert found[0].id == job.id


def test_the_last_news_of_a_painting_are_published_however_soon_it_ends(
    jobs: Jobs, settings: Settings, job: PaintingJob
) -> None:
    intake = intake_of(jobs, settings)
    intake.prepare_execution(job)
    assignment = Assignment(Sitting.prepare(PICTURE, [PICTURE], PARAMS), None, 60.0)
    progress = Progress(3, 3, 1.0, 64, 48, {"total": 3.0}, {}, (), 0)
    assignment.tell(News(progress, preview=PICTURE))
    assignment.end(PICTURE)
    assert intake._accompany(job, assignment) is PICTURE
    assert jobs.get(job.id).progress.step == 3
    assert jobs.blobs.get(job.id, "losses") is not None


def test_what_takes_long_to_write_is_written_while_the_heart_beats(
    jobs: Jobs, settings: Settings, job: PaintingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "BEAT_SECONDS", 0.01)
    intake, tries = intake_of(jobs, settings), 0
    intake.prepare_execution(job)

    def upload(pipeline: Pipeline) -> None:
        nonlocal tries
        tries += 1
        threading.Event().wait(0.1)
        jobs.enter(pipeline, job.id, {"attempt": 7})

    with intake._kept_alive(job):
        intake._lease.write(upload)
    assert tries == 1
    assert jobs.get(job.id).attempt == 7


def test_whoever_hears_no_answer_to_taking_a_job_has_it_all_the_same(
    jobs: Jobs, settings: Settings, job: PaintingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = Pipeline.execute

    def cut(pipeline: Pipeline, *args: bool) -> list[Any]:
        """As redis-py tells of it where something is watched."""
        monkeypatch.setattr(Pipeline, "execute", execute)
        execute(pipeline, *args)
        raise WatchError("A ConnectionError occurred while watching one or more keys")

    intake = intake_of(jobs, settings)
    monkeypatch.setattr(Pipeline, "execute", cut)
    intake.prepare_execution(job)
    intake._lease.check()


def test_what_goes_wrong_in_a_round_ends_the_house_and_not_the_job_at_hand(
    jobs: Jobs, settings: Settings, job: PaintingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = intake_of(jobs, settings)
    intake.prepare_execution(job)
    monkeypatch.setattr(intake._upkeep, "run_if_due", lambda: 1 / 0)
    with intake._kept_alive(job):
        assert intake._coord.wait_for_stop(10)
    with pytest.raises(ZeroDivisionError):
        intake._coord.join()


def test_nor_where_it_goes_wrong_while_the_job_is_painted(
    jobs: Jobs, settings: Settings, job: PaintingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = intake_of(jobs, settings)
    intake._device = cast("Device", SimpleNamespace(check_pulse=lambda _seconds: None))
    intake.prepare_execution(job)
    assignment = Assignment(Sitting.prepare(PICTURE, [PICTURE], PARAMS), None, 60.0)

    def go_wrong() -> None:
        assignment.end(PICTURE)
        raise ZeroDivisionError

    monkeypatch.setattr(intake._upkeep, "run_if_due", go_wrong)
    assert intake._accompany(job, assignment) is PICTURE
    with pytest.raises(ZeroDivisionError):
        intake._coord.join()


def test_a_decoding_that_hangs_ends_the_house_so_that_it_is_started_again(
    jobs: Jobs, settings: Settings, job: PaintingJob
) -> None:
    house = tf.train.Coordinator()
    intake = intake_of(jobs, settings.model_copy(update={"hang_seconds": 0.05}))
    intake._coord = house
    intake.prepare_execution(job)
    with intake._kept_alive(job):
        assert house.wait_for_stop(10)
    with pytest.raises(Hung, match=job.id):
        house.join()
