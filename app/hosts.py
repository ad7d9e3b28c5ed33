"""Who can reach the API: where it may listen without keys, and under which names it answers.

A page of any site can have its own name resolve to 127.0.0.1 a moment after it was loaded (DNS
rebinding). To the browser its requests then are of the same origin: they pass Origin and Fetch
Metadata checks, and the page reads every answer. What gives it away is the name in ``Host``, which
no page can change.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app import kinds
from app.keys import Keyring
from app.problems import respond
from worker.settings import Settings, SettingsError


def check_reach(settings: Settings, keyring: Keyring) -> None:
    """Makes sure that not everybody can reach an API that asks nobody for a key.

    Raises:
        SettingsError: they can, and nobody said that they may.
    """
    host = settings.published_host or settings.host
    if keyring or settings.allow_anonymous or _is_loopback(host):
        return
    variable = "ATELIER_HOST" if settings.published_host is None else "ATELIER_PUBLISHED_HOST"
    raise SettingsError(
        f"Without API keys only this machine may reach Atelier, but {variable} is {host!r}: make a "
        "key with `atelier keys new OWNER` and set ATELIER_API_KEYS to what it prints, or set "
        "ATELIER_ALLOW_ANONYMOUS=1 if everybody who reaches it may see and cancel every job."
    )


class HostCheck:
    """Refuses requests for other names with 421 (RFC 9110, section 15.5.20).

    Names of this machine and the address bound to are always taken: there nothing is rebound.
    """

    def __init__(self, app: ASGIApp, settings: Settings, keyring: Keyring) -> None:
        self._app = app
        self._allowed = _allowed(settings)
        anonymous = not keyring and not settings.allow_anonymous
        self._any = settings.allowed_hosts is None and not anonymous

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request for a name that is ours."""
        if scope["type"] == "http" and not (self._any or self._takes(Headers(scope=scope))):
            await _MISDIRECTED(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _takes(self, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        name = _name(hosts[0]) if len(hosts) == 1 else None
        return name is not None and (name in self._allowed or _is_loopback(name))


_MISDIRECTED = respond(
    kinds.MISDIRECTED,
    "The request is for a name that is not one of this Atelier's. If it is, set "
    "ATELIER_ALLOWED_HOSTS to it.",
)


def _allowed(settings: Settings) -> set[str]:
    # Unless that is all addresses: 0.0.0.0 leads any page to this machine.
    bound = {settings.host, settings.published_host} - {None, "", "0.0.0.0", "::"}  # noqa: S104
    named = (settings.allowed_hosts or "").split(",")
    return {name.strip().strip("[]").lower() for name in [*filter(None, bound), *named]} - {""}


def _name(host: str) -> str | None:
    """The name or address in a Host header, without brackets and port; None if there is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and "@" not in host else None


def _is_loopback(host: str) -> bool:
    """Whether a name or an address leads to this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
