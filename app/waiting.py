"""Answers that wait for a job: ``?wait=N``, and ``Prefer: wait=N`` (RFC 7240, section 4.3)."""

import asyncio
from collections.abc import Callable
from typing import Annotated
from urllib.request import parse_http_list

from fastapi import Depends, Header, Request

from app.events import Fanout, Reader
from worker.records import Job

#: Longer, and what is between would take the connection for dead.
MAX_WAIT_SECONDS = 60


async def until(
    is_enough: Callable[[Job], bool], job_id: str, events: Fanout, seconds: float
) -> Job:
    """The job as soon as it is enough, or as it is after so many seconds; holds no thread.

    Raises:
        NoSuchJob: it has been deleted meanwhile.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    look = await events.look(job_id)
    with events.reading(look.job, look.last) as reader:
        while not is_enough(look.job) and await _something_happens(reader, deadline):
            look = await events.look(job_id)
    return look.job


async def _something_happens(reader: Reader, deadline: float) -> bool:
    try:
        async with asyncio.timeout_at(deadline):
            return await reader.next() is not None
    except TimeoutError:
        return False


def preferred_wait(values: list[str]) -> int | None:
    """How long the fields ``Prefer`` ask to wait, in whole seconds and at most 60.

    What does not parse is as if it were not there, and of a preference that is given twice the
    first is meant (RFC 7240, section 2).
    """
    preferences = parse_http_list(", ".join(values))
    for preference in preferences:
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            return _seconds(value.strip().strip('"'))
    return None


def _seconds(value: str) -> int | None:
    if not (value.isascii() and value.isdecimal()):
        return None
    digits = value.lstrip("0") or "0"
    return MAX_WAIT_SECONDS if len(digits) > len("60") else min(int(digits), MAX_WAIT_SECONDS)


async def _prefer(
    request: Request,
    _documented: Annotated[
        str | None,
        Header(alias="Prefer", description="`wait=N`: hold the answer for N seconds, at most 60."),
    ] = None,
) -> int | None:
    return preferred_wait(request.headers.getlist("Prefer"))


PreferDep = Annotated[int | None, Depends(_prefer)]
