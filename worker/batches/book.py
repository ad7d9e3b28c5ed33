"""The book of batches in Redis: what each was asked for, and how far it is (``moves``).

Of each batch there are, all with a time to live:

    atelier:batch:ID            a hash: what was asked for, and pictures by status (``n.STATUS``)
    atelier:batch-cursor:ID     the number of the next picture that a job is to be made of
    atelier:batch-jobs:ID       a hash: of each picture that has come so far, ``STATUS:JOB``
    atelier:batch-failures:ID   a hash: of each picture that failed, the problem

The cursor is the one truth about which pictures have become jobs: whoever makes one watches it, and
moves it in the transaction that puts the job into the queue. So each picture becomes one job,
whichever processes try, and wherever they are killed.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from redis import Redis
from redis.client import Pipeline

from model.errors import PaintingError
from worker.batches import deleted
from worker.batches.records import (
    Asked,
    Batch,
    BatchCounts,
    BatchFailure,
    BatchProgress,
    NoSuchBatch,
    Place,
)
from worker.records import JobError, Status

#: The batches that are fed, by when they came; one that is not finished any more is again.
OPEN = "atelier:open-batches"

#: Of a job that was failed by another hand than ours.
_UNSAID = JobError.of(PaintingError("The job failed."))


class Page(NamedTuple):
    """A batch as the book has it.

    Attributes:
        asked: what was asked for.
        counts: its pictures by status.
        waiting: those of the queued that are no jobs yet.
        finished_at: when the last one ended; None while one has not.
    """

    asked: Asked
    counts: BatchCounts
    waiting: int
    finished_at: datetime | None

    def view(self, batch: str, failures: list[BatchFailure], life: timedelta) -> Batch:
        """The batch as people see it, which is kept for so long once it is finished."""
        asked, counts, finished = self.asked, self.counts, self.finished_at
        return Batch(
            id=batch,
            owner=asked.owner,
            status=counts.status,
            created_at=asked.created_at,
            finished_at=finished,
            expires_at=finished and finished + life,
            total=asked.total,
            counts=counts,
            progress=BatchProgress(fraction=1 - counts.unfinished / asked.total),
            failures=failures,
            format=asked.format,
            params=asked.params,
        )


class Entered(NamedTuple):
    """A picture that has come so far: its status and its job, which is empty if it has none."""

    status: Status
    job_id: str


def batch_key(batch: str) -> str:
    """What was asked for, and the counts."""
    return f"atelier:batch:{batch}"


def cursor_key(batch: str) -> str:
    """The number of the next picture that a job is to be made of."""
    return f"atelier:batch-cursor:{batch}"


def jobs_key(batch: str) -> str:
    """Of each picture that has come so far its status and its job."""
    return f"atelier:batch-jobs:{batch}"


def failures_key(batch: str) -> str:
    """Of each picture that failed the problem."""
    return f"atelier:batch-failures:{batch}"


def begin(
    pipeline: Pipeline,
    batch: str,
    asked: Asked,
    refused: Mapping[int, JobError],
    ttl_seconds: int,
) -> None:
    """A new batch, all its pictures waiting but for those refused at the door, by number.

    In place of what is there: redis-py sends a transaction again when its answer is cut off.
    """
    pipeline.delete(*_keys(batch))
    waiting, failed = str(asked.total - len(refused)), str(len(refused))
    fields = ["asked", asked.model_dump_json(), "n.waiting", waiting, "n.failed", failed]
    pipeline.hset(batch_key(batch), items=fields)
    pipeline.set(cursor_key(batch), 0)
    if refused:
        jobs, problems = list[str](), list[str]()
        for number, problem in refused.items():
            jobs += [str(number), "failed:"]
            problems += [str(number), problem.model_dump_json()]
        pipeline.hset(jobs_key(batch), items=jobs)
        pipeline.hset(failures_key(batch), items=problems)
    for key in _keys(batch):
        pipeline.expire(key, ttl_seconds)


def read(connection: Redis, batch: str) -> Page:
    """A batch as it is.

    Raises:
        NoSuchBatch: it never was, was deleted, or has expired.
    """
    raw = cast("Mapping[bytes, bytes]", connection.hgetall(batch_key(batch)))
    if b"asked" not in raw or deleted.has(connection, batch):
        raise NoSuchBatch("There is no such batch, or not any more.")
    finished, numbers = raw.get(b"finished_at"), _numbers(raw)
    waiting = numbers.pop("waiting", 0)
    numbers["queued"] = numbers.get("queued", 0) + waiting
    return Page(
        Asked.model_validate_json(raw[b"asked"]),
        BatchCounts(**numbers),
        waiting,
        datetime.fromisoformat(finished.decode()) if finished else None,
    )


def _numbers(raw: Mapping[bytes, bytes]) -> dict[str, int]:
    names = {name.decode(): int(value) for name, value in raw.items() if name.startswith(b"n.")}
    return {name.removeprefix("n."): number for name, number in names.items()}


def cursor(connection: Redis, batch: str) -> int | None:
    """The number of the next picture that a job is to be made of; None where there is no batch."""
    found = cast("bytes | None", connection.get(cursor_key(batch)))
    return None if found is None else int(found)


def has_come(connection: Redis, place: Place) -> bool:
    """Whether something is known of a picture: its job, or why it has none."""
    return bool(connection.hexists(jobs_key(place.batch), str(place.number)))


def entered(connection: Redis, batch: str) -> dict[int, Entered]:
    """All pictures that have come so far, by number."""
    raw = cast("Mapping[bytes, bytes]", connection.hgetall(jobs_key(batch)))
    return {int(number): _entered(written.decode()) for number, written in raw.items()}


def _entered(written: str) -> Entered:
    status, _, job_id = written.partition(":")
    return Entered(cast("Status", status), job_id)


def failures(connection: Redis, batch: str, most: int | None = None) -> dict[int, JobError]:
    """The problems of the first pictures that failed, by number, or of all."""
    key = failures_key(batch)
    numbers = sorted(int(raw) for raw in cast("list[bytes]", connection.hkeys(key)))[:most]
    found = connection.hmget(key, map(str, numbers)) if numbers else []
    pairs = zip(numbers, cast("list[bytes | None]", found), strict=True)
    return {number: JobError.model_validate_json(raw) if raw else _UNSAID for number, raw in pairs}


def asked(connection: Redis, batch: str) -> Asked | None:
    """What was asked for, also of a batch that was deleted; None once nothing is left of it."""
    raw = cast("bytes | None", connection.hget(batch_key(batch), "asked"))
    return None if raw is None else Asked.model_validate_json(raw)


def strike(connection: Redis, batch: str, number: int) -> None:
    """Forgets a picture, whose job is gone."""
    connection.hdel(jobs_key(batch), str(number))


def expire(connection: Redis, batch: str, ttl_seconds: int) -> None:
    """Gives all that is written of a batch another time to live."""
    with connection.pipeline() as pipeline:
        for key in _keys(batch):
            pipeline.expire(key, ttl_seconds)
        pipeline.execute()


def forget(connection: Redis, batch: str) -> None:
    """Nothing of it is written any more."""
    connection.delete(*_keys(batch))


def result_ttl(connection: Redis, written: str | None, ttl_seconds: int) -> int:
    """How long a painting is kept: not shorter than the batch that it belongs to."""
    if written is None:
        return ttl_seconds
    return max(ttl_seconds, connection.ttl(batch_key(Place.read(written).batch)))


def _keys(batch: str) -> list[str]:
    return [batch_key(batch), cursor_key(batch), jobs_key(batch), failures_key(batch)]
