"""One request, one answer, however often it is sent (draft-ietf-httpapi-idempotency-key-header-07).

The first request with a key reserves it for a moment. The answer is written into the record in the
transaction that enqueues the job, so there is never the one without the other; whoever comes again
is given that answer. A request that is refused leaves its key free.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import WatchError

from model.errors import AtelierError, InputError
from worker import answers
from worker.batches.records import Batch
from worker.connections import RedisAway
from worker.digests import digest_of
from worker.fairness import PLACE, FairOrder
from worker.records import Job

#: What a request may have made.
Answer = TypeVar("Answer", Job, Batch)

#: The header, as errors name it.
HEADER = "Idempotency-Key"

#: How long a request may take from here to its job. Were its process to die, the key is free then.
LEASE_SECONDS = 60

#: How long a twin waits for the request that was there first, and between two looks.
_PATIENCE_SECONDS = 2.0
_PAUSE_SECONDS = 0.05

#: Asked twice by the same request, as after a cut, it reserves once.
_RESERVE = """
local found = redis.call('HMGET', KEYS[1], 'fingerprint', 'answer', 'position', 'holder')
if found[1] and found[4] ~= ARGV[2] then return found end
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'holder', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return false
"""

#: Forgets a record, if it is still this request's or of this job.
_FORGET = """
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('DEL', KEYS[1]) end
"""

#: The place in the queue is known inside the transaction alone.
_NOTE_POSITION = f"""{PLACE}
redis.call('HSET', KEYS[4], 'position', place(KEYS[1], KEYS[2], KEYS[3], ARGV[1]) + 1)
"""


class KeyReused(InputError):  # noqa: N818 - reads better where it is raised and caught
    """The key came with another request before."""

    slug = "idempotency-key-reused"
    title = "The idempotency key belongs to another request"


class KeyInUse(AtelierError):  # noqa: N818
    """The first request with this key is not answered yet."""

    slug = "idempotency-key-in-use"
    title = "A request with this key is being answered"


@dataclass(frozen=True)
class Ticket:
    """A reserved key.

    Attributes:
        record: its key in Redis.
        holder: what the request that holds it calls itself.
    """

    record: str
    holder: str

    def watch(self, pipeline: Pipeline) -> None:
        """Lets the transaction that follows fail unless the key is this request's until its end.

        Raises:
            KeyInUse: it is not any more: the request took longer than its lease.
        """
        pipeline.watch(self.record)  # type: ignore[no-untyped-call]
        if cast("bytes | None", pipeline.hget(self.record, "holder")) != self.holder.encode():
            raise _in_use()
        pipeline.multi()

    def renew(self, connection: Redis) -> None:
        """Takes the time that a request may need anew."""
        connection.expire(self.record, LEASE_SECONDS)

    def complete(self, pipeline: Pipeline, answer: Job | Batch, ttl_seconds: int) -> None:
        """Writes the answer, and with the job that it is to go when the job goes."""
        fields = ["answer", answer.model_dump_json(), "job", answer.id]
        pipeline.hset(self.record, items=fields)
        pipeline.hdel(self.record, "holder")
        pipeline.expire(self.record, ttl_seconds)
        pipeline.sadd(answers.key(answer.id), self.record)
        pipeline.expire(answers.key(answer.id), ttl_seconds)

    def note_position(self, pipeline: Pipeline, order: FairOrder, job_id: str) -> None:
        """Adds to the answer the place in the queue that the job has just been given."""
        keys = (*order.keys_of(job_id), self.record)
        pipeline.eval(_NOTE_POSITION, len(keys), *keys, job_id)


class Idempotency(Generic[Answer]):
    """The keys of all clients; safe to share between threads.

    Args:
        connection: to Redis.
        model: of what is made here.
    """

    def __init__(self, connection: Redis, model: type[Answer]) -> None:
        self._connection = connection
        self._model: type[Answer] = model
        self._reserve = connection.register_script(_RESERVE)
        self._forget = connection.register_script(_FORGET)

    def once(
        self,
        client: str,
        key: str,
        fingerprint: str,
        holder: str,
        make: Callable[[Ticket], Answer],
    ) -> Answer:
        """The first answer to a request with this key: made now, or long ago.

        Args:
            client: whose key it is; two clients may use the same.
            key: as it came.
            fingerprint: of the request.
            holder: a name of this attempt and no other.
            make: makes the answer, and writes it with the ticket.

        Raises:
            KeyReused: the key came with another request before.
            KeyInUse: its first request is not answered yet, nor was it within two seconds.
        """
        ticket = Ticket(_record(client, key), holder)
        earlier = self._reserved(ticket, fingerprint)
        if earlier is not None:
            return earlier
        with self._released_if_refused(ticket):
            try:
                return make(ticket)
            except WatchError:
                raise _in_use() from None

    def forget(self, job_id: str) -> None:
        """Forgets every answer that named a job, or a batch, which is deleted."""
        for record in cast("set[bytes]", self._connection.smembers(answers.key(job_id))):
            self._forget(keys=[record], args=["job", job_id])
        self._connection.delete(answers.key(job_id))

    def _reserved(self, ticket: Ticket, fingerprint: str) -> Answer | None:
        """None once the key is reserved; before that, waits for a twin that was faster."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        request: list[str | int] = [fingerprint, ticket.holder, LEASE_SECONDS]
        while found := self._reserve(keys=[ticket.record], args=request):
            first, answer, position, _ = cast("list[bytes | None]", found)
            if first != fingerprint.encode():
                raise KeyReused("This key came with another request before.", field=HEADER)
            if answer is not None:
                return self._replay(answer, position)
            if time.monotonic() > deadline:
                raise _in_use()
            time.sleep(_PAUSE_SECONDS)
        return None

    def _replay(self, answer: bytes, position: bytes | None) -> Answer:
        place = {} if position is None else {"queue_position": int(position)}
        first = self._model.model_validate_json(answer)
        return first.model_copy(update={**place, "replayed": True})

    @contextmanager
    def _released_if_refused(self, ticket: Ticket) -> Iterator[None]:
        try:
            yield
        except BaseException:
            with suppress(*RedisAway):  # the lease ends by itself
                self._forget(keys=[ticket.record], args=["holder", ticket.holder])
            raise


def _in_use() -> KeyInUse:
    return KeyInUse("The first request with this key is not answered yet; try again soon.")


def _record(client: str, key: str) -> str:
    return f"atelier:idempotency:{digest_of(f'{client} {key}'.encode())}"
