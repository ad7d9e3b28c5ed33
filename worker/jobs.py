"""Submit, get, list, cancel and delete: the only face of RQ.

RQ's job is the record and nothing is kept twice. One queue, because only with one does RQ move a
job to a worker without a moment in which a crash would lose it; what is urgent goes to its front.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import WatchError
from rq import Queue, Retry
from rq.exceptions import NoSuchJobError
from rq.job import JobStatus
from rq.registry import CanceledJobRegistry

from model import recipes
from model.door import PictureInfo
from model.errors import AtelierError, ParameterError
from model.params import StyleTransferParams
from worker import events, in_flight, job_index, presence, reuse
from worker.admission import Admission
from worker.blobs import Blobs
from worker.events import EventKind
from worker.idempotency import Idempotency, KeyInUse, Ticket
from worker.job_index import JobIndex
from worker.painting_job import CANCEL_FIELD, Fact, PaintingJob, as_fields, as_rq_writes, status_of
from worker.pictures import Pictures
from worker.records import FINAL, Job, Status, Work
from worker.removal import Removal
from worker.settings import Settings
from worker.submission import Submission

QUEUE = "atelier"

#: What RQ's tools show. A worker never imports what a job names, whoever wrote it there.
PAINT = "atelier.paint"

_ID = re.compile("[0-9a-f]{32}")

#: Writes fields only into a job that is still there, 0 if it is not: a hash made anew would never
#: expire.
_NOTE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
"""


class NoSuchJob(AtelierError):  # noqa: N818 - reads better where it is raised and caught
    """There is no such job, or not any more."""

    slug = "no-such-job"
    title = "No such job"


