"""Answers that the framework gives in other words, or not at all, as problem documents."""

import logging
from http import HTTPStatus

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.problems import internal_error, of_status, too_large

logger = logging.getLogger(__name__)


class Faults:
    """An exception is logged and becomes a 500; the framework's own refusals become problems."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request; whatever happens, there is an answer."""
        started = replaced = False

        async def send_checked(message: Message) -> None:
            nonlocal started, replaced
            if message["type"] == "http.response.start":
                started, better = True, _in_our_words(message)
                if better is not None:
                    replaced = True
                    await better(scope, receive, send)
            if not replaced:
                await send(message)

        try:
            await self._app(scope, receive, send_checked)
        except Exception:
            if scope["type"] != "http":
                raise
            logger.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise  # nothing can be said any more; the server cuts the connection
            await internal_error()(scope, receive, send)


def _in_our_words(start: Message) -> JSONResponse | None:
    """The problem that a refusal in plain text is, such as of a range that a file does not have."""
    headers = Headers(raw=start["headers"])
    is_plain = headers.get("content-type", "").startswith("text/plain")
    if start["status"] < HTTPStatus.BAD_REQUEST or not is_plain:
        return None
    if start["status"] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return too_large()
    return of_status(start["status"], headers)
