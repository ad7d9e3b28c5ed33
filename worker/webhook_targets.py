"""Where webhooks may go: people say it, so none may reach what only this machine can reach.

An address is checked when a name has been resolved, and it is that very address that is connected
to: between a check and a second look-up the name could come to mean another one (DNS rebinding).
Redirects and proxies there are none, because nothing here knows of any.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
from pydantic import HttpUrl, ValidationError

from model.errors import AtelierError, ParameterError

MAX_URL_CHARACTERS = 2000

CONNECT_SECONDS = 5.0

_FIELD = "webhook_url"

#: Unicast that is routed in the Internet. Outside it are, beside the private ones, all forms that
#: carry an IPv4 address: mapped, compatible, NAT64.
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")

#: Not for hosts (IANA's special-purpose registries), and not all of it known to `is_global` of
#: every Python that we run on. 2002::/16 (6to4) and 2001::/32 (Teredo) carry IPv4 addresses.
_SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)

#: As ``socket.getaddrinfo(host, port, type=...)``.
Resolve = Callable[..., list[Any]]


class TargetRefused(AtelierError):  # noqa: N818 - reads better where it is raised and caught
    """A name that leads to an address which webhooks may not go to."""


def is_public(address: str) -> bool:
    """Whether an IP address is that of a host in the Internet."""
    ip = ipaddress.ip_address(address)
    if any(ip in network for network in _SPECIAL) or ip.is_multicast:
        return False
    return ip.is_global and (ip.version == 4 or ip in _GLOBAL_IPV6)  # noqa: PLR2004


def checked_url(url: str, *, allow_private: bool) -> str:
    """A target as somebody gave it, in the URL Standard's form: ``0x7f.1`` is ``127.0.0.1``.

    Names are not resolved here: it takes long, and what they mean may change.

    Raises:
        ParameterError: webhooks cannot or may not go there.
    """
    if len(url) > MAX_URL_CHARACTERS:
        raise _refusal(f"may have {MAX_URL_CHARACTERS} characters. Received: {len(url)}")
    try:
        target = HttpUrl(url)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Input should be ")
        raise _refusal(f"must be an https URL. Received: {reason}") from None
    if target.scheme != "https" and not allow_private:
        raise _refusal("must begin with https. Received: http")
    if target.username is not None or target.password is not None:
        raise _refusal("may hold no user name and no password. Received: one")
    _check_place(target.host or "", target.port or 0, allow_private=allow_private)
    return str(target)


def _check_place(host: str, port: int, *, allow_private: bool) -> None:
    if port == 0:
        raise _refusal("must have a port from 1 to 65535. Received: 0")
    address = host.strip("[]")
    try:
        if not (allow_private or is_public(address)):
            raise _refusal(f"must lead to a public address. Received: {address}")
    except ValueError:  # a name
        _check_name(host)


def _check_name(name: str) -> None:
    try:
        name.encode("idna")  # what the resolver does with it
    except UnicodeError:
        raise _refusal(f"must have a host's name (RFC 1035). Received: {name[:80]!r}") from None


def _refusal(sentence: str) -> ParameterError:
    return ParameterError(f"{_FIELD} {sentence}.", field=_FIELD)


class GuardedBackend(httpcore.NetworkBackend):
    """Opens connections of one delivery: to permitted addresses only, and for so long only.

    What httpcore connects to is decided here and nowhere else; certificates are still checked for
    the name in the URL. Without the deadline a server that sends one byte at a time would hold a
    delivery for ever: httpcore's time-outs are for each read.
    """

    def __init__(
        self,
        seconds: float,
        *,
        allow_private: bool,
        resolve: Resolve = socket.getaddrinfo,
        network: httpcore.NetworkBackend | None = None,
    ) -> None:
        self._deadline = time.monotonic() + seconds
        self._allow_private = allow_private
        self._resolve = resolve
        self._network = network or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connects to the first address of the name that answers.

        Raises:
            TargetRefused: one of its addresses is not permitted.
            httpcore.ConnectError: it has no address, or none answers.
        """
        fault: Exception = httpcore.ConnectError("The name has no address.")
        for address in self._addresses(host, port):
            try:
                stream = self._network.connect_tcp(
                    address, port, _left(self._deadline, timeout), local_address, socket_options
                )
                return _HurriedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                fault = error
        raise fault

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = self._resolve(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("The name cannot be resolved.") from error
        addresses = [str(place[0]) for *_, place in found]
        if not (self._allow_private or all(map(is_public, addresses))):
            raise TargetRefused("The name leads to an address that is not public.")
        return addresses


class _HurriedStream(httpcore.NetworkStream):
    """A connection on which nothing lasts beyond the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, timeout)
        return _HurriedStream(
            self._stream.start_tls(ssl_context, server_hostname, left), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    """How long something may take now, in seconds."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("The time for this delivery is up.")
    return left if timeout is None else min(left, timeout)
