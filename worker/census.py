"""One look at all that is in Redis, for who watches the house: it changes nothing, and is short.

RQ's own ways to count would clean up on the way, which is the business of ``worker.upkeep``; here
are plain counts, in four round trips however many jobs there are.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from rq.registry import (
    BaseRegistry,
    CanceledJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
)
from rq.utils import utcparse
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from worker import presence, totals
from worker.jobs import Jobs
from worker.ledger import ENQUEUED_AT, QUEUE
from worker.presence import WorkerInfo
from worker.records import Status
from worker.totals import Totals

_REGISTRIES: Mapping[Status, type[BaseRegistry]] = {
    "succeeded": FinishedJobRegistry,
    "failed": FailedJobRegistry,
    "canceled": CanceledJobRegistry,
}


class RqWorker(NamedTuple):
    """A worker as RQ has it, which is an intake thread: its name, RQ's state, and its queues."""

    name: str
    state: str
    queues: str


@dataclass(frozen=True)
class Census:
    """What there is at one moment.

    Attributes:
        queue: the queue's name.
        queue_length: jobs in it.
        oldest_seconds: how long the job that waits longest has waited; 0 if none does.
        jobs: by their status.
        rq_workers: as ``rq info`` shows them.
        workers: the processes, as they announce themselves.
        totals: over all workers and all time.
    """

    queue: str
    queue_length: int
    oldest_seconds: float
    jobs: Mapping[Status, int]
    rq_workers: Sequence[RqWorker]
    workers: Sequence[WorkerInfo]
    totals: Totals


def take(jobs: Jobs) -> Census:
    """Looks."""
    length, taken, running, oldest, names, counted, *ended = _look(jobs)
    counts: dict[Status, int] = {"queued": length + taken, "running": running}
    return Census(
        queue=QUEUE,
        queue_length=length,
        oldest_seconds=_age(oldest),
        jobs={**counts, **dict(zip(_REGISTRIES, ended, strict=True))},
        rq_workers=_rq_workers(jobs, names),
        workers=presence.workers(jobs.connection),
        totals=Totals.of(counted),
    )


def _look(jobs: Jobs) -> list[Any]:
    queue = jobs.queue
    with jobs.connection.pipeline(transaction=False) as pipeline:
        pipeline.llen(queue.key)
        pipeline.llen(queue.intermediate_queue_key)
        pipeline.zcard(queue.started_job_registry.key)
        # The oldest is not always the next: clients take turns, and what was put back goes first.
        # Some more are asked for, because ids without a record come first.
        pipeline.sort(queue.key, start=0, num=10, by=ENQUEUED_AT, get=[ENQUEUED_AT], alpha=True)
        pipeline.smembers(WORKERS_BY_QUEUE_KEY % QUEUE)
        pipeline.hgetall(totals.KEY)
        for registry in _REGISTRIES.values():  # scores are when an entry expires
            pipeline.zcount(registry(queue=queue).key, time.time(), "+inf")
        return pipeline.execute()


def _age(oldest: list[bytes | None]) -> float:
    now = datetime.now(UTC)
    ages = [(now - utcparse(found.decode())).total_seconds() for found in oldest if found]
    return max([0.0, *ages])


def _rq_workers(jobs: Jobs, keys: set[bytes]) -> list[RqWorker]:
    ordered = sorted(keys)
    with jobs.connection.pipeline(transaction=False) as pipeline:
        for key in ordered:
            pipeline.hmget(key, ["state", "queues"])
        records = cast("list[list[bytes | None]]", pipeline.execute())
    return [
        RqWorker(key.decode().removeprefix("rq:worker:"), state.decode(), (queues or b"").decode())
        for key, (state, queues) in zip(ordered, records, strict=True)
        if state  # without it only the name is left of a worker that died
    ]
