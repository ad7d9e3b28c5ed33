"""What is said to readers of a job's events: server-sent events (WHATWG HTML, section 9.2)."""

from collections.abc import Iterator
from typing import NamedTuple

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import BaseModel

from app.views import JobView
from worker.events import EventKind
from worker.records import FINAL, Job, Status
from worker.watching import Event, Look, Position

#: How long a browser waits before it comes back after a cut, in milliseconds.
_RETRY_MS = 2000


class Message(NamedTuple):
    """Bytes for a reader.

    Attributes:
        data: an event as it goes over the wire.
        position: where it stands in the history; None for what the history does not have.
        is_last: the stream ends after it.
    """

    data: bytes
    position: Position | None = None
    is_last: bool = False


class StatusNow(BaseModel):
    """The data of a ``status`` event; ``queue_position`` is null where it is not known yet."""

    status: Status
    attempt: int
    queue_position: int | None = None


class PreviewThere(BaseModel):
    """The data of a ``preview`` event."""

    version: int
    url: str


HEARTBEAT = Message(KEEPALIVE_COMMENT)

RETRY = format_sse_event(data_str=None, retry=_RETRY_MS)


def told(job_id: str, event: Event) -> Message:
    """An entry of the history, but for ``done``, whose data is the job."""
    data = event.data
    if event.kind == "status":
        data = StatusNow.model_validate_json(data).model_dump_json()
    elif event.kind == "preview":
        data = _preview(job_id, data)
    return _message(event.kind, data, event.position)


def attempt_of(event: Event) -> int:
    """The attempt that a ``status`` event tells of."""
    return StatusNow.model_validate_json(event.data).attempt


def waiting(attempt: int, place: int) -> Message:
    """A queued job has come to another place. Not in the history, so without an id."""
    now = StatusNow(status="queued", attempt=attempt, queue_position=place)
    return _message("status", now.model_dump_json())


def done(job: Job | None, position: Position | None = None) -> Message:
    """The end: the job as the API shows it, or null where it is gone."""
    data = "null" if job is None else JobView.of(job).model_dump_json()
    return _message("done", data, position)._replace(is_last=True)


def snapshot(look: Look) -> Iterator[Message]:
    """A job as it is. The id is the last event's alone: a reader cut off before has not seen it."""
    job = look.job
    now = StatusNow(status=job.status, attempt=job.attempt, queue_position=job.queue_position)
    yield _message("status", now.model_dump_json())
    is_over = job.status in FINAL
    yield _message("progress", job.progress.model_dump_json(), None if is_over else look.last)
    if is_over:
        yield done(job, look.last)


def _preview(job_id: str, data: str) -> str:
    version = PreviewThere.model_validate_json(data[:-1] + ', "url": ""}').version
    url = f"/v1/jobs/{job_id}/preview?version={version}"
    return PreviewThere(version=version, url=url).model_dump_json()


def _message(kind: EventKind, data: str, position: Position | None = None) -> Message:
    name = None if position is None else "{}-{}".format(*position)
    return Message(format_sse_event(data_str=data, event=kind, id=name), position)
