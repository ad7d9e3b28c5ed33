"""Where the bytes of pictures lie: in Redis itself, or in an object store or a folder.

Redis always has the keys, with their times to live: it is the one truth about what there is. Where
the bytes lie elsewhere, it keeps in their place the name of the object that has them. An object is
written before its name is and never again, so nobody reads half of one; what nobody names any more
is swept up.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from redis.exceptions import ConnectionError as RedisConnectionError

from worker.settings import SettingsError

#: An object that nobody names for so long is not one whose name is just about to be written.
_ORPHANED = timedelta(hours=1)

#: How long a store may take; whoever can wait longer asks again. It is spoken to without TLS only
#: where the operator names such an endpoint.
_PATIENCE: dict[str, Any] = {
    "client_options": {
        "connect_timeout": timedelta(seconds=1),
        "timeout": timedelta(seconds=20),
        "allow_http": True,
    },
    "retry_config": {"max_retries": 2, "retry_timeout": timedelta(seconds=5)},
}


class StoreAway(RedisConnectionError):  # noqa: N818 - as `RedisAway` is
    """The store does not answer; to whoever waits for Redis that is one and the same."""


class Vault(Protocol):
    """Keeps bytes; safe to share between threads.

    Attributes:
        is_elsewhere: whether Redis keeps a name in place of the bytes.
    """

    is_elsewhere: bool

    def keep(self, key: str, data: bytes) -> bytes:
        """Takes bytes in; gives what Redis is to keep under the key."""
        ...

    def fetch(self, kept: bytes) -> bytes | None:
        """The bytes, or None if they are gone."""
        ...

    def drop(self, kept: Iterable[bytes]) -> None:
        """Forgets bytes; those that are gone already, too."""
        ...

    def old(self) -> Iterator[list[tuple[str, bytes]]]:
        """What was taken in some time ago: keys, and what Redis should keep under them."""
        ...


class InRedis:
    """Redis keeps the bytes themselves."""

    is_elsewhere = False

    def keep(self, _key: str, data: bytes) -> bytes:
        """As it is."""
        return data

    def fetch(self, kept: bytes) -> bytes | None:
        """As it is."""
        return kept

    def drop(self, kept: Iterable[bytes]) -> None:
        """Gone with its key."""

    def old(self) -> Iterator[list[tuple[str, bytes]]]:
        """Nothing outlives its key."""
        return iter(())


class InStore:
    """Anything that obstore speaks: S3 and what is like it, Google's, Azure's, a folder.

    Args:
        url: such as ``s3://bucket/prefix`` or ``file:///srv/atelier``. Credentials and endpoints
            come from the environment, under the names that the provider's own tools have.

    Raises:
        SettingsError: there is no such kind of store.
    """

    is_elsewhere = True

    def __init__(self, url: str) -> None:
        import obstore  # noqa: PLC0415 - 20 MB that most houses have no use for
        from obstore import store  # noqa: PLC0415

        self._obstore: Any = obstore
        options: dict[str, Any] = {"mkdir": True} if url.startswith("file:") else _PATIENCE
        try:
            self._store: Any = store.from_url(url, **options)
        except (obstore.exceptions.BaseError, ValueError) as error:
            raise SettingsError(f"ATELIER_BLOBS_URL: {_reason(error)}") from None

    def keep(self, key: str, data: bytes) -> bytes:
        """An object of its own for each time that something is kept."""
        name = f"{key.replace(':', '/')}/{uuid4().hex}"
        self._do(partial(self._obstore.put, self._store, name, data))
        return name.encode()

    def fetch(self, kept: bytes) -> bytes | None:
        """The object."""
        try:
            found = self._do(lambda: self._obstore.get(self._store, kept.decode()).bytes())
        except FileNotFoundError:
            return None
        return bytes(found)

    def drop(self, kept: Iterable[bytes]) -> None:
        """Objects that cannot be dropped at present are swept up later."""
        for name in kept:
            with suppress(FileNotFoundError, StoreAway):
                self._do(partial(self._obstore.delete, self._store, name.decode()))

    def old(self) -> Iterator[list[tuple[str, bytes]]]:
        """Objects older than an hour, some at a time."""
        oldest = datetime.now(UTC) - _ORPHANED
        pages = iter(self._obstore.list(self._store))
        while page := self._do(lambda: next(pages, None)):
            yield [
                (meta["path"].rpartition("/")[0].replace("/", ":"), meta["path"].encode())
                for meta in page
                if meta["last_modified"] < oldest
            ]

    def _do(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except FileNotFoundError:
            raise
        except (self._obstore.exceptions.BaseError, OSError) as error:
            raise StoreAway(f"The store of pictures does not answer: {_reason(error)}") from error


def open_vault(url: str) -> Vault:
    """The vault at ``ATELIER_BLOBS_URL``.

    Raises:
        SettingsError: there is no such kind of store.
    """
    return InRedis() if url == "redis:" else InStore(url)


def _reason(error: Exception) -> str:
    """The first line: the rest is for who mends obstore."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
