"""Reading a job's events as a browser does (WHATWG HTML, section 9.2)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

import httpx

from tests.app.api import Json


class Event(NamedTuple):
    """One event: its kind, its data, and its id if it has one."""

    kind: str
    data: Any
    id: str | None


@contextmanager
def listening(
    client: httpx.Client, job: Json, *, after: str | None = None, within: float = 10.0
) -> Iterator[Iterator[Event]]:
    """The events of a job, each within so many seconds; ``after`` is the id of the last seen.

    What got lost comes with the next heartbeat, after 15 s at most, and is late by this.
    """
    headers = {} if after is None else {"Last-Event-ID": after}
    with client.stream("GET", job["urls"]["events"], headers=headers, timeout=within) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield _parsed(response.iter_lines())


def opened(client: httpx.Client, job: Json, *, after: str | None = None) -> list[Event]:
    """The two events that a new reader is told at once."""
    with listening(client, job, after=after) as stream:
        return list(islice(stream, 2))


def _parsed(lines: Iterator[str]) -> Iterator[Event]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value
        elif "event" in fields:
            yield Event(fields["event"], json.loads(fields["data"]), fields.get("id"))
        if not line:
            fields = {}
