"""Answers that the framework gives in other words, or not at all, as problem documents."""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.problems import MEDIA_TYPE, internal_error, too_large

logger = logging.getLogger(__name__)

_TOO_LARGE = 413


class Faults:
    """An exception is logged and becomes a 500; the framework's 413, plain text, a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request; whatever happens, there is an answer."""
        started = replaced = False

        async def send_checked(message: Message) -> None:
            nonlocal started, replaced
            if message["type"] == "http.response.start":
                started, replaced = True, _is_plain_refusal(message)
                if replaced:
                    await too_large()(scope, receive, send)
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


def _is_plain_refusal(start: Message) -> bool:
    content_type = dict(start["headers"]).get(b"content-type")
    return bool(start["status"] == _TOO_LARGE and content_type != MEDIA_TYPE.encode())
