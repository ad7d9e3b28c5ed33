"""Where the bytes of pictures lie: in Redis itself, or in an object store or a folder.

Redis always has the keys, with their times to live: it is the one truth about what there is. Where
the bytes lie elsewhere, it keeps in their place the name of the object that has them. An object is
written before its name is and never again, so nobody reads half of one; what nobody names any more
is swept up.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, Protocol
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


#: Where our objects lie, and their names: a key's parts, and what makes each of its own.
_PLACE = "atelier"
_NAME = re.compile(rf"{_PLACE}/\w+/[0-9a-f]+/[0-9a-f]{{32}}")

#: What a link may be asked with: it holds for one of them alone.
Method = Literal["GET", "HEAD"]


class StoreAway(RedisConnectionError):  # noqa: N818 - as `RedisAway` is
    """The store does not answer; to whoever waits for Redis that is one and the same."""


NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Vault(Protocol):
    """Keeps bytes; safe to share between threads.

    Attributes:
        is_elsewhere: whether Redis keeps a name in place of the bytes.
        has_links: whether there are links by which anybody may fetch bytes for a while.
    """

    is_elsewhere: bool
    has_links: bool

    def keep(self, key: str, data: bytes, headers: Mapping[str, str] = NO_HEADERS) -> bytes:
        """Takes bytes in; gives what Redis is to keep under the key.

        Args:
            key: what they are.
            data: the bytes.
            headers: that go with them to whoever follows a link.
        """
        ...

    def link(self, kept: bytes, method: Method, seconds: int) -> str:
        """An URL that gives the bytes, without a key, for so long."""
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
    has_links = False

    def keep(self, _key: str, data: bytes, _headers: Mapping[str, str] = NO_HEADERS) -> bytes:
        """As it is."""
        return data

    def link(self, _kept: bytes, _method: Method, _seconds: int) -> str:
        """Never asked for."""
        raise NotImplementedError

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
        signing = (store.S3Store, store.GCSStore, store.AzureStore)
        self.has_links = isinstance(self._store, signing)

    def keep(self, key: str, data: bytes, headers: Mapping[str, str] = NO_HEADERS) -> bytes:
        """An object of its own for each time that something is kept."""
        name = f"{key.replace(':', '/')}/{uuid4().hex}"
        # Files have none.
        attributes = dict(headers) if self.has_links else None
        self._do(partial(self._obstore.put, self._store, name, data, attributes=attributes))
        return name.encode()

    def link(self, kept: bytes, method: Method, seconds: int) -> str:
        """Signed by the credentials of the store, which need not be asked for it."""
        life = timedelta(seconds=seconds)
        return str(self._do(lambda: self._obstore.sign(self._store, method, kept.decode(), life)))

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
        """Objects older than an hour, some at a time; what else lies there is not ours."""
        oldest = datetime.now(UTC) - _ORPHANED
        pages = iter(self._obstore.list(self._store, prefix=_PLACE))
        while page := self._do(lambda: next(pages, None)):
            yield [
                (meta["path"].rpartition("/")[0].replace("/", ":"), meta["path"].encode())
                for meta in page
                if meta["last_modified"] < oldest and _NAME.fullmatch(meta["path"])
            ]

    def _do(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except FileNotFoundError:
            raise
        except (self._obstore.exceptions.BaseError, OSError) as error:
            raise StoreAway(f"The store of pictures does not answer: {_reason(error)}") from error


def open_vault(url: str, *, with_links: bool = False) -> Vault:
    """The vault at ``ATELIER_BLOBS_URL``.

    Raises:
        SettingsError: there is no such kind of store, or it has no links though it should.
    """
    vault: Vault = InRedis() if url == "redis:" else InStore(url)
    if with_links and not vault.has_links:
        raise SettingsError(
            "ATELIER_RESULT_LINK_SECONDS: only S3, Google's and Azure's stores have links. "
            f"Received, as ATELIER_BLOBS_URL: {url!r}."
        )
    return vault


def _reason(error: Exception) -> str:
    """The first line: the rest is for who mends obstore."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
