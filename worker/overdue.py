"""Jobs that have waited for longer than a job may: they fail, also while every device is busy."""

import logging
import time
from datetime import UTC, datetime
from typing import cast

from redis.client import Pipeline
from rq.job import JobStatus
from rq.registry import FailedJobRegistry
from rq.utils import utcparse

from model.errors import PaintingError
from worker.jobs import Jobs
from worker.ledger import ENQUEUED_AT, NoSuchJob
from worker.painting_job import PaintingJob, as_fields, as_rq_writes
from worker.records import JobError

logger = logging.getLogger(__name__)

#: Looked at in one round: rounds are short, and come every few seconds.
_AT_ONCE = 50


class QueueTimeError(PaintingError):
    """The job's time to wait is up."""

    slug = "queue-timeout"
    title = "The job waited too long"


class Overdue:
    """Ends the jobs of a queue whose time there is up."""

    def __init__(self, jobs: Jobs, max_queue_seconds: int) -> None:
        self._jobs = jobs
        self._connection = jobs.connection
        self._max_queue_seconds = max_queue_seconds

    def end_all(self) -> None:
        """Fails those that are overdue."""
        for job_id, waited in self._longest_waiting():
            if waited > self._max_queue_seconds:
                try:
                    self._end(self._jobs.fetch(job_id))
                except NoSuchJob:  # it has expired, or was deleted meanwhile
                    continue

    def _longest_waiting(self) -> list[tuple[str, float]]:
        """Some ids, and for how many seconds they have been in the queue, longest first."""
        found = cast(
            "list[tuple[bytes, bytes | None]]",
            self._connection.sort(
                self._jobs.queue.key,
                start=0,
                num=_AT_ONCE,
                by=ENQUEUED_AT,
                get=["#", ENQUEUED_AT],
                groups=True,
                alpha=True,
            ),
        )
        now = datetime.now(UTC)
        return [
            (job_id.decode(), (now - utcparse(since.decode())).total_seconds())
            for job_id, since in found
            if since is not None
        ]

    def _end(self, job: PaintingJob) -> None:
        error = QueueTimeError(
            f"The job was not begun within the {self._max_queue_seconds} seconds that a job may "
            "wait here."
        )
        logger.warning("Job %s failed: %s", job.id, error)
        self._connection.transaction(
            lambda pipeline: self._fail_waiting(job, error, pipeline), self._jobs.queue.key
        )
        self._jobs.blobs.drop(job.id, "checkpoint")

    def _fail_waiting(self, job: PaintingJob, error: QueueTimeError, pipeline: Pipeline) -> None:
        """Takes a waiting job out of the queue and ends it, unless a worker is faster."""
        index = cast("int | None", pipeline.lpos(self._jobs.queue.key, job.id))
        pipeline.multi()
        if index is not None:
            ttl, registry = job.failure_ttl or 0, FailedJobRegistry(queue=self._jobs.queue).key
            self._jobs.withdraw(job, pipeline)
            pipeline.hset(job.key, items=as_fields({"error": JobError.of(error)}))
            pipeline.hset(job.key, "ended_at", as_rq_writes(datetime.now(UTC)))
            job.set_status(JobStatus.FAILED, pipeline)
            pipeline.expire(job.key, ttl)
            pipeline.zadd(registry, {job.id: int(time.time()) + ttl})
