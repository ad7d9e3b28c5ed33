"""/v1/jobs/{id}/events: who watches a job is told all that happens, once, whatever breaks."""

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path

import httpx
import psutil
import pytest
from redis import Redis
from rq.job import JobStatus

from app.events import Fanout, Reader
from app.messages import Message
from model.params import StyleTransferParams
from tests.app.api import (
    LONG,
    SHORT,
    Files,
    Json,
    OwnRedis,
    api_process,
    look,
    painting,
    problem,
    serving,
    submit,
)
from tests.app.streams import Event, listening, opened
from tests.house import eventually
from worker import events
from worker.connections import connect_impatiently
from worker.jobs import Jobs
from worker.pictures import Pictures
from worker.records import JobProgress
from worker.settings import Settings
from worker.submission import Submission
from worker.watching import BEGINNING, CONNECTIONS, Watching


def step(redis: Redis, job: Json, number: int, **more: float) -> None:
    """What a worker says after a step."""
    progress = JobProgress(step=number, **more).model_dump_json()
    events.append(redis, job["id"], {"progress": progress}, 1000)


def steps(stream: Iterator[Event], count: int) -> list[int]:
    """The steps of the next so many events, which tell of progress."""
    told = list(islice(stream, count))
    assert {event.kind for event in told} == {"progress"}, told
    return [event.data["step"] for event in told]


# What is told.


def test_a_new_reader_is_told_how_the_job_stands(api: httpx.Client, files: Files) -> None:
    submit(api, files)
    job = submit(api, files)
    status, progress = opened(api, job)
    assert status == ("status", {"status": "queued", "attempt": 0, "queue_position": 2}, None)
    assert progress.kind == "progress"
    assert progress.data == job["progress"]
    assert progress.id, "where to go on after a cut"


def test_a_stream_is_not_cached_nor_held_back_by_a_proxy(api: httpx.Client, files: Files) -> None:
    with api.stream("GET", submit(api, files)["urls"]["events"]) as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert next(response.iter_lines()) == "retry: 2000"


def test_what_happens_is_told_in_its_order(api: httpx.Client, redis: Redis, files: Files) -> None:
    job = submit(api, files)
    with listening(api, job) as stream:
        list(islice(stream, 2))
        step(redis, job, 1, preview_version=1)
        events.append(redis, job["id"], {"preview": '{"version": 1}'}, 1000)
        step(redis, job, 2)
        first, preview, second = islice(stream, 3)
    assert (first.kind, first.data["step"]) == ("progress", 1)
    url = job["urls"]["preview"] + "?version=1"
    assert (preview.kind, preview.data) == ("preview", {"version": 1, "url": url})
    assert (second.kind, second.data["step"]) == ("progress", 2)
    history = [entry.decode() for entry, _ in redis.xrange(events.key_for(job["id"]))]  # type: ignore[union-attr]
    assert [first.id, preview.id, second.id] == history[-3:]


