"""One large file from the network: resumable, atomic, checked by hash. Free of TensorFlow."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from threading import Thread

import httpx

from model.errors import FeaturesUnavailableError
from model.part import Expected, Part, disk_errors, exclusive

#: Seconds before the second, third, ... try after a connection that was cut.
PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)

#: Every other answer is a no. After the third the next try asks for the whole.
ANSWERS = (
    HTTPStatus.OK,
    HTTPStatus.PARTIAL_CONTENT,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
)

#: Called with the bytes that are here and the bytes that there will be, None if nobody knows.
OnProgress = Callable[[int, int | None], object]


def download(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    size: int | None = None,
    connect_timeout_seconds: float = 3.0,
    read_timeout_seconds: float = 10.0,
    give_up_after_seconds: float = 900.0,
    pauses_seconds: Sequence[float] = PAUSES_SECONDS,
    sleep: Callable[[float], object] = time.sleep,
    on_progress: OnProgress | None = None,
) -> Path:
    """Fetch a file, unless it is already there as it should be.

    A first answer that does not come ends it at once: there is no network. A connection that is
    cut later is taken up where it broke off, now or by the next call. Of two processes the second
    waits, and takes the first one's file.

    Args:
        url: http or https.
        target: appears only when it is whole; its folder is made.
        sha256: in hex, checked on the whole file.
        md5: likewise, for publishers who give nothing better.
        size: in bytes.
        connect_timeout_seconds: until an answer begins: name, connection, TLS and head together.
        read_timeout_seconds: between two pieces of the body.
        give_up_after_seconds: for all tries and the pauses between them.
        pauses_seconds: before each further try.
        sleep: makes the pause.
        on_progress: called after every piece.

    Returns:
        The target.

    Raises:
        FeaturesUnavailableError: no network, no such file on the server, or no room on the disk.
        FeaturesFormatError: what arrived has another hash or size; it is deleted.
    """
    expected = Expected(size=size, sha256=sha256, md5=md5)
    source = _Source(url, httpx.Timeout(read_timeout_seconds, connect=connect_timeout_seconds))
    patience = _Patience(give_up_after_seconds, pauses_seconds, sleep)
    with disk_errors(target):
        # Looked at before the lock, because a cache may be read-only, and again behind it.
        if expected.met_by(target):
            return target
        with exclusive(target):
            if not expected.met_by(target):
                part = Part(target)
                with part.cleared_if_full():
                    _fetch(source, part, size, patience, on_progress or _tell_nobody)
                    part.become_target(expected)
    return target


@dataclass(frozen=True)
class _Patience:
    """How long and how often to try; the fields are ``download``'s."""

    give_up_after_seconds: float
    pauses_seconds: Sequence[float]
    sleep: Callable[[float], object]


@dataclass(frozen=True)
class _Source:
    """Where the file comes from, and how long to wait for an answer and for each piece of it."""

    url: str
    timeout: httpx.Timeout

    def unavailable(self, reason: object) -> FeaturesUnavailableError:
        """An error that names the host alone: the rest of a URL may hold secrets."""
        host = httpx.URL(self.url).host or "the server"
        return FeaturesUnavailableError(f"{host} gave no file: {reason}")


def _tell_nobody(_here: int, _total: int | None) -> None:
    pass


def _fetch(
    source: _Source, part: Part, size: int | None, patience: _Patience, on_progress: OnProgress
) -> None:
    """Fill the part, in as many tries as patience allows."""
    if size is not None and part.size() == size:
        return  # the process before us died between the last byte and the renaming
    deadline = time.monotonic() + patience.give_up_after_seconds
    answered = False
    for pause in (*patience.pauses_seconds, None):
        try:
            with _answer(source, _resuming(part)) as response:
                answered = True
                _receive(response, part, size, deadline, on_progress)
        except httpx.RequestError as error:
            if not answered or pause is None or time.monotonic() + pause > deadline:
                raise source.unavailable(error) from error
            patience.sleep(pause)
        else:
            return


def _resuming(part: Part) -> dict[str, str]:
    """Headers that ask for the rest of what is here, or for the whole if it has changed since."""
    version = part.version()
    return {"Range": f"bytes={part.size()}-", "If-Range": version} if version else {}


@contextlib.contextmanager
def _answer(source: _Source, headers: dict[str, str]) -> Iterator[httpx.Response]:
    """Ask, and give back an answer whose body is still to come.

    httpx's own timeout counts for each address of a host by itself and for the look-up of its name
    not at all; so a thread asks, and this one waits no longer than ``timeout.connect``.

    Raises:
        httpx.RequestError: there is no answer.
        FeaturesUnavailableError: there is one, and it is no.
    """
    client = _client(source)
    asked: Future[httpx.Response] = Future()
    Thread(target=_ask, args=(client, source, headers, asked), daemon=True).start()
    try:
        if not wait([asked], source.timeout.connect).done:
            msg = f"no answer within {source.timeout.connect:g} s"
            raise httpx.ConnectTimeout(msg)
        response = asked.result()
        if response.status_code not in ANSWERS:
            raise source.unavailable(f"{response.status_code} {response.reason_phrase}")
        yield response
    finally:
        # At once, or when the thread is through: a socket must not be closed under its reader.
        asked.add_done_callback(lambda _asked: client.close())


def _client(source: _Source) -> httpx.Client:
    # identity: the hash is that of the file, not of a compressed copy of it.
    headers = {"Accept-Encoding": "identity"}
    try:
        return httpx.Client(timeout=source.timeout, headers=headers, follow_redirects=True)
    except (ValueError, ImportError, OSError) as error:
        reason = "this machine's proxy or certificate settings cannot be used"
        raise source.unavailable(reason) from error


def _ask(
    client: httpx.Client, source: _Source, headers: dict[str, str], asked: Future[httpx.Response]
) -> None:
    try:
        request = client.build_request("GET", source.url, headers=headers)
        asked.set_result(client.send(request, stream=True))
    except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
        asked.set_exception(error)


def _receive(
    response: httpx.Response,
    part: Part,
    size: int | None,
    deadline: float,
    on_progress: OnProgress,
) -> None:
    """Write the body behind what is here, no further than one piece beyond ``size``.

    Raises:
        httpx.RequestError: it broke off, or does not continue what is here.
    """
    _line_up(response, part)
    here = part.size()
    length = response.headers.get("content-length")
    total = size or (here + int(length) if length else None)
    with part.append() as file:
        for piece in response.iter_raw():
            file.write(piece)
            here += len(piece)
            on_progress(here, total)
            if size is not None and here > size:
                break
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("it takes too long")
    if size is not None and here < size:
        msg = f"it ended after {here} of {size} bytes"
        raise httpx.RemoteProtocolError(msg)


def _line_up(response: httpx.Response, part: Part) -> None:
    """Make the part such that the body of this response comes next."""
    if response.status_code == HTTPStatus.OK:
        part.restart(_version(response))
    elif not response.headers.get("content-range", "").startswith(f"bytes {part.size()}-"):
        part.clear()
        raise httpx.RemoteProtocolError("it does not continue where it was asked to")


def _version(response: httpx.Response) -> str:
    """What If-Range may hold (RFC 9110, section 13.1.5): a strong ETag or a date, or else nothing.

    Without a mark the next try begins anew: a piece of one version is never glued to another.
    """
    etag: str = response.headers.get("etag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return str(response.headers.get("last-modified", ""))
