"""What breaks HTTP/1.1 itself (RFC 9112), or bends it: sent as bytes, since no client would."""

from collections.abc import Iterator

from tests.app.hostile.case import Case, multipart, parts, request, seeded

_BAD = frozenset({400, 404, 405, 408, 411, 413, 414, 417, 421, 422, 426, 431, 501, 505})
_ANY = _BAD | {200, 202, 307}
_KIND = ("Content-Type", "multipart/form-data; boundary=b")
_HOST = b"Host: 127.0.0.1\r\nConnection: close\r\n"


def cases() -> list[Case]:
    """All of them."""
    return [*_lengths(), *_chunks(), *_lines(), *_headers(), *_rubbish()]


def _garbage(name: str, sent: bytes, statuses: frozenset[int] = _BAD) -> Case:
    return Case(name, sent, statuses, garbage=True)


def _lengths() -> Iterator[Case]:
    body = multipart(parts())
    lengths = ["0", "1", str(len(body) - 1), str(len(body) + 1), "1000000000000", "-1", "x", "1e3"]
    lengths += ["0x10", "1 1", "+5", "", "9" * 1000, f"{len(body)}, {len(body)}", "٣"]
    for length in lengths:
        headers = [_KIND, ("Content-Length", length)]
        # The form may end one byte early: the last is a line feed after it.
        statuses = _ANY if length in {str(len(body) - 1), f"{len(body)}, {len(body)}"} else _BAD
        sent = request("POST", "/v1/jobs", body, headers)
        yield _garbage(f"Content-Length: {length:.20}", sent, statuses)
    both = [_KIND, ("Content-Length", "5"), ("Content-Length", "6")]
    yield _garbage("two lengths", request("POST", "/v1/jobs", body, both))
    both = [_KIND, ("Content-Length", "5"), ("Transfer-Encoding", "chunked")]
    yield _garbage("a length and chunks", request("POST", "/v1/jobs", b"0\r\n\r\n", both))


def _chunks() -> Iterator[Case]:
    good = b"5\r\n--b--\r\n0\r\n\r\n"
    bodies = {
        "right": good,
        "without end": b"5\r\n--b--\r\n",
        "with a size of letters": b"xyz\r\n--b--\r\n0\r\n\r\n",
        "with a negative size": b"-5\r\n--b--\r\n0\r\n\r\n",
        "with a size of 2^64": b"ffffffffffffffffff\r\nx\r\n0\r\n\r\n",
        "with a size too small": b"2\r\n--b--\r\n0\r\n\r\n",
        "with a size too large": b"50\r\n--b--\r\n0\r\n\r\n",
        "without line breaks": b"5--b--0",
        "with an extension of 100 kB": b"5;x=" + b"y" * 100_000 + b"\r\n--b--\r\n0\r\n\r\n",
        "with 20 kB of zeros before a size": b"0" * 20_000 + b"5\r\n--b--\r\n0\r\n\r\n",
        "with a trailer": b"5\r\n--b--\r\n0\r\nX-Evil: 1\r\n\r\n",
        "with 100 kB of trailers": b"5\r\n--b--\r\n0\r\n" + b"X: y\r\n" * 17_000 + b"\r\n",
        "of one byte, 20,000 times": b"1\r\n-\r\n" * 20_000 + b"0\r\n\r\n",
        "with another request behind": good + b"GET /v1/system HTTP/1.1\r\nHost: x\r\n\r\n",
    }
    for name, body in bodies.items():
        head = [_KIND, ("Transfer-Encoding", "chunked")]
        yield _garbage(f"chunks {name}", request("POST", "/v1/jobs", headers=head) + body)
    for coding in (
        "gzip",
        "gzip, chunked",
        "chunked, chunked",
        "xchunked",
        " chunked",
        "\x0bchunked",
    ):
        head = [_KIND, ("Transfer-Encoding", coding)]
        sent = request("POST", "/v1/jobs", headers=head) + good
        yield _garbage(f"Transfer-Encoding: {coding!r}", sent)


