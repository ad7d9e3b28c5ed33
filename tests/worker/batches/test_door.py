"""A batch comes in as a whole or not at all, whenever Redis is cut off."""

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis
from redis.client import Pipeline
from redis.connection import AbstractConnection
from redis.exceptions import TimeoutError as RedisTimeoutError

from model.errors import ParameterError
from tests.pictures import photograph
from tests.worker.batches.album import PARAMS, STYLE, Album, counted
from worker.admission import QueueFull
from worker.batches import unfinished
from worker.batches.batches import Batches
from worker.batches.order import Arrival, BatchOrder
from worker.batches.records import Batch
from worker.jobs import Jobs
from worker.settings import Settings

#: One of three pictures is none.
PICTURES = [photograph(64, 64), b"no picture", photograph(66, 64)]

ORDER = BatchOrder(Album(PICTURES), [STYLE], PARAMS, client="anna")


def test_a_batch_whose_entry_is_sent_twice_is_as_if_it_were_sent_once(
    redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    send: Any = Pipeline._execute_transaction

    def send_twice(*arguments: Any) -> Any:
        send(*arguments)
        return send(*arguments)

    batches = Batches(Jobs(redis, settings), settings)
    monkeypatch.setattr(Pipeline, "_execute_transaction", send_twice)
    batch = batches.hand_in(ORDER)
    assert counted(batch) == {"queued": 2, "failed": 1}
    assert [failure.name for failure in batch.failures] == ["1.jpg"]


def test_of_a_batch_whose_entry_is_answered_too_late_nothing_is_left(
    redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def enter_and_hear_nothing(pipeline: Pipeline, *arguments: Any) -> None:
        enter(pipeline, *arguments)
        pipeline.execute()
        raise RedisTimeoutError

    enter, batches = unfinished.enter, Batches(Jobs(redis, settings), settings)
    monkeypatch.setattr(unfinished, "enter", enter_and_hear_nothing)
    with pytest.raises(RedisTimeoutError):
        batches.hand_in(ORDER)
    assert redis.keys("atelier:*") == []


def test_batches_that_come_at_once_keep_no_more_bytes_together_than_may_be(
    redis: Redis, settings: Settings
) -> None:
    class Slow(Album):
        """While it is stored another batch comes in."""

        def __iter__(self) -> Iterator[Arrival]:
            if looked_through:
                twins.append(batches.hand_in(ORDER))
            looked_through.append(1)
            yield from super().__iter__()

    twins: list[Batch] = []
    looked_through: list[int] = []
    most = 2 * len(STYLE) + sum(map(len, PICTURES)) + 1000  # the twin, and what comes first
    few = settings.model_copy(update={"max_queued_bytes": most})
    batches = Batches(Jobs(redis, few), few)
    others = [photograph(68 + 2 * number, 64) for number in range(5)]
    with pytest.raises(QueueFull):
        batches.hand_in(BatchOrder(Slow(others), [STYLE], PARAMS, client="bert"))
    (twin,) = twins
    assert counted(twin) == {"queued": 2, "failed": 1}
    assert unfinished.ids(redis) == [twin.id]


def test_a_picture_that_costs_too_much_is_named(redis: Redis, settings: Settings) -> None:
    mean = settings.model_copy(update={"max_megapixel_steps": 0})
    with pytest.raises(ParameterError, match=r"0\.jpg: This size") as refusal:
        Batches(Jobs(redis, mean), mean).hand_in(ORDER)
    assert refusal.value.field == "size"


def test_the_pictures_of_a_batch_are_let_go_of_together(
    redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips: list[int] = []
    send: Any = AbstractConnection.send_packed_command

    def send_and_count(*arguments: Any, **further: Any) -> None:
        trips.append(1)
        send(*arguments, **further)

    blobs, uses = Jobs(redis, settings).blobs, [(f"job {n}", f"picture {n}") for n in range(150)]
    for job, digest in uses:
        blobs.add_upload(digest, b"picture", job, 60)
    monkeypatch.setattr(AbstractConnection, "send_packed_command", send_and_count)
    blobs.release(uses)
    assert len(trips) == 1
    assert redis.keys("atelier:*") == []
