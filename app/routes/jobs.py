"""/v1/jobs: look at jobs, cancel them, have them forgotten."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.dependencies import CallerDep, JobsDep, OwnJobDep
from app.problems import Problem
from app.views import JobPage, JobView
from worker.records import Status

router = APIRouter(
    prefix="/v1/jobs",
    tags=["jobs"],
    responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
)


@router.get("")
def list_jobs(
    jobs: JobsDep,
    caller: CallerDep,
    status: Status | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=r"^\d{20}:[0-9a-f]{32}$")] = None,
) -> JobPage:
    """One's own jobs, newest first."""
    found, following = jobs.list_newest(
        owner=caller.owner, status=status, limit=limit, cursor=cursor
    )
    return JobPage(jobs=[JobView.of(job) for job in found], next_cursor=following)


@router.get("/{job_id}")
def get_job(job: OwnJobDep) -> JobView:
    """A job as it is now."""
    return JobView.of(job)


@router.delete("/{job_id}", status_code=204)
def delete_job(job: OwnJobDep, jobs: JobsDep) -> None:
    """Forgets a job and its pictures; a running one is canceled first."""
    jobs.delete(job.id)


@router.post("/{job_id}/cancel")
def cancel_job(job: OwnJobDep, jobs: JobsDep) -> JobView:
    """Cancels a job, waiting or running; a finished one stays as it is."""
    return JobView.of(jobs.cancel(job.id))
