"""/v1/jobs/{id}/events: what happens to a job, as it happens."""

import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app import kinds, messages
from app.answers import a_stream, problems
from app.dependencies import EventsDep, OwnJobDep
from app.events import Fanout
from app.messages import Message
from worker.records import FINAL
from worker.watching import Look, Position, position_of

router = APIRouter(
    prefix="/v1/jobs/{job_id}",
    tags=["jobs"],
)

#: Not for a cache, and not to be held back by a proxy (nginx) until there is more.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

#: The id of an entry of a history.
_ID = re.compile(r"[0-9]{1,20}-[0-9]{1,20}")


class EventStream(StreamingResponse):
    """Server-sent events, whose source is closed as soon as the reader is gone.

    FastAPI's own want three tasks for each reader and keep a clock for each.
    """

    media_type = "text/event-stream"
    body_iterator: AsyncGenerator[bytes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams."""
        async with aclosing(self.body_iterator):
            await super().__call__(scope, receive, send)


@router.get(
    "/events",
    response_class=Response,  # which has no media type: `a_stream` says what comes
    responses={
        HTTPStatus.OK: a_stream(),
        HTTPStatus.NO_CONTENT: {"description": "All has been told: do not come back."},
        **problems(kinds.NO_SUCH_JOB),
    },
)
async def get_events(
    job: OwnJobDep,
    events: EventsDep,
    last_event_id: Annotated[
        str | None,
        Header(alias="Last-Event-ID", description="The id of the last event that was seen."),
    ] = None,
) -> Response:
    """What happens to a job, as server-sent events: `status`, `progress`, `preview`, then `done`.

    First comes the job as it is, or, with `Last-Event-ID`, what happened since, if that is not too
    long ago. The data of `done` is the job, or null where it was deleted; after it the stream ends.
    """
    look = await events.look(job.id)
    seen = _seen(last_event_id, look)
    if seen is None:
        return EventStream(
            _told(events, look, look.last, messages.snapshot(look)), headers=_HEADERS
        )
    if seen == look.last and look.job.status in FINAL:
        # What stops a browser from coming back (WHATWG HTML, section 9.2.3).
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return EventStream(_told(events, look, seen), headers=_HEADERS)


def _seen(last_event_id: str | None, look: Look) -> Position | None:
    """Up to where a reader has seen the history; None if that is not to be found in it."""
    if last_event_id is None or not _ID.fullmatch(last_event_id):
        return None
    seen = position_of(last_event_id)
    return seen if look.first <= seen <= look.last else None


async def _told(
    events: Fanout, look: Look, after: Position, first: Iterable[Message] = ()
) -> AsyncGenerator[bytes]:
    opening = list(first)
    with events.reading(look.job, after) as reader:
        yield messages.RETRY + b"".join(message.data for message in opening)
        if opening and opening[-1].is_last:
            return
        while (data := await reader.next()) is not None:
            yield data
