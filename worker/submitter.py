"""Handing in: what is checked, stored and put into the queue, or answered without all that."""

import contextlib
from typing import cast
from uuid import uuid4

from redis.exceptions import WatchError
from rq import Retry

from model.params import StyleTransferParams
from worker import in_flight, presence, reuse
from worker.admission import Admission
from worker.batches.turn import Turn
from worker.blobs import Blobs
from worker.connections import RedisAway, Refused, cuts_told
from worker.cost import check_cost
from worker.idempotency import Idempotency, KeyInUse, Ticket
from worker.ledger import Ledger, NoSuchJob, longest_life_seconds
from worker.painting_job import PaintingJob, as_fields
from worker.pictures import Pictures
from worker.records import Job, Work
from worker.settings import Settings
from worker.submission import Submission
from worker.vaults import StoreAway

#: RQ's tools clean up when they look: without a try left they would fail a job whose worker died.
TAKEOVERS = 100

#: The facts that a job is handed in with; all others tell of its painting.
HANDED_IN = ("owner", "client", "priority", "webhook", "traceparent", "batch")

#: What RQ's tools show. A worker never imports what a job names, whoever wrote it there.
PAINT = "atelier.paint"


class Submitter:
    """Makes jobs; safe to share between threads."""

    def __init__(self, ledger: Ledger, blobs: Blobs, settings: Settings) -> None:
        self._ledger = ledger
        self._connection = ledger.connection
        self._queue = ledger.queue
        self._blobs = blobs
        self._settings = settings
        self._admission = Admission(ledger.connection, blobs, ledger.queue.key, settings)
        self._idempotency = Idempotency(ledger.connection, Job)

    def submit(self, submission: Submission) -> Job:
        """As ``Jobs.submit``."""
        submission = submission.checked(self._settings)
        self._check(submission.pictures, submission.params)
        job_id, work = uuid4().hex, submission.work()
        if submission.idempotency_key is None:
            return self._answer(job_id, work, submission, submission.turn)
        return self._idempotency.once(
            submission.client or "",
            submission.idempotency_key,
            submission.fingerprint(work),
            job_id,
            lambda ticket: self._answer(job_id, work, submission, ticket),
        )

    def _check(self, pictures: Pictures, params: StyleTransferParams) -> None:
        params.shares(len(pictures.styles))
        content = pictures.check(self._settings.picture_limits)
        check_cost(params, content, self._settings.max_megapixel_steps)

    def _answer(
        self, job_id: str, work: Work, submission: Submission, ticket: Ticket | Turn | None
    ) -> Job:
        """A finished job that is as good as the one that is asked for, or a new one."""
        finished = self._finished_alike(work, submission)
        if finished is not None:
            if ticket is not None:
                self._complete(ticket, finished)
            return finished
        self._admission.check(submission.client_digest, submission.upload_bytes)
        try:
            self._store(job_id, work, submission)
            return self._enqueue(job_id, work, submission, ticket)
        # A twin was faster, Redis refused, or the pictures could not be stored: there is no job.
        # After a cut there may be one.
        except (KeyInUse, WatchError, StoreAway, *Refused):
            with contextlib.suppress(*RedisAway):
                self._blobs.release_uploads(job_id, set(work.pictures))
            raise

    def _finished_alike(self, work: Work, submission: Submission) -> Job | None:
        if not submission.reuse or submission.webhook is not None:  # nobody would be told
            return None
        found = reuse.recall(self._connection, submission.owner, work.as_json())
        try:
            job = None if found is None else self._ledger.get(found)
        except NoSuchJob:
            return None
        if job is None:
            return None
        # The result of a batch's job is kept as long as the batch, its record is not.
        left = min(self._blobs.seconds_left(job.id, "result"), self._ledger.seconds_left(job.id))
        ttl = self._settings.result_ttl_seconds
        if not reuse.is_fit(job, left, ttl, presence.workers(self._connection)):
            return None
        return job.model_copy(update={"reused": True})

    def _complete(self, ticket: Ticket | Turn, answer: Job) -> None:
        left = self._ledger.seconds_left(answer.id)  # the answer goes when the job does
        with self._connection.pipeline() as pipeline:
            ticket.watch(pipeline)
            ticket.complete(pipeline, answer, max(1, left))
            pipeline.execute()

    def _store(self, job_id: str, work: Work, submission: Submission) -> None:
        files = submission.pictures.by_field()
        for digest, (_, data) in zip(work.pictures, files, strict=True):
            self._blobs.add_upload(digest, data, job_id, self._settings.input_ttl_seconds)

    def _enqueue(
        self, job_id: str, work: Work, submission: Submission, ticket: Ticket | Turn | None
    ) -> Job:
        settings = self._settings
        job = cast(
            "PaintingJob",
            self._queue.create_job(
                PAINT,
                kwargs=work.as_json(),
                job_id=job_id,
                description=f"{work.params.size} px, {work.params.quality}",
                timeout=settings.job_timeout_seconds,
                result_ttl=settings.result_ttl_seconds,
                failure_ttl=settings.result_ttl_seconds,
                retry=Retry(max=TAKEOVERS, enqueue_at_front=True),
            ),
        )
        asked = (
            submission.owner,
            submission.client_digest,
            submission.priority if submission.priority != "normal" else None,
            submission.webhook,
            submission.traceparent,
            submission.batch,
        )
        pairs = zip(HANDED_IN, asked, strict=True)
        job.facts = {name: fact for name, fact in pairs if fact is not None}
        with self._connection.pipeline() as pipeline:
            if ticket is not None:
                ticket.watch(pipeline)
            self._ledger.index.add(job, pipeline)
            if job.facts:
                pipeline.hset(job.key, items=as_fields(job.facts))
            if job.client is not None:
                in_flight.add(pipeline, job.client, job.id, longest_life_seconds(settings))
            self._ledger.push(job, pipeline)
            if ticket is not None:
                ticket.complete(pipeline, job.view(None), longest_life_seconds(settings))
                ticket.note_position(pipeline, self._ledger.order, job.id)
            self._ledger.order.locate(job.id, pipeline)
            with cuts_told():
                position = cast("int", pipeline.execute()[-1])
        return job.view(position + 1)
