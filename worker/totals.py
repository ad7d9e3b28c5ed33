"""Counts over all workers and all time, in one Redis hash: what ended, and how long it took.

They only grow, and outlive every process, as counters in Prometheus should. There is no trace of a
single job in them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, get_args

from redis import Redis

from worker.records import FINAL, Status

KEY = "atelier:totals"

#: What a job goes through: the queue, decoding, the device, encoding.
Stage = Literal["waiting", "preparing", "painting", "storing"]
STAGES: tuple[Stage, ...] = get_args(Stage)

#: Upper bounds of the buckets that the seconds of a stage are counted in; the last has none.
BOUNDS = ("0.1", "0.3", "1", "3", "10", "30", "100", "300", "1000", "3000", "+Inf")


@dataclass(frozen=True)
class Seconds:
    """How long a stage took: the sum, and how often it took at most so long (cumulative)."""

    total: float
    buckets: list[tuple[str, float]]


@dataclass(frozen=True)
class Totals:
    """The counts.

    Attributes:
        ended: jobs by the status they ended in.
        steps: optimisation steps taken.
        attempts: times that a worker began a job.
        restarts: times that a painting had to go back because its loss exploded.
        seconds: of the stages that were completed.
    """

    ended: Mapping[Status, int]
    steps: int
    attempts: int
    restarts: int
    seconds: Mapping[Stage, Seconds]

    @classmethod
    def of(cls, fields: Mapping[bytes, bytes]) -> "Totals":
        """As they are in Redis."""
        found = {name.decode(): float(value) for name, value in fields.items()}
        return cls(
            ended={status: int(found.get(f"ended.{status}", 0)) for status in sorted(FINAL)},
            steps=int(found.get("steps", 0)),
            attempts=int(found.get("attempts", 0)),
            restarts=int(found.get("restarts", 0)),
            seconds={stage: _seconds(stage, found) for stage in STAGES},
        )


def count_ended(connection: Redis, status: Status) -> None:
    """Counts a job that has ended; with a pipeline, in the transaction that ends it."""
    connection.hincrby(KEY, f"ended.{status}", 1)


def add(connection: Redis, amounts: Mapping[str, float]) -> None:
    """Adds what a worker has counted, by field."""
    with connection.pipeline() as pipeline:
        for field, amount in amounts.items():
            pipeline.hincrbyfloat(KEY, field, amount)
        pipeline.execute()


def fields_of(stage: Stage, seconds: float) -> dict[str, float]:
    """What is counted of a stage that took so long."""
    bound = next(bound for bound in BOUNDS if seconds <= float(bound))
    return {f"{stage}.sum": seconds, f"{stage}.{bound}": 1}


def _seconds(stage: Stage, found: Mapping[str, float]) -> Seconds:
    counts = [found.get(f"{stage}.{bound}", 0.0) for bound in BOUNDS]
    buckets = list(zip(BOUNDS, accumulate(counts), strict=True))
    return Seconds(found.get(f"{stage}.sum", 0.0), buckets)
