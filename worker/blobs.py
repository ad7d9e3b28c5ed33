"""Pictures by key, in Redis, each with a time to live.

Uploads are stored once under their SHA-256; what belongs to a job is stored under its id.
"""

import hashlib
from collections.abc import Iterable
from typing import Literal, cast

from redis import Redis

Kind = Literal["result", "preview", "losses", "checkpoint"]

#: Forgets that a job uses an upload, and the upload when none is left that does.
_RELEASE = """
redis.call('SREM', KEYS[2], ARGV[1])
if redis.call('SCARD', KEYS[2]) == 0 then redis.call('DEL', KEYS[1]) end
"""


class Blobs:
    """The store; safe to share between threads."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._release = connection.register_script(_RELEASE)

    def add_upload(self, data: bytes, job_id: str, ttl_seconds: int) -> str:
        """Stores a picture that a job uses, once however often it comes; returns its SHA-256."""
        digest = hashlib.sha256(data).hexdigest()
        with self._connection.pipeline() as pipeline:
            pipeline.sadd(_users_key(digest), job_id)
            pipeline.expire(_users_key(digest), ttl_seconds)
            pipeline.expire(_upload_key(digest), ttl_seconds)
            is_there = pipeline.execute()[-1]
        if not is_there:
            self._connection.set(_upload_key(digest), data, ex=ttl_seconds)
        return digest

    def release_uploads(self, job_id: str, digests: Iterable[str]) -> None:
        """Forgets the pictures that only this job used."""
        for digest in digests:
            self._release(keys=[_upload_key(digest), _users_key(digest)], args=[job_id])

    def upload(self, digest: str) -> bytes | None:
        """An uploaded picture, or None when its time is over."""
        return cast("bytes | None", self._connection.get(_upload_key(digest)))

    def put(self, job_id: str, kind: Kind, data: bytes, ttl_seconds: int) -> None:
        """Stores what belongs to a job, in place of what was there."""
        self._connection.set(_job_key(job_id, kind), data, ex=ttl_seconds)

    def get(self, job_id: str, kind: Kind) -> bytes | None:
        """What belongs to a job, or None."""
        return cast("bytes | None", self._connection.get(_job_key(job_id, kind)))

    def drop(self, job_id: str, *kinds: Kind) -> None:
        """Forgets what belongs to a job."""
        self._connection.delete(*(_job_key(job_id, kind) for kind in kinds))


def _upload_key(digest: str) -> str:
    return f"atelier:upload:{digest}"


def _users_key(digest: str) -> str:
    return f"atelier:users:{digest}"


def _job_key(job_id: str, kind: Kind) -> str:
    return f"atelier:{kind}:{job_id}"
