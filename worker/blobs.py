"""Pictures by key, in Redis, each with a time to live.

Uploads are stored once under their SHA-256; what belongs to a job is stored under its id. How many
bytes the uploads have together is kept beside them: one that expires stays in that sum until it is
counted again, and there is nothing else by which the two could differ.
"""

from collections.abc import Iterable
from typing import Literal, cast

from redis import Redis

Kind = Literal["result", "preview", "losses", "checkpoint"]

#: Bytes of each upload by its SHA-256, and of all of them.
SIZES = "atelier:sizes"
TOTAL = "total"

_ENTER = """
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 1 then
  redis.call('HINCRBY', KEYS[1], 'total', ARGV[2])
end
"""

#: Takes an upload that is not there out of the sum.
_LEAVE = """
local size = redis.call('HGET', KEYS[2], ARGV[1])
if size and redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HDEL', KEYS[2], ARGV[1])
  if redis.call('HINCRBY', KEYS[2], 'total', -size) <= 0 then redis.call('DEL', KEYS[2]) end
end
"""

#: Forgets that a job uses an upload, and the upload when none is left that does.
_RELEASE = (
    """
redis.call('SREM', KEYS[3], ARGV[2])
if redis.call('SCARD', KEYS[3]) == 0 then redis.call('DEL', KEYS[1]) end
"""
    + _LEAVE
)


class Blobs:
    """The store; safe to share between threads."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._release = connection.register_script(_RELEASE)
        self._leave = connection.register_script(_LEAVE)

    def add_upload(self, digest: str, data: bytes, job_id: str, ttl_seconds: int) -> None:
        """Stores a picture that a job uses under its SHA-256, once however often it comes."""
        with self._connection.pipeline() as pipeline:
            pipeline.sadd(_users_key(digest), job_id)
            pipeline.expire(_users_key(digest), ttl_seconds)
            pipeline.expire(_upload_key(digest), ttl_seconds)
            is_there = pipeline.execute()[-1]
        if not is_there:
            with self._connection.pipeline() as pipeline:
                pipeline.set(_upload_key(digest), data, ex=ttl_seconds)
                pipeline.eval(_ENTER, 1, SIZES, digest, len(data))
                pipeline.execute()

    def release_uploads(self, job_id: str, digests: Iterable[str]) -> None:
        """Forgets the pictures that only this job used."""
        for digest in digests:
            keys = [_upload_key(digest), SIZES, _users_key(digest)]
            self._release(keys=keys, args=[digest, job_id])

    def count_again(self) -> int:
        """Bytes of all uploads, without those that have expired meanwhile."""
        sizes = cast("dict[bytes, bytes]", self._connection.hgetall(SIZES))
        for digest in (name.decode() for name in sizes if name != TOTAL.encode()):
            self._leave(keys=[_upload_key(digest), SIZES], args=[digest])
        return int(cast("bytes | None", self._connection.hget(SIZES, TOTAL)) or 0)

    def upload(self, digest: str) -> bytes | None:
        """An uploaded picture, or None when its time is over."""
        return cast("bytes | None", self._connection.get(_upload_key(digest)))

    def has_uploads(self, job_id: str, digests: Iterable[str]) -> bool:
        """Whether all these pictures are there, and kept for this job: others' do not count."""
        with self._connection.pipeline(transaction=False) as pipeline:
            for digest in digests:
                pipeline.exists(_upload_key(digest))
                pipeline.sismember(_users_key(digest), job_id)
            return all(pipeline.execute())

    def put(self, job_id: str, kind: Kind, data: bytes, ttl_seconds: int) -> None:
        """Stores what belongs to a job, in place of what was there."""
        self._connection.set(_job_key(job_id, kind), data, ex=ttl_seconds)

    def get(self, job_id: str, kind: Kind) -> bytes | None:
        """What belongs to a job, or None."""
        return cast("bytes | None", self._connection.get(_job_key(job_id, kind)))

    def seconds_left(self, job_id: str, kind: Kind) -> int:
        """How long what belongs to a job will be there; negative if it is not."""
        return self._connection.ttl(_job_key(job_id, kind))

    def drop(self, job_id: str, *kinds: Kind) -> None:
        """Forgets what belongs to a job."""
        self._connection.delete(*(_job_key(job_id, kind) for kind in kinds))


def _upload_key(digest: str) -> str:
    return f"atelier:upload:{digest}"


def _users_key(digest: str) -> str:
    return f"atelier:users:{digest}"


def _job_key(job_id: str, kind: Kind) -> str:
    return f"atelier:{kind}:{job_id}"
