"""How soon does a worker paint, and how long is its device idle between jobs?

    python -m benchmarks.readiness [--starts 3] [--rounds 3] [--jobs 24]

With a real Valkey, API and workers on loopback, bundled features, at 128 pixels:

- from the start of a worker's process until the first step of the job that waits for it;
- from the answer to a submission until the job's first step, on a worker that is warm and has
  met the style: until it is begun, and until it is told of;
- the part of the time between the jobs of a full queue that the device does not paint;
- how many more jobs two worker processes do than one, on this machine.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks.front import servers
from benchmarks.front.http import Addresses, Connection, post
from benchmarks.service import PICTURES
from tests.collector import collecting
from worker import events

_FIELDS = {"reuse": "false", "size": "128", "steps": "40"}

_PATIENCE_SECONDS = 300.0


def main() -> None:
    """Measures, and prints."""
    asked = _asked()
    with (
        tempfile.TemporaryDirectory(prefix="atelier-") as folder,
        servers.valkey(Path(folder)) as (url, redis),
        servers.atelier(url) as api,
    ):
        workers = [_one_worker(url, redis, api) for _ in range(asked.starts)]
        cold, warm, begins = zip(*workers, strict=True)
        print(f"- process to first step: {statistics.median(cold):.1f} s (median of {len(cold)})")
        soon = [seconds for each in warm for seconds in each]
        print(
            f"- queued to first step, warm: {1e3 * statistics.median(soon):.0f} ms (median), "
            f"{1e3 * max(soon):.0f} ms (most of {len(soon)})"
        )
        begun = [seconds for each in begins for seconds in each]
        print(f"- of which until it begins: {1e3 * statistics.median(begun):.0f} ms (median)")
        idle = [_idle(url, redis, api, asked.jobs) for _ in range(asked.rounds)]
        print(f"- device idle between jobs: {statistics.median(idle):.2%}")
        ratios = []
        for _ in range(asked.rounds):
            one, two = (_rate(url, redis, api, count, asked.jobs) for count in (1, 2))
            ratios.append(two / one)
        print(f"- two worker processes: {statistics.median(ratios):.2f} times the jobs of one")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--starts", type=int, default=3, help="of a worker, for the first steps")
    parser.add_argument("--rounds", type=int, default=3, help="of the rest")
    parser.add_argument("--jobs", type=int, default=24, help="in the queue at once")
    return parser.parse_args()


def _one_worker(url: str, redis: Redis, api: Addresses) -> tuple[float, list[float], list[float]]:
    """Seconds until the first step is told of, of a new process and of five jobs after that.

    And of these jobs until it begins: sooner by the time that a step of the job takes.
    """
    (first,) = _submit(api, 1)
    began = time.time()
    with servers.worker(url):
        cold = _first_step(redis, first) - began
        _until_done(redis, [first])
        warm, begins = [], []
        for _ in range(5):
            (job,) = _submit(api, 1)
            queued = time.time()
            warm.append(_first_step(redis, job) - queued)
            _until_done(redis, [job])
            begins.append(warm[-1] - _seconds_of_a_step(redis, job))
    return cold, warm, begins


def _idle(url: str, redis: Redis, api: Addresses, jobs: int) -> float:
    """The part of the time between the first job's end and the last's that a device did not paint.

    By the spans of a trace, as the worker exports them.
    """
    with collecting() as collector, servers.worker(url, collector.url):
        _until_done(redis, _submit(api, jobs))
    paints = sorted(
        (s.start_time_unix_nano, s.end_time_unix_nano)
        for _, s in collector.spans
        if s.name == "paint"
    )
    idle = sum(after[0] - before[1] for before, after in pairwise(paints))
    return idle / (paints[-1][1] - paints[0][1])


def _rate(url: str, redis: Redis, api: Addresses, workers: int, jobs: int) -> float:
    """Jobs a second of some warm workers."""
    with _warm_workers(url, redis, api, workers):
        began = time.time()
        queued = _submit(api, jobs)
        return jobs / (max(_last_step(redis, job) for job in queued) - began)


@contextmanager
def _warm_workers(url: str, redis: Redis, api: Addresses, count: int) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(servers.worker(url))
        _until_done(redis, _submit(api, 4 * count))
        yield


def _submit(api: Addresses, count: int) -> list[str]:
    async def ask() -> list[str]:
        connection = await Connection.open(api)
        request = post("/v1/jobs", PICTURES, _FIELDS)
        answers = [await connection.ask(request) for _ in range(count)]
        connection.close()
        return [json.loads(answer.body)["id"] for answer in answers]

    return asyncio.run(ask())


def _first_step(redis: Redis, job: str) -> float:
    """When a worker told of a job's first step, in seconds since the epoch."""
    return _when(redis, job, lambda event: json.loads(event.get(b"progress", "{}")).get("step", 0))


def _seconds_of_a_step(redis: Redis, job: str) -> float:
    """From the first that was told of to the last."""
    found: Any = redis.xrange(events.key_for(job))
    told = [
        (int(entry.split(b"-")[0]) / 1e3, json.loads(event[b"progress"])["step"])
        for entry, event in found
        if b"progress" in event
    ]
    told = [(when, step) for when, step in told if step]
    (first, one), (last, all_) = told[0], told[-1]
    return float((last - first) / (all_ - one))


def _until_done(redis: Redis, jobs: list[str]) -> None:
    for job in jobs:
        _last_step(redis, job)


def _last_step(redis: Redis, job: str) -> float:
    return _when(redis, job, lambda event: b'"succeeded"' in event.get(b"done", b""))


def _when(redis: Redis, job: str, is_it: Callable[[Mapping[bytes, bytes]], bool]) -> float:
    """When the first such event was: its entry's id is Redis's clock in milliseconds."""
    deadline, last = time.monotonic() + _PATIENCE_SECONDS, "0"
    while time.monotonic() < deadline:
        found: Any = redis.xread({events.key_for(job): last}, block=1000)
        for _, entries in found or ():
            for entry, event in entries:
                last = entry
                if is_it(event):
                    return int(entry.split(b"-")[0]) / 1e3
    raise RuntimeError(f"a job should not take so long. Received: {job}")


if __name__ == "__main__":
    main()
