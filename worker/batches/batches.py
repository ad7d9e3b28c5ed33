"""Batches: hand in, look at, cancel, delete, and what their results are made of.

A batch of ten thousand pictures fits a queue of a thousand, as it waits beside it: its pictures lie
in the vault, and the feeder of some worker makes an ordinary job of one after the other while there
is room. All at once, decided at the door, would need a queue as long as the longest batch.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from worker.batches import book, leaf_files, moves
from worker.batches.book import Entered, Page
from worker.batches.door import BatchDoor
from worker.batches.manifests import manifest_of, release_waiting
from worker.batches.order import BatchOrder
from worker.batches.records import (
    NAMED,
    Asked,
    Batch,
    BatchFailure,
    Manifest,
    NoSuchBatch,
)
from worker.batches.removal import BatchRemoval
from worker.jobs import Jobs
from worker.ledger import NoSuchJob
from worker.records import FINAL, JobError, problem_type
from worker.settings import Settings

#: Of a picture that was not painted, and did not fail.
_CANCELED = JobError(
    type=problem_type("canceled"), title="The job was canceled", detail="It was not painted."
)

_ID = re.compile("[0-9a-f]{32}")


class Painted(NamedTuple):
    """A picture of a batch that has ended.

    Attributes:
        name: where it is in the archive.
        job_id: of its job; empty where it had none.
        problem: why there is no painting; None where there is one.
        leaf: the record that it came in, without the picture; None where it came in none.
    """

    name: str
    job_id: str
    problem: JobError | None
    leaf: bytes | None


class Batches:
    """All batches in one Redis; safe to share between threads."""

    def __init__(self, jobs: Jobs, settings: Settings) -> None:
        self.settings = settings
        self._jobs = jobs
        self._connection = jobs.connection
        self._blobs = jobs.blobs
        self._door = BatchDoor(jobs, jobs.blobs, settings)
        self._removal = BatchRemoval(jobs)
        self._result_ttl = timedelta(seconds=settings.result_ttl_seconds)

    def hand_in(self, order: BatchOrder) -> Batch:
        """Looks an archive through, and stores its pictures to be painted one after the other.

        The batch that has answered the same idempotency key before is returned in place of another.

        Raises:
            InputError: the archive, a style or a parameter is at fault; nothing has been stored.
            KeyInUse: a request with the same idempotency key is being answered.
            QueueFull: as many jobs or batches wait, or bytes are kept, as may be; likewise.
            TooManyJobs: the client has as many unfinished ones as it may; likewise.
        """
        return self._door.take_in(order)

    def get(self, batch: str) -> Batch:
        """A batch as it is now.

        Raises:
            NoSuchBatch: it never was, was deleted, or has expired.
        """
        page = self._page(batch)
        return page.view(batch, self._failures(batch, page), self._result_ttl)

    def cancel(self, batch: str) -> Batch:
        """Cancels all of a batch that has not ended; what is painted stays.

        Raises:
            NoSuchBatch: there is no such batch.
        """
        page = self._page(batch)
        if page.counts.unfinished:
            self._cancel_unfinished(batch, page.asked)
        return self.get(batch)

    def delete(self, batch: str) -> None:
        """Forgets a batch with all its jobs: they are gone at once, and removed by a worker.

        Raises:
            NoSuchBatch: there is no such batch.
        """
        self._removal.begin(batch, self._page(batch).asked)

    def manifest(self, asked: Asked) -> Manifest | None:
        """What a batch is made of; None where that is not kept any more."""
        return manifest_of(self._blobs, asked)

    def painted(self, batch: str) -> Iterator[Painted] | None:
        """All pictures of a batch in their order, each with what became of it.

        Returns:
            None unless one painting at least is still kept, and what the records had beside their
            pictures.

        Raises:
            NoSuchBatch: there is no such batch.
        """
        manifest = self.manifest(self._page(batch).asked)
        if manifest is None or not self._blobs.has_uploads(batch, manifest.leaves):
            return None
        ended = book.entered(self._connection, batch)
        ids = [one.job_id for one in ended.values() if one.status == "succeeded"]
        if not self._blobs.which(ids, "result"):
            return None
        return self._painted(manifest, ended, book.failures(self._connection, batch))

    def _painted(
        self, manifest: Manifest, ended: Mapping[int, Entered], problems: Mapping[int, JobError]
    ) -> Iterator[Painted]:
        leaves = self._leaves(manifest)
        for number, entry in enumerate(manifest.entries):
            status, job_id = ended.get(number, ("canceled", ""))
            problem = problems.get(number) or (None if status == "succeeded" else _CANCELED)
            yield Painted(entry.name, job_id, problem, next(leaves, None))

    def _cancel_unfinished(self, batch: str, asked: Asked) -> None:
        moves.end_waiting(self._connection, batch, asked.total)
        for status, job_id in book.entered(self._connection, batch).values():
            if status not in FINAL:
                with suppress(NoSuchJob):
                    self._jobs.cancel(job_id)
        if manifest := self.manifest(asked):
            release_waiting(self._blobs, manifest)

    def _leaves(self, manifest: Manifest) -> Iterator[bytes]:
        for digest in manifest.leaves:
            yield from leaf_files.read(self._leaves_in(digest))

    def _leaves_in(self, digest: str) -> bytes:
        found = self._blobs.upload(digest)
        if found is None:
            raise NoSuchBatch("What the pictures came in is not there any more.")
        return found

    def _failures(self, batch: str, page: Page) -> list[BatchFailure]:
        manifest = self.manifest(page.asked) if page.counts.failed else None
        if manifest is None:
            return []
        problems = book.failures(self._connection, batch, NAMED)
        jobs = book.entered(self._connection, batch)
        return [
            BatchFailure(
                name=manifest.entries[number].name,
                job_id=jobs[number].job_id or None,
                problem=problem,
            )
            for number, problem in problems.items()
            if number in jobs  # it may have been deleted meanwhile
        ]

    def _page(self, batch: str) -> Page:
        if not _ID.fullmatch(batch):
            raise NoSuchBatch("No batch has such an id.")
        return book.read(self._connection, batch)
