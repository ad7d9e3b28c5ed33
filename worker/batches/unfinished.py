"""The batches that are not finished: those that are fed, in the order in which they came."""

import time
from typing import cast

from redis import Redis
from redis.client import Pipeline

from worker.admission import QueueFull, TooManyJobs
from worker.batches import book
from worker.batches.book import OPEN
from worker.settings import Settings


def check_room(connection: Redis, client: str, settings: Settings) -> None:
    """Makes sure that one more may wait: as many as jobs, of all and of this client.

    Raises:
        QueueFull: as many batches are unfinished as may be.
        TooManyJobs: as many of this client's are.
    """
    if connection.zcard(OPEN) >= settings.max_queue_length:
        raise QueueFull(f"{settings.max_queue_length} batches are unfinished already.")
    most = settings.max_jobs_per_client
    if not 0 < most <= connection.scard(_of_client(client)):
        return
    mine = cast("set[bytes]", connection.smembers(_of_client(client)))
    gone = [one for one in mine if not connection.exists(book.batch_key(one.decode()))]
    if gone:  # it expired before it was finished
        connection.srem(_of_client(client), *gone)
    if len(mine) - len(gone) >= most:
        raise TooManyJobs(f"{most} of your batches are unfinished already.")


def enter(pipeline: Pipeline, batch: str, client: str, ttl_seconds: int) -> None:
    """A new one."""
    pipeline.zadd(OPEN, {batch: time.time()})
    pipeline.sadd(_of_client(client), batch)
    pipeline.expire(_of_client(client), ttl_seconds)


def leave(connection: Redis, batch: str, client: str | None = None) -> None:
    """It is finished, or gone."""
    connection.zrem(OPEN, batch)
    if client is not None:
        connection.srem(_of_client(client), batch)


def leave_finished(connection: Redis, batch: str, client: str) -> None:
    """It is finished, unless a job of it is tried once more meanwhile."""

    def leave_if_so(pipeline: Pipeline) -> None:
        is_finished = pipeline.hexists(key, "finished_at")
        pipeline.multi()
        if is_finished:
            leave(pipeline, batch, client)

    key = book.batch_key(batch)
    connection.transaction(leave_if_so, key)


def ids(connection: Redis) -> list[str]:
    """All of them, oldest first."""
    return [one.decode() for one in cast("list[bytes]", connection.zrange(OPEN, 0, -1))]


def _of_client(client: str) -> str:
    return f"{OPEN}:{client}"
