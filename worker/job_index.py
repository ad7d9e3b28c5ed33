"""The ids of all jobs in order of creation: RQ has them by status only."""

from datetime import datetime
from typing import cast

from redis import Redis
from redis.client import Pipeline

from worker.painting_job import PaintingJob

#: A sorted set whose scores are all 0, so that its order is that of the members: time, then id.
_KEY = "atelier:jobs"

_PAGE = 100


class JobIndex:
    """Entries ``microseconds:id``; an entry may outlive its job, so whoever meets one drops it."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection

    def add(self, job: PaintingJob, pipeline: Pipeline) -> None:
        """Enters a new job."""
        pipeline.zadd(_KEY, {entry_of(job): 0})

    def drop(self, entry: str) -> None:
        """Forgets an entry."""
        self._connection.zrem(_KEY, entry)

    def drop_older(self, moment: datetime) -> None:
        """Forgets all entries from before a moment."""
        self._connection.zremrangebylex(_KEY, "-", f"({_micros(moment)}")

    def before(self, entry: str | None) -> list[str]:
        """Some entries older than this one, or the newest of all; newest first."""
        edge = f"({entry}" if entry else "+"
        page = self._connection.zrevrangebylex(_KEY, edge, "-", start=0, num=_PAGE)
        return [found.decode() for found in cast("list[bytes]", page)]


def entry_of(job: PaintingJob) -> str:
    """The entry of a job."""
    return f"{_micros(job.created_at)}:{job.id}"


def id_of(entry: str) -> str:
    """The job id in an entry."""
    return entry.partition(":")[2]


def _micros(moment: datetime) -> str:
    return f"{round(moment.timestamp() * 1e6):020d}"
