"""The face of RQ, on a real Valkey without a worker."""

import json
from typing import cast

import pytest
from redis import Redis
from rq import Queue as RqQueue
from rq.job import JobStatus

from model.errors import InputError, ParameterError, UnsupportedPictureError
from model.params import StyleTransferParams
from worker import events
from worker.admission import QueueFull
from worker.jobs import Jobs
from worker.ledger import NoSuchJob
from worker.painting_job import PaintingJob
from worker.pictures import Pictures
from worker.records import JobProgress
from worker.settings import Settings
from worker.submission import Submission
from worker.submitter import PAINT

PARAMS = StyleTransferParams(size=64, quality="draft", seed=3)


@pytest.fixture
def jobs(redis: Redis, settings: Settings) -> Jobs:
    return Jobs(redis, settings)


def used(redis: Redis) -> int:
    return int(redis.info("memory")["used_memory_dataset"])


def keys(redis: Redis) -> set[bytes]:
    return set(cast("list[bytes]", redis.keys("*")))


def test_a_submitted_job_waits_in_the_queue(jobs: Jobs, content: bytes, style: bytes) -> None:
    job = jobs.submit(Submission(Pictures(content, [style]), PARAMS))
    assert job.status == "queued"
    assert job.queue_position == 1
    assert job.params == PARAMS
    assert job.attempt == 0
    assert jobs.get(job.id) == job


def test_rqs_tools_find_the_queue(jobs: Jobs, redis: Redis, content: bytes, style: bytes) -> None:
    jobs.submit(Submission(Pictures(content, [style]), PARAMS))
    (queue,) = RqQueue.all(connection=redis, serializer="json")
    assert (queue.name, queue.count) == ("atelier", 1)


def test_the_queue_holds_json_and_no_pictures(
    jobs: Jobs, redis: Redis, content: bytes, style: bytes
) -> None:
    job = jobs.submit(Submission(Pictures(content, [style]), PARAMS))
    record = redis.hgetall(f"rq:job:{job.id}")
    function, _instance, _args, kwargs = json.loads(jobs.queue.fetch_job(job.id).data)  # type: ignore[union-attr]
    assert function == PAINT
    assert kwargs["params"]["seed"] == 3
    assert sum(len(value) for value in record.values()) < 2000


def test_a_waiting_job_costs_little_memory_beside_its_pictures(
    jobs: Jobs, redis: Redis, content: bytes, style: bytes
) -> None:
    def submit() -> None:
        jobs.submit(Submission(Pictures(content, [style]), PARAMS))

    submit()  # with the pictures, and what there is once
    before, count = used(redis), 50
    for _ in range(count):
        submit()
    assert (used(redis) - before) / count < 4096


def test_the_history_of_a_job_begins_when_it_leaves_the_queue(
    jobs: Jobs, redis: Redis, content: bytes, style: bytes
) -> None:
    job = jobs.submit(Submission(Pictures(content, [style]), PARAMS))
    assert not redis.exists(events.key_for(job.id))
    jobs.cancel(job.id)
    told = [
        json.loads(data)["status"]
        for _, entry in cast(
            "list[tuple[bytes, dict[bytes, bytes]]]", redis.xrange(events.key_for(job.id))
        )
        for kind, data in entry.items()
        if kind == b"status"
    ]
    assert told == ["canceled"]


def test_an_upload_is_stored_once_however_often_it_comes(
    jobs: Jobs, redis: Redis, content: bytes, style: bytes
) -> None:
    for _ in range(3):
        jobs.submit(Submission(Pictures(content, [style]), PARAMS))
    assert len(redis.keys("atelier:upload:*")) == 2


def test_jobs_leave_the_queue_in_order_and_urgent_ones_first(
    jobs: Jobs, content: bytes, style: bytes
) -> None:
    first = jobs.submit(Submission(Pictures(content, [style]), PARAMS))
    second = jobs.submit(Submission(Pictures(content, [style]), PARAMS))
    urgent = jobs.submit(Submission(Pictures(content, [style]), PARAMS, priority="high"))
    positions = [jobs.get(job.id).queue_position for job in (urgent, first, second)]
    assert positions == [1, 2, 3]


def test_what_is_refused_leaves_nothing_behind(jobs: Jobs, redis: Redis, content: bytes) -> None:
    before = keys(redis)
    with pytest.raises(UnsupportedPictureError) as refused:
        jobs.submit(Submission(Pictures(content, [b"hello"]), PARAMS))
    assert refused.value.field == "style"
    with pytest.raises(ParameterError):
        jobs.submit(Submission(Pictures(content, []), PARAMS))
    assert keys(redis) == before


