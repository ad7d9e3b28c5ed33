"""Sessions of the page: a browser gives a key once and gets a random token in its place.

The token lives in a cookie that no script can read (``HttpOnly``), so that pictures and streams of
events, which cannot carry a header, are authorised too, and no key is ever in an address.
"""

import hashlib
import secrets
from typing import cast

from redis import Redis

#: Not `__Host-atelier_session`: that, browsers take only with TLS, which this machine has not.
COOKIE = "atelier_session"

_TOKEN_BYTES = 32


class Sessions:
    """All sessions in one Redis; safe to share between threads.

    Of a token only the SHA-256 is stored: whoever reads Redis cannot become anybody. What it leads
    to is the hash of the key, so that a session dies with its key's entry in the settings.
    """

    def __init__(self, connection: Redis, ttl_seconds: int) -> None:
        self._connection = connection
        self.ttl_seconds = ttl_seconds

    def begin(self, key_digest: str) -> str:
        """A new session for the key of this hash; returns its token."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._connection.set(_redis_key(token), key_digest, ex=self.ttl_seconds)
        return token

    def key_digest(self, token: str) -> str | None:
        """The hash of the key that the session was begun with, or None when it has ended."""
        found = cast("bytes | None", self._connection.get(_redis_key(token)))
        return None if found is None else found.decode()

    def end(self, token: str) -> None:
        """Ends a session, if there is one."""
        self._connection.delete(_redis_key(token))


def _redis_key(token: str) -> str:
    return f"atelier:session:{hashlib.sha256(token.encode()).hexdigest()}"
