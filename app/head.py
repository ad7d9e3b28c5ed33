"""HEAD: wherever there is a GET, its answer without the body (RFC 9110, section 9.3.2)."""

from anyio import CancelScope
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: In the scope of a HEAD that is asked as a GET.
_ASKED = "atelier.head"

#: What is defined for GET alone, and left aside here (RFC 9110, section 14.2).
_OF_GET = {b"range", b"if-range"}

#: What the app finds out, and logs and metrics are to know.
_FOUND = ("route", "path_params")


class Head:
    """Asks the app as GET does, and lets go of it as soon as the headers are there.

    So it need not paint a body that nobody gets, and a stream, which has no end, ends.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request; a HEAD as the GET that it stands for."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self._app(scope, receive, send)

        headers = [pair for pair in scope["headers"] if pair[0] not in _OF_GET]
        as_get = {**scope, "method": "GET", "headers": headers, _ASKED: True}

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope.update({fact: as_get[fact] for fact in _FOUND if fact in as_get})
                await send(message)
                await send({"type": "http.response.body"})
                answered.cancel()

        with CancelScope() as answered:
            await self._app(as_get, receive, send_headers)
        return None


def is_asked(request: Request) -> bool:
    """Whether what looks like a GET is a HEAD."""
    return _ASKED in request.scope
