"""What browsers may do here: security headers, and no writes from other sites.

A page of another site that a browser has open could otherwise post jobs to an Atelier on the
same machine: no preflight is asked for a form.
"""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from starlette.middleware.base import RequestResponseEndpoint

from app.problems import internal_error, respond

logger = logging.getLogger(__name__)

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",  # ask before reusing: a page of mixed versions does not work
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

#: The interactive documentation brings its scripts from elsewhere, if there is an elsewhere.
_WITHOUT_POLICY = ("/docs", "/redoc")

_READING = {"GET", "HEAD", "OPTIONS"}


def install(app: FastAPI) -> None:
    """Puts the checks and headers around the app."""

    @app.middleware("http")
    async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await _answer(request, call_next)
        if not request.url.path.startswith(_WITHOUT_POLICY):
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)
        return response


async def _answer(request: Request, call_next: RequestResponseEndpoint) -> Response:
    if request.method not in _READING and _from_another_site(request):
        return _cross_site()
    try:
        response = await call_next(request)
    except Exception:
        logger.exception("%s %s failed", request.method, request.url.path)
        return internal_error()
    if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return _too_large()  # the framework's own is plain text
    return response


def _cross_site() -> Response:
    return respond(
        HTTPStatus.FORBIDDEN,
        "cross-site",
        "Requests from other sites are refused",
        "This request came from a page of another site.",
    )


def _too_large() -> Response:
    return respond(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-large",
        "The request is too large",
        "The pictures together are larger than what is taken here.",
    )


def _from_another_site(request: Request) -> bool:
    """Whether a browser says so (Fetch Metadata); other clients say nothing."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")
