"""The feeder: makes jobs of the pictures of batches, one after the other, while there is room.

And it removes batches that were deleted.

A thread in every worker process; of all of them one goes round at a time, and should two do so, or
one be killed in the middle, the book's cursor sees to it that each picture becomes one job.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import tensorflow as tf
from pydantic import ValidationError
from redis.exceptions import WatchError

from model.errors import InputError, PaintingError
from worker import answers
from worker.admission import Admission, QueueFull, TooManyJobs
from worker.batches import book, deleted, unfinished
from worker.batches.batches import Batches
from worker.batches.book import Page
from worker.batches.manifests import release_waiting
from worker.batches.news import catch_up_if_due
from worker.batches.records import Manifest, NoSuchBatch, Place
from worker.batches.removal import BatchRemoval
from worker.batches.turn import Turn
from worker.blobs import Blobs
from worker.connections import RedisAway
from worker.jobs import Jobs
from worker.pictures import Pictures
from worker.records import JobError
from worker.settings import Settings
from worker.submission import Submission
from worker.vaults import StoreAway

logger = logging.getLogger(__name__)

#: Jobs that a batch has in the queue at a time: workers are never idle, others need not wait long.
_JOBS_AHEAD = 32

#: Between two rounds, whichever worker makes them, in seconds.
_ROUND_SECONDS = 1

#: Of it for removing what was deleted.
_REMOVING_SECONDS = 0.5

_LOCK = "atelier:feeding"


@dataclass(frozen=True)
class _Load:
    """What the jobs of a batch are made of."""

    batch: str
    page: Page
    manifest: Manifest
    blobs: Blobs

    @cached_property
    def styles(self) -> Sequence[bytes]:
        """The files of its styles, read when the first job is made.

        Raises:
            PaintingError: one is not kept any more.
        """
        found = [self.blobs.upload(style) for style in self.manifest.styles]
        if None in found:
            raise PaintingError("A style expired while the batch waited.")
        return [style for style in found if style is not None]


class Feeder:
    """Feeds the queue of one Redis; used by one thread only.

    Args:
        jobs: of that Redis.
        settings: of the house.
        should_stop: whether the house stops; then it makes no further job.
    """

    def __init__(
        self, jobs: Jobs, settings: Settings, should_stop: Callable[[], bool] = lambda: False
    ) -> None:
        self._should_stop = should_stop
        self._jobs = jobs
        self._connection = jobs.connection
        self._blobs = jobs.blobs
        self._batches = Batches(jobs, settings)
        self._removal = BatchRemoval(jobs)
        self._result_ttl = settings.result_ttl_seconds
        self._admission = Admission(self._connection, self._blobs, jobs.queue.key, settings)
        self._rounds = 0
        self._troubled = set[str]()  # what has been told of

    def run(self, coord: tf.train.Coordinator) -> None:
        """Feeds until the house stops."""
        with coord.stop_on_exception():
            while not coord.wait_for_stop(_ROUND_SECONDS):
                try:
                    self.feed_if_due()
                except RedisAway:
                    logger.warning("Redis does not answer; batches wait for it.")

    def feed_if_due(self) -> None:
        """Makes a round, if there is anything to do and no worker has in the last second."""
        found, gone = unfinished.ids(self._connection), list(deleted.all_of(self._connection))
        if (found or gone) and self._connection.set(_LOCK, 1, nx=True, ex=_ROUND_SECONDS):
            self._rounds += 1
            for batch in self._in_turn(found):
                self._do_or_tell(batch, "fed", partial(self.feed, batch))
            self._remove_some(self._in_turn(gone))
            self._troubled &= {*found, *gone}

    def _in_turn(self, batches: list[str]) -> list[str]:
        """Each comes before all others once."""
        first = self._rounds % max(1, len(batches))
        return batches[first:] + batches[:first]

    def _remove_some(self, batches: Sequence[str]) -> None:
        until = time.monotonic() + _REMOVING_SECONDS
        for batch in batches:
            if time.monotonic() < until:
                self._do_or_tell(batch, "removed", partial(self._removal.go_on, batch, until))

    def _do_or_tell(self, batch: str, done: str, do: Callable[[], None]) -> None:
        """Does it, and where that fails says so once and leaves it to later rounds."""
        try:
            do()
        except StoreAway as error:
            self._tell(batch, f"cannot be {done} at present: {error}")
        except RedisAway:  # then none can be
            raise
        except ValidationError:  # one that understands it will come
            self._tell(batch, "was handed in to another version of Atelier.")
        except Exception:  # noqa: BLE001 - workers do not die of it, and others' batches go on
            self._tell(batch, f"cannot be {done}.", exc_info=True)
        else:
            self._troubled.discard(batch)

    def _tell(self, batch: str, what: str, *, exc_info: bool = False) -> None:
        if batch not in self._troubled:
            self._troubled.add(batch)
            logger.warning("Batch %s %s", batch, what, exc_info=exc_info)

    def feed(self, batch: str) -> None:
        """Makes as many jobs of a batch as there is room for; closes one that is finished."""
        try:
            page = self._page(batch)
        except NoSuchBatch:  # it has expired
            unfinished.leave(self._connection, batch)
            return
        if page.counts.unfinished == 0:
            self._close(batch, page)
        if page.waiting and (room := self._room(page)) > 0:
            self._make_jobs(self._load(batch, page), room)

    def _page(self, batch: str) -> Page:
        page = book.read(self._connection, batch)
        if page.counts.unfinished > page.waiting and catch_up_if_due(self._connection, batch):
            return book.read(self._connection, batch)
        return page

    def _room(self, page: Page) -> int:
        """For how many jobs of a batch there is room: asked before anything of it is read."""
        jobs = page.counts.unfinished - page.waiting
        return min(_JOBS_AHEAD - jobs, self._admission.room_for_batches(page.asked.client))

    def _load(self, batch: str, page: Page) -> _Load:
        manifest = self._batches.manifest(page.asked) or Manifest(
            batch=batch, entries=(), styles=()
        )
        return _Load(batch, page, manifest, self._blobs)

    def _make_jobs(self, load: _Load, room: int) -> None:
        while room and not self._should_stop() and (turn := self._next_turn(load)):
            try:
                room -= self._take(turn, load)
            except (QueueFull, TooManyJobs):  # there is none yet
                return
            except WatchError:  # another worker feeds it, or it was canceled meanwhile
                return

    def _next_turn(self, load: _Load) -> Turn | None:
        number = book.cursor(self._connection, load.batch)
        if number is None or number >= load.page.asked.total:
            return None
        return Turn(Place(load.batch, number), load.page.asked.client)

    def _take(self, turn: Turn, load: _Load) -> int:
        """Makes a job of a picture, or says why it cannot be one; gives the number of jobs."""
        if book.has_come(self._connection, turn.place):  # refused at the door
            turn.pass_over(self._connection, None)
            return 0
        try:
            self._submit(turn, load)
        except (InputError, PaintingError) as error:
            turn.pass_over(self._connection, JobError.of(error))
            return 0
        return 1

    def _submit(self, turn: Turn, load: _Load) -> None:
        asked, entries = load.page.asked, load.manifest.entries
        if turn.place.number >= len(entries):
            raise PaintingError("What the batch is made of is not kept any more.")
        digest = entries[turn.place.number].picture
        content = self._blobs.upload(digest)
        if content is None:
            raise PaintingError("The picture expired while it waited.")
        self._jobs.submit(
            Submission(
                Pictures(content, load.styles),
                asked.params,
                asked.priority,
                owner=asked.owner,
                traceparent=asked.traceparent,
                turn=turn,
            )
        )
        self._blobs.release_uploads(str(turn.place), {digest})  # the job has it for itself

    def _close(self, batch: str, page: Page) -> None:
        """All is kept for so long from now as a job is that has just finished."""
        manifest, ttl = self._batches.manifest(page.asked), self._result_ttl
        if manifest is not None:
            release_waiting(self._blobs, manifest)
            self._blobs.keep_uploads([page.asked.manifest, *manifest.leaves], ttl)
        jobs = book.entered(self._connection, batch).values()
        self._blobs.keep([job_id for _, job_id in jobs], "result", ttl)
        book.expire(self._connection, batch, ttl)
        answers.keep(self._connection, batch, ttl)
        unfinished.leave_finished(self._connection, batch, page.asked.client)
        logger.info("Batch %s is finished: %s", batch, page.counts)
