"""Whether there is room for one job more: in the queue, in Redis's memory, and of its client.

Each count is looked at before the job is added to it, so that requests at the very same moment may
go over a limit by their number.
"""

from collections.abc import Sequence
from typing import cast

from redis import Redis
from rq.job import JobStatus

from model.errors import AtelierError
from worker import in_flight
from worker.blobs import SIZES, TOTAL, Blobs
from worker.painting_job import PaintingJob, status_of
from worker.records import FINAL
from worker.settings import Settings


class QueueFull(AtelierError):  # noqa: N818 - reads better where it is raised and caught
    """As many jobs are waiting as may wait."""

    slug = "queue-full"
    title = "The queue is full"


class TooManyJobs(AtelierError):  # noqa: N818
    """One client has as many unfinished jobs as it may have."""

    slug = "too-many-jobs"
    title = "Too many jobs at a time"


class Admission:
    """Keeps count; safe to share between threads."""

    def __init__(self, connection: Redis, blobs: Blobs, queue: str, settings: Settings) -> None:
        self._connection = connection
        self._blobs = blobs
        self._queue = queue
        self._settings = settings

    def check(self, client: str | None, upload_bytes: int) -> None:
        """Makes sure that there is room.

        Args:
            client: digest of whose job it will be; None for nobody in particular.
            upload_bytes: size of its pictures.

        Raises:
            QueueFull: as many jobs wait, or as many bytes are kept for jobs, as may be.
            TooManyJobs: as many of this client's are unfinished as may be.
        """
        with self._connection.pipeline(transaction=False) as pipeline:
            pipeline.llen(self._queue)
            pipeline.hget(SIZES, TOTAL)
            pipeline.scard(in_flight.key_for(client or ""))
            waiting, kept, unfinished = cast("list[int | None]", pipeline.execute())
        if (waiting or 0) >= self._settings.max_queue_length:
            raise QueueFull(f"{self._settings.max_queue_length} jobs are waiting already.")
        self._check_bytes(int(kept or 0), upload_bytes)
        if client is not None and 0 < self._settings.max_jobs_per_client <= (unfinished or 0):
            self._check_client_again(client)

    def room_for_batches(self, client: str) -> int:
        """How many jobs may be made of the pictures of a client's batches.

        All batches together have half of what may wait, of all and of this client: the rest is for
        other requests.
        """
        most, mine = self._settings.max_queue_length, self._settings.max_jobs_per_client
        room = _half(most) - self._connection.llen(self._queue)
        if mine and room > 0:
            room = min(room, _half(mine) - self._unfinished(client))
        return room

    def check_bytes(self, upload_bytes: int) -> None:
        """Makes sure that there is room for more bytes of pictures.

        Raises:
            QueueFull: as many are kept as may be.
        """
        self._check_bytes(self._blobs.kept_bytes(), upload_bytes)

    def _check_bytes(self, kept: int, upload_bytes: int) -> None:
        most = self._settings.max_queued_bytes
        if kept + upload_bytes > most:  # those that expired by themselves are still in the sum
            kept = self._blobs.count_again()
        if kept + upload_bytes > most:
            raise QueueFull(
                f"The pictures of all jobs together may have up to {most:,} bytes here, of which "
                f"{kept:,} are taken. Received: {upload_bytes:,} bytes."
            )

    def _check_client_again(self, client: str) -> None:
        most = self._settings.max_jobs_per_client
        if self._unfinished(client) >= most:
            raise TooManyJobs(f"{most} of your jobs are waiting or being painted already.")

    def _unfinished(self, client: str) -> int:
        """A job that expired while it waited never came into a final status."""
        key = in_flight.key_for(client)
        ids = sorted(cast("set[bytes]", self._connection.smembers(key)))
        gone = [job_id for job_id, ended in zip(ids, self._ended(ids), strict=True) if ended]
        if gone:
            self._connection.srem(key, *gone)
        return len(ids) - len(gone)

    def _ended(self, ids: Sequence[bytes]) -> list[bool]:
        with self._connection.pipeline(transaction=False) as pipeline:
            for job_id in ids:
                pipeline.hget(PaintingJob.key_for(job_id.decode()), "status")
            statuses = cast("list[bytes | None]", pipeline.execute())
        return [raw is None or status_of(JobStatus(raw.decode())) in FINAL for raw in statuses]


def _half(limit: int) -> int:
    return max(1, limit // 2)
