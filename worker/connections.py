"""Connections to Redis, and what they do when it does not answer."""

from urllib.parse import urlsplit

from redis import Redis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from model.errors import AtelierError

#: What is raised when Redis does not answer or cannot take anything more, which time may mend; the
#: rest of its errors are bugs of ours.
RedisAway = (RedisConnectionError, RedisTimeoutError, OutOfMemoryError, ReadOnlyError)


class RedisUnreachableError(AtelierError):
    """There is no Redis where one was said to be."""

    slug = "redis-unreachable"
    title = "The queue does not answer"


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


def connect_patiently(url: str) -> Redis:
    """For a worker, which has a painting to lose: a restart of Redis is waited out."""
    return Redis.from_url(
        url,
        socket_connect_timeout=2.0,
        socket_timeout=10.0,  # above the second that a blocking read lasts
        retry=Retry(_backoff(cap=1.0), 30),
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


def _backoff(cap: float) -> ExponentialWithJitterBackoff:
    return ExponentialWithJitterBackoff(base=0.05, cap=cap)
