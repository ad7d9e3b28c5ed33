"""A long queue, quickly; and a client who asks for things meanwhile."""

import io
import json
import multiprocessing
import statistics
from collections.abc import Awaitable, Callable
from functools import lru_cache
from pathlib import Path
from typing import Self, cast
from uuid import uuid4

from PIL import Image
from redis import Redis
from redis.client import Pipeline

from benchmarks.front.http import Addresses, Answer, Connection, get, post
from worker.jobs import Jobs
from worker.painting_job import PaintingJob, as_fields
from worker.settings import Settings
from worker.submitter import PAINT

#: Questions of each kind in a round.
_QUESTIONS = 50

_TOGETHER = 500
_PROCESSES = 2


def jobs_on(url: str) -> Jobs:
    """The jobs in a Redis, without limits."""
    most = 10**12
    settings = Settings(
        redis_url=url,
        data_dir=Path(),
        max_queue_length=most,
        max_jobs_per_client=most,
        max_queued_bytes=most,
    )
    return Jobs(Redis.from_url(url), settings)


@lru_cache
def small_picture() -> bytes:
    """A picture that costs next to nothing."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((96, 72)).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


class Client:
    """Somebody with jobs at the end of the queue, one question at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        files = {"content": small_picture(), "style": small_picture()}
        self._post = post("/v1/jobs", files, {"reuse": "false"})

    @classmethod
    async def of(cls, api: Addresses) -> Self:
        """A client of an API."""
        return cls(await Connection.open(api))

    async def submit(self) -> str:
        """Hands in a job; gives its id."""
        return _id_of(await self._connection.ask(self._post))

    async def milliseconds(self, rounds: int) -> dict[str, float]:
        """What it waits for each thing, the median of all rounds."""
        deeds: dict[str, Callable[[str], Awaitable[Answer]]] = {
            "submit": lambda _: self._connection.ask(self._post),
            "status and position": lambda job: self._connection.ask(get(f"/v1/jobs/{job}")),
            "list of 20": lambda _: self._connection.ask(get("/v1/jobs?limit=20")),
            "cancel": lambda job: self._connection.ask(post(f"/v1/jobs/{job}/cancel", {}, {})),
        }
        waited: dict[str, list[float]] = {deed: [] for deed in deeds}
        for _ in range(rounds):
            jobs = [await self.submit() for _ in range(_QUESTIONS)]
            for deed, ask in deeds.items():
                waited[deed] += [(await ask(job)).seconds for job in jobs]
        return {deed: 1e3 * statistics.median(times) for deed, times in waited.items()}


def _id_of(answer: Answer) -> str:
    if answer.status != 202:
        raise RuntimeError(f"{answer.status}: {answer.body.decode(errors='replace')}")
    return str(json.loads(answer.body)["id"])


def fill(url: str, template: str, count: int, clients: int) -> None:
    """Hands in a job again, so often for each of some clients in turn.

    As ``Jobs.submit`` does, many in a transaction, and without its checks.
    """
    context = multiprocessing.get_context("spawn")
    share = count // _PROCESSES
    fillers = [
        context.Process(target=_fill, args=(url, template, share, clients))
        for _ in range(_PROCESSES)
    ]
    for filler in fillers:
        filler.start()
    for filler in fillers:
        filler.join()
        if filler.exitcode:
            raise RuntimeError("the queue was not filled")


def _fill(url: str, template: str, count: int, clients: int) -> None:
    jobs = jobs_on(url)
    like = jobs.fetch(template)
    for first in range(0, count, _TOGETHER):
        with jobs.connection.pipeline() as pipeline:
            for number in range(first, min(first + _TOGETHER, count)):
                _push(jobs, like, f"client-{number % clients}", pipeline)
            pipeline.execute()


def _push(jobs: Jobs, like: PaintingJob, client: str, pipeline: Pipeline) -> None:
    job = cast(
        "PaintingJob",
        jobs.queue.create_job(
            PAINT,
            kwargs=like.kwargs,
            job_id=uuid4().hex,
            description=like.description,
            timeout=int(like.timeout or 0),
            result_ttl=like.result_ttl,
            failure_ttl=like.failure_ttl,
        ),
    )
    job.facts = {"client": client}
    pipeline.hset(job.key, items=as_fields(job.facts))
    jobs.index.add(job, pipeline)
    jobs.push(job, pipeline)
