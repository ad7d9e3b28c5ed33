"""Scripts, styles and descriptions go out compressed: a quarter of the bytes, or less."""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


class Compression:
    """Compresses what is public and the same for everybody, for those who take gzip.

    Not what lies under /v1: pictures are compressed already, and the length of a compressed answer
    would tell what secret is in it to whoever chooses the words beside it (BREACH, Gluck et al.
    2013).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressing = GZipMiddleware(app, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""
        is_public = scope["type"] == "http" and not scope["path"].startswith("/v1/")
        await (self._compressing if is_public else self._app)(scope, receive, send)
