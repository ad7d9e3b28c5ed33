"""The Python client against servers that fail."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.client import (
    Atelier,
    Refused,
    ServerError,
    Unreachable,
)
from model.errors import ParameterError

JOB = (
    b'{"id": "%s", "status": "queued", "created_at": "2026-01-01T00:00:00Z", "started_at": null,'
    b' "finished_at": null, "expires_at": null, "attempt": 0, "queue_position": 1, "progress": {},'
    b' "params": {}, "features": null, "result": null, "error": null}' % (b"0" * 32)
)


class Scripted(BaseHTTPRequestHandler):
    """Answers one after the other, each (status, headers, body)."""

    answers: list[tuple[int, dict[str, str], bytes]]
    asked: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        self.asked.append((self.path, dict(self.headers)))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, body = self.answers.pop(0)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def scripted(*answers: tuple[int, dict[str, str], bytes]) -> Iterator[tuple[str, type[Scripted]]]:
    """A server that gives these answers, and remembers what it was asked."""
    handler = type("Handler", (Scripted,), {"answers": list(answers), "asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()
        thread.join()


PROBLEM = {"Content-Type": "application/problem+json"}


def test_what_is_unavailable_for_a_moment_is_asked_again_as_the_same_request(
    content: bytes,
) -> None:
    busy = (503, PROBLEM | {"Retry-After": "0"}, b'{"detail": "The queue is full."}')
    with scripted(busy, busy, (202, {}, JOB)) as (url, server), Atelier(url) as client:
        assert client.submit(content, [content]).id == "0" * 32
    keys = {headers["Idempotency-Key"] for _, headers in server.asked}
    assert (len(server.asked), len(keys)) == (3, 1)


def test_a_request_is_not_asked_again_for_ever() -> None:
    busy = (503, PROBLEM | {"Retry-After": "0"}, b'{"detail": "The queue is full."}')
    with scripted(*[busy] * 9) as (url, server), Atelier(url) as client:
        with pytest.raises(Refused, match=r"The queue is full\.") as refused:
            client.get("1")
        assert refused.value.retry_after == 0
    assert len(server.asked) == 4


def test_a_server_that_wants_long_patience_is_not_waited_for() -> None:
    busy = (429, PROBLEM | {"Retry-After": "3600"}, b'{"detail": "Too many."}')
    with scripted(busy) as (url, _), Atelier(url) as client, pytest.raises(Refused) as refused:
        client.get("1")
    assert refused.value.retry_after == 3600


def test_what_is_at_fault_is_not_asked_again() -> None:
    with (
        scripted((404, PROBLEM, b"not json")) as (url, _),
        Atelier(url) as client,
        pytest.raises(Refused, match="404"),
    ):
        client.get("1")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b"\xff"])
def test_a_server_that_is_no_atelier_is_found_out(body: bytes) -> None:
    with (
        scripted((200, {}, body)) as (url, _),
        Atelier(url) as client,
        pytest.raises(Unreachable, match="not an Atelier"),
    ):
        client.get("1")


def test_a_key_is_sent_as_a_bearer_token() -> None:
    with scripted((200, {}, JOB)) as (url, server), Atelier(url, api_key="atl_k") as client:
        client.get("1")
    assert server.asked[0][1]["Authorization"] == "Bearer atl_k"


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://127.0.0.1", "127.0.0.1:8000"])
def test_an_address_that_is_none_is_said_so(url: str) -> None:
    with pytest.raises(ServerError, match="URL"):
        Atelier(url)


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with Atelier(url) as client, pytest.raises(Unreachable, match=re.escape(url)):
        client.delete("1")


def test_a_parameter_out_of_its_range_is_refused_before_anything_is_sent(content: bytes) -> None:
    with Atelier("http://127.0.0.1:9") as nowhere, pytest.raises(ParameterError, match="size"):
        nowhere.submit(content, [content], {"size": 1})
