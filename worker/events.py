"""What happens to a job, as it happens: a short history, and a nudge to whoever watches.

The history is a Redis stream for each job, bounded in length; its entries' ids are what a reader
comes back with (``Last-Event-ID``). Whenever one has grown, the job's id is said on one channel for
all jobs. The channel keeps nothing, so it only says where to look: what it loses, the history has.
"""

from collections.abc import Mapping
from typing import Literal

from redis import Redis

from worker.records import FINAL, Status

#: ``status`` has {status, attempt}, ``progress`` a JobProgress, ``preview`` {version}, ``done``
#: {status}; all as JSON.
EventKind = Literal["status", "progress", "preview", "done"]

#: The channel on which the ids of jobs are said.
CHANNEL = "atelier:events"

#: Likewise of those that came into another status: what others wait for may have moved.
STATUS_CHANNEL = "atelier:status"

#: Entries kept of a job: the last two minutes of a painting at two a second.
LENGTH = 256


def key_for(job_id: str) -> str:
    """The key of a job's history."""
    return f"atelier:events:{job_id}"


def append(
    connection: Redis, job_id: str, happened: Mapping[EventKind, str], ttl_seconds: int
) -> None:
    """Adds to a job's history, and says so.

    Args:
        connection: or a pipeline, so that it happens together with what it tells of.
        job_id: of the job.
        happened: events in their order, each with its data as JSON.
        ttl_seconds: how long the history is kept after its last entry.
    """
    key = key_for(job_id)
    for kind, data in happened.items():
        connection.xadd(key, {kind: data}, maxlen=LENGTH, approximate=False)
    connection.expire(key, ttl_seconds)
    connection.publish(CHANNEL, job_id)
    if "status" in happened:
        say_queue_moved(connection, job_id)


def say_queue_moved(connection: Redis, job_id: str) -> None:
    """Says that a job came into the queue or left it, so that others may have other places."""
    connection.publish(STATUS_CHANNEL, job_id)


def forget(connection: Redis, job_id: str) -> None:
    """Drops a job's history, and says so: whoever watches finds the job gone."""
    connection.delete(key_for(job_id))
    connection.publish(CHANNEL, job_id)


def of_status(status: Status, attempt: int) -> dict[EventKind, str]:
    """What happens when a job comes into a status."""
    happened: dict[EventKind, str] = {
        "status": f'{{"status": "{status}", "attempt": {attempt}}}',
    }
    if status in FINAL:
        happened["done"] = f'{{"status": "{status}"}}'
    return happened
