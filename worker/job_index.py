"""The ids of all jobs in order of creation: RQ has them by status only."""

from datetime import datetime, timedelta
from typing import cast

from redis import Redis
from redis.client import Pipeline

from worker.painting_job import PaintingJob

_PAGE = 100

#: In place of an owner: the jobs of all. No owner has such a name.
EVERYONE = "*"


class JobIndex:
    """Entries ``microseconds:id`` of each owner, and of everyone; an entry may outlive its job.

    Whoever meets one whose job is gone drops it; an owner's last entries expire with the key.
    """

    def __init__(self, connection: Redis, ttl_seconds: int) -> None:
        self._connection = connection
        self._ttl_seconds = ttl_seconds

    def add(self, job: PaintingJob, pipeline: Pipeline) -> None:
        """Enters a new job, and forgets those of its owner that cannot be there any more."""
        oldest = job.created_at - timedelta(seconds=self._ttl_seconds)
        for key in (_key(job.owner), _key(EVERYONE)):
            pipeline.zremrangebylex(key, "-", f"({_micros(oldest)}")
            pipeline.zadd(key, {entry_of(job): 0})
            pipeline.expire(key, self._ttl_seconds)

    def drop(self, entry: str, owner: str | None) -> None:
        """Forgets an entry."""
        for key in {_key(owner), _key(EVERYONE)}:
            self._connection.zrem(key, entry)

    def before(self, entry: str | None, owner: str | None) -> list[str]:
        """Some entries older than this one, or the newest of all; newest first."""
        edge = f"({entry}" if entry else "+"
        page = self._connection.zrevrangebylex(_key(owner), edge, "-", start=0, num=_PAGE)
        return [found.decode() for found in cast("list[bytes]", page)]


def entry_of(job: PaintingJob) -> str:
    """The entry of a job."""
    return f"{_micros(job.created_at)}:{job.id}"


def id_of(entry: str) -> str:
    """The job id in an entry."""
    return entry.partition(":")[2]


def _key(owner: str | None) -> str:
    """A sorted set whose scores are all 0, so that its order is that of the members: time, id."""
    return "atelier:jobs" if owner is None else f"atelier:jobs:{owner}"


def _micros(moment: datetime) -> str:
    return f"{round(moment.timestamp() * 1e6):020d}"
