"""What does the front of the house cost?

    python -m benchmarks.service

In one run, on one Valkey, without a worker:

- submissions a second, against a bare FastAPI + RQ endpoint that only stores and enqueues;
- the 99th percentile of a status read with 10,000 jobs in the queue, against an empty queue;
- memory in Redis for each job in the queue, beside its pictures;
- how late 1,000 readers of one job's events see them.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from redis import Redis

from app.presets import PRESETS
from benchmarks.front import servers
from benchmarks.front.http import Addresses, Answer, Connection, get, post
from worker import events
from worker.events import EventKind

SAMPLES = Path(__file__).parents[1] / "app" / "page" / "samples"

PICTURES = {
    "content": (SAMPLES / "pavilion.jpg").read_bytes(),
    "style": PRESETS["starlight"].picture,
}

#: Each submission is to be work of its own.
FIELDS = {"reuse": "false"}

#: An asker more than the server has threads for would only wait.
ASKERS = 8


def main() -> None:
    """Measures, and prints."""
    asked = _asked()
    with (
        tempfile.TemporaryDirectory(prefix="atelier-") as folder,
        servers.valkey(Path(folder)) as (url, redis),
        servers.atelier(url) as ours,
    ):
        with servers.bare(url) as theirs:
            asyncio.run(submissions(ours, theirs, asked.submissions, asked.rounds))
        redis.flushall()
        asyncio.run(queue(ours, redis, asked.jobs))
        redis.flushall()
        asyncio.run(delays(ours, redis, asked.readers, asked.events))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--submissions", type=int, default=300, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=10_000, help="in the queue")
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--events", type=int, default=60)
    return parser.parse_args()


async def submissions(ours: Addresses, theirs: Addresses, count: int, rounds: int) -> None:
    """Submissions a second, in turns, so that the machine's moods meet both."""
    requests = {
        "atelier": (ours, post("/v1/jobs", PICTURES, FIELDS)),
        "bare": (theirs, post("/jobs", PICTURES, {})),
    }
    rates: dict[str, list[float]] = {name: [] for name in requests}
    for _ in range(rounds):
        for name, (address, request) in requests.items():
            started = time.perf_counter()
            _check(await _load(address, [request] * count), 202)
            rates[name].append(count / (time.perf_counter() - started))
    ratios = [a / b for a, b in zip(rates["atelier"], rates["bare"], strict=True)]
    for name, values in rates.items():
        print(f"submissions, {name}: {statistics.median(values):.0f} a second")
    print(f"ratio: {statistics.median(ratios):.2f} of the bare endpoint (median of {rounds})")


async def queue(ours: Addresses, redis: Redis, jobs: int) -> None:
    """Reads of a job's status, and memory, with an empty queue and a full one."""
    empty, job_id = await _p99_of_reads(ours)
    request = post("/v1/jobs", PICTURES, FIELDS)
    before = _memory(redis)
    _check(await _load(ours, [request] * jobs), 202)
    each = (_memory(redis) - before) / jobs
    full, _ = await _p99_of_reads(ours, job_id)
    print(f"memory of a queued job beside its pictures: {each:.0f} bytes")
    print(f"99th percentile of status reads: {1e3 * empty:.1f} ms empty, {1e3 * full:.1f} ms full")
    print(f"ratio: {full / empty:.2f} with {jobs} jobs in the queue")


async def _p99_of_reads(
    ours: Addresses, job_id: str | None = None, reads: int = 4000
) -> tuple[float, str]:
    if job_id is None:
        (answer,) = await _load(ours, [post("/v1/jobs", PICTURES, FIELDS)])
        job_id = json.loads(answer.body)["id"]
    answers = _check(await _load(ours, [get(f"/v1/jobs/{job_id}")] * reads), 200)
    return statistics.quantiles((a.seconds for a in answers), n=100)[98], job_id


async def delays(ours: Addresses, redis: Redis, readers: int, count: int) -> None:
    """From an event's entry into the history until a reader has it."""
    (answer,) = await _load(ours, [post("/v1/jobs", PICTURES, FIELDS)])
    job_id = json.loads(answer.body)["id"]
    ready = asyncio.Semaphore(0)
    reading = [
        asyncio.create_task(_read_events(ours, job_id, count, ready)) for _ in range(readers)
    ]
    for _ in range(readers):
        await asyncio.wait_for(ready.acquire(), 60)
    for _ in range(count):
        happened: dict[EventKind, str] = {"progress": json.dumps({"loss": time.time()})}
        await asyncio.to_thread(events.append, redis, job_id, happened, 3600)
        await asyncio.sleep(0.5)  # as often as a worker tells
    async with asyncio.timeout(60):
        found = sorted(delay for seen in await asyncio.gather(*reading) for delay in seen)
    p50, p99 = (1e3 * found[int(part * len(found))] for part in (0.5, 0.99))
    print(f"events: {len(found)} seen by {readers} readers of one process")
    print(
        f"delay: median {p50:.0f} ms, 99th percentile {p99:.0f} ms, most {1e3 * found[-1]:.0f} ms"
    )


async def _read_events(
    ours: Addresses, job_id: str, count: int, ready: asyncio.Semaphore
) -> list[float]:
    connection = await Connection.open(ours)
    await connection.send(get(f"/v1/jobs/{job_id}/events"))
    await connection.reader.readuntil(b"event: progress")
    ready.release()
    found: list[float] = []
    while len(found) < count:
        line = await connection.reader.readuntil(b"\n")
        if line.startswith(b"data:") and b'"loss"' in line:
            loss = json.loads(line[5:])["loss"]
            if loss is not None:
                found.append(time.time() - loss)
    connection.close()
    return found


async def _load(address: Addresses, requests: list[bytes]) -> list[Answer]:
    """The answers, from as many connections as there are askers."""
    waiting = iter(requests)

    async def ask() -> list[Answer]:
        connection = await Connection.open(address)
        answers = [await connection.ask(request) for request in waiting]
        connection.close()
        return answers

    return [
        answer
        for asker in await asyncio.gather(*(ask() for _ in range(ASKERS)))
        for answer in asker
    ]


def _check(answers: Iterable[Answer], status: int) -> list[Answer]:
    found = list(answers)
    for answer in found:
        if answer.status != status:
            raise RuntimeError(f"{answer.status}: {answer.body.decode(errors='replace')}")
    return found


def _memory(redis: Redis) -> int:
    return int(redis.info("memory")["used_memory"])


if __name__ == "__main__":
    main()
