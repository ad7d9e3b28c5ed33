"""Pictures by key, in Redis, each with a time to live.

Uploads are stored once under their SHA-256; what belongs to a job is stored under its id.
"""

import hashlib
from typing import Literal, cast

from redis import Redis

Kind = Literal["result", "preview", "checkpoint"]


class Blobs:
    """The store; safe to share between threads."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection

    def add_upload(self, data: bytes, ttl_seconds: int) -> str:
        """Stores an uploaded picture, once however often it comes; returns its SHA-256 in hex."""
        digest = hashlib.sha256(data).hexdigest()
        key = _upload_key(digest)
        if not self._connection.expire(key, ttl_seconds):
            self._connection.set(key, data, ex=ttl_seconds)
        return digest

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


def _job_key(job_id: str, kind: Kind) -> str:
    return f"atelier:{kind}:{job_id}"
