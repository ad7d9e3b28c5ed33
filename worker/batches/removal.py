"""Removes what deleted batches leave behind, a little at a time: ten thousand jobs take a minute.

Each little is done for good before the next, and whatever was begun can be begun again: a worker
that is killed in between leaves the rest to another.
"""

import time
from collections.abc import Iterator
from typing import get_args

from worker.batches import book, deleted, moves, news, unfinished
from worker.batches.manifests import manifest_of, waiting_uses
from worker.batches.records import Asked, Batch, Manifest
from worker.blobs import Kind
from worker.idempotency import Idempotency
from worker.jobs import Jobs
from worker.ledger import NoSuchJob
from worker.records import FINAL

#: Pictures that are let go of together.
_TOGETHER = 20


class BatchRemoval:
    """Removes batches of one Redis; safe to share between threads."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._connection = jobs.connection
        self._blobs = jobs.blobs
        self._idempotency = Idempotency(jobs.connection, Batch)

    def begin(self, batch: str, asked: Asked) -> None:
        """From here on there is no such batch, and no job is made of its pictures."""
        with self._connection.pipeline() as pipeline:
            deleted.enter(pipeline, batch)
            moves.end_waiting(pipeline, batch, asked.total)
            unfinished.leave(pipeline, batch, asked.client)
            pipeline.execute()
        self._idempotency.forget(batch)

    def go_on(self, batch: str, until: float) -> None:
        """Removes some more of a deleted batch, until ``time.monotonic()`` is so late."""
        for _ in self._remove(batch):
            if time.monotonic() >= until:
                return

    def _remove(self, batch: str) -> Iterator[None]:
        yield from self._remove_jobs(batch)
        asked = book.asked(self._connection, batch)
        manifest = None if asked is None else manifest_of(self._blobs, asked)
        if asked is not None and manifest is not None:
            yield from self._release_waiting(manifest)
            whole = {*manifest.styles, *manifest.leaves, asked.manifest}
            self._blobs.release_uploads(batch, whole)
        book.forget(self._connection, batch)
        news.forget(self._connection, batch)
        deleted.leave(self._connection, batch)

    def _remove_jobs(self, batch: str) -> Iterator[None]:
        """First those that take a place in the queue, or a device."""
        jobs = book.entered(self._connection, batch)
        for number, one in sorted(jobs.items(), key=lambda item: item[1].status in FINAL):
            if one.job_id:
                self._remove_job(one.job_id)
            book.strike(self._connection, batch, number)
            yield

    def _remove_job(self, job_id: str) -> None:
        try:
            self._jobs.delete(job_id)
        except NoSuchJob:  # it was deleted, or is older than the batch
            self._blobs.drop(job_id, *get_args(Kind))

    def _release_waiting(self, manifest: Manifest) -> Iterator[None]:
        uses, batch = waiting_uses(manifest), manifest.batch
        released = deleted.all_of(self._connection).get(batch, 0)
        for first in range(released, len(uses), _TOGETHER):
            self._blobs.release(uses[first : first + _TOGETHER])
            deleted.note(self._connection, batch, first + _TOGETHER)
            yield
