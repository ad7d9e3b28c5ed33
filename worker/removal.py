"""Forgetting a job: its record, its pictures, and what a worker that still has it writes."""

from typing import get_args

from rq import Queue
from rq.registry import CanceledJobRegistry, FailedJobRegistry, FinishedJobRegistry

from worker import events, in_flight, reuse, webhooks
from worker.batches import moves
from worker.blobs import Blobs, Kind
from worker.fairness import FairOrder
from worker.idempotency import Idempotency
from worker.painting_job import PaintingJob
from worker.records import Job

#: When each job was first seen between the queue and a worker.
STRANDED = "atelier:stranded"

#: How long a worker may take to let go of a job that was deleted.
_MARK_SECONDS = 3600


class Removal:
    """Removes jobs of one queue for good; safe to share between threads."""

    def __init__(self, queue: Queue, order: FairOrder, blobs: Blobs) -> None:
        self._queue = queue
        self._order = order
        self._connection = queue.connection
        self._blobs = blobs
        self._idempotency = Idempotency(queue.connection, Job)

    def mark(self, job_id: str) -> None:
        """Tells the worker that has the job that it was deleted."""
        self._connection.set(_mark(job_id), 1, ex=_MARK_SECONDS)

    def is_deleted(self, job_id: str) -> bool:
        """Whether a job that a worker has was deleted meanwhile."""
        # Without its data RQ knows of no job, whatever else a worker has written there since.
        has_data = self._connection.hexists(PaintingJob.key_for(job_id), "data")
        return bool(self._connection.exists(_mark(job_id)) or not has_data)

    def release_pictures(self, job: PaintingJob) -> None:
        """Drops what is of use only while the job may be painted: uploads and checkpoint."""
        self._blobs.release_uploads(job.id, job.pictures)
        self._blobs.drop(job.id, "checkpoint")

    def erase(self, job: PaintingJob) -> None:
        """Removes every trace of the job but for its uploads, which others may share."""
        # Not by RQ's `delete`, which stumbles over an execution that expired before its registry.
        self._blobs.drop(job.id, *get_args(Kind))
        self._idempotency.forget(job.id)
        reuse.forget(self._connection, job.owner, job.kwargs, job.id)
        with self._connection.pipeline() as pipeline:
            for waiting in (self._queue.key, self._queue.intermediate_queue_key):
                pipeline.lrem(waiting, 0, job.id)
            self._order.leave(job, pipeline)
            for registry in (FinishedJobRegistry, FailedJobRegistry, CanceledJobRegistry):
                pipeline.zrem(registry(queue=self._queue).key, job.id)
            pipeline.delete(job.key, f"rq:executions:{job.id}", f"rq:results:{job.id}")
            webhooks.forget(pipeline, job.id)
            events.forget(pipeline, job.id)
            pipeline.hdel(STRANDED, job.id)
            moves.leave(pipeline, job.batch, job.id)
            if job.client is not None:
                in_flight.remove(pipeline, job.client, job.id)
            pipeline.execute()

    def forget_mark(self, job_id: str) -> None:
        """After the worker has let go of a deleted job."""
        self._connection.delete(_mark(job_id))


def _mark(job_id: str) -> str:
    return f"atelier:deleted:{job_id}"
