"""News of jobs that did not come to the book of their batch.

An API or a worker of an older version writes nothing there when it ends or deletes a job. Without
that entry a batch would be unfinished for ever, so now and then the records of its jobs are looked
up.
"""

from collections.abc import Mapping
from typing import cast

from redis import Redis
from rq.job import JobStatus

from worker.batches import book, moves
from worker.batches.records import Place
from worker.painting_job import PaintingJob, status_of
from worker.records import FINAL

#: Between two times of one batch, in seconds: news are missed seldom.
_SECONDS = 30


def catch_up_if_due(connection: Redis, batch: str) -> bool:
    """Catches up, if no worker has in the last half minute; says whether it did."""
    is_due = connection.set(_key(batch), 1, nx=True, ex=_SECONDS)
    if is_due:
        catch_up(connection, batch)
    return bool(is_due)


def catch_up(connection: Redis, batch: str) -> None:
    """Enters which of the jobs of a batch have ended, or are gone, by their records."""
    entered = book.entered(connection, batch)
    jobs = {number: one.job_id for number, one in entered.items() if one.status not in FINAL}
    for number, status in _statuses(connection, jobs).items():
        place, job_id = str(Place(batch, number)), jobs[number]
        if status is None:
            moves.leave(connection, place, job_id)
        elif (ended := status_of(JobStatus(status.decode()))) in FINAL:
            moves.move(connection, place, job_id, ended)


def forget(connection: Redis, batch: str) -> None:
    """Drops what is remembered of when that was."""
    connection.delete(_key(batch))


def _key(batch: str) -> str:
    return f"atelier:batch-caught-up:{batch}"


def _statuses(connection: Redis, jobs: Mapping[int, str]) -> Mapping[int, bytes | None]:
    with connection.pipeline(transaction=False) as pipeline:
        for job_id in jobs.values():
            pipeline.hget(PaintingJob.key_for(job_id), "status")
        return dict(zip(jobs, cast("list[bytes | None]", pipeline.execute()), strict=True))
