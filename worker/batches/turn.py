"""A picture's turn to become a job: what the transaction that queues it is held to."""

from dataclasses import dataclass
from typing import cast

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import WatchError

from worker.batches import moves
from worker.batches.book import cursor_key
from worker.batches.records import Place
from worker.fairness import FairOrder
from worker.records import Job, JobError


@dataclass(frozen=True)
class Turn:
    """A turn, in the form of the ticket of an idempotency key: one job, or none.

    Attributes:
        place: of the picture.
        client: digest of whom limits count.
    """

    place: Place
    client: str

    def watch(self, pipeline: Pipeline) -> None:
        """Lets the transaction that follows fail unless it is still this picture's turn.

        Raises:
            WatchError: it is not any more.
        """
        key = cursor_key(self.place.batch)
        pipeline.watch(key)  # type: ignore[no-untyped-call]
        if cast("bytes | None", pipeline.get(key)) != str(self.place.number).encode():
            raise WatchError("The picture has become a job already, or never will.")
        pipeline.multi()

    def complete(self, pipeline: Pipeline, _answer: Job | None, _ttl_seconds: int) -> None:
        """Then it is the next one's."""
        pipeline.set(cursor_key(self.place.batch), self.place.number + 1, keepttl=True)

    def note_position(self, pipeline: Pipeline, order: FairOrder, job_id: str) -> None:
        """The place in the queue is nothing to a batch."""

    def pass_over(self, connection: Redis, problem: JobError | None) -> None:
        """There is no job to be made of the picture, for this reason or one that is known.

        Raises:
            WatchError: it is not its turn any more.
        """
        with connection.pipeline() as pipeline:
            self.watch(pipeline)
            if problem is not None:
                moves.fail(pipeline, self.place, problem)
            self.complete(pipeline, None, 0)
            pipeline.execute()
