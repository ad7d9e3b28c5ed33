"""The API in this process, under uvicorn."""

import os
import socket

import uvicorn

from app.connection import ImpatientProtocol
from app.events import Fanout
from app.hosts import check_reach
from app.keys import Keyring
from app.main import create_app
from model.errors import AtelierError
from worker.connections import ping
from worker.settings import Settings

#: Readers who take nothing would otherwise hold the exit for as long as they like.
_GRACE_SECONDS = 3


class AddressInUseError(AtelierError):
    """The API's address is not to be had."""

    slug = "address-in-use"
    title = "The address is not to be had"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, so that a port in use is known before anything is started.

    Raises:
        AddressInUseError: it is in use, or not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise AddressInUseError(
            f"Cannot listen on {host}:{port} ({os.strerror(error.errno or 0)}); "
            "set ATELIER_PORT to another port."
        ) from None
    # What is accepted inherits it; asyncio sets it only on sockets that it makes. Without it the
    # body of an answer waits 40 ms for the other side to confirm the headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serves until SIGTERM or SIGINT.

    Raises:
        RedisUnreachableError: there is no Redis where the settings say.
        SettingsError: everybody would reach it without a key, and nobody said that they may.
    """
    check_reach(settings, Keyring.of(settings))
    ping(settings.required_redis_url)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        http=ImpatientProtocol,
        log_config=None,
        log_level=settings.log_level,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    _Server(config, app.state.events).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends those who wait before it waits for open responses to end."""

    def __init__(self, config: uvicorn.Config, events: Fanout) -> None:
        super().__init__(config)
        self._events = events

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops serving."""
        self._events.close()
        await super().shutdown(sockets)
