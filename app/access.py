"""What browsers and strangers may do here: security headers, and the checks before any endpoint.

Pure ASGI middleware: a stream of events passes through without a task or a queue of its own.
"""

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import kinds
from app.authentication import Authentication
from app.faults import Faults
from app.head import Head
from app.hosts import HostCheck
from app.keys import Keyring
from app.problems import respond
from app.sessions import Sessions
from worker.settings import Settings

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    # Ask before reusing: a page of mixed versions does not work. And what a key has opened is for
    # no cache that others share.
    "Cache-Control": "private, no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_READING = {"GET", "HEAD", "OPTIONS"}


def install(app: FastAPI, settings: Settings, keyring: Keyring, sessions: Sessions) -> None:
    """Puts the checks and headers around the app; the last one is the outermost."""
    app.add_middleware(Head)
    app.add_middleware(
        Authentication, keyring=keyring, sessions=sessions, open_metrics=settings.open_metrics
    )
    app.add_middleware(SameOriginWrites)
    app.add_middleware(HostCheck, settings=settings, keyring=keyring)
    app.add_middleware(Faults)
    app.add_middleware(SecurityHeaders)


class SecurityHeaders:
    """Puts the headers on every answer that has not its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request; each answer gets the headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class SameOriginWrites:
    """Refuses writes that a browser sends from another site's page.

    Such a page could otherwise post jobs to an Atelier on the same machine: no preflight is asked
    for a form.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request, unless it is a write from another site's page."""
        is_write = scope["type"] == "http" and scope["method"] not in _READING
        if is_write and _from_another_site(Headers(scope=scope)):
            await _CROSS_SITE(scope, receive, send)
        else:
            await self._app(scope, receive, send)


_CROSS_SITE = respond(
    kinds.CROSS_SITE,
    "This request came from a page of another site.",
)


def _from_another_site(headers: Headers) -> bool:
    """Whether a browser says so (Fetch Metadata); other clients say nothing."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")
