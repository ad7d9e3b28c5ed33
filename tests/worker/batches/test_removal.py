"""A deleted batch is gone at once, and what it leaves behind is removed bit by bit."""

import time
from collections.abc import Callable
from typing import cast

import pytest
from redis import Redis
from rq.job import JobStatus

from tests.worker.batches.album import an_order
from worker.batches import book, deleted, unfinished
from worker.batches.batches import Batches
from worker.batches.feeder import Feeder
from worker.batches.records import Batch, NoSuchBatch
from worker.batches.removal import BatchRemoval
from worker.jobs import Jobs
from worker.ledger import NoSuchJob
from worker.records import Job
from worker.settings import Settings


class Studio:
    """Batches, and who feeds and removes them, but for who paints."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self.redis = redis
        self.jobs = Jobs(redis, settings)
        self.batches = Batches(self.jobs, settings)
        self.feeder = Feeder(self.jobs, settings)

    def begun(self, count: int, *, painted: int = 0) -> tuple[Batch, list[Job]]:
        """A batch of so many pictures, and its jobs, the first of which have paintings."""
        batch = self.batches.hand_in(an_order(count))
        self.feeder.feed(batch.id)
        made = [self.jobs.get(one.job_id) for one in book.entered(self.redis, batch.id).values()]
        for job in made[:painted]:
            record = self.jobs.fetch(job.id)
            with self.redis.pipeline() as pipeline:
                self.jobs.withdraw(record, pipeline)
                record.set_status(JobStatus.FINISHED, pipeline)
                pipeline.execute()
            self.jobs.blobs.put(job.id, "result", b"painting", 60)
        return batch, made

    def round(self) -> None:
        """What a worker does each second."""
        self.redis.delete("atelier:feeding")
        self.feeder.feed_if_due()

    def left(self) -> list[bytes]:
        """What is in Redis but for what stays."""
        lasting = {b"rq:queues", b"atelier:totals", b"atelier:feeding"}
        return sorted(
            key for key in cast("list[bytes]", self.redis.keys("*")) if key not in lasting
        )


@pytest.fixture
def studio(redis: Redis, settings: Settings) -> Studio:
    return Studio(redis, settings)


def test_a_deleted_batch_is_gone_at_once_and_its_jobs_with_it(studio: Studio) -> None:
    other, _ = studio.begun(1)
    batch, made = studio.begun(40, painted=2)
    assert len(made) == 32, "the others wait"
    studio.batches.delete(batch.id)
    asked: list[Callable[[str], object]] = [
        studio.batches.get,
        studio.batches.cancel,
        studio.batches.delete,
        studio.batches.painted,
    ]
    for ask in asked:
        with pytest.raises(NoSuchBatch):
            ask(batch.id)
    for job in made:
        with pytest.raises(NoSuchJob):
            studio.jobs.get(job.id)
    assert len(studio.jobs.list_newest(limit=100)[0]) == 1
    assert unfinished.ids(studio.redis) == [other.id]


def test_a_worker_removes_all_of_it_and_nothing_else(studio: Studio) -> None:
    before = studio.left()
    batch, _ = studio.begun(40, painted=2)
    studio.batches.delete(batch.id)
    assert len(studio.left()) > 100
    studio.round()
    BatchRemoval(studio.jobs).go_on(batch.id, time.monotonic() + 60)  # in more rounds
    assert studio.left() == before
    assert studio.jobs.blobs.kept_bytes() == 0


def test_deleting_asks_redis_as_little_for_many_pictures_as_for_one(studio: Studio) -> None:
    def commands() -> int:
        return int(studio.redis.info("stats")["total_commands_processed"])

    def cost(count: int) -> int:
        batch, _ = studio.begun(count)
        before = commands()
        studio.batches.delete(batch.id)
        return commands() - before

    studio.batches.delete(studio.begun(1)[0].id)  # scripts are known from here on
    assert cost(1) == cost(25) < 20


def test_a_worker_removes_no_more_than_it_has_time_for_and_the_unfinished_first(
    studio: Studio,
) -> None:
    batch, made = studio.begun(4, painted=3)
    studio.batches.delete(batch.id)
    for left in (3, 2):
        BatchRemoval(studio.jobs).go_on(batch.id, time.monotonic())
        assert len(book.entered(studio.redis, batch.id)) == left
        assert studio.jobs.waiting() == 0
    assert made[3].id not in {e.job_id for e in book.entered(studio.redis, batch.id).values()}


@pytest.mark.parametrize("place", ["strike", "note", "forget", "leave"])
def test_what_a_killed_worker_left_is_removed_by_the_next(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    class Killed(BaseException):
        """As a process that is gone."""

    def die(*_arguments: object) -> None:
        raise Killed

    before = studio.left()
    batch, _ = studio.begun(40, painted=1)
    studio.batches.delete(batch.id)
    with monkeypatch.context() as patched:
        patched.setattr(book if place in {"strike", "forget"} else deleted, place, die)
        with pytest.raises(Killed):
            BatchRemoval(studio.jobs).go_on(batch.id, time.monotonic() + 60)
    BatchRemoval(studio.jobs).go_on(batch.id, time.monotonic() + 60)
    assert studio.left() == before


def test_what_is_left_of_a_batch_that_has_expired_meanwhile_is_removed(studio: Studio) -> None:
    before = studio.left()
    batch, _ = studio.begun(2)
    studio.batches.delete(batch.id)
    studio.redis.delete(book.batch_key(batch.id))
    BatchRemoval(studio.jobs).go_on(batch.id, time.monotonic() + 60)
    assert not deleted.has(studio.redis, batch.id)
    assert not [
        key
        for key in studio.left()
        if key not in before
        and b"users" not in key
        and b"upload" not in key
        and key != b"atelier:sizes"
    ]
