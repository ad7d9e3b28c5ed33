"""A job that failed is queued once more, as it was handed in."""

from contextlib import suppress

from redis.client import Pipeline
from redis.exceptions import WatchError
from rq.registry import FailedJobRegistry

from model.errors import AtelierError
from worker import answers, events, in_flight
from worker.admission import Admission
from worker.blobs import Blobs
from worker.connections import RedisAway, cuts_told
from worker.ledger import Ledger, longest_life_seconds
from worker.painting_job import PaintingJob, as_fields, field_of
from worker.records import JobProgress
from worker.settings import Settings
from worker.submitter import HANDED_IN, TAKEOVERS


class NotFailed(AtelierError):  # noqa: N818 - reads better where it is raised and caught
    """Only a job that failed can be tried once more."""

    slug = "not-failed"
    title = "The job has not failed"


class PicturesGone(AtelierError):  # noqa: N818
    """The pictures that a job was handed in with are not kept any more."""

    slug = "pictures-gone"
    title = "The pictures are gone"


class Revival:
    """Queues failed jobs again; safe to share between threads.

    The pictures' time to live runs on from when they were handed in. So no job is there for longer
    than ``longest_life_seconds``, however often it is tried.
    """

    def __init__(self, ledger: Ledger, blobs: Blobs, settings: Settings) -> None:
        self._ledger = ledger
        self._connection = ledger.connection
        self._blobs = blobs
        self._admission = Admission(ledger.connection, blobs, ledger.queue.key, settings)
        self._life = longest_life_seconds(settings)

    def revive(self, job_id: str) -> None:
        """As ``Jobs.retry``."""
        job = self._failed(job_id)
        self._admission.check(job.client, upload_bytes=0)  # its pictures are counted already
        try:
            self._revive(job)
        except RedisAway:
            if self._ledger.fetch(job_id).painting_status == "failed":
                raise
            # All but the answer had come through.

    def _revive(self, job: PaintingJob) -> None:
        """Of two who ask at once the second finds a job that waits."""
        while True:
            with suppress(WatchError), self._connection.pipeline() as pipeline:
                pipeline.watch(job.key)  # type: ignore[no-untyped-call]
                self._queue(job.id, pipeline)
                with cuts_told():
                    pipeline.execute()
                return

    def _failed(self, job_id: str) -> PaintingJob:
        """The job, if it can be painted."""
        job = self._ledger.fetch(job_id)
        if job.painting_status == "canceled":
            raise PicturesGone("Of a job that was canceled no pictures are kept: hand them in.")
        if job.painting_status != "failed":
            raise NotFailed(
                "Only a job that failed can be tried once more. "
                f"Its status is: {job.painting_status}."
            )
        if not self._blobs.has_uploads(job_id, job.pictures):
            raise PicturesGone("The job's pictures are not kept any more: hand them in again.")
        return job

    def _queue(self, job_id: str, pipeline: Pipeline) -> None:
        job = self._failed(job_id)
        # The preview stays until there is a newer one: its number never means two pictures.
        shown = JobProgress(**job.facts.get("progress", {})).preview_version
        progress = JobProgress(preview_version=shown)
        spent = job.facts.keys() - HANDED_IN
        _reset(job)
        pipeline.multi()
        for fact in spent:
            pipeline.hdel(job.key, field_of(fact))
        pipeline.hset(job.key, items=as_fields({"progress": progress}))
        pipeline.persist(job.key)
        answers.keep(pipeline, job.id, self._life)
        pipeline.zrem(FailedJobRegistry(queue=self._ledger.queue).key, job.id)
        if job.client is not None:
            in_flight.add(pipeline, job.client, job.id, self._life)
        self._ledger.push(job, pipeline)
        events.append(
            pipeline, job.id, {"progress": progress.model_dump_json()}, job.result_ttl or 0
        )


def _reset(job: PaintingJob) -> None:
    """RQ's fields as they were when the job was handed in."""
    job.started_at = job.ended_at = job.last_heartbeat = None
    job.retries_left = TAKEOVERS
    job.facts = {name: fact for name, fact in job.facts.items() if name in HANDED_IN}
