"""Real worker processes on a real Valkey of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from model.params import StyleTransferParams
from tests.house import Process, eventually, house_environment, valkey
from worker import presence
from worker.connections import connect_impatiently
from worker.jobs import Jobs
from worker.records import FINAL, Job
from worker.settings import Settings

SHORT = StyleTransferParams(size=64, quality="draft", steps=12)

#: Some ten seconds of painting on two free cores.
LONG = StyleTransferParams(size=128, quality="draft", steps=120)


@dataclass
class Crew:
    """A Redis of its own, and workers on it."""

    folder: Path
    url: str
    jobs: Jobs
    settings: Settings

    def worker(self, name: str) -> Process:
        """A worker process, not necessarily ready."""
        environment = house_environment(self.folder, ATELIER_REDIS_URL=self.url)
        return Process("worker", environment=environment, log=self.folder / f"{name}.log")

    def ready(self, *, workers: int = 1) -> None:
        """Waits until so many workers are there."""
        connection = self.jobs.connection
        eventually(
            lambda: len(presence.workers(connection)) == workers, within=60, what="the workers"
        )

    def until(self, job: Job, *statuses: str, within: float = 90) -> Job:
        """The job once it is in one of these."""

        def look() -> Job | None:
            seen = self.jobs.get(job.id)
            assert seen.status in {*statuses, "queued", "running"}, seen.error
            return seen if seen.status in statuses else None

        found = eventually(look, within=within, what=f"job is {statuses}")
        assert found is not None
        return found

    def until_painting(self, job: Job, *, steps: int = 1) -> Job:
        """The job once it has taken some steps."""

        def look() -> Job | None:
            seen = self.jobs.get(job.id)
            assert seen.status not in FINAL, f"too late: {seen.status}"
            return seen if seen.status == "running" and seen.progress.step >= steps else None

        found = eventually(look, within=90, what="the job is painted")
        assert found is not None
        return found

    def keys_of(self, job: Job) -> list[bytes]:
        """What Redis holds under the job's id."""
        keys = cast("list[bytes]", self.jobs.connection.keys("*"))
        return [key for key in keys if job.id.encode() in key]


@contextmanager
def a_crew(folder: Path) -> Iterator[Crew]:
    """A Redis of its own, without workers yet."""
    with valkey(folder) as url:
        settings = Settings(redis_url=url, data_dir=folder, features="bundled", devices="cpu")
        yield Crew(folder, url, Jobs(connect_impatiently(url), settings), settings)
