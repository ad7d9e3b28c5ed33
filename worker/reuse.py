"""The same work twice: a job that has succeeded answers for an identical one.

Identical is what has the same owner, pictures and parameters, the seed among them. The features
are looked at when a job is found: they are those of the workers that would paint it anew.
"""

from collections.abc import Collection, Mapping
from typing import Any, cast

from redis import Redis

from worker.digests import fingerprint_of
from worker.presence import WorkerInfo
from worker.records import Job

#: Whoever is given a finished job has at least this part of its lifetime to fetch the result.
_LEFT = 1 / 4

_FORGET = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


def remember(
    connection: Redis, owner: str | None, work: Mapping[str, Any], job_id: str, ttl_seconds: int
) -> None:
    """Lets a job that has succeeded answer for others; ``connection`` may be a pipeline."""
    connection.set(_key(owner, work), job_id, ex=ttl_seconds)


def recall(connection: Redis, owner: str | None, work: Mapping[str, Any]) -> str | None:
    """The id of the last job that succeeded with this work, which need not be there any more."""
    found = cast("bytes | None", connection.get(_key(owner, work)))
    return None if found is None else found.decode()


def forget(connection: Redis, owner: str | None, work: Mapping[str, Any], job_id: str) -> None:
    """Lets a job not answer any more; another with the same work still may."""
    connection.eval(_FORGET, 1, _key(owner, work), job_id)


def is_fit(
    job: Job, result_seconds_left: int, ttl_seconds: int, workers: Collection[WorkerInfo]
) -> bool:
    """Whether a job may answer: its picture stays a while, and would come out the same today."""
    features = {worker.features.sha256 for worker in workers}
    return (
        job.status == "succeeded"
        and result_seconds_left >= _LEFT * ttl_seconds
        and job.features is not None
        and features == {job.features.sha256}
    )


def _key(owner: str | None, work: Mapping[str, Any]) -> str:
    return f"atelier:same:{fingerprint_of({'owner': owner, 'work': work})}"
