"""The unfinished jobs of each client: a set, so that a job counts once whatever happens to it."""

from redis import Redis
from redis.client import Pipeline


def key_for(client: str) -> str:
    """The key of a client's set of job ids; the client is named by a digest."""
    return f"atelier:in-flight:{client}"


def add(pipeline: Pipeline, client: str, job_id: str, ttl_seconds: int) -> None:
    """Counts a job, in the transaction that puts it into the queue."""
    pipeline.sadd(key_for(client), job_id)
    pipeline.expire(key_for(client), ttl_seconds)


def remove(connection: Redis, client: str, job_id: str) -> None:
    """Counts a job no more; ``connection`` may be the pipeline in which it ends."""
    connection.srem(key_for(client), job_id)
