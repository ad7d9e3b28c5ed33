"""Webhooks that jobs ask for, and the deliveries that are due, in Redis.

A delivery is written in the transaction that brings its job into a status, and stays until it has
arrived or is given up: no restart, and no death of a worker in the middle of one, loses it. Whoever
takes a delivery moves its time by a lease, so that no two make it at once.
"""

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args
from uuid import uuid4

from redis import Redis
from redis.client import Pipeline

from worker.records import Job, Record, Status

WebhookEvent = Literal["running", "succeeded", "failed", "canceled"]

#: What is told of if nothing else is asked for.
DEFAULT_EVENTS: tuple[WebhookEvent, ...] = ("succeeded", "failed", "canceled")

#: Deliveries ``job:event``, each at the time when it is due.
DUE = "atelier:webhooks"

#: A delivery that was taken and not heard of again is made once more after so long, in seconds.
LEASE_SECONDS = 60

#: How long a delivery waits for a worker at most; all attempts together last about twelve hours.
_KEPT_SECONDS = 3 * 86_400

#: How long a target that said 410 is left alone.
_GONE_SECONDS = 86_400

_PREFIX = "atelier:webhook:"

#: Takes the first delivery that is due at ARGV[1], and lets it be due again at ARGV[2]; attempts
#: are counted here, so that one that kills its worker is not tried for ever.
_CLAIM = """
while true do
    local name = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1)[1]
    if not name then return nil end
    local key = ARGV[3] .. name
    if redis.call('EXISTS', key) == 1 then
        redis.call('ZADD', KEYS[1], ARGV[2], name)
        redis.call('HINCRBY', key, 'attempts', 1)
        return {name, redis.call('HGETALL', key)}
    end
    redis.call('ZREM', KEYS[1], name)
end
"""

#: Settles a delivery, unless it was deleted or replaced by a newer one meanwhile: done with it, or
#: due again at ARGV[3] with the body ARGV[4].
_SETTLE = """
if redis.call('HGET', KEYS[2], 'id') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then
    redis.call('DEL', KEYS[2])
    redis.call('ZREM', KEYS[1], ARGV[1])
else
    redis.call('HSET', KEYS[2], 'body', ARGV[4])
    redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
end
return 1
"""


class Webhook(Record):
    """Who is to be told of a job, and of what."""

    url: str
    events: tuple[WebhookEvent, ...] = DEFAULT_EVENTS


class Notice(Record):
    """What is sent: the body of a webhook.

    Attributes:
        type: ``job.`` and the status that the job came into.
        timestamp: when it did.
        data: the job as it was when this was first sent.
    """

    type: str
    timestamp: datetime
    data: Job


@dataclass(frozen=True)
class Delivery:
    """A delivery that has been taken.

    Attributes:
        id: the same with each attempt; by it receivers know what they have seen.
        attempts: this one counted.
        body: as it was sent before; None with the first attempt.
    """

    id: str
    job_id: str
    event: WebhookEvent
    url: str
    owner: str | None
    happened_at: str
    attempts: int
    body: str | None

    @property
    def name(self) -> str:
        """Its name among those that are due."""
        return _name(self.job_id, self.event)


def add(pipeline: Redis, job_id: str, status: Status, webhook: Webhook, owner: str | None) -> None:
    """Writes the delivery that a new status is worth, if it is worth one.

    A job may begin several times; of these an undelivered one is replaced by the next.

    Args:
        pipeline: with it the status is written.
        job_id: of the job.
        status: that it comes into.
        webhook: what was asked for.
        owner: whose job it is.
    """
    if status not in webhook.events:
        return
    name = _name(job_id, status)
    fields = {"id": f"msg_{uuid4().hex}", "url": webhook.url, "at": datetime.now(UTC).isoformat()}
    if owner is not None:
        fields["owner"] = owner
    pipeline.delete(_PREFIX + name)
    pipeline.hset(_PREFIX + name, mapping=cast("dict[Any, Any]", fields))
    pipeline.expire(_PREFIX + name, _KEPT_SECONDS)
    pipeline.zadd(DUE, {name: time.time()})


def forget(pipeline: Pipeline, job_id: str) -> None:
    """Drops all deliveries of a job."""
    names = [_name(job_id, event) for event in get_args(WebhookEvent)]
    pipeline.zrem(DUE, *names)
    pipeline.delete(*(_PREFIX + name for name in names))


class Deliveries:
    """Those that are due in one Redis; safe to share between threads."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._claim = connection.register_script(_CLAIM)
        self._settle = connection.register_script(_SETTLE)

    def claim(self) -> Delivery | None:
        """Takes one that is due, if there is one, for the time of a lease."""
        now = time.time()
        found = self._claim(keys=[DUE], args=[now, now + LEASE_SECONDS, _PREFIX])
        return None if found is None else _read(*cast("tuple[bytes, list[bytes]]", found))

    def done(self, delivery: Delivery) -> None:
        """It has arrived, or never will."""
        self._write(delivery, "", "")

    def postpone(self, delivery: Delivery, seconds: float, body: str) -> None:
        """It is due again after so long, with the same body."""
        self._write(delivery, repr(time.time() + seconds), body)

    def _write(self, delivery: Delivery, due: str, body: str) -> None:
        name = delivery.name
        self._settle(keys=[DUE, _PREFIX + name], args=[name, delivery.id, due, body])

    def disable_target(self, delivery: Delivery) -> None:
        """Nothing is sent to this target of this owner for a day."""
        self._connection.set(_gone(delivery), 1, ex=_GONE_SECONDS)

    def is_disabled(self, delivery: Delivery) -> bool:
        """Whether the target wants no more of this owner."""
        return bool(self._connection.exists(_gone(delivery)))


def _name(job_id: str, event: str) -> str:
    return f"{job_id}:{event}"


def _read(name: bytes, raw: Iterable[bytes]) -> Delivery:
    values = iter(raw)
    fields = {key.decode(): value.decode() for key, value in zip(values, values, strict=True)}
    job_id, _, event = name.decode().partition(":")
    return Delivery(
        id=fields["id"],
        job_id=job_id,
        event=cast("WebhookEvent", event),
        url=fields["url"],
        owner=fields.get("owner"),
        happened_at=fields["at"],
        attempts=int(fields["attempts"]),
        body=fields.get("body"),
    )


def _gone(delivery: Delivery) -> str:
    target = json.dumps([delivery.owner, delivery.url])
    return f"atelier:webhook-gone:{hashlib.sha256(target.encode()).hexdigest()}"
