"""Who is there: each worker process says so every few seconds, and is forgotten when it stops."""

import time
from typing import cast

from pydantic import BaseModel
from redis import Redis

from worker.records import FeaturesUsed

#: A worker that has not been heard of for so long is not counted on.
TTL_SECONDS = 10

_NAMES = "atelier:workers"


class DeviceInfo(BaseModel):
    """A device of a worker.

    Attributes:
        name: ``cpu`` or ``gpu:N``.
        precision: number format of the convolutions.
        busy: whether it has a job.
        busy_seconds: how long it has painted since its worker began.
        steps_per_second: how fast it paints at present; 0 when it does not.
        lost: whether it paints no more, while others of its worker do.
    """

    name: str
    precision: str
    busy: bool
    busy_seconds: float = 0.0
    steps_per_second: float = 0.0
    lost: bool = False


class WorkerInfo(BaseModel):
    """What a worker process says of itself."""

    name: str
    host: str
    pid: int
    version: str
    started_at: str
    features: FeaturesUsed
    devices: list[DeviceInfo]


def announce(connection: Redis, worker: WorkerInfo) -> None:
    """Says that a worker is there; to be repeated well within ``TTL_SECONDS``."""
    with connection.pipeline() as pipeline:
        pipeline.zadd(_NAMES, {worker.name: time.time() + TTL_SECONDS})
        pipeline.set(_key(worker.name), worker.model_dump_json(), ex=TTL_SECONDS)
        pipeline.execute()


def withdraw(connection: Redis, name: str) -> None:
    """Says that a worker is gone."""
    with connection.pipeline() as pipeline:
        pipeline.zrem(_NAMES, name)
        pipeline.delete(_key(name))
        pipeline.execute()


def workers(connection: Redis) -> list[WorkerInfo]:
    """The workers that are there, by name."""
    with connection.pipeline() as pipeline:
        pipeline.zremrangebyscore(_NAMES, 0, time.time())
        pipeline.zrange(_NAMES, 0, -1)
        names = cast("list[bytes]", pipeline.execute()[1])
    found = connection.mget([_key(name.decode()) for name in sorted(names)]) if names else []
    return [WorkerInfo.model_validate_json(raw) for raw in cast("list[bytes]", found) if raw]


def _key(name: str) -> str:
    return f"atelier:worker:{name}"
