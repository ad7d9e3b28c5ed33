"""Jobs and batches as the API shows them."""

from typing import Self

from pydantic import BaseModel

from worker.batches.records import Batch
from worker.records import Job


class Urls(BaseModel):
    """Where to go on from a job."""

    self: str
    result: str
    preview: str
    losses: str
    events: str
    cancel: str
    retry: str


class JobView(Job):
    """A job as the API shows it."""

    urls: Urls

    @classmethod
    def of(cls, job: Job) -> Self:
        """The job with its addresses."""
        base = f"/v1/jobs/{job.id}"
        parts = ("result", "preview", "losses", "events", "cancel", "retry")
        further = {name: f"{base}/{name}" for name in parts}
        return cls(**dict(job), urls=Urls(self=base, **further))


class JobPage(BaseModel):
    """Some of the jobs, newest first, and where the next page begins."""

    jobs: list[JobView]
    next_cursor: str | None


class BatchUrls(BaseModel):
    """Where to go on from a batch."""

    self: str
    result: str
    cancel: str


class BatchView(Batch):
    """A batch as the API shows it."""

    urls: BatchUrls

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """The batch with its addresses."""
        base = f"/v1/batches/{batch.id}"
        further = {name: f"{base}/{name}" for name in ("result", "cancel")}
        return cls(**dict(batch), urls=BatchUrls(self=base, **further))
