"""A client that costs next to nothing, so that what is measured is the server."""

import asyncio
import time
from dataclasses import dataclass
from typing import Self

Addresses = tuple[str, int]


@dataclass(frozen=True)
class Answer:
    """An answer: its status, its body, and the seconds from the request to its last byte."""

    status: int
    body: bytes
    seconds: float


class Connection:
    """A connection that is kept alive; one request at a time (RFC 9112, section 9.3)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address: Addresses) -> Self:
        """Connects."""
        return cls(*await asyncio.open_connection(*address, limit=2**20))

    async def ask(self, request: bytes) -> Answer:
        """Sends a request as it stands on the wire, and reads the answer to its end."""
        started = time.perf_counter()
        self._writer.write(request)
        await self._writer.drain()
        status, length = await self.head()
        body = await self.reader.readexactly(length)
        return Answer(status, body, time.perf_counter() - started)

    async def send(self, request: bytes) -> None:
        """Sends a request whose answer is a stream."""
        self._writer.write(request)
        await self._writer.drain()

    async def head(self) -> tuple[int, int]:
        """The status, and the length of the body."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head.split(b" ", 2)[1])
        _, found, rest = head.partition(b"\r\ncontent-length:")
        return status, int(rest.split(b"\r\n", 1)[0]) if found else 0

    def close(self) -> None:
        """Hangs up."""
        self._writer.close()


def get(path: str) -> bytes:
    """A GET on the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def post(path: str, files: dict[str, bytes], fields: dict[str, str]) -> bytes:
    """A POST of a form with files on the wire (RFC 7578)."""
    boundary = b"atelier-benchmark-boundary"
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (boundary, name.encode(), value.encode())
        for name, value in fields.items()
    ]
    parts += [
        b'--%s\r\nContent-Disposition: form-data; name="%s"; filename="f"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n%s\r\n" % (boundary, name.encode(), data)
        for name, data in files.items()
    ]
    body = b"".join(parts) + b"--%s--\r\n" % boundary
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary.decode()}\r\n\r\n"
    )
    return head.encode() + body
