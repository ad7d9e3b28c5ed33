"""Submit, get, list, cancel and delete: the only face of RQ.

RQ's job is the record and nothing is kept twice. One queue, because only with one does RQ move a
job to a worker without a moment in which a crash would lose it; clients take turns in it
(``worker.fairness``).
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from redis import Redis
from redis.client import Pipeline
from rq.exceptions import NoSuchJobError
from rq.job import JobStatus
from rq.registry import CanceledJobRegistry

from worker import events, job_index
from worker.blobs import Blobs
from worker.events import EventKind
from worker.ledger import Ledger, NoSuchJob
from worker.painting_job import CANCEL_FIELD, Fact, PaintingJob, as_fields, as_rq_writes, status_of
from worker.records import FINAL, Job
from worker.removal import Removal
from worker.revival import Revival
from worker.settings import Settings
from worker.submission import Submission
from worker.submitter import Submitter
from worker.vaults import open_vault

#: Writes fields only into a job that is still there, 0 if it is not: a hash made anew would never
#: expire.
_NOTE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
"""


class Jobs(Ledger):
    """All jobs in one Redis, and all that can be done to them; safe to share between threads."""

    def __init__(self, connection: Redis, settings: Settings) -> None:
        super().__init__(connection, settings)
        life = settings.result_link_seconds
        vault = open_vault(settings.blobs_url, with_links=life > 0)
        self.blobs = Blobs(connection, vault, life)
        self.settings = settings
        self._submitter = Submitter(self, self.blobs, settings)
        self._removal = Removal(self.queue, self.order, self.blobs)
        self._revival = Revival(self, self.blobs, settings)
        self._note = connection.register_script(_NOTE)

    def submit(self, submission: Submission) -> Job:
        """Checks a request, stores its pictures and puts it into the queue.

        Where an identical job may answer, or has answered the same idempotency key before, that
        one is returned and nothing is stored.

        Raises:
            InputError: a picture or a parameter is at fault, or the idempotency key was used for
                another request; nothing has been stored.
            KeyInUse: a request with the same idempotency key is being answered.
            QueueFull: as many jobs are waiting as may wait; nothing has been stored.
            TooManyJobs: the client has as many unfinished jobs as it may; likewise.
        """
        return self._submitter.submit(submission)

    def cancel(self, job_id: str) -> Job:
        """Cancels a job, wherever it is; one that is finished stays as it is.

        A waiting job is canceled at once; a running one within a chunk of steps.

        Raises:
            NoSuchJob: there is no such job.
            OtherVersion: it is not understood here, and stays as it is.
        """
        self._end(self.fetch(job_id))
        return self.get(job_id)

    def retry(self, job_id: str) -> Job:
        """Queues a job that failed once more, as if it were new; its attempts begin anew.

        Raises:
            NoSuchJob: there is no such job.
            NotFailed: it waits, is being painted, or has succeeded.
            PicturesGone: its pictures are not kept any more, as it was canceled or is too old.
            QueueFull: as many jobs are waiting as may wait.
            TooManyJobs: its client has as many unfinished jobs as it may.
        """
        self._revival.revive(job_id)
        return self.get(job_id)

    def delete(self, job_id: str) -> None:
        """Forgets a job and its pictures; a running one is canceled first.

        Raises:
            NoSuchJob: there is no such job.
            OtherVersion: it is not understood here, and stays as it is.
        """
        self._end(self.fetch(job_id))
        job = self.fetch(job_id)
        if job.painting_status not in FINAL:  # a worker has it, and would write it again
            self._removal.mark(job_id)
        # A worker that has begun it tidies up when it lets go. One that had ended it before the
        # mark never looks again, and one that has yet to begin finds a job without data.
        will_be_swept = self._is_running(job_id)
        self.index.drop(job_index.entry_of(job), job.owner)
        self._removal.release_pictures(job)
        self._removal.erase(job)
        if not will_be_swept:
            self._removal.forget_mark(job_id)

    def sweep(self, job: PaintingJob) -> None:
        """Tidies up after a worker has let go of a job.

        What it wrote of one that was deleted meanwhile goes, and so do the uploads of one that
        will not be painted again.
        """
        try:
            status = self.fetch(job.id).painting_status
        except NoSuchJob:
            status = None
        if status is None or self._removal.is_deleted(job.id):
            self._removal.erase(job)
            self._removal.forget_mark(job.id)
        elif status in {"succeeded", "canceled"}:
            self._removal.release_pictures(job)

    def is_settled(self, job: PaintingJob) -> bool:
        """Whether a job that came out of the queue is not to be painted, or is already.

        It is read anew.
        """
        try:
            job.refresh()  # type: ignore[no-untyped-call]
        except NoSuchJobError:
            return True
        if job.painting_status in FINAL:
            return True
        registry = self.queue.started_job_registry.key
        running = cast("list[bytes]", self.connection.zrangebyscore(registry, time.time(), "+inf"))
        return any(entry.startswith(job.id.encode()) for entry in running)

    def leave_be(self, job: PaintingJob) -> None:
        """Forgets that a job that is settled came out of the queue."""
        self.connection.lrem(self.queue.intermediate_queue_key, 0, job.id)

    def note(self, job_id: str, **facts: Fact) -> None:
        """Writes facts into a job's record, if it is still there."""
        self._note(keys=[PaintingJob.key_for(job_id)], args=as_fields(facts))

    def enter(
        self,
        pipeline: Pipeline,
        job_id: str,
        facts: Mapping[str, Fact],
        tell: Mapping[EventKind, str] | None = None,
    ) -> None:
        """Writes facts into the record of a job that is known to be there, and what happened."""
        pipeline.hset(PaintingJob.key_for(job_id), items=as_fields(facts))
        if tell:
            events.append(pipeline, job_id, tell, self.settings.result_ttl_seconds)

    def cancel_requested(self, job_id: str) -> bool:
        """Whether a running job is to stop: it was canceled, or deleted."""
        key = PaintingJob.key_for(job_id)
        return bool(self.connection.hexists(key, CANCEL_FIELD)) or self._removal.is_deleted(job_id)

    def end_canceled(self, job: PaintingJob, pipeline: Pipeline) -> None:
        """Marks a job that a worker has let go of as canceled."""
        ended, ttl = datetime.now(UTC), self.settings.result_ttl_seconds
        job.set_status(JobStatus.CANCELED, pipeline)
        pipeline.hset(job.key, "ended_at", as_rq_writes(ended))
        pipeline.expire(job.key, ttl)
        pipeline.zadd(self._canceled().key, {job.id: int(ended.timestamp()) + ttl})

    def leave_to_others(self, job: PaintingJob) -> None:
        """Puts a job that came out of the queue, and is not understood here, at its end."""
        with self.connection.pipeline() as pipeline:
            pipeline.lrem(self.queue.intermediate_queue_key, 0, job.id)
            pipeline.rpush(self.queue.key, job.id)
            pipeline.execute()

    def _end(self, job: PaintingJob) -> None:
        if job.understood().painting_status not in FINAL:
            self.note(job.id, cancel=1)  # first, for the worker that is just taking it
            self.connection.transaction(
                lambda pipeline: self._cancel_waiting(job, pipeline), self.queue.key
            )
            self.sweep(job)

    def _cancel_waiting(self, job: PaintingJob, pipeline: Pipeline) -> None:
        """Takes a waiting job out of the queue and ends it, unless a worker is faster."""
        is_waiting = cast("int | None", pipeline.lpos(self.queue.key, job.id)) is not None
        pipeline.multi()
        if is_waiting:
            self.withdraw(job, pipeline)
            self.end_canceled(job, pipeline)

    def _is_running(self, job_id: str) -> bool:
        raw = cast("bytes | None", self.connection.hget(PaintingJob.key_for(job_id), "status"))
        return raw is not None and status_of(JobStatus(raw.decode())) == "running"

    def _canceled(self) -> CanceledJobRegistry:
        return CanceledJobRegistry(queue=self.queue)
