"""Pictures of batches become jobs: each once, in their order, and never more than there is room."""

import threading
from collections.abc import Iterator

import pytest
from redis import Redis
from rq.job import JobStatus

from tests.house import eventually
from tests.worker.batches.album import STYLE, an_order, counted
from tests.worker.crew import Crew, a_crew
from worker.batches import book, unfinished
from worker.batches.batches import Batches
from worker.batches.feeder import Feeder
from worker.batches.records import Batch
from worker.connections import connect_impatiently
from worker.digests import digest_of
from worker.jobs import Jobs
from worker.painting_job import PaintingJob
from worker.records import Job
from worker.settings import Settings
from worker.vaults import StoreAway


def a_house(redis: Redis, settings: Settings) -> tuple[Jobs, Batches, Feeder]:
    """All of it but for who paints."""
    jobs = Jobs(redis, settings)
    return jobs, Batches(jobs, settings), Feeder(jobs, settings)


def all_jobs(jobs: Jobs) -> list[Job]:
    """In the order in which they were made."""
    found, following = jobs.list_newest(limit=100)
    assert following is None or len(found) == 100
    return found[::-1]


@pytest.fixture
def tight(settings: Settings) -> Settings:
    """Settings of a house with a short queue."""
    return settings.model_copy(update={"max_queue_length": 6})


def test_a_batch_longer_than_the_queue_leaves_half_of_it_to_others(
    redis: Redis, tight: Settings
) -> None:
    jobs, batches, feeder = a_house(redis, tight)
    batch = batches.hand_in(an_order(10))
    names: list[str] = []
    for made in (3, 6, 9, 10):
        feeder.feed(batch.id)
        feeder.feed(batch.id)  # there is no room for more
        assert len(all_jobs(jobs)) == made
        assert jobs.waiting() == made - len(names)
        for job in all_jobs(jobs)[len(names) :]:
            names.append(job.id)
            jobs.cancel(job.id)
    widths = [picture_of(redis, name) for name in names]
    assert len(set(widths)) == 10
    entries = batches.manifest(book.read(redis, batch.id).asked)
    assert entries is not None
    assert widths == [entry.picture for entry in entries.entries], "in their order"
    assert counted(batches.get(batch.id)) == {"canceled": 10}


def picture_of(redis: Redis, job_id: str) -> str:
    """SHA-256 of the photograph that a job was made of."""
    job = PaintingJob.fetch(job_id, connection=redis, serializer="json")
    return str(job.kwargs["content"])


