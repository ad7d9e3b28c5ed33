"""Batches that were deleted: gone for everybody, though something of them is still there.

A sorted set, whose scores say of how many pictures that never became jobs each has let go so far.
"""

from collections.abc import Iterable, Mapping
from typing import cast

from redis import Redis
from redis.client import Pipeline

from worker.batches.records import Place

_DELETED = "atelier:deleted-batches"


def enter(pipeline: Pipeline, batch: str) -> None:
    """It is deleted; once is enough."""
    pipeline.zadd(_DELETED, {batch: 0}, nx=True)


def leave(connection: Redis, batch: str) -> None:
    """Nothing of it is there any more."""
    connection.zrem(_DELETED, batch)


def note(connection: Redis, batch: str, released: int) -> None:
    """So many of its pictures are let go of."""
    connection.zadd(_DELETED, {batch: released}, xx=True)


def all_of(connection: Redis) -> Mapping[str, int]:
    """The ids, and of how many pictures each has let go."""
    found = connection.zrange(_DELETED, 0, -1, withscores=True)
    return {
        batch.decode(): int(released)
        for batch, released in cast("list[tuple[bytes, float]]", found)
    }


def has(connection: Redis, batch: str) -> bool:
    """Whether a batch was."""
    return connection.zscore(_DELETED, batch) is not None


def had(connection: Redis, places: Iterable[str | None]) -> set[str]:
    """Those places, as jobs have them written, that are in a deleted batch."""
    written = [place for place in places if place is not None]
    if not written:
        return set()
    batches = [Place.read(place).batch for place in written]
    scores = connection.zmscore(_DELETED, batches)
    return {place for place, score in zip(written, scores, strict=True) if score is not None}
