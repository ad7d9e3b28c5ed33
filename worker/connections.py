"""Connections to Redis, and what they do when it does not answer."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis._parsers.base import BaseParser
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import (
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    WatchError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from model.errors import AtelierError


class CannotPersistError(ResponseError):
    """Redis cannot write to its disk, which is full or read-only, and so takes nothing."""


class BlockedNoLongerError(ResponseError):
    """Redis has become a replica, and lets go of whoever waits for something to be there."""


# redis-py has no classes of its own for them.
BaseParser.EXCEPTION_CLASSES["MISCONF"] = CannotPersistError
BaseParser.EXCEPTION_CLASSES["UNBLOCKED"] = BlockedNoLongerError

#: What is raised when Redis answers, and takes nothing at present: nothing of it has been done.
Refused = (
    OutOfMemoryError,
    ReadOnlyError,
    MasterDownError,
    CannotPersistError,
    BlockedNoLongerError,
)

#: What is raised when Redis does not answer or cannot take anything more, which time may mend; the
#: rest of its errors are bugs of ours.
RedisAway = (RedisConnectionError, RedisTimeoutError, *Refused)


class RedisUnreachableError(AtelierError):
    """There is no Redis where one was said to be."""

    slug = "redis-unreachable"
    title = "The queue does not answer"


@contextmanager
def cuts_told() -> Iterator[None]:
    """Raises a cut as what it is in a transaction that watches: it may have been done, or not.

    redis-py says WatchError then, as if it had not.
    """
    try:
        yield
    except WatchError as error:
        if isinstance(error.__context__, RedisAway):
            raise error.__context__ from None
        raise


def connect_impatiently(url: str) -> Redis:
    """For the API, where a person waits: gives up within a second or two."""
    return Redis.from_url(
        url,
        socket_connect_timeout=1.0,
        socket_timeout=1.5,
        # A refused connection may be a restart; one that hangs is not asked a second time.
        retry=Retry(_backoff(cap=0.2), 1, supported_errors=(RedisConnectionError,)),
    )


def connect_for_events(url: str, connections: int) -> AsyncRedis:
    """For those who wait: never more than so many connections, one of them for the channels."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=5.0,  # in the line for one of them
        client_name="atelier-events",
        socket_connect_timeout=1.0,
        socket_timeout=3.0,
        retry=AsyncRetry(_backoff(cap=0.2), 1, supported_errors=(RedisConnectionError,)),
    )
    return AsyncRedis.from_pool(pool)


def connect_patiently(
    url: str, gives_up: Callable[[], bool] = lambda: False, grace_seconds: float = 6.0
) -> Redis:
    """For a worker, which has a painting to lose: a restart of Redis is waited out.

    Args:
        url: of Redis.
        gives_up: says whether the house stops, so that nothing is waited for any more.
        grace_seconds: in which it then has to stop, also if Redis hangs.
    """
    return Redis.from_url(
        url,
        socket_connect_timeout=2.0,
        # Above the second that a blocking read lasts, and well below the grace: who has begun to
        # wait when the house stops is not waited for any longer.
        socket_timeout=max(2.0, min(5.0, grace_seconds - 2.0)),
        retry=_WhileNeeded(gives_up, threading.Event()),
        health_check_interval=30,
    )


def ping(url: str) -> None:
    """Makes sure that Redis is there.

    Raises:
        RedisUnreachableError: it is not; the message names host and port, not the password.
    """
    try:
        connect_impatiently(url).ping()
    except (RedisError, ValueError) as error:
        reason = str(error).rstrip(".")
        raise RedisUnreachableError(
            f"{_address(url)} does not answer as Redis: {reason}."
        ) from None


def _address(url: str) -> str:
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else parts.netloc.rpartition("@")[2]


class _WhileNeeded(Retry):
    """Tries again for about half a minute, or until the house stops.

    Then one who waits in vain does so for all: whatever else is asked of a Redis that hangs fails
    at once. One that refuses costs no time, and is asked again.
    """

    def __init__(self, gives_up: Callable[[], bool], hangs: threading.Event) -> None:
        super().__init__(_backoff(cap=1.0), 30)
        self._gives_up = gives_up
        self._hangs = hangs

    def __deepcopy__(self, _memo: object) -> "_WhileNeeded":
        """Each connection has one of its own; the house and Redis are the same."""
        return _WhileNeeded(self._gives_up, self._hangs)

    def call_with_retry(
        self,
        do: Callable[[], Any],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,  # noqa: FBT001, FBT002 - redis-py's
    ) -> Any:
        """Calls until it succeeds, or there is no use in it any more."""

        def is_worth_it(error: Exception) -> bool:
            if self._gives_up():
                if isinstance(error, (RedisTimeoutError, TimeoutError)):
                    self._hangs.set()
                return False
            return is_retryable is None or is_retryable(error)

        if self._hangs.is_set():
            raise RedisTimeoutError("Redis hangs, and the house stops.")
        return super().call_with_retry(do, fail, is_worth_it, with_failure_count)


def _backoff(cap: float) -> ExponentialWithJitterBackoff:
    return ExponentialWithJitterBackoff(base=0.05, cap=cap)