def test_nobody_is_told_of_the_job_of_another(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    job, other = submit(api, files), submit(api, files)
    with listening(api, job) as stream:
        list(islice(stream, 2))
        step(redis, other, 1)
        step(redis, job, 2)
        assert steps(stream, 1) == [2]


def test_a_job_that_does_not_exist_has_no_events(api: httpx.Client) -> None:
    problem(api.get(f"/v1/jobs/{'0' * 32}/events"), 404)


def test_those_who_wait_are_told_when_they_move_up(api: httpx.Client, files: Files) -> None:
    first, second = submit(api, files), submit(api, files)
    with listening(api, second) as stream:
        list(islice(stream, 2))
        api.post(first["urls"]["cancel"])
        moved = next(stream)
    assert moved == ("status", {"status": "queued", "attempt": 0, "queue_position": 1}, None)


def test_those_who_wait_are_told_when_another_job_starts(
    studio: httpx.Client, files: Files
) -> None:
    running = painting(studio, submit(studio, files, **LONG))
    submit(studio, files, **LONG)
    waiting = submit(studio, files, **LONG)
    with listening(studio, waiting) as stream:
        assert next(stream).data["queue_position"] == 2
        next(stream)
        studio.post(running["urls"]["cancel"])
        assert next(stream).data["queue_position"] == 1


# How it ends.


def test_a_painting_is_told_from_the_queue_to_the_picture(
    studio: httpx.Client, files: Files
) -> None:
    job = submit(studio, files, **SHORT)
    with listening(studio, job, within=60) as stream:
        told = list(stream)
    statuses = [event.data["status"] for event in told if event.kind == "status"]
    assert list(dict.fromkeys(statuses))[-2:] == ["running", "succeeded"]
    seen = [event.data["step"] for event in told if event.kind == "progress"]
    assert seen == sorted(seen)
    assert seen[-1] == 3
    assert told[-1].kind == "done"
    assert told[-1].data == look(studio, job)


def test_a_job_that_fails_is_done(studio: httpx.Client, house_redis: Redis, files: Files) -> None:
    running = painting(studio, submit(studio, files, **LONG))
    job = submit(studio, files, **SHORT)
    with listening(studio, job, within=60) as stream:
        house_redis.delete(*house_redis.scan_iter("atelier:upload:*"))
        studio.post(running["urls"]["cancel"])
        last = list(stream)[-1]
    assert (last.kind, last.data["status"]) == ("done", "failed")
    assert last.data["error"]["detail"]
    assert last.data == look(studio, job)


def test_a_job_that_is_canceled_is_done(api: httpx.Client, files: Files) -> None:
    job = submit(api, files)
    with listening(api, job) as stream:
        list(islice(stream, 2))
        api.post(job["urls"]["cancel"])
        status, done = stream
    assert (status.kind, status.data["status"]) == ("status", "canceled")
    assert done.kind == "done"
    assert done.data == look(api, job)


def test_a_running_job_that_is_deleted_is_done_at_once(studio: httpx.Client, files: Files) -> None:
    job = painting(studio, submit(studio, files, **LONG))
    with listening(studio, job, within=60) as stream:
        next(stream)
        studio.delete(job["urls"]["self"])
        last = list(stream)[-1]
    assert last.kind == "done"
    assert last.data is None or last.data["status"] == "canceled", "the worker may be quicker"


def test_a_finished_job_is_told_at_once_and_a_reader_who_knows_is_sent_away(
    api: httpx.Client, files: Files
) -> None:
    job = submit(api, files)
    api.post(job["urls"]["cancel"])
    with listening(api, job) as stream:
        status, progress, done = stream
    assert (status.data["status"], progress.kind) == ("canceled", "progress")
    assert (done.kind, done.data) == ("done", look(api, job))
    assert done.id is not None
    again = api.get(job["urls"]["events"], headers={"Last-Event-ID": done.id})
    assert (again.status_code, again.content) == (204, b"")


def test_a_reader_who_comes_back_after_the_end_is_told_the_rest(
    api: httpx.Client, files: Files
) -> None:
    job = submit(api, files)
    seen = opened(api, job)[-1].id
    api.post(job["urls"]["cancel"])
    with listening(api, job, after=seen) as stream:
        assert [event.kind for event in stream] == ["status", "done"]


def test_a_stream_whose_end_got_lost_ends_with_the_next_heartbeat(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    unheard, expired = submit(api, files), submit(api, files)
    with (
        ThreadPoolExecutor(1) as thread,
        api.stream("GET", unheard["urls"]["events"]) as raw,
        listening(api, expired, within=30) as stream,
    ):
        lines = raw.iter_lines()
        eventually(lambda: next(lines).startswith("id"), within=5, what="the snapshot")
        list(islice(stream, 2))
        redis.hset(f"rq:job:{unheard['id']}", "status", "canceled")
        redis.delete(f"rq:job:{expired['id']}")
        rest = thread.submit(list[str], lines)

        def is_over() -> bool:
            redis.publish(
                events.CHANNEL, "another"
            )  # so that the channel is not suspiciously still
            return rest.done()

        eventually(is_over, within=30, what="the stream ends")
        assert ": ping" in rest.result()
        assert "event: done" in rest.result()
        assert list(stream) == [("done", None, None)]


# Cuts, and many readers.


def test_a_reader_who_comes_back_is_told_exactly_what_was_missed(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    job = submit(api, files)
    with listening(api, job) as faithful:
        list(islice(faithful, 2))
        with listening(api, job) as stream:
            list(islice(stream, 2))
            step(redis, job, 1)
            seen = next(stream).id
        for number in (2, 3, 4):
            step(redis, job, number)
        assert steps(faithful, 4) == [1, 2, 3, 4]
        with listening(api, job, after=seen) as stream:
            assert steps(stream, 3) == [2, 3, 4]
            step(redis, job, 5)
            assert steps(stream, 1) == [5]
        assert steps(faithful, 1) == [5], "none of it twice"


def test_readers_who_come_and_go_all_the_time_miss_nothing(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    job = submit(api, files)
    first = opened(api, job)[-1].id
    last = 200

    def read(patience: int) -> list[int]:
        told: list[int] = []
        seen = first
        while not told or told[-1] < last:
            with listening(api, job, after=seen) as stream:
                for event in islice(stream, patience):
                    told.append(event.data["step"])
                    seen = event.id
                    if told[-1] == last:
                        break
        return told

    with ThreadPoolExecutor(5) as readers:
        reads = [readers.submit(read, patience) for patience in (3, 5, 7, 20, 200)]
        for number in range(1, last + 1):
            step(redis, job, number)
        for told in reads:
            assert told.result(60) == list(range(1, last + 1))


@pytest.mark.parametrize("nonsense", ["", "x", "1-1", "99999999999999-0", "1-", "9" * 30 + "-0"])
def test_a_reader_who_comes_back_with_nonsense_is_told_how_the_job_stands(
    api: httpx.Client, files: Files, nonsense: str
) -> None:
    job = submit(api, files)
    assert [event.kind for event in opened(api, job, after=nonsense)] == ["status", "progress"]


def test_a_reader_who_was_away_for_too_long_is_told_how_the_job_stands(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    job = submit(api, files)
    seen = opened(api, job)[-1].id
    for number in range(events.LENGTH):
        step(redis, job, number)
    with listening(api, job, after=seen) as stream:
        assert [event.kind for event in islice(stream, 2)] == ["status", "progress"]
        step(redis, job, 1000)
        assert steps(stream, 1) == [1000]


def test_readers_of_two_api_processes_are_told_the_same(
    api: httpx.Client, redis_url: str, redis: Redis, files: Files, tmp_path: Path
) -> None:
    job = submit(api, files)
    with (
        serving(redis_url, tmp_path) as other,
        listening(api, job) as here,
        listening(other, job) as there,
    ):
        for stream in (here, there):
            list(islice(stream, 2))
        step(redis, job, 1)
        assert next(here) == next(there)
        other.post(job["urls"]["cancel"])
        assert list(here) == list(there)


def test_fifty_readers_share_a_few_connections_to_redis(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    jobs = [submit(api, files) for _ in range(5)]
    before = len(redis.client_list())
    with ExitStack() as stack:
        streams = [stack.enter_context(listening(api, jobs[n % 5])) for n in range(50)]
        for stream in streams:
            list(islice(stream, 2))
        for job in jobs:
            step(redis, job, 1)
        for stream in streams:
            assert steps(stream, 1) == [1]
        clients = redis.client_list()
    assert 0 < len([c for c in clients if c["name"] == "atelier-events"]) <= CONNECTIONS == 3
    assert len(clients) <= before + CONNECTIONS


def test_a_reader_who_takes_nothing_is_cut_off_while_a_quick_one_goes_on(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    job = submit(api, files)
    address = (api.base_url.host, api.base_url.port)
    with socket.socket() as stuck, listening(api, job) as quick:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(address)
        stuck.sendall(f"GET {job['urls']['events']} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert stuck.recv(1)
        here = stuck.getsockname()
        list(islice(quick, 2))
        progress = JobProgress().model_dump_json() + " " * 100_000
        for _ in range(15):
            for _ in range(20):  # 2 MB, of which a socket holds a few at most
                events.append(redis, job["id"], {"progress": progress}, 1000)
            assert len(steps(quick, 20)) == 20

        def is_cut() -> bool:
            return all(c.raddr != here for c in psutil.net_connections("tcp") if c.pid)

        eventually(is_cut, within=40, what="the connection is cut")
        step(redis, job, 7)
        assert steps(quick, 1) == [7]


def test_what_waits_for_a_slow_reader_is_bounded_and_then_dropped() -> None:
    async def read() -> list[bytes | None]:
        reader = Reader(BEGINNING)
        for number in range(500):
            reader.put(Message(b"x", (0, number + 1)))
        whole = await reader.next()
        for number in range(5000):
            reader.put(Message(b"x", (1, number)))
        return [whole, await reader.next(), await reader.next()]

    assert asyncio.run(read()) == [b"x" * 500, None, None]


def test_one_whose_job_is_taken_while_its_place_is_asked_for_is_not_told_of_the_place(
    redis: Redis, redis_url: str, settings: Settings, content: bytes, style: bytes
) -> None:
    jobs = Jobs(redis, settings)
    pictures, params = Pictures(content, [style]), StyleTransferParams(size=64)
    first, second = (jobs.submit(Submission(pictures, params)).id for _ in range(2))
    watching = Watching(jobs, redis_url)
    fanout, places, asked = Fanout(watching), watching.places, asyncio.Event()

    async def slowly() -> dict[str, int]:
        """The job is taken meanwhile, and its reader is told so."""
        found = await places()
        await asyncio.to_thread(jobs.fetch(second).set_status, JobStatus.STARTED)
        topic = fanout._topics[second]
        told = partial(eventually, lambda: topic.status == "running", within=10)
        await asyncio.to_thread(told, what="the reader is told")
        asked.set()
        return found

    async def told() -> bytes:
        async with asyncio.timeout(10), fanout.running():
            look = await fanout.look(second)
            watching.places = slowly  # type: ignore[method-assign]
            with fanout.reading(look.job, look.last) as reader:
                jobs.cancel(first)
                await asked.wait()
                return await reader.next() or b""

    said = asyncio.run(told())
    assert b"running" in said
    assert b"queued" not in said


# When something stops.


def test_streams_go_on_after_redis_was_away(
    alone: httpx.Client, own_redis: OwnRedis, files: Files, tmp_path: Path
) -> None:
    job = submit(alone, files)
    log = tmp_path / "api.log"
    with connect_impatiently(own_redis.url) as redis, listening(alone, job, within=30) as stream:
        list(islice(stream, 2))
        for number in range(1, 4):
            step(redis, job, number)
            own_redis.stop()
            if number == 2:
                what = "somebody has noticed"
                eventually(lambda: "events wait" in log.read_text(), within=20, what=what)
            own_redis.start()
        step(redis, job, 4)
        assert steps(stream, 4) == [1, 2, 3, 4]
        alone.post(job["urls"]["cancel"])
        assert list(stream)[-1].kind == "done"
    assert "Traceback" not in log.read_text()


def test_what_was_said_while_nobody_could_hear_is_told_all_the_same(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    job = submit(api, files)
    with listening(api, job, within=5) as stream:
        list(islice(stream, 2))
        for number in (1, 2, 3):
            with redis.pipeline() as pipeline:
                pipeline.client_kill_filter(_type="pubsub")
                step(pipeline, job, number)
                pipeline.execute()
            assert steps(stream, 1) == [number], "before a heartbeat would have brought it"


def test_open_streams_do_not_hold_an_api_that_is_to_stop(
    redis_url: str, redis: Redis, files: Files, tmp_path: Path
) -> None:
    del redis  # it was emptied
    with (
        api_process(redis_url, tmp_path) as (process, client),
        ThreadPoolExecutor(1) as thread,
        ExitStack() as stack,
    ):
        job = submit(client, files)
        waiting = thread.submit(client.get, job["urls"]["self"], params={"wait": 60})
        streams = [stack.enter_context(listening(client, job)) for _ in range(20)]
        for stream in streams:
            list(islice(stream, 2))
        process.end(within=3)
        assert [list(stream) for stream in streams] == [[]] * 20, "ended, not cut"
        assert waiting.result(5).json() == job
        assert "ERROR" not in process.output
