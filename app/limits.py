"""Requests per minute of each client, and the headers that say how many are left.

Counted in Redis, for all API processes together: a window of a minute begins with a client's first
request and has a number of them. The headers are those of
draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4.
"""

from typing import cast

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from redis import Redis
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import kinds
from app.dependencies import CallerDep, JobsDep
from app.problems import respond
from worker.digests import digest_of
from worker.settings import Settings

WINDOW_SECONDS = 60

_POLICY = "requests"

#: Where a request's headers wait for its answer.
_STATE = "rate_limit"


class TooManyRequests(Exception):  # noqa: N818 - reads better where it is raised and caught
    """A client has sent as many requests as it may in a minute.

    Attributes:
        seconds: until it may again.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


def install(app: FastAPI, settings: Settings) -> None:
    """Makes the headers part of every answer, and the limit a problem document."""
    app.state.max_requests_per_minute = settings.max_requests_per_minute
    app.add_exception_handler(TooManyRequests, _on_too_many)
    app.add_middleware(_Headers)


def _count(request: Request, jobs: JobsDep, caller: CallerDep) -> None:
    """Counts a request.

    Raises:
        TooManyRequests: it is one too many.
    """
    most: int = request.app.state.max_requests_per_minute
    if most == 0:
        return
    count, seconds = _counted(jobs.connection, caller.client)
    request.scope[_STATE] |= {
        "RateLimit-Policy": f'"{_POLICY}";q={most};w={WINDOW_SECONDS}',
        "RateLimit": f'"{_POLICY}";r={max(0, most - count)};t={seconds}',
    }
    if count > most:
        raise TooManyRequests(seconds)


#: To be put before all routes that are counted.
counted = Depends(_count)


def _counted(connection: Redis, client: str) -> tuple[int, int]:
    """How many requests the client has sent in this window, and when it ends, in seconds."""
    key = f"atelier:requests:{digest_of(client.encode())[:32]}"
    with connection.pipeline() as pipeline:
        pipeline.incr(key)
        pipeline.expire(key, WINDOW_SECONDS, nx=True)
        pipeline.ttl(key)
        count, _, seconds = cast("tuple[int, int, int]", tuple(pipeline.execute()))
    return count, max(1, seconds)


def _on_too_many(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TooManyRequests)
    return respond(
        kinds.TOO_MANY_REQUESTS,
        f"As many requests as are taken in a minute have come. Try again in {error.seconds} s.",
        headers={"Retry-After": str(error.seconds)},
    )


class _Headers:
    """Adds to an answer, whichever it is, what was counted for its request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope[_STATE] = dict[str, str]()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)
