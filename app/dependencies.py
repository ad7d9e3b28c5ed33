"""What endpoints are given: the jobs, who asks, and the job that is asked for."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request

from app.events import Fanout
from worker.batches.batches import Batches
from worker.batches.records import Batch, NoSuchBatch
from worker.job_index import EVERYONE
from worker.jobs import Jobs
from worker.ledger import NoSuchJob
from worker.painting_job import OtherVersion
from worker.records import Job


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes:
        owner: whose jobs these are; None where there are no keys, and all is everybody's.
        client: whom limits count: the owner, or the address where there is none.
        admin: whether the jobs of all others are theirs too.
        key_digest: the hash of the key that they came with; None where there are no keys.
    """

    owner: str | None
    client: str
    admin: bool = False
    key_digest: str | None = None

    @property
    def sees(self) -> str | None:
        """Whose jobs they see."""
        return EVERYONE if self.admin else self.owner

    def may_see(self, job: Job | Batch | OtherVersion) -> bool:
        """Whether a job or a batch is there for them."""
        return self.admin or job.owner == self.owner


def _jobs(request: Request) -> Jobs:
    jobs = request.app.state.jobs
    assert isinstance(jobs, Jobs)
    return jobs


JobsDep = Annotated[Jobs, Depends(_jobs)]


def _batches(request: Request) -> Batches:
    batches = request.app.state.batches
    assert isinstance(batches, Batches)
    return batches


BatchesDep = Annotated[Batches, Depends(_batches)]


async def _events(request: Request) -> Fanout:
    events = request.app.state.events
    assert isinstance(events, Fanout)
    return events


EventsDep = Annotated[Fanout, Depends(_events)]


def _caller(request: Request) -> Caller:
    caller = request.state.caller  # `app.authentication` has asked, before the body was read
    assert isinstance(caller, Caller)
    return caller


CallerDep = Annotated[Caller, Depends(_caller)]


JobId = Annotated[
    str, Path(description="The `id` of a job.", examples=["5f0c8d3e9b7a4c61a2d4e6f801234567"])
]


def _own_job(job_id: JobId, jobs: JobsDep, caller: CallerDep) -> Job:
    """The job, if it is the caller's: to all others it does not exist.

    Raises:
        NoSuchJob: it does not, or is not theirs.
        OtherVersion: it is theirs, and not understood here.
    """
    job: Job | OtherVersion
    try:
        job = jobs.get(job_id)
    except OtherVersion as error:
        job = error
    if not caller.may_see(job):
        raise NoSuchJob("There is no such job, or not any more.")
    if isinstance(job, OtherVersion):
        raise job
    return job


OwnJobDep = Annotated[Job, Depends(_own_job)]


BatchId = Annotated[
    str, Path(description="The `id` of a batch.", examples=["0c9d1e5f7a3b4d2c8e6f901234567abc"])
]


def _own_batch(batch_id: BatchId, batches: BatchesDep, caller: CallerDep) -> Batch:
    """The batch, if it is the caller's: to all others it does not exist.

    Raises:
        NoSuchBatch: it does not, or is not theirs.
    """
    batch = batches.get(batch_id)
    if not caller.may_see(batch):
        raise NoSuchBatch("There is no such batch, or not any more.")
    return batch


OwnBatchDep = Annotated[Batch, Depends(_own_batch)]
