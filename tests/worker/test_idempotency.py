"""Reserved keys, on a real Valkey: what becomes of one when its request does not end well."""

from typing import Any

import pytest
from redis import Redis
from redis.connection import AbstractConnection as Connection
from redis.exceptions import ConnectionError as RedisConnectionError

from model.params import StyleTransferParams
from tests.app.api import contents
from worker.idempotency import LEASE_SECONDS, Idempotency, KeyInUse, Ticket
from worker.jobs import Jobs
from worker.pictures import Pictures
from worker.records import Job
from worker.settings import Settings
from worker.submission import Submission

PARAMS = StyleTransferParams(size=64)


@pytest.fixture
def submission(content: bytes, style: bytes) -> Submission:
    return Submission(Pictures(content, [style]), PARAMS, client="me", idempotency_key="k")


@pytest.fixture
def jobs(redis: Redis, settings: Settings) -> Jobs:
    return Jobs(redis, settings)


def test_a_process_that_dies_keeps_the_key_no_longer_than_its_lease(redis: Redis) -> None:
    left = []

    def answer(ticket: Ticket) -> Job:
        left.append(redis.ttl(ticket.record))
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        Idempotency(redis, Job).once("me", "k", "f", "a", answer)
    assert 0 < left[0] <= LEASE_SECONDS
    assert not contents(redis), "it was refused, so the key is free"


def test_a_request_that_lost_its_key_to_a_twin_makes_no_job(
    jobs: Jobs, redis: Redis, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = jobs._submitter._store

    def slow_store(*args: object) -> None:
        """Longer than the lease: meanwhile a twin has come, and been answered."""
        monkeypatch.setattr(jobs._submitter, "_store", store)
        redis.delete(*redis.keys("atelier:idempotency:*"))
        twins.append(jobs.submit(submission))
        store(*args)  # type: ignore[arg-type]

    twins: list[Job] = []
    monkeypatch.setattr(jobs._submitter, "_store", slow_store)
    with pytest.raises(KeyInUse):
        jobs.submit(submission)
    assert [job.id for job in jobs.list_newest()[0]] == [twins[0].id]
    assert jobs.submit(submission) == twins[0].model_copy(update={"replayed": True})
    jobs.delete(twins[0].id)
    assert not contents(redis)


def test_a_key_that_is_reserved_twice_by_one_request_as_after_a_cut_is_its_own(
    redis: Redis,
) -> None:
    first = Ticket("atelier:idempotency:k", "a")
    keys: Idempotency[Job] = Idempotency(redis, Job)
    assert keys._reserved(first, "f") is None
    assert keys._reserved(first, "f") is None
    with pytest.raises(KeyInUse):
        keys._reserved(Ticket(first.record, "b"), "f")


def test_a_cut_before_the_last_word_of_a_submission_takes_no_pictures_from_its_job(
    jobs: Jobs, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = Connection.read_response

    def cut_once(connection: Connection, *args: Any, **options: Any) -> Any:
        """Redis has done the transaction, and the line breaks before it says so."""
        answer = parse(connection, *args, **options)
        if isinstance(answer, list) and jobs.waiting():
            monkeypatch.setattr(Connection, "read_response", parse)
            raise RedisConnectionError("the line was cut")
        return answer

    monkeypatch.setattr(Connection, "read_response", cut_once)
    with pytest.raises(RedisConnectionError):
        jobs.submit(submission)
    again = jobs.submit(submission)
    assert again.replayed
    job = jobs.fetch(again.id)
    assert jobs.blobs.has_uploads(job.id, job.pictures)


def test_a_job_whose_making_was_not_confirmed_is_not_made_again(
    jobs: Jobs, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue = jobs._submitter._enqueue

    def unconfirmed(*args: object) -> Job:
        """The transaction reached Redis, its reply did not reach us."""
        enqueue(*args)  # type: ignore[arg-type]
        raise RedisConnectionError

    monkeypatch.setattr(jobs._submitter, "_enqueue", unconfirmed)
    with pytest.raises(RedisConnectionError):
        jobs.submit(submission)
    monkeypatch.setattr(jobs._submitter, "_enqueue", enqueue)
    assert jobs.submit(submission).replayed
    assert len(jobs.list_newest()[0]) == 1


def test_a_key_lives_as_long_as_the_job_may_and_goes_when_the_job_does(
    jobs: Jobs, redis: Redis, submission: Submission, settings: Settings
) -> None:
    jobs.submit(submission)
    (record,) = redis.keys("atelier:idempotency:*")
    assert redis.ttl(record) > settings.input_ttl_seconds
    jobs.cancel(jobs.list_newest()[0][0].id)
    assert redis.ttl(record) <= settings.result_ttl_seconds