def _lines() -> Iterator[Case]:
    """Request lines."""
    lines = {
        b"GET / HTTP/1.0": _ANY,
        b"GET /v1/system HTTP/1.0": _ANY,
        b"GET http://evil.example/v1/system HTTP/1.1": _ANY,
        b"GET http://127.0.0.1/v1/system HTTP/1.1": _ANY,
        b"GET ://x HTTP/1.1": _BAD,
        b"GET evil.example HTTP/1.1": _BAD,
        b"GET /a b HTTP/1.1": _BAD,
        b"GET  / HTTP/1.1": _BAD,
        b"GET /\xff\xfe HTTP/1.1": _BAD,
        b"GET /\0 HTTP/1.1": _BAD,
        b"GET /\r HTTP/1.1": _BAD,
        b"GET / HTTP/2.0": _ANY,
        b"GET / HTTP/9.9": _ANY,
        b"GET / http/1.1": _BAD,
        b"GET / HTTP/1.1.1": _BAD,
        b"GET /": _BAD,
        b"GET": _BAD,
        b"": _BAD,
        b" GET / HTTP/1.1": _BAD,
        b"G\xcbT / HTTP/1.1": _BAD,
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1": _BAD,
        b"A" * 200_000: _BAD,
        b"PRI * HTTP/2.0": _BAD,
    }
    for line, statuses in lines.items():
        yield _garbage(f"line {line[:30]!r}", line + b"\r\n" + _HOST + b"\r\n", statuses)


def _headers() -> Iterator[Case]:
    get = b"GET /livez HTTP/1.1\r\n"
    blocks = {
        "no host": b"Connection: close\r\n",
        "two hosts": _HOST + b"Host: evil.example\r\n",
        "an evil host": b"Host: evil.example/../x\r\nConnection: close\r\n",
        "a host with a null": b"Host: \0\r\nConnection: close\r\n",
        "a name with a blank": _HOST + b"X Y: z\r\n",
        "a blank before the colon": _HOST + b"X : z\r\n",
        "no name": _HOST + b": z\r\n",
        "no colon": _HOST + b"nonsense\r\n",
        "a folded line": _HOST + b"X: y\r\n z\r\n",
        "a carriage return": _HOST + b"X: y\rX-Evil: 1\r\n",
        "a null": _HOST + b"X: \0\r\n",
        "bytes": _HOST + b"X: \xff\xfe\r\n",
        "64 kB in one": _HOST + b"X: " + b"y" * 65_536 + b"\r\n",
        "a megabyte in one": _HOST + b"X: " + b"y" * 2**20 + b"\r\n",
        "20,000": _HOST + b"X: y\r\n" * 20_000,
        "line feeds alone": b"Host: x\nConnection: close\n",
        "an upgrade": b"Host: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n",
        "an upgrade to HTTP/2": b"Host: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n",
        "an injected answer": _HOST + b"X: y%0d%0aHTTP/1.1 200 OK%0d%0a\r\n",
    }
    for name, block in blocks.items():
        yield _garbage(f"headers: {name}", get + block + b"\r\n", _ANY)


def _rubbish() -> Iterator[Case]:
    draw = seeded("wire")
    yield _garbage("nothing", b"")
    yield _garbage(
        "a TLS greeting", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + draw.randbytes(512)
    )
    yield _garbage("SSH", b"SSH-2.0-OpenSSH_9.9\r\n")
    yield _garbage("a command of Redis", b"*1\r\n$8\r\nFLUSHALL\r\n")
    yield _garbage("SMTP", b"HELO evil.example\r\n")
    yield _garbage("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
    yield _garbage("a million null bytes", bytes(2**20))
    yield _garbage("line breaks", b"\r\n" * 5000)
    for number in range(12):
        yield _garbage(f"rubbish {number}", draw.randbytes(2 ** (number + 4)))
    whole = request("GET", "/v1/system")
    for at in range(0, len(whole), 6):
        yield _garbage(f"a request cut after {at} bytes", whole[:at])
    for number in range(20):
        flipped = bytearray(whole)
        flipped[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        yield _garbage(f"a request with a flipped bit, {number}", bytes(flipped), _ANY)
