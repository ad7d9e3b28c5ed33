"""A bad line to a server."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit


class Cutter:
    """A way to the server that breaks off in the middle, so many bytes into each of some answers.

    Attributes:
        connections: made so far.
    """

    def __init__(self, url: str, cuts: list[int]) -> None:
        self._target = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
        self._cuts = cuts
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            left = self._cuts.pop(0) if self._cuts else None
            threading.Thread(target=self._connect, args=(client, left), daemon=True).start()

    def _connect(self, client: socket.socket, left: int | None) -> None:
        with client, socket.create_connection(self._target) as server:
            there = threading.Thread(target=_pump, args=(client, server, None))
            there.start()
            _pump(server, client, left)
            there.join()


def _pump(source: socket.socket, sink: socket.socket, left: int | None) -> None:
    """Hands on what comes, so many bytes at most; then ends both directions."""
    with suppress(OSError):
        while data := source.recv(4096 if left is None else min(left, 4096)):
            sink.sendall(data)
            left = None if left is None else left - len(data)
            if left == 0:
                break
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
