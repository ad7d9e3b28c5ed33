"""Pictures by key, each with a time to live: the names in Redis, the bytes in a vault.

Uploads are stored once under their SHA-256; what belongs to a job is stored under its id. How many
bytes the uploads have together is kept beside them: one that expires stays in that sum until it is
counted again, and there is nothing else by which the two could differ.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, cast

from redis import Redis
from redis.client import Pipeline

from worker.vaults import NO_HEADERS, InRedis, Method, Vault

Kind = Literal["result", "preview", "losses", "checkpoint"]

#: Does something to a pipeline in a transaction; gives what Redis answers, or raises.
Write = Callable[[Callable[[Pipeline], Any]], list[Any]]

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

#: Forgets that a job uses an upload, and the upload when none is left that does; gives what was
#: kept of it, if it is asked for.
_RELEASE = (
    """
redis.call('SREM', KEYS[3], ARGV[2])
local kept = false
if redis.call('SCARD', KEYS[3]) == 0 then
  if ARGV[3] == '1' then kept = redis.call('GET', KEYS[1]) end
  redis.call('DEL', KEYS[1])
end
"""
    + _LEAVE
    + "return kept"
)

#: So many uploads are released in one round trip: a batch has thousands.
_TOGETHER = 200

#: Between two looks for bytes that nobody names, whichever worker takes them, in seconds.
_SWEEP_SECONDS = 600

_SWEPT = "atelier:swept"


class Blobs:
    """The store; safe to share between threads.

    Args:
        connection: to Redis.
        vault: where the bytes lie.
        link_seconds: how long links to them hold; 0: there are none.
    """

    def __init__(
        self, connection: Redis, vault: Vault | None = None, link_seconds: int = 0
    ) -> None:
        self._connection = connection
        self._vault = vault or InRedis()
        self._link_seconds = link_seconds

    def add_upload(self, digest: str, data: bytes, job_id: str, ttl_seconds: int) -> None:
        """Stores a picture that a job uses under its SHA-256, once however often it comes."""
        with self._connection.pipeline() as pipeline:
            pipeline.sadd(_users_key(digest), job_id)
            pipeline.expire(_users_key(digest), ttl_seconds)
            pipeline.expire(_upload_key(digest), ttl_seconds)
            is_there = pipeline.execute()[-1]
        if not is_there:
            kept = self._vault.keep(_upload_key(digest), data)
            with self._connection.pipeline() as pipeline:
                pipeline.set(_upload_key(digest), kept, ex=ttl_seconds)
                pipeline.eval(_ENTER, 1, SIZES, digest, len(data))
                pipeline.execute()

    def release_uploads(self, job_id: str, digests: Iterable[str]) -> None:
        """Forgets the pictures that only this job used."""
        self.release([(job_id, digest) for digest in digests])

    def release(self, uses: Sequence[tuple[str, str]]) -> None:
        """Forgets of many jobs that they use a picture, some hundred at a time.

        Args:
            uses: job and the picture's SHA-256.
        """
        for first in range(0, len(uses), _TOGETHER):
            with self._connection.pipeline(transaction=False) as pipeline:
                for job_id, digest in uses[first : first + _TOGETHER]:
                    keys = [_upload_key(digest), SIZES, _users_key(digest)]
                    elsewhere = str(int(self._vault.is_elsewhere))
                    pipeline.eval(_RELEASE, len(keys), *keys, digest, job_id, elsewhere)
                self._drop(pipeline.execute())

    def count_again(self) -> int:
        """Bytes of all uploads, without those that have expired meanwhile."""
        sizes = cast("dict[bytes, bytes]", self._connection.hgetall(SIZES))
        digests = [name.decode() for name in sizes if name != TOTAL.encode()]
        for first in range(0, len(digests), _TOGETHER):
            with self._connection.pipeline(transaction=False) as pipeline:
                for digest in digests[first : first + _TOGETHER]:
                    pipeline.eval(_LEAVE, 2, _upload_key(digest), SIZES, digest)
                pipeline.execute()
        return self.kept_bytes()

    def kept_bytes(self) -> int:
        """Bytes of all uploads; those that have expired may be among them."""
        return int(cast("bytes | None", self._connection.hget(SIZES, TOTAL)) or 0)

    def upload(self, digest: str) -> bytes | None:
        """An uploaded picture, or None when its time is over."""
        return self._fetch(_upload_key(digest))

    def keep_uploads(self, digests: Iterable[str], ttl_seconds: int) -> None:
        """Gives uploads another time to live."""
        with self._connection.pipeline(transaction=False) as pipeline:
            for digest in digests:
                pipeline.expire(_upload_key(digest), ttl_seconds)
                pipeline.expire(_users_key(digest), ttl_seconds)
            pipeline.execute()

    def has_uploads(self, job_id: str, digests: Iterable[str]) -> bool:
        """Whether all these pictures are there, and kept for this job: others' do not count."""
        with self._connection.pipeline(transaction=False) as pipeline:
            for digest in digests:
                pipeline.exists(_upload_key(digest))
                pipeline.sismember(_users_key(digest), job_id)
            return all(pipeline.execute())

    def put(
        self,
        job_id: str,
        kind: Kind,
        data: bytes,
        ttl_seconds: int,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        write: Write | None = None,
    ) -> None:
        """Stores what belongs to a job, in place of what was there.

        Args:
            job_id: whose it is.
            kind: what it is.
            data: the bytes.
            ttl_seconds: how long it is kept.
            headers: that go with it to whoever follows a link to it.
            write: the transaction that it is to be part of, if it is to be in one.
        """
        key = _job_key(job_id, kind)
        kept = self._vault.keep(key, data, headers)
        replaces = self._vault.is_elsewhere
        (before,) = (write or self._write)(
            lambda pipeline: pipeline.set(key, kept, ex=ttl_seconds, get=replaces)
        )
        if replaces:
            self._drop([before])

    def get(self, job_id: str, kind: Kind) -> bytes | None:
        """What belongs to a job, or None."""
        return self._fetch(_job_key(job_id, kind))

    def link(self, job_id: str, kind: Kind, method: Method) -> str | None:
        """Where what belongs to a job can be fetched for a while, by anybody and not from here.

        Returns:
            An URL for requests of this method, which holds no longer than the bytes are kept; None
            where there are no links, or nothing.
        """
        if not self._link_seconds:
            return None
        key = _job_key(job_id, kind)
        kept = cast("bytes | None", self._connection.get(key))
        left = self._connection.ttl(key)
        if kept is None or left < 0:
            return None
        return self._vault.link(kept, method, max(1, min(self._link_seconds, left)))

    def keep(self, job_ids: Iterable[str], kind: Kind, ttl_seconds: int) -> None:
        """Gives what belongs to jobs another time to live."""
        with self._connection.pipeline(transaction=False) as pipeline:
            for job_id in job_ids:
                pipeline.expire(_job_key(job_id, kind), ttl_seconds)
            pipeline.execute()

    def which(self, job_ids: Sequence[str], kind: Kind) -> set[str]:
        """Those of the jobs that have something of this kind."""
        with self._connection.pipeline(transaction=False) as pipeline:
            for job_id in job_ids:
                pipeline.exists(_job_key(job_id, kind))
            found = pipeline.execute()
        return {job_id for job_id, is_there in zip(job_ids, found, strict=True) if is_there}

    def seconds_left(self, job_id: str, kind: Kind) -> int:
        """How long what belongs to a job will be there; negative if it is not."""
        return self._connection.ttl(_job_key(job_id, kind))

    def drop(self, job_id: str, *kinds: Kind, write: Write | None = None) -> None:
        """Forgets what belongs to a job; ``write`` is as for ``put``."""
        keys = [_job_key(job_id, kind) for kind in kinds]

        def forget(pipeline: Pipeline) -> None:
            if self._vault.is_elsewhere:
                pipeline.mget(keys)
            pipeline.delete(*keys)

        *kept, _ = (write or self._write)(forget)
        self._drop(name for names in kept for name in names)

    def sweep_if_due(self, should_stop: Callable[[], bool]) -> None:
        """Sweeps, if no worker has in the last minutes; this may take minutes itself.

        Args:
            should_stop: whether the house stops; then the rest is left to the next time.
        """
        if self._vault.is_elsewhere and self._connection.set(_SWEPT, 1, nx=True, ex=_SWEEP_SECONDS):
            self.sweep(should_stop)

    def sweep(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Drops bytes whose keys have expired, or were never written."""
        for found in self._vault.old():
            if should_stop():
                return
            if found:
                kept = cast("list[bytes | None]", self._connection.mget([key for key, _ in found]))
                pairs = zip(found, kept, strict=True)
                self._drop([name for (_, name), named in pairs if named != name])

    def _fetch(self, key: str) -> bytes | None:
        """The bytes; asked for once more where others have just taken their place."""
        seen = None
        while (kept := cast("bytes | None", self._connection.get(key))) not in {None, seen}:
            assert kept is not None
            if (data := self._vault.fetch(kept)) is not None:
                return data
            seen = kept
        return None

    def _write(self, do: Callable[[Pipeline], Any]) -> list[Any]:
        with self._connection.pipeline() as pipeline:
            do(pipeline)
            return pipeline.execute()

    def _drop(self, kept: Iterable[Any]) -> None:
        self._vault.drop([name for name in kept if name is not None])


def _upload_key(digest: str) -> str:
    return f"atelier:upload:{digest}"


def _users_key(digest: str) -> str:
    return f"atelier:users:{digest}"


def _job_key(job_id: str, kind: Kind) -> str:
    return f"atelier:{kind}:{job_id}"
