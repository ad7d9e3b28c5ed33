"""Sends a case over a socket of its own, and says what is wrong with what came back."""

import io
import json
import select
import socket
import time
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, HTTPResponse

from tests.app.hostile.case import MARK, Case

#: A person takes an answer within a second for one that came at once. Nearly all come within
#: 20 ms; the rest of the second is for a machine that paints and tests on two cores meanwhile.
DEADLINE_SECONDS = 1.0

#: How long a request that breaks off is kept open before the client hangs up. A server does well
#: to wait for the rest: so the clock of the deadline begins again there.
_PAUSE_SECONDS = 0.1

_INSIDES = ("Traceback", "site-packages", "object at 0x", "<class", '.py"', "/app/", "/worker/")

#: What only the application sends: the server's own answers have no policy.
_OURS = "Content-Security-Policy"


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: None where the server hung up without a word.
        seconds: from the first byte of the request, or from hanging up on it, to the end.
    """

    status: int | None
    headers: Message
    body: bytes
    seconds: float


def send(address: tuple[str, int], case: Case) -> Answer:
    """Sends the case and reads until the server hangs up.

    Raises:
        TimeoutError: it does not in time.
    """
    began = time.monotonic()
    with socket.create_connection(address, timeout=DEADLINE_SECONDS) as connection:
        connection.settimeout(0)
        received = bytearray()
        if not _exchange(connection, case.sent, received, _PAUSE_SECONDS, garbage=case.garbage):
            began = time.monotonic()
            connection.shutdown(socket.SHUT_WR)
            _exchange(connection, b"", received, DEADLINE_SECONDS, garbage=False)
    return _parsed(bytes(received), case, time.monotonic() - began)


def _exchange(
    connection: socket.socket, unsent: bytes, received: bytearray, pause: float, *, garbage: bool
) -> bool:
    """Writes and reads at once, as an answer may come before the request has ended.

    Returns:
        Whether the server hung up; False where ``garbage`` waits for more than there is.

    Raises:
        TimeoutError: it did not, and it is not the request that is to blame.
    """
    deadline, view = time.monotonic() + DEADLINE_SECONDS, memoryview(unsent)
    while (left := deadline - time.monotonic()) > 0:
        waiting = min(left, pause) if garbage and not view else left
        readable, writable, _ = select.select(
            [connection], [connection] if view else [], [], waiting
        )
        try:
            if readable and not (piece := connection.recv(2**16)):
                return True
            if readable:
                received += piece
            elif writable:
                view = view[connection.send(view) :]
            elif garbage and not view:
                return False
        except (ConnectionResetError, BrokenPipeError):
            return True
    raise TimeoutError


class _Received:
    """What ``http.client`` takes for a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_mode: object) -> io.BytesIO:
        return io.BytesIO(self._data)


def _parsed(data: bytes, case: Case, seconds: float) -> Answer:
    if not data:
        return Answer(None, Message(), b"", seconds)
    method = case.sent.partition(b" ")[0].decode("latin-1")
    response = HTTPResponse(_Received(data), method=method)  # type: ignore[arg-type]
    response.begin()
    return Answer(response.status, response.headers, response.read(), seconds)


def faults(address: tuple[str, int], case: Case) -> tuple[str, Answer | None]:
    """Sends the case; returns what is wrong with the answer, or nothing, and the answer.

    One that is late is sent once more: a busy machine stalls now and then, a bad request that
    costs too much does so each time.
    """
    try:
        answer = _in_time(address, case) or _in_time(address, case)
    except HTTPException as error:
        return f"an answer that is not HTTP: {error!r}", None
    if answer is None:
        return f"no answer within {DEADLINE_SECONDS:g} s, twice", None
    return _wrong(case, answer), answer


def _in_time(address: tuple[str, int], case: Case) -> Answer | None:
    try:
        answer = send(address, case)
    except TimeoutError:
        return None
    return answer if answer.seconds <= DEADLINE_SECONDS else None


def _wrong(case: Case, answer: Answer) -> str:
    if answer.status is None:
        return "" if case.garbage else "hung up without an answer"
    if answer.status not in case.statuses:
        return f"answered {answer.status}: {answer.body[:200]!r}"
    text = answer.body.decode("utf-8", "replace")
    told = [inside for inside in (MARK, *_INSIDES) if inside in text and answer.status >= 400]
    if told:
        return f"told {told}: {text[:300]}"
    if answer.status >= 400 and (_OURS in answer.headers or not case.garbage):
        return _wrong_problem(case, answer)
    return ""


def _wrong_problem(case: Case, answer: Answer) -> str:
    """What keeps an answer from being a problem document (RFC 9457); nothing in one of HEAD."""
    if (kind := answer.headers.get_content_type()) != "application/problem+json":
        return f"answered {answer.status} in {kind}"
    if len(answer.body) > 8192:
        return f"answered with {len(answer.body)} bytes"
    if answer.body:
        found = json.loads(answer.body)
        if found["status"] != answer.status or not (found["title"] and found["detail"]):
            return f"answered with a problem that is none: {found}"
        named = {error["field"].partition(".")[0] for error in found.get("errors", [])}
        if case.field is not None and case.field not in named:
            return f"named {named}"
    return ""
