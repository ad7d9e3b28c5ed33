"""An API, workers and a Redis that tests may harm, and what must be true whatever befell them.

The faults that the most trusted queues test, and where they are tested here:

    1  kill -9, at every moment of a job           test_deaths
    2  SIGTERM: idle, busy, twice, grace expired   test_deaths, test_devices, test_worker_ends
    3  out of memory, process and device           test_deaths (a kill), test_devices
    4  a hang inside native code                   test_devices
    5  a poison job                                test_poison
    6  Redis restarted, emptied, full              test_redis_trouble
    7  Redis away at each moment                   test_redis_trouble, tests/app/test_events
    8  duplicates, two cleaners                    test_queue, tests/app/test_idempotency
    9  cancel, at each moment                      test_queue, test_worker_process
    10 a queued job whose time runs out            test_queue
    11 disk full, read-only folder                 test_redis_trouble, tests/app/test_supervisor
    12 the API restarted, slow readers             test_redis_trouble, tests/app/test_events
    13 a webhook's target down                     tests/worker/test_webhooks
    14 a payload of another version                test_queue
    15 a host cut off, a worker that comes late    test_hosts, test_poison
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import httpx

from scripts.parts import Part, Parts
from tests.faults.workshop import Fault
from tests.house import eventually
from tests.pictures import photograph, style_picture
from worker import presence
from worker.ledger import NoSuchJob
from worker.painting_job import PaintingJob
from worker.records import FINAL, Job

WORKSHOP = ("-m", "tests.faults.workshop")

#: Some seconds of painting without much of the machine's time, and some tenths of one.
LONG = {"size": "96", "quality": "draft", "steps": "60", "seed": str(int(Fault.DAWDLES))}
SHORT = {"size": "64", "quality": "draft", "steps": "6"}

#: Becomes the same picture as ``LONG``: it begins with the photograph, so the seed changes nothing.
LONG_AT_ONCE = LONG | {"seed": "1"}


class Site:
    """All parts, and a client."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.jobs = parts.jobs
        self.api = httpx.Client(base_url=parts.url, timeout=10.0)
        self.files = [
            ("content", ("content", photograph(96, 72))),
            ("style", ("style", style_picture(80, 80))),
        ]

    def post(self, **form: str) -> httpx.Response:
        """Hands in a job."""
        return self.api.post("/v1/jobs", data={"reuse": "false", **form}, files=self.files)

    def submit(self, **form: str) -> str:
        """Hands in a job; gives its id."""
        answer = self.post(**form)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def until(self, job_id: str, *statuses: str, within: float = 90) -> Job:
        """The job once it is in one of these."""

        def look() -> Job | None:
            seen = self.jobs.get(job_id)
            assert seen.status in {*statuses, "queued", "running"}, (seen.status, seen.error)
            return seen if seen.status in statuses else None

        found = eventually(look, within=within, what=f"{job_id} is {statuses}")
        assert found is not None
        return found

    def until_painted(self, job_id: str, steps: int = 10) -> Part:
        """Waits until a job has come so far; gives the worker that has it."""

        def look() -> bool:
            seen = self.jobs.get(job_id)
            assert seen.status not in FINAL, (seen.status, seen.error)
            return seen.status == "running" and seen.progress.step >= steps

        eventually(look, within=90, what="the job is painted")
        return self.painter(job_id)

    def painter(self, job_id: str) -> Part:
        """The worker that has a job."""

        def look() -> Part | None:
            name = self.record(job_id).worker_name or ""
            workers = presence.workers(self.jobs.connection)
            pids = {worker.pid for worker in workers if name.startswith(worker.name)}
            return next((part for part in self.parts.workers if part.pid in pids), None)

        # One that has just started takes a job before it says that it is there.
        found = eventually(look, within=30, what=f"who has {job_id} is known")
        assert found is not None
        return found

    @staticmethod
    def went_on_at(job_id: str, worker: Part) -> int:
        """The step at which a worker that took a job over went on."""
        (step,) = re.findall(rf"goes on at step (\d+)\. \[.*{job_id}", worker.output)
        return int(step)

    def record(self, job_id: str) -> PaintingJob:
        """What Redis has of a job."""
        return self.jobs.fetch(job_id)

    def picture(self, job_id: str) -> bytes:
        """The result."""
        found = self.jobs.blobs.get(job_id, "result")
        assert found is not None
        return found

    def painted(self, **form: str) -> bytes:
        """The picture that a job becomes when nothing befalls it."""
        job_id = self.submit(**form)
        self.until(job_id, "succeeded")
        return self.picture(job_id)

    def ready(self) -> None:
        """Waits until all parts are there."""
        eventually(self.parts.is_ready, within=90, what="all parts are there")

    def assert_settled(self, *job_ids: str, attempts: int = 3) -> None:
        """Each has ended, once and for good, and is nowhere else; nothing is on its way."""
        connection, queue = self.jobs.connection, self.jobs.queue
        for job_id in job_ids:
            job = self.jobs.get(job_id)
            assert job.status in FINAL
            assert job.attempt <= attempts
            assert (job.result is not None) == (job.status == "succeeded")
            assert self.jobs.blobs.get(job_id, "checkpoint") is None
            ends = cast(
                "list[tuple[bytes, dict[bytes, bytes]]]",
                connection.xrange(f"atelier:events:{job_id}"),
            )
            assert sum(b"done" in fields for _, fields in ends) == 1, "it ends once"

        def nothing_on_its_way() -> bool:
            return not (
                connection.llen(queue.key)
                or connection.llen(queue.intermediate_queue_key)
                or connection.zcard(queue.started_job_registry.key)
            )

        eventually(nothing_on_its_way, within=30, what="nothing is on its way")


@contextmanager
def a_site(folder: Path, *options: str, workers: int = 2, **settings: str) -> Iterator[Site]:
    """A site whose workers are of the workshop, with these options."""
    with Parts(folder, workers=workers, worker=(*WORKSHOP, *options), settings=settings) as parts:
        site = Site(parts)
        yield site
        site.api.close()


def is_gone(site: Site, job_id: str) -> bool:
    """Whether nobody knows a job."""
    try:
        site.jobs.get(job_id)
    except NoSuchJob:
        return True
    return False


def seconds_of(answer: httpx.Response) -> float:
    """How long it took."""
    return answer.elapsed.total_seconds()
