"""Reading what happens to jobs: asynchronous, over a few connections, however many wait.

The counterpart of ``worker.events``, which writes.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

from rq.job import JobStatus

from worker import events
from worker.connections import connect_for_events
from worker.events import EventKind
from worker.jobs import Jobs
from worker.painting_job import PaintingJob, status_of
from worker.records import Job, Status

#: Connections of one process for all that watch: the channels', and two to read with.
CONNECTIONS = 3

#: After so long without a word the channels are subscribed anew, in seconds: a connection of which
#: the other end is gone without a word looks the same as one on which nothing happens.
_SILENCE_SECONDS = 15.0

#: Where an entry stands in its history: the two parts of a stream's id.
Position = tuple[int, int]

#: Before the first entry of any history.
BEGINNING: Position = (0, 0)


class Nudge(NamedTuple):
    """What the channels say.

    ``grown``: this job's history; ``queue``: jobs may wait in other places now; ``lost``: words may
    have been missed, so anything may be.
    """

    kind: Literal["grown", "queue", "lost"]
    job_id: str = ""


class Event(NamedTuple):
    """An entry of a history."""

    position: Position
    kind: EventKind
    data: str


class News(NamedTuple):
    """What came after a position, and the status of the record now; None: the job is gone."""

    events: list[Event]
    status: Status | None


@dataclass(frozen=True)
class Look:
    """A job and the ends of its history at one moment.

    Attributes:
        job: as it is.
        first: the first entry that is still there; ``BEGINNING`` where none has been dropped.
        last: the last entry; ``BEGINNING`` where there is none.
    """

    job: Job
    first: Position
    last: Position


class Watching:
    """Reads records and histories of jobs, and hears the channels; for one event loop."""

    def __init__(self, jobs: Jobs, redis_url: str) -> None:
        self._jobs = jobs
        # Its commands are typed for a synchronous client as well.
        self._client: Any = connect_for_events(redis_url, CONNECTIONS)

    async def close(self) -> None:
        """Gives the connections back."""
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    async def look(self, job_id: str) -> Look:
        """A job as it is now.

        Raises:
            NoSuchJob: it never was, was deleted, or has expired.
        """
        history = events.key_for(job_id)
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hgetall(PaintingJob.key_for(job_id))
            self._jobs.order.locate(job_id, pipeline)
            pipeline.xrange(history, count=1)
            pipeline.xrevrange(history, count=1)
            pipeline.xlen(history)
            record, index, first, last, length = await pipeline.execute()
        job = self._jobs.read(job_id, record, index)
        is_whole = length < events.LENGTH
        return Look(job, BEGINNING if is_whole else _position(first), _position(last))

    async def since(self, positions: Mapping[str, Position]) -> dict[str, News]:
        """What happened to jobs after these positions, in one round trip."""
        async with self._client.pipeline(transaction=True) as pipeline:
            for job_id, (first, second) in positions.items():
                record = PaintingJob.key_for(job_id)
                pipeline.xrange(events.key_for(job_id), min=f"({first}-{second}")
                # Without its data RQ knows of no job, whatever a worker has written there since.
                pipeline.hexists(record, "data")
                pipeline.hget(record, "status")
            found = iter(await pipeline.execute())
        return {job_id: _news(next(found), next(found), next(found)) for job_id in positions}

    async def places(self) -> dict[str, int]:
        """The jobs that wait and their places; 1 is next."""
        ids = await self._client.lrange(self._jobs.queue.key, 0, -1)
        return {job_id.decode(): place for place, job_id in enumerate(ids, start=1)}

    async def nudges(self) -> AsyncGenerator[Nudge]:
        """What the channels say, until nothing has been heard for long; then begin again."""
        async with self._client.pubsub() as channels:
            await channels.subscribe(events.CHANNEL, events.STATUS_CHANNEL)
            while message := await channels.get_message(timeout=_SILENCE_SECONDS):
                yield _nudge(message)


def position_of(text: str | bytes) -> Position:
    """The parts of a stream's id."""
    first, second = text.decode().split("-") if isinstance(text, bytes) else text.split("-")
    return int(first), int(second)


def _position(entries: list[tuple[bytes, Any]]) -> Position:
    return position_of(entries[0][0]) if entries else BEGINNING


def _news(entries: list[Any], is_there: int, status: bytes | None) -> News:
    found = [
        Event(position_of(entry), cast("EventKind", kind.decode()), data.decode())
        for entry, fields in entries
        for kind, data in fields.items()
    ]
    return News(found, status_of(JobStatus(status.decode())) if is_there and status else None)


def _nudge(message: Mapping[str, Any]) -> Nudge:
    if message["type"] != "message":  # also that a lost connection has been subscribed anew
        return Nudge("lost")
    job_id = message["data"].decode()
    is_status = message["channel"] == events.STATUS_CHANNEL.encode()
    return Nudge("queue" if is_status else "grown", job_id)
