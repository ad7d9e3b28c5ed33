"""The answers of idempotency keys that name a job: they go when the job does."""

from redis import Redis

_KEEP = """
for _, record in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  redis.call('EXPIRE', record, ARGV[1])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""


def key(job_id: str) -> str:
    """The set of records in which a job, or a batch, is the answer."""
    return f"atelier:answers:{job_id}"


def keep(connection: Redis, job_id: str, ttl_seconds: int) -> None:
    """Gives them another time to live."""
    connection.eval(_KEEP, 1, key(job_id), ttl_seconds)