def test_feeders_that_feed_at_once_make_one_job_of_each_picture(
    redis: Redis, redis_url: str, settings: Settings
) -> None:
    batch = Batches(Jobs(redis, settings), settings).hand_in(an_order(30))

    def feed() -> None:
        with connect_impatiently(redis_url) as connection:
            feeder = Feeder(Jobs(connection, settings), settings)
            start.wait(10)
            for _ in range(20):
                feeder.feed(batch.id)

    start = threading.Barrier(4)
    threads = [threading.Thread(target=feed) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    jobs = Jobs(redis, settings)
    made = all_jobs(jobs)
    assert jobs.waiting() == len(made) == 30
    assert len({picture_of(redis, job.id) for job in made}) == 30
    for job in made:  # each has its pictures, whichever of the feeders gave up
        record = jobs.fetch(job.id)
        assert jobs.blobs.has_uploads(job.id, record.pictures)


def test_a_house_that_stops_makes_no_further_job(redis: Redis, settings: Settings) -> None:
    jobs = Jobs(redis, settings)
    batch = Batches(jobs, settings).hand_in(an_order(3))
    Feeder(jobs, settings, lambda: jobs.waiting() == 2).feed(batch.id)
    assert jobs.waiting() == 2
    Feeder(jobs, settings).feed(batch.id)
    assert jobs.waiting() == 3


def test_what_a_killed_feeder_left_undone_is_done_by_the_next(
    redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As a process that is gone."""

    def die(*_arguments: object) -> None:
        raise Killed

    jobs, batches, feeder = a_house(redis, settings)
    batch = batches.hand_in(an_order(3))
    with monkeypatch.context() as patched:  # after the job is made, before its hold is let go
        patched.setattr(jobs.blobs, "release_uploads", die)
        with pytest.raises(Killed):
            feeder.feed(batch.id)
    feeder.feed(batch.id)
    assert jobs.waiting() == len(all_jobs(jobs)) == 3
    for job in all_jobs(jobs):
        jobs.cancel(job.id)
    feeder.feed(batch.id)
    assert unfinished.ids(redis) == []
    assert redis.keys("atelier:upload:*") == [
        f"atelier:upload:{book.read(redis, batch.id).asked.manifest}".encode()
    ]


def test_a_batch_that_was_canceled_or_deleted_is_not_fed(redis: Redis, tight: Settings) -> None:
    jobs, batches, feeder = a_house(redis, tight)
    canceled, deleted = batches.hand_in(an_order(4)), batches.hand_in(an_order(4))
    feeder.feed(canceled.id)
    batches.cancel(canceled.id)
    batches.delete(deleted.id)
    for batch in (canceled, deleted):
        feeder.feed(batch.id)
    assert jobs.waiting() == 0
    assert len(all_jobs(jobs)) == 3
    assert unfinished.ids(redis) == []


def test_limits_of_jobs_hold_and_what_there_is_no_room_for_waits(
    redis: Redis, settings: Settings
) -> None:
    few = settings.model_copy(update={"max_jobs_per_client": 4})
    jobs, batches, feeder = (
        Jobs(redis, few),
        Batches(Jobs(redis, few), few),
        Feeder(Jobs(redis, few), few),
    )
    ones = [batches.hand_in(an_order(4)) for _ in range(3)]
    theirs = batches.hand_in(an_order(4, client="bert"))
    for batch in (*ones, theirs):
        feeder.feed(batch.id)
    assert [counted(batches.get(batch.id)) for batch in ones] == [{"queued": 4}] * 3
    assert jobs.waiting() == 2 + 2, "half of what each client may have, however many batches"
    for job in all_jobs(jobs):
        jobs.cancel(job.id)
    feeder.feed(ones[2].id)
    assert jobs.waiting() == 2


def test_batches_of_many_clients_leave_half_of_the_queue_to_others(
    redis: Redis, tight: Settings
) -> None:
    jobs, batches, feeder = a_house(redis, tight)
    for client in ("anna", "bert", "cleo"):
        feeder.feed(batches.hand_in(an_order(2, client=client)).id)
    assert jobs.waiting() == 3


def test_batches_take_turns_at_being_first(redis: Redis, settings: Settings) -> None:
    one = settings.model_copy(update={"max_queue_length": 3})
    jobs, batches, feeder = a_house(redis, one)
    found = [batches.hand_in(an_order(3)) for _ in range(3)]
    for _ in found:
        redis.delete("atelier:feeding")
        feeder.feed_if_due()
        (job,) = jobs.list_newest(limit=1, status="queued")[0]
        jobs.cancel(job.id)
    assert [counted(batches.get(batch.id)) for batch in found] == [{"queued": 2, "canceled": 1}] * 3


def test_nothing_of_a_batch_is_read_while_there_is_no_room(
    redis: Redis, tight: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, batches, feeder = a_house(redis, tight)
    feeder.feed(batches.hand_in(an_order(6)).id)
    batch = batches.hand_in(an_order(1, client="bert"))
    monkeypatch.setattr(jobs.blobs, "upload", pytest.fail)
    feeder.feed(batch.id)


def test_a_batch_that_cannot_be_fed_is_told_of_once_and_the_others_are(
    redis: Redis, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    jobs, batches, feeder = a_house(redis, settings)
    strange, away, good = (batches.hand_in(an_order(1)) for _ in range(3))
    manifests = {book.read(redis, batch.id).asked.manifest: batch.id for batch in (strange, away)}
    upload = jobs.blobs.upload

    def upload_or_fail(digest: str) -> bytes | None:
        if manifests.get(digest) == away.id:
            raise StoreAway("It does not answer.")
        return b'{"version": 9}' if manifests.get(digest) == strange.id else upload(digest)

    jobs.blobs.upload = upload_or_fail  # type: ignore[method-assign]
    for _ in range(3):
        redis.delete("atelier:feeding")
        feeder.feed_if_due()
    assert jobs.waiting() == 1
    assert counted(batches.get(good.id)) == {"queued": 1}
    told = [
        record.getMessage() for record in caplog.records if record.name == "worker.batches.feeder"
    ]
    assert sorted(told) == sorted(
        [
            f"Batch {strange.id} was handed in to another version of Atelier.",
            f"Batch {away.id} cannot be fed at present: It does not answer.",
        ]
    )


def test_pictures_whose_style_expired_fail_and_say_so(redis: Redis, settings: Settings) -> None:
    _, batches, feeder = a_house(redis, settings)
    batch = batches.hand_in(an_order(1))
    redis.delete(f"atelier:upload:{digest_of(STYLE)}")
    feeder.feed(batch.id)
    (failure,) = batches.get(batch.id).failures
    assert "style expired" in failure.problem.detail


def test_a_picture_that_expired_while_it_waited_fails_and_the_others_do_not(
    redis: Redis, settings: Settings
) -> None:
    _, batches, feeder = a_house(redis, settings)
    batch = batches.hand_in(an_order(3))
    manifest = batches.manifest(book.read(redis, batch.id).asked)
    assert manifest is not None
    redis.delete(f"atelier:upload:{manifest.entries[1].picture}")
    feeder.feed(batch.id)
    now = batches.get(batch.id)
    assert counted(now) == {"queued": 2, "failed": 1}
    (failure,) = now.failures
    assert (failure.name, failure.job_id) == ("1.jpg", None)
    assert "expired" in failure.problem.detail


def test_a_job_that_is_deleted_before_it_ends_is_canceled_for_its_batch(
    redis: Redis, settings: Settings
) -> None:
    jobs, batches, feeder = a_house(redis, settings)
    batch = batches.hand_in(an_order(2))
    feeder.feed(batch.id)
    jobs.delete(all_jobs(jobs)[0].id)
    assert counted(batches.get(batch.id)) == {"queued": 1, "canceled": 1}


def failed(waiting: Job, jobs: Jobs) -> Job:
    """The job as if it had been painted, and failed."""
    job = jobs.fetch(waiting.id)
    with jobs.connection.pipeline() as pipeline:
        jobs.withdraw(job, pipeline)
        job.set_status(JobStatus.FAILED, pipeline)
        pipeline.execute()
    return jobs.get(waiting.id)


def test_a_finished_batch_with_a_job_tried_once_more_is_open_again(
    redis: Redis, settings: Settings
) -> None:
    jobs, batches, feeder = a_house(redis, settings)
    batch = batches.hand_in(an_order(1))
    feeder.feed(batch.id)
    job = failed(all_jobs(jobs)[0], jobs)
    feeder.feed(batch.id)
    assert (batches.get(batch.id).status, unfinished.ids(redis)) == ("failed", [])
    jobs.retry(job.id)
    assert (batches.get(batch.id).status, unfinished.ids(redis)) == ("queued", [batch.id])


def test_a_batch_whose_job_is_tried_once_more_while_it_is_closed_stays_open(
    redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, batches, feeder = a_house(redis, settings)
    batch = batches.hand_in(an_order(1))
    feeder.feed(batch.id)
    job = failed(all_jobs(jobs)[0], jobs)
    monkeypatch.setattr(jobs.blobs, "keep", lambda *_: jobs.retry(job.id))
    feeder.feed(batch.id)
    assert unfinished.ids(redis) == [batch.id]


def test_what_an_older_version_ended_or_deleted_is_found_out(
    redis: Redis, settings: Settings
) -> None:
    jobs, batches, feeder = a_house(redis, settings)
    batch = batches.hand_in(an_order(3))
    feeder.feed(batch.id)
    ended, deleted, waiting = all_jobs(jobs)
    redis.hset(PaintingJob.key_for(ended.id), "status", "finished")
    redis.delete(PaintingJob.key_for(deleted.id))
    feeder.feed(batch.id)
    assert counted(batches.get(batch.id)) == {"succeeded": 1, "canceled": 1, "queued": 1}
    jobs.cancel(waiting.id)
    feeder.feed(batch.id)
    assert unfinished.ids(redis) == []


def test_a_batch_that_is_deleted_while_its_result_is_asked_for_is_no_empty_archive(
    redis: Redis, settings: Settings
) -> None:
    jobs, batches, feeder = a_house(redis, settings)
    batch = batches.hand_in(an_order(2))
    feeder.feed(batch.id)
    assert batches.painted(batch.id) is None
    first, _ = all_jobs(jobs)
    jobs.fetch(first.id).set_status(JobStatus.FINISHED)
    jobs.blobs.put(first.id, "result", b"painting", 60)
    pictures = batches.painted(batch.id)
    assert pictures is not None
    batches.delete(batch.id)
    assert next((one.name, one.job_id) for one in pictures) == ("0.jpg", first.id)


def test_a_failure_that_is_deleted_while_it_is_read_is_left_out(
    redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, batches, feeder = a_house(redis, settings)
    batch = batches.hand_in(an_order(1))
    redis.delete(f"atelier:upload:{digest_of(STYLE)}")
    feeder.feed(batch.id)
    monkeypatch.setattr(book, "entered", lambda *_: {})
    assert batches.get(batch.id).failures == []


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    with a_crew(tmp_path_factory.mktemp("crew")) as found:
        yield found


def test_a_batch_whose_worker_is_killed_has_each_picture_painted_once(crew: Crew) -> None:
    batches = Batches(crew.jobs, crew.settings)

    def painted(number: int) -> Batch | None:
        now = batches.get(batch.id)
        return now if now.counts.succeeded >= number else None

    with crew.worker("first") as first, crew.worker("second"):
        crew.ready(workers=2)
        batch = batches.hand_in(an_order(5))
        eventually(lambda: painted(1), within=90, what="one is painted")
        first.signal(9)
        assert batches.get(batch.id).counts.succeeded < 5, "it was killed in the middle"
        eventually(lambda: painted(5), within=90, what="all are painted")
        over = batches.get(batch.id)
        assert (over.status, counted(over)) == ("succeeded", {"succeeded": 5})
        assert len(all_jobs(crew.jobs)) == 5
        eventually(lambda: not unfinished.ids(crew.jobs.connection), within=10, what="it is closed")
    ended = crew.jobs.connection.hget("atelier:totals", "ended.succeeded")
    assert ended == b"5", "each was painted once"
    results = [crew.jobs.connection.ttl(f"atelier:result:{job.id}") for job in all_jobs(crew.jobs)]
    life = crew.jobs.connection.ttl(book.batch_key(batch.id))
    assert {abs(left - life) <= 1 for left in results} == {True}, "they go with the batch"