class Jobs:
    """All jobs in one Redis; safe to share between threads."""

    def __init__(self, connection: Redis, settings: Settings) -> None:
        self.connection = connection
        self.blobs = Blobs(connection)
        self.queue = Queue(QUEUE, connection=connection, serializer="json", job_class=PaintingJob)
        self._settings = settings
        self._index = JobIndex(connection, _longest_life_seconds(settings))
        self._admission = Admission(connection, self.blobs, self.queue.key, settings)
        self._idempotency = Idempotency(connection)
        self._removal = Removal(self.queue, self.blobs)
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
        submission = submission.checked(self._settings)
        self._check(submission.pictures, submission.params)
        job_id, work = uuid4().hex, submission.work()
        if submission.idempotency_key is None:
            return self._answer(job_id, work, submission)
        return self._idempotency.once(
            submission.client or "",
            submission.idempotency_key,
            submission.fingerprint(work),
            job_id,
            lambda ticket: self._answer(job_id, work, submission, ticket),
        )

    def get(self, job_id: str) -> Job:
        """A job as it is now.

        Raises:
            NoSuchJob: it never was, was deleted, or has expired.
        """
        return self._view(self._fetch(job_id))

    def read(self, job_id: str, record: Mapping[bytes, bytes], index: int | None) -> Job:
        """A job as its record has it, which somebody else fetched.

        Args:
            job_id: whose record it is.
            record: RQ's hash.
            index: its place in the queue from 0, or None where it is not there.

        Raises:
            NoSuchJob: the record is empty, or not one of a job.
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
        """Jobs, newest first.

        Args:
            owner: whose jobs; None for those that are everybody's, ``EVERYONE`` for all.
            status: only jobs in this one.
            limit: at most so many.
            cursor: where the previous page ended.

        Returns:
            The jobs, and the cursor of the next page or None after the last.
        """
        found: list[Job] = []
        while entries := self._index.before(cursor, owner):
            for entry, job in zip(entries, self._fetch_many(entries), strict=True):
                cursor = entry
                if job is None:
                    self._index.drop(entry, owner)
                elif status in {None, job.painting_status}:
                    found.append(self._view(job))
                if len(found) == limit:
                    return found, cursor
        return found, None

    def cancel(self, job_id: str) -> Job:
        """Cancels a job, wherever it is; one that is finished stays as it is.

        A waiting job is canceled at once; a running one within a chunk of steps.

        Raises:
            NoSuchJob: there is no such job.
        """
        job = self._fetch(job_id)
        if job.painting_status not in FINAL:
            self.note(job_id, cancel=1)  # first, for the worker that is just taking it
            self.connection.transaction(
                lambda pipeline: self._cancel_waiting(job, pipeline), self.queue.key
            )
            self.sweep(job)
        return self.get(job_id)

    def delete(self, job_id: str) -> None:
        """Forgets a job and its pictures; a running one is canceled first.

        Raises:
            NoSuchJob: there is no such job.
        """
        self.cancel(job_id)
        job = self._fetch(job_id)
        if job.painting_status not in FINAL:  # a worker has it, and would write it again
            self._removal.mark(job_id)
        # A worker that has begun it tidies up when it lets go. One that had ended it before the
        # mark never looks again, and one that has yet to begin finds a job without data.
        will_be_swept = self._is_running(job_id)
        self._index.drop(job_index.entry_of(job), job.owner)
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
            status = self._fetch(job.id).painting_status
        except NoSuchJob:
            status = None
        if status is None or self._removal.is_deleted(job.id):
            self._removal.erase(job)
            self._removal.forget_mark(job.id)
        elif status in {"succeeded", "canceled"}:
            self._removal.release_pictures(job)

    def is_final(self, job: PaintingJob) -> bool:
        """Whether a job that came out of the queue is not to be painted any more."""
        if job.painting_status not in FINAL:
            return False
        self.connection.lrem(self.queue.intermediate_queue_key, 0, job.id)
        return True

    def waiting(self) -> int:
        """Number of jobs in the queue."""
        return self.connection.llen(self.queue.key)

    def note(self, job_id: str, tell: Mapping[EventKind, str] | None = None, **facts: Fact) -> None:
        """Writes facts into a job's record, if it is still there, and tells of what happened."""
        noted = self._note(keys=[PaintingJob.key_for(job_id)], args=as_fields(facts))
        if noted and tell:
            ttl = self._settings.result_ttl_seconds
            with self.connection.pipeline() as pipeline:
                events.append(pipeline, job_id, tell, ttl)
                pipeline.execute()

    def cancel_requested(self, job_id: str) -> bool:
        """Whether a running job is to stop: it was canceled, or deleted."""
        key = PaintingJob.key_for(job_id)
        return bool(self.connection.hexists(key, CANCEL_FIELD)) or self._removal.is_deleted(job_id)

    def end_canceled(self, job: PaintingJob, pipeline: Pipeline) -> None:
        """Marks a job that a worker has let go of as canceled."""
        ended, ttl = datetime.now(UTC), self._settings.result_ttl_seconds
        job.set_status(JobStatus.CANCELED, pipeline)
        pipeline.hset(job.key, "ended_at", as_rq_writes(ended))
        pipeline.expire(job.key, ttl)
        pipeline.zadd(self._canceled().key, {job.id: int(ended.timestamp()) + ttl})

    def put_back(self, job: PaintingJob, pipeline: Pipeline) -> None:
        """Puts a job that a worker has let go of at the front of the queue."""
        self._push(job, pipeline, at_front=True)

    def _check(self, pictures: Pictures, params: StyleTransferParams) -> None:
        params.shares(len(pictures.styles))
        self._check_cost(params, pictures.check(self._settings.picture_limits))

    def _check_cost(self, params: StyleTransferParams, content: PictureInfo) -> None:
        scales = recipes.scales(params, content.width, content.height)
        cost = sum(scale.work for scale in scales) / 1e6
        if cost > self._settings.max_megapixel_steps:
            raise ParameterError(
                "This size with so many steps is more than one job may cost here: at most "
                f"{self._settings.max_megapixel_steps} megapixel-steps. Received: {cost:.0f}.",
                field="size",
            )

    def _cancel_waiting(self, job: PaintingJob, pipeline: Pipeline) -> None:
        """Takes a waiting job out of the queue and ends it, unless a worker is faster."""
        is_waiting = cast("int | None", pipeline.lpos(self.queue.key, job.id)) is not None
        pipeline.multi()
        if is_waiting:
            pipeline.lrem(self.queue.key, 1, job.id)
            self.end_canceled(job, pipeline)

    def _answer(
        self, job_id: str, work: Work, submission: Submission, ticket: Ticket | None = None
    ) -> Job:
        """A finished job that is as good as the one that is asked for, or a new one."""
        finished = self._finished_alike(work, submission)
        if finished is not None:
            if ticket is not None:
                self._complete(ticket, finished)
            return finished
        self._admission.check(submission.client_digest, submission.pictures.size)
        self._store(job_id, work, submission)
        try:
            return self._enqueue(job_id, work, submission, ticket)
        except (KeyInUse, WatchError):  # a twin was faster, so there is no job
            self.blobs.release_uploads(job_id, set(work.pictures))
            raise

    def _finished_alike(self, work: Work, submission: Submission) -> Job | None:
        if not submission.reuse or submission.webhook is not None:  # nobody would be told
            return None
        found = reuse.recall(self.connection, submission.owner, work.as_json())
        try:
            job = None if found is None else self.get(found)
        except NoSuchJob:
            return None
        if job is None:
            return None
        left, ttl = self.blobs.seconds_left(job.id, "result"), self._settings.result_ttl_seconds
        if not reuse.is_fit(job, left, ttl, presence.workers(self.connection)):
            return None
        return job.model_copy(update={"reused": True})

    def _complete(self, ticket: Ticket, answer: Job) -> None:
        with self.connection.pipeline() as pipeline:
            ticket.watch(pipeline)
            ticket.complete(pipeline, answer, self._settings.result_ttl_seconds)
            pipeline.execute()

    def _store(self, job_id: str, work: Work, submission: Submission) -> None:
        files = submission.pictures.by_field()
        for digest, (_, data) in zip(work.pictures, files, strict=True):
            self.blobs.add_upload(digest, data, job_id, self._settings.input_ttl_seconds)

    def _enqueue(
        self, job_id: str, work: Work, submission: Submission, ticket: Ticket | None
    ) -> Job:
        settings = self._settings
        job = cast(
            "PaintingJob",
            self.queue.create_job(
                PAINT,
                kwargs=work.as_json(),
                job_id=job_id,
                description=f"{work.params.size} px, {work.params.quality}",
                timeout=settings.job_timeout_seconds,
                result_ttl=settings.result_ttl_seconds,
                failure_ttl=settings.result_ttl_seconds,
                # How often RQ takes a job from a dead worker; our own count ends it (`attempt`).
                retry=Retry(max=100, enqueue_at_front=True),
            ),
        )
        asked = {
            "owner": submission.owner,
            "client": submission.client_digest,
            "webhook": submission.webhook,
            "traceparent": submission.traceparent,
        }
        job.facts = {name: fact for name, fact in asked.items() if fact is not None}
        with self.connection.pipeline() as pipeline:
            if ticket is not None:
                ticket.watch(pipeline)
            self._index.add(job, pipeline)
            if job.facts:
                pipeline.hset(job.key, items=as_fields(job.facts))
            if job.client is not None:
                in_flight.add(pipeline, job.client, job.id, _longest_life_seconds(settings))
            self._push(job, pipeline, at_front=submission.priority == "high")
            if ticket is not None:
                ticket.complete(pipeline, job.view(None), settings.result_ttl_seconds)
                ticket.note_position(pipeline, self.queue.key, job.id)
            pipeline.lpos(self.queue.key, job.id)
            position = cast("int", pipeline.execute()[-1])
        return job.view(position + 1)

    def _push(self, job: PaintingJob, pipeline: Pipeline, *, at_front: bool) -> None:
        # RQ's public `enqueue_job` watches dependencies, which a pipeline of ours cannot; its own
        # retry and requeue call this as well.
        self.queue._enqueue_job(job, pipeline=pipeline, at_front=at_front)  # noqa: SLF001
        # What `enqueue_job` would do before: without it RQ's tools see no queue.
        pipeline.sadd(self.queue.redis_queues_keys, self.queue.key)

    def _fetch(self, job_id: str) -> PaintingJob:
        if not _ID.fullmatch(job_id):
            raise NoSuchJob("No job has such an id.")
        try:
            job = PaintingJob.fetch(job_id, connection=self.connection, serializer="json")
        except NoSuchJobError:
            raise NoSuchJob("There is no such job, or not any more.") from None
        return cast("PaintingJob", job)

    def _fetch_many(self, entries: list[str]) -> list[PaintingJob | None]:
        ids = [job_index.id_of(entry) for entry in entries]
        found = PaintingJob.fetch_many(ids, connection=self.connection, serializer="json")
        return cast("list[PaintingJob | None]", found)

    def _is_running(self, job_id: str) -> bool:
        raw = cast("bytes | None", self.connection.hget(PaintingJob.key_for(job_id), "status"))
        return raw is not None and status_of(JobStatus(raw.decode())) == "running"

    def _view(self, job: PaintingJob) -> Job:
        if job.painting_status != "queued":
            return job.view(None)
        return _seen(job, cast("int | None", self.connection.lpos(self.queue.key, job.id)))

    def _canceled(self) -> CanceledJobRegistry:
        return CanceledJobRegistry(queue=self.queue)


def _seen(job: PaintingJob, index: int | None) -> Job:
    if job.painting_status != "queued":
        return job.view(None)
    return job.view(1 if index is None else index + 1)  # not there: a worker is taking it


def _longest_life_seconds(settings: Settings) -> int:
    """From the moment a job is handed in until nothing of it can be there any more."""
    painting = settings.max_attempts * settings.job_timeout_seconds
    return settings.input_ttl_seconds + painting + settings.result_ttl_seconds
