"""A batch that is sent again with its idempotency key is one batch."""

import threading
from dataclasses import replace

import pytest
from redis import Redis

from tests.pictures import style_picture
from tests.worker.batches.album import an_order
from worker import idempotency
from worker.batches import unfinished
from worker.batches.batches import Batches
from worker.batches.order import BatchOrder
from worker.batches.records import Batch
from worker.blobs import Blobs
from worker.connections import connect_impatiently
from worker.idempotency import KeyInUse, KeyReused, Ticket
from worker.jobs import Jobs
from worker.settings import Settings


@pytest.fixture
def batches(redis: Redis, settings: Settings) -> Batches:
    return Batches(Jobs(redis, settings), settings)


@pytest.fixture
def order() -> BatchOrder:
    return an_order(3, idempotency_key="mine")


def test_it_has_the_first_answer_and_nothing_is_stored_again(
    batches: Batches, redis: Redis, order: BatchOrder
) -> None:
    first = batches.hand_in(order)
    assert first == batches.get(first.id)
    before = sorted(redis.keys("*"))
    assert batches.hand_in(order) == first.model_copy(update={"replayed": True})
    assert sorted(redis.keys("*")) == before


def test_it_is_answered_although_there_is_no_room_for_another(
    batches: Batches, redis: Redis, settings: Settings, order: BatchOrder
) -> None:
    first = batches.hand_in(order)
    limits = {"max_queue_length": 1, "max_jobs_per_client": 1, "max_queued_bytes": 1}
    full = settings.model_copy(update=limits)
    assert Batches(Jobs(redis, full), full).hand_in(order).id == first.id


def test_the_key_is_for_no_other_request_and_for_no_other_client(
    batches: Batches, order: BatchOrder
) -> None:
    first = batches.hand_in(order)
    others = [
        an_order(2, idempotency_key="mine"),
        replace(order, styles=[style_picture(96, 80)]),
        replace(order, priority="high"),
        replace(order, params=order.params.model_copy(update={"size": 96})),
    ]
    for other in others:
        with pytest.raises(KeyReused):
            batches.hand_in(other)
    assert batches.hand_in(replace(order, client="bert")).id != first.id
    assert batches.hand_in(replace(order, idempotency_key=None)).id != first.id


def test_twins_that_come_at_once_are_one_batch(
    redis: Redis, redis_url: str, settings: Settings, order: BatchOrder
) -> None:
    made: list[Batch] = []

    def hand_in() -> None:
        with connect_impatiently(redis_url) as connection:
            one = Batches(Jobs(connection, settings), settings)
            start.wait(10)
            made.append(one.hand_in(order))

    start = threading.Barrier(4)
    threads = [threading.Thread(target=hand_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == 4
    assert {batch.id for batch in made} == set(unfinished.ids(redis))
    assert len(unfinished.ids(redis)) == 1


def test_the_key_is_free_once_the_batch_is_deleted(batches: Batches, order: BatchOrder) -> None:
    first = batches.hand_in(order)
    batches.delete(first.id)
    assert batches.hand_in(order).id != first.id


def test_the_key_is_free_after_a_refusal(
    batches: Batches, order: BatchOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as patched:
        patched.setattr(unfinished, "enter", refuse)
        with pytest.raises(InterruptedError):
            batches.hand_in(order)
    assert not batches.hand_in(order).replayed


def test_the_key_is_held_for_as_long_as_pictures_are_stored(
    batches: Batches, redis: Redis, order: BatchOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives: list[int] = []
    add_upload = Blobs.add_upload

    def add_slowly(self: Blobs, digest: str, data: bytes, job_id: str, ttl: int) -> None:
        (record,) = redis.keys("atelier:idempotency:*")
        lives.append(redis.ttl(record))
        redis.expire(record, idempotency.LEASE_SECONDS // 2)
        add_upload(self, digest, data, job_id, ttl)

    monkeypatch.setattr(Blobs, "add_upload", add_slowly)
    batches.hand_in(order)
    assert lives[1:4] == [idempotency.LEASE_SECONDS] * 3


def test_a_request_that_has_lost_its_key_meanwhile_makes_no_batch(
    batches: Batches, redis: Redis, order: BatchOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_arguments: object) -> None:
        for record in redis.keys("atelier:idempotency:*"):
            redis.delete(record)

    monkeypatch.setattr(Ticket, "renew", lose)
    with pytest.raises(KeyInUse):
        batches.hand_in(order)
    assert redis.keys("*") == []
