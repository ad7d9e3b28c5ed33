"""How often a job was tried, and what became of it each time.

An attempt is held against a job from when its pictures are prepared, but not while it waits for
others, for the device or to be alone with it: what befalls the worker then is not its doing. The
record of it is written beforehand, because whoever dies writes nothing: the next worker that finds
an attempt without an end knows what that means. Only who has the job writes in it.
"""

import contextlib

from model.errors import PaintingError
from worker.jobs import Jobs
from worker.lease import Lease
from worker.ledger import NoSuchJob
from worker.painting_job import Fact, PaintingJob
from worker.records import Attempts, FeaturesUsed, JobProgress


class TooManyAttempts(PaintingError):  # noqa: N818 - reads better where it is raised
    """Several workers in turn did not survive the job."""

    slug = "too-many-attempts"
    title = "The job failed repeatedly"


class Attempt:
    """One worker's attempt at one job, as it is entered in the job's record.

    What it enters raises ``Lost`` where the job is not the worker's any more.
    """

    def __init__(self, lease: Lease, jobs: Jobs, worker: str) -> None:
        self._job = lease.job
        self._lease = lease
        self._jobs = jobs
        self._worker = worker
        self._attempts = Attempts(**self._job.facts.get("attempts", {}))
        self._has_begun = False

    def begin(self, features: FeaturesUsed, most: int) -> int:
        """Enters that the worker has the job; returns the number of the attempt, from 1.

        Raises:
            TooManyAttempts: ``most`` have failed; the message says how.
        """
        mishaps = self._attempts.mishaps
        if self._attempts.worker is not None and self._attempts.counts:
            how = f"{self._attempts.worker} died or was cut off {_where(self._job)}"
            mishaps = (*mishaps, how)
        if len(mishaps) >= most:
            raise TooManyAttempts(_told(mishaps))
        # One that failed before is to be alone, and may have to wait for that.
        self._attempts = Attempts(mishaps=mishaps, worker=self._worker, counts=not mishaps)
        self._has_begun = True
        self._write(features=features)
        return self._attempts.number

    def wait(self) -> None:
        """The job is ready, and another may be in front of it."""
        self._change(counts=False)

    def go_on(self) -> None:
        """The device has the job."""
        self._change(counts=True)

    def fail(self, how: str) -> None:
        """It ended without a picture, and the worker lives to tell."""
        with contextlib.suppress(NoSuchJob):  # deleted meanwhile
            where = _where(self._jobs.fetch(self._job.id))
            mishaps = (*self._attempts.mishaps, f"{self._worker} {how} {where}")
            self._change(mishaps=mishaps, worker=None)

    def withdraw(self) -> None:
        """It ended, and nothing was at fault; what was entered of the one before stays."""
        if self._has_begun:
            self._change(worker=None)

    def _change(self, **changes: object) -> None:
        self._attempts = self._attempts.model_copy(update=changes)
        self._write()

    def _write(self, **facts: Fact) -> None:
        facts |= {"attempts": self._attempts, "attempt": self._attempts.number}
        self._lease.write(lambda pipeline: self._jobs.enter(pipeline, self._job.id, facts))


def _where(job: PaintingJob) -> str:
    progress = JobProgress(**job.facts.get("progress", {}))
    return f"at step {progress.step} of {progress.steps}" if progress.steps else "at the start"


def _told(mishaps: tuple[str, ...]) -> str:
    each = "; ".join(f"({number}) {how}" for number, how in enumerate(mishaps, start=1))
    return f"Workers broke off while painting this job, {len(mishaps)} times: {each}."
