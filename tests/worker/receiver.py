"""A real HTTP server that webhooks are sent to."""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook as Verifier

from tests.house import eventually


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The message's."""
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """What is in it, if the signature is right."""
        return Verifier(secret).verify(self.body, dict(self.headers))


@dataclass
class Receiver:
    """What it has got, and what it answers: to each path a status and headers, 204 by default.

    To ``/slow`` it answers when ``released`` is set, to ``/drip`` a header at a time until then.
    """

    url: str = ""
    got: list[Received] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)

    def at(self, path: str) -> list[Received]:
        """What has come to a path."""
        return [received for received in self.got if received.path == path]

    def wait(self, path: str, *, count: int = 1, within: float = 30) -> list[Received]:
        """What has come to a path once it is so many."""
        eventually(
            lambda: len(self.at(path)) >= count, within=within, what=f"{count} requests to {path}"
        )
        return self.at(path)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # of 5, as it is by default, some of many at once are turned away

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_args: Any) -> None:
        """A sender that went away, or trusts nobody here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        self._note(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.startswith("/slow"):
            receiver.released.wait()
        if self.path == "/drip":
            self._drip()
        self._answer()

    def do_GET(self) -> None:
        self._note(b"")
        self._answer()

    def _answer(self) -> None:
        status, headers = self.server.receiver.answers.get(self.path, (204, {}))
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _note(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.receiver.got.append(Received(self.path, headers, body))

    def _drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.server.receiver.released.wait(0.1):
            self.wfile.write(b"X-More: yes\r\n")

    def log_message(self, *_args: Any) -> None:
        """Nothing."""


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a free port of 127.0.0.1."""
    receiver = Receiver()

    server = _Server(receiver)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    receiver.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
