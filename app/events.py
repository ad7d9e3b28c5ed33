"""The fan-out of what happens to jobs: each event is read once, however many wait for it.

One task hears the channels, one reads the histories that have grown and puts what is new into the
bounded queue of each reader. The channels lose words; the histories do not, and each reader knows
where it stands in its own, so nothing is missed or told twice.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress

from app import messages
from app.messages import HEARTBEAT, Message
from worker.connections import RedisAway
from worker.ledger import NoSuchJob
from worker.records import FINAL, Job
from worker.watching import Look, News, Position, Watching

logger = logging.getLogger(__name__)

#: Proxies end connections on which nothing comes, most of them after 30 s or more.
_HEARTBEAT_SECONDS = 15.0

#: After an error, before the next try.
_PAUSE_SECONDS = 0.5

#: The queue is long where jobs come fast, so it is not read for each of them.
_QUEUE_PAUSE_SECONDS = 0.25

#: Messages that wait for one reader: a whole history and as much again.
_BACKLOG = 512


class Reader:
    """One who waits for messages; of those with a position, each comes once."""

    def __init__(self, position: Position) -> None:
        self._position = position
        self._messages: deque[Message] = deque()
        self._arrived = asyncio.Event()
        self._ended = False

    def put(self, message: Message) -> None:
        """Adds a message; a reader who lets too many wait is dropped, and may come back."""
        if self._ended:
            return
        if message.position is not None:
            if message.position <= self._position:
                return
            self._position = message.position
        if len(self._messages) == _BACKLOG:
            self._messages.clear()
            self._ended = True
        else:
            self._messages.append(message)
            self._ended = message.is_last
        self._arrived.set()

    def end(self) -> None:
        """No more messages come."""
        self._ended = True
        self._arrived.set()

    async def next(self) -> bytes | None:
        """All messages that wait, as soon as there are any; None at the end."""
        if not self._messages and not self._ended:
            self._arrived.clear()
            await self._arrived.wait()
        data = b"".join(message.data for message in self._messages)
        self._messages.clear()
        return data or None


class Topic:
    """A job that somebody watches.

    Attributes:
        position: up to where its history has been read.
        status: of the job, as far as is known here.
        attempt: likewise.
        place: in the queue, as it was last told.
    """

    def __init__(self, job: Job, position: Position) -> None:
        self.job_id = job.id
        self.position = position
        self.status = job.status
        self.attempt = job.attempt
        self.place = job.queue_position
        self.readers: set[Reader] = set()

    def learn(self, news: News) -> None:
        """Takes note of where the job stands now."""
        if news.events:
            self.position = news.events[-1].position
        for event in news.events:
            if event.kind == "status":
                self.attempt = messages.attempt_of(event)
        self.status = news.status or self.status
        if self.status != "queued":
            self.place = None

    def say(self, told: Iterable[Message]) -> None:
        """Puts messages into the queue of each reader."""
        for message in told:
            for reader in self.readers:
                reader.put(message)


class Fanout:
    """All who wait in this process; for one event loop."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self._topics: dict[str, Topic] = {}
        self._grown: set[str] = set()
        self._any_grown = asyncio.Event()
        self._queue_moved = asyncio.Event()
        self._closed = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hears and tells until the end of the context."""
        works = (self._hear, self._read_grown, self._beat, self._tell_places)
        tasks = [asyncio.create_task(_again_and_again(work)) for work in works]
        try:
            yield
        finally:
            self.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._watching.close()

    def close(self) -> None:
        """Ends all who wait, now and from now on, so that the process can end."""
        self._closed = True
        for reader in self._readers():
            reader.end()

    async def look(self, job_id: str) -> Look:
        """A job and its history's ends as they are now.

        Raises:
            NoSuchJob: there is no such job.
        """
        return await self._watching.look(job_id)

    @contextmanager
    def reading(self, job: Job, after: Position) -> Iterator[Reader]:
        """A reader of what happens to a job after a position of its history."""
        topic = self._topics.setdefault(job.id, Topic(job, after))
        topic.position = min(topic.position, after)
        reader = Reader(after)
        topic.readers.add(reader)
        if self._closed:
            reader.end()
        self._mark(job.id)  # something may have happened since the position was looked up
        try:
            yield reader
        finally:
            topic.readers.discard(reader)
            if not topic.readers:
                self._topics.pop(job.id, None)

    def _readers(self) -> list[Reader]:
        return [reader for topic in self._topics.values() for reader in topic.readers]

    def _mark(self, *job_ids: str) -> None:
        self._grown.update(job_ids)
        self._any_grown.set()

    async def _hear(self) -> None:
        async with aclosing(self._watching.nudges()) as nudges:
            async for nudge in nudges:
                if nudge.kind == "lost":
                    self._mark(*self._topics)
                elif nudge.kind == "grown" and nudge.job_id in self._topics:
                    self._mark(nudge.job_id)
                if nudge.kind != "grown":
                    self._queue_moved.set()

    async def _read_grown(self) -> None:
        await self._any_grown.wait()
        self._any_grown.clear()
        grown, self._grown = self._grown & self._topics.keys(), set()
        starts = {job_id: self._topics[job_id].position for job_id in grown}
        try:
            for job_id, news in (await self._watching.since(starts)).items():
                await self._tell(job_id, starts[job_id], news)
        except RedisAway:
            self._mark(*grown)  # what has been told meanwhile is not told again
            raise

    async def _tell(self, job_id: str, start: Position, news: News) -> None:
        told = [messages.told(job_id, event) for event in news.events if event.kind != "done"]
        if news.status is None or news.status in FINAL:
            told.append(await self._end(job_id, news))
        topic = self._topics.get(job_id)
        if topic and topic.position == start:
            topic.learn(news)
            topic.say(told)
            if topic.place is None and topic.status == "queued":  # it was put back
                self._queue_moved.set()
        else:  # a reader has come from further back, and is to be told of that first
            self._mark(job_id)

    async def _end(self, job_id: str, news: News) -> Message:
        """What ends the streams of a job; also where its own ``done`` was lost."""
        last = news.events[-1] if news.events else None
        position = last.position if last and last.kind == "done" else None
        job = None
        with suppress(NoSuchJob):
            job = (await self.look(job_id)).job
        return messages.done(job, position)

    async def _beat(self) -> None:
        await asyncio.sleep(_HEARTBEAT_SECONDS)
        for reader in self._readers():
            reader.put(HEARTBEAT)
        self._mark(*self._topics)

    async def _tell_places(self) -> None:
        """Tells those who watch queued jobs of their new places."""
        await self._queue_moved.wait()
        self._queue_moved.clear()
        queued = [topic for topic in self._topics.values() if topic.status == "queued"]
        places = await self._watching.places() if queued else {}
        for topic in queued:
            place = places.get(topic.job_id)
            # It may have been taken, and said to be, while the places were asked for.
            if place is not None and place != topic.place and topic.status == "queued":
                topic.place = place
                topic.say([messages.waiting(topic.attempt, place)])
        await asyncio.sleep(_QUEUE_PAUSE_SECONDS)


async def _again_and_again(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except RedisAway as error:
            logger.warning("Redis does not answer; events wait for it: %s", error)
            await asyncio.sleep(_PAUSE_SECONDS)
        except Exception:
            logger.exception("Events met a fault of ours")
            await asyncio.sleep(_PAUSE_SECONDS)
