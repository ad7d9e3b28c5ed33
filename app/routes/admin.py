"""/v1/admin: the whole house and everybody's jobs, for who runs it."""

from collections.abc import Mapping
from importlib.metadata import version

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from app import kinds
from app.answers import problems
from app.dependencies import CallerDep, JobsDep
from app.problems import ProblemError
from app.routes.jobs import Cursor, Limit
from app.views import JobView
from worker import census
from worker.job_index import EVERYONE
from worker.presence import WorkerInfo
from worker.records import Status


def _runs_the_house(caller: CallerDep) -> None:
    """Where there are no keys, all is everybody's, this too."""
    if caller.key_digest is not None and not caller.admin:
        raise ProblemError(kinds.ADMINS_ONLY, "This is for keys with the role of an admin.")


router = APIRouter(
    prefix="/v1/admin",
    tags=["system"],
    dependencies=[Depends(_runs_the_house)],
)

_REFUSAL = problems(kinds.ADMINS_ONLY)


class HouseView(BaseModel):
    """The house at this moment.

    Attributes:
        queue_length: jobs waiting.
        oldest_wait_seconds: of the job that waits longest; 0 if none does.
        jobs: how many there are by status, everybody's.
        workers: with their devices.
    """

    version: str
    queue_length: int
    oldest_wait_seconds: float
    jobs: Mapping[Status, int]
    workers: list[WorkerInfo]


class OwnedJobView(JobView):
    """A job as an admin sees it: with its owner, null where there were no keys."""

    owner: str | None


class OwnedJobPage(BaseModel):
    """Some of all jobs, newest first, and where the next page begins."""

    jobs: list[OwnedJobView]
    next_cursor: str | None


@router.get("/house", responses=_REFUSAL)
def get_house(jobs: JobsDep) -> HouseView:
    """Workers, devices, the queue, and jobs by status."""
    found = census.take(jobs)
    return HouseView(
        version=version("atelier"),
        queue_length=found.queue_length,
        oldest_wait_seconds=found.oldest_seconds,
        jobs=found.jobs,
        workers=list(found.workers),
    )


@router.get("/jobs", responses=_REFUSAL | problems(kinds.INVALID_PARAMETER))
def list_all_jobs(
    jobs: JobsDep,
    status: Status | None = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> OwnedJobPage:
    """Everybody's jobs with their owners, newest first."""
    found, following = jobs.list_newest(owner=EVERYONE, status=status, limit=limit, cursor=cursor)
    return OwnedJobPage(jobs=[OwnedJobView.of(job) for job in found], next_cursor=following)
