"""Who asks: a key in the request, or the page's session in a cookie (RFC 6750).

Asked before anything else of a request is read: a stranger's upload ends at its headers. And asked
by path, not by endpoint, so that no endpoint can be forgotten.
"""

from anyio.to_thread import run_sync
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from app import kinds
from app.dependencies import Caller
from app.keys import Grant, Keyring
from app.problems import redis_away, respond
from app.sessions import COOKIE, Sessions
from worker.connections import RedisAway

_API = "/v1"
_METRICS = "/metrics"

#: How a caller may say who they are, as OpenAPI has it.
SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key of this Atelier."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "The page's session, from `POST /v1/session`.",
    },
}


class Authentication:
    """Puts the ``Caller`` into the request's state; where there are keys, refuses who has none.

    Args:
        open_metrics: whether ``/metrics`` is for everybody.
    """

    def __init__(
        self, app: ASGIApp, keyring: Keyring, sessions: Sessions, *, open_metrics: bool
    ) -> None:
        self._app = app
        self._keyring = keyring
        self._sessions = sessions
        self._open_metrics = open_metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request whose caller is known; refuses others with 401."""
        if scope["type"] != "http" or not guarded(scope["path"], open_metrics=self._open_metrics):
            return await self._app(scope, receive, send)
        request = HTTPConnection(scope)
        try:
            grant = await self._grant(request) if self._keyring else None
        except RedisAway as error:
            return await redis_away(error)(scope, receive, send)
        if self._keyring and grant is None:
            return await _refusal(_key_in(request))(scope, receive, send)
        request.state.caller = _caller(grant, request)
        return await self._app(scope, receive, send)

    async def _grant(self, request: HTTPConnection) -> Grant | None:
        """What the request may; a key that it brings decides, whatever cookie comes with it."""
        if (key := _key_in(request)) is not None:
            return self._keyring.find(key)
        if (token := request.cookies.get(COOKIE)) is None:
            return None
        digest = await run_sync(self._sessions.key_digest, token)
        return None if digest is None else self._keyring.find_digest(digest)


def guarded(path: str, *, open_metrics: bool) -> bool:
    """Whether a path is only for those who have a key, where there are keys."""
    roots = (_API,) if open_metrics else (_API, _METRICS)
    return any(path == root or path.startswith(f"{root}/") for root in roots)


def _key_in(request: HTTPConnection) -> str | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def _caller(grant: Grant | None, request: HTTPConnection) -> Caller:
    if grant is None:
        return Caller(owner=None, client=request.client.host if request.client else "local")
    return Caller(grant.owner, client=grant.owner, admin=grant.admin, key_digest=grant.digest)


def _refusal(key: str | None) -> ASGIApp:
    """The answer to a request without a key (RFC 6750, section 3), or with an unknown one."""
    challenge = 'Bearer realm="atelier"'
    if key is not None:
        challenge += ', error="invalid_token"'
    return respond(
        kinds.NO_KEY if key is None else kinds.UNKNOWN_KEY,
        "Send a key of this Atelier as `Authorization: Bearer KEY`."
        if key is None
        else "The key that was sent is not, or not any more, one of this Atelier's.",
        headers={"WWW-Authenticate": challenge},
    )
