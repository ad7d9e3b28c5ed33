"""The book of jobs: RQ's records, the queue, and the index, to be looked up."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import cast

from redis import Redis
from redis.client import Pipeline
from rq import Queue
from rq.exceptions import NoSuchJobError

from model.errors import AtelierError
from worker import job_index
from worker.batches import deleted
from worker.fairness import FairOrder
from worker.job_index import JobIndex
from worker.painting_job import OtherVersion, PaintingJob
from worker.records import Job, Status
from worker.settings import Settings

QUEUE = "atelier"

#: Where a sort of the queue finds since when each job is in it.
ENQUEUED_AT = f"{PaintingJob.key_for('*')}->enqueued_at"

_ID = re.compile("[0-9a-f]{32}")


class NoSuchJob(AtelierError):  # noqa: N818 - reads better where it is raised and caught
    """There is no such job, or not any more."""

    slug = "no-such-job"
    title = "No such job"


class Ledger:
    """All jobs in one Redis, as they are; safe to share between threads."""

    def __init__(self, connection: Redis, settings: Settings) -> None:
        self.connection = connection
        self.queue = Queue(QUEUE, connection=connection, serializer="json", job_class=PaintingJob)
        self.order = FairOrder(self.queue.key)
        self.index = JobIndex(connection, longest_life_seconds(settings))

    def get(self, job_id: str) -> Job:
        """A job as it is now.

        Raises:
            NoSuchJob: it never was, was deleted, or has expired.
            OtherVersion: it is not understood here.
        """
        job = self.fetch(job_id)
        if deleted.had(self.connection, [job.batch]):
            raise NoSuchJob("There is no such job, or not any more.")
        (seen,) = self._views([job])
        return seen

    def seconds_left(self, job_id: str) -> int:
        """How long what is known of a job that has ended will be there; negative if it is not."""
        return self.connection.ttl(PaintingJob.key_for(job_id))

    def read(self, job_id: str, record: Mapping[bytes, bytes], index: int | None) -> Job:
        """A job as its record has it, which somebody else fetched.

        Args:
            job_id: whose record it is.
            record: RQ's hash.
            index: its place in the queue from 0, or None where it is not there.

        Raises:
            NoSuchJob: the record is empty, or not one of a job.
            OtherVersion: it is not understood here.
        """
        job = PaintingJob(job_id, connection=self.connection, serializer="json")
        try:
            job.restore(record)
        except NoSuchJobError:
            raise NoSuchJob("There is no such job, or not any more.") from None
        return _seen(job, index)

    def list_newest(
        self,
        *,
        owner: str | None = None,
        status: Status | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> tuple[list[Job], str | None]:
        """Jobs, newest first, but for those of another version that are not understood here.

        Args:
            owner: whose jobs; None for those that are everybody's, ``EVERYONE`` for all.
            status: only jobs in this one.
            limit: at most so many.
            cursor: where the previous page ended.

        Returns:
            The jobs, and the cursor of the next page or None after the last.
        """
        found: list[PaintingJob] = []
        while entries := self.index.before(cursor, owner):
            for entry, job in zip(entries, self._fetch_shown(entries), strict=True):
                cursor = entry
                if job is None:
                    self.index.drop(entry, owner)
                elif status in {None, job.painting_status}:
                    with contextlib.suppress(OtherVersion):
                        found.append(job.understood())
                if len(found) == limit:
                    return self._views(found), cursor
        return self._views(found), None

    def waiting(self) -> int:
        """Number of jobs in the queue."""
        return self.connection.llen(self.queue.key)

    def push(self, job: PaintingJob, pipeline: Pipeline) -> None:
        """Puts a job into the queue, where its client's next turn is."""
        self._enqueue(job, pipeline, at_front=False)
        self.order.enter(job, pipeline)

    def put_back(self, job: PaintingJob, pipeline: Pipeline) -> None:
        """Puts a job that a worker has let go of at the front of the queue."""
        pipeline.lrem(self.queue.intermediate_queue_key, 0, job.id)
        self._enqueue(job, pipeline, at_front=True)

    def withdraw(self, job: PaintingJob, pipeline: Pipeline) -> None:
        """Takes a job that is not to be painted out of the queue."""
        # Once, or Redis walks to the end of the list each time, and most who cancel have few jobs,
        # near its front. If it is there twice, whoever takes it finds that it has ended.
        pipeline.lrem(self.queue.key, 1, job.id)
        self.order.leave(job, pipeline)

    def fetch(self, job_id: str) -> PaintingJob:
        """RQ's record of a job.

        Raises:
            NoSuchJob: it never was, was deleted, or has expired.
        """
        if not _ID.fullmatch(job_id):
            raise NoSuchJob("No job has such an id.")
        try:
            job = PaintingJob.fetch(job_id, connection=self.connection, serializer="json")
        except NoSuchJobError:
            raise NoSuchJob("There is no such job, or not any more.") from None
        return cast("PaintingJob", job)

    def _enqueue(self, job: PaintingJob, pipeline: Pipeline, *, at_front: bool) -> None:
        # RQ's public `enqueue_job` watches dependencies, which a pipeline of ours cannot; its own
        # retry and requeue call this as well.
        self.queue._enqueue_job(job, pipeline=pipeline, at_front=at_front)  # noqa: SLF001
        # What `enqueue_job` would do before: without it RQ's tools see no queue.
        pipeline.sadd(self.queue.redis_queues_keys, self.queue.key)

    def _fetch_shown(self, entries: list[str]) -> list[PaintingJob | None]:
        """Their records; None where they are gone, or their batch was deleted."""
        ids = [job_index.id_of(entry) for entry in entries]
        records = PaintingJob.fetch_many(ids, connection=self.connection, serializer="json")
        found = cast("list[PaintingJob | None]", records)
        gone = deleted.had(self.connection, [job.batch for job in found if job is not None])
        return [None if job is None or job.batch in gone else job for job in found]

    def _views(self, jobs: Sequence[PaintingJob]) -> list[Job]:
        with self.connection.pipeline(transaction=False) as pipeline:
            for job in jobs:
                self.order.locate(job.id, pipeline)
            return [_seen(*each) for each in zip(jobs, pipeline.execute(), strict=True)]


def _seen(job: PaintingJob, index: int | None) -> Job:
    if job.painting_status != "queued":
        return job.view(None)
    return job.view(1 if index is None else index + 1)  # not there: a worker is taking it


def longest_life_seconds(settings: Settings) -> int:
    """From the moment a job is handed in until nothing of it can be there any more."""
    painting = settings.max_attempts * settings.job_timeout_seconds
    return settings.input_ttl_seconds + painting + settings.result_ttl_seconds