def test_a_job_that_costs_too_much_is_refused(
    redis: Redis, settings: Settings, content: bytes, style: bytes
) -> None:
    jobs = Jobs(redis, settings.model_copy(update={"max_megapixel_steps": 1}))
    with pytest.raises(InputError, match=r"Received: \d+"):
        jobs.submit(Submission(Pictures(content, [style]), StyleTransferParams(size=512)))


def test_a_full_queue_refuses_and_stores_nothing(
    redis: Redis, settings: Settings, content: bytes, style: bytes
) -> None:
    jobs = Jobs(redis, settings.model_copy(update={"max_queue_length": 1}))
    jobs.submit(Submission(Pictures(content, [content]), PARAMS))
    before = keys(redis)
    with pytest.raises(QueueFull):
        jobs.submit(Submission(Pictures(style, [style]), PARAMS))
    assert keys(redis) == before


def test_a_waiting_job_is_canceled_at_once_and_stays_canceled(
    jobs: Jobs, content: bytes, style: bytes
) -> None:
    job = jobs.submit(Submission(Pictures(content, [style]), PARAMS))
    canceled = jobs.cancel(job.id)
    assert canceled.status == "canceled"
    assert canceled.finished_at is not None
    assert canceled.expires_at is not None
    assert jobs.waiting() == 0
    assert jobs.cancel(job.id) == canceled


def test_a_canceled_job_expires(
    jobs: Jobs, redis: Redis, settings: Settings, content: bytes, style: bytes
) -> None:
    job = jobs.cancel(jobs.submit(Submission(Pictures(content, [style]), PARAMS)).id)
    assert 0 < redis.ttl(f"rq:job:{job.id}") <= settings.result_ttl_seconds


def test_a_deleted_job_leaves_nothing_of_its_own(
    jobs: Jobs, redis: Redis, content: bytes, style: bytes
) -> None:
    job = jobs.submit(Submission(Pictures(content, [style]), PARAMS))
    jobs.blobs.put(job.id, "preview", b"jpeg", 60)
    jobs.delete(job.id)
    assert not [key for key in keys(redis) if job.id.encode() in key]
    assert jobs.list_newest() == ([], None)
    with pytest.raises(NoSuchJob):
        jobs.get(job.id)


def test_a_job_that_a_dead_worker_had_leaves_its_mark_alone_when_it_is_deleted(
    jobs: Jobs, redis: Redis, content: bytes, style: bytes
) -> None:
    job = jobs.submit(Submission(Pictures(content, [style]), PARAMS, client="me"))
    redis.lpop(jobs.queue.key)
    record = PaintingJob.fetch(job.id, connection=redis, serializer="json")
    record.set_status(JobStatus.STARTED)
    jobs.delete(job.id)
    mark = f"atelier:deleted:{job.id}"
    assert keys(redis) - {b"rq:queues"} == {mark.encode()}
    assert redis.ttl(mark) > 0


def test_facts_about_a_job_that_is_gone_are_not_kept(jobs: Jobs, redis: Redis) -> None:
    jobs.note("0" * 32, progress=JobProgress(step=1))
    assert not keys(redis)


def test_facts_appear_in_the_job(jobs: Jobs, content: bytes, style: bytes) -> None:
    job = jobs.submit(Submission(Pictures(content, [style]), PARAMS))
    progress = JobProgress(step=3, steps=9, fraction=0.25, loss=1.5, preview_version=2)
    jobs.note(job.id, progress=progress, attempt=2)
    seen = jobs.get(job.id)
    assert (seen.progress, seen.attempt) == (progress, 2)


def test_the_list_is_newest_first_and_comes_in_pages(
    jobs: Jobs, content: bytes, style: bytes
) -> None:
    ids = [jobs.submit(Submission(Pictures(content, [style]), PARAMS)).id for _ in range(5)]
    first, cursor = jobs.list_newest(limit=2)
    second, cursor = jobs.list_newest(limit=2, cursor=cursor)
    third, end = jobs.list_newest(limit=2, cursor=cursor)
    assert [job.id for job in first + second + third] == ids[::-1]
    assert end is None


def test_the_list_can_be_filtered_by_status(jobs: Jobs, content: bytes, style: bytes) -> None:
    ids = [jobs.submit(Submission(Pictures(content, [style]), PARAMS)).id for _ in range(3)]
    jobs.cancel(ids[1])
    assert [job.id for job in jobs.list_newest(status="canceled")[0]] == [ids[1]]
    assert [job.id for job in jobs.list_newest(status="queued")[0]] == [ids[2], ids[0]]


def test_an_expired_job_disappears_from_the_list(
    jobs: Jobs, redis: Redis, content: bytes, style: bytes
) -> None:
    job = jobs.submit(Submission(Pictures(content, [style]), PARAMS))
    redis.delete(f"rq:job:{job.id}")  # as its time to live does
    assert jobs.list_newest() == ([], None)
    assert not redis.exists("atelier:jobs")
