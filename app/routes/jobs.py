"""/v1/jobs: look at jobs, cancel them, try them again, have them forgotten."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app import conditional, kinds
from app.answers import problems
from app.dependencies import CallerDep, EventsDep, JobsDep, OwnJobDep
from app.views import JobPage, JobView
from app.waiting import MAX_WAIT_SECONDS, until
from worker.records import FINAL, Job, Status

#: Jobs on a page, and where the page before ended.
Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(pattern=r"^[0-9]{20}:[0-9a-f]{32}$")]

router = APIRouter(
    prefix="/v1/jobs",
    tags=["jobs"],
)


@router.get("", responses=problems(kinds.INVALID_PARAMETER))
def list_jobs(
    jobs: JobsDep,
    caller: CallerDep,
    status: Status | None = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> JobPage:
    """One's own jobs, newest first; with an admin's key those of everyone."""
    found, following = jobs.list_newest(
        owner=caller.sees, status=status, limit=limit, cursor=cursor
    )
    return JobPage(jobs=[JobView.of(job) for job in found], next_cursor=following)


@router.get(
    "/{job_id}",
    response_model=JobView,
    responses={
        **conditional.responses("application/json"),
        **problems(kinds.NO_SUCH_JOB, kinds.INVALID_PARAMETER),
    },
    openapi_extra=conditional.PARAMETERS,
)
async def get_job(
    job: OwnJobDep,
    events: EventsDep,
    request: Request,
    wait: Annotated[
        int,
        Query(
            ge=0,
            le=MAX_WAIT_SECONDS,
            description="Seconds to wait for the job to become another than that of "
            "`If-None-Match`, or than it is now; a finished one is answered at once.",
        ),
    ] = 0,
) -> Response:
    """A job as it is now, or as soon as it has changed."""
    if wait:
        known = conditional.listed(request, "If-None-Match") or conditional.tag_of(_shown(job))

        def is_news(now: Job) -> bool:
            return now.status in FINAL or not conditional.names(known, _shown(now))

        job = await until(is_news, job.id, events, wait)
    return conditional.answer(request, _shown(job), "application/json")


def _shown(job: Job) -> bytes:
    return JobView.of(job).model_dump_json().encode()


@router.delete("/{job_id}", status_code=204, responses=problems(kinds.NO_SUCH_JOB))
def delete_job(job: OwnJobDep, jobs: JobsDep) -> None:
    """Forgets a job and its pictures; a running one is canceled first."""
    jobs.delete(job.id)


@router.post("/{job_id}/cancel", responses=problems(kinds.NO_SUCH_JOB))
def cancel_job(job: OwnJobDep, jobs: JobsDep) -> JobView:
    """Cancels a job, waiting or running; a finished one stays as it is."""
    return JobView.of(jobs.cancel(job.id))


@router.post(
    "/{job_id}/retry",
    responses=problems(
        kinds.NO_SUCH_JOB,
        kinds.NOT_FAILED,
        kinds.PICTURES_GONE,
        kinds.TOO_MANY_JOBS,
        kinds.QUEUE_FULL,
    ),
)
def retry_job(job: OwnJobDep, jobs: JobsDep) -> JobView:
    """Queues a job that failed once more, as it was handed in and as if it were new.

    Its pictures must still be there: they are kept for so long from when they were handed in
    (`ATELIER_INPUT_TTL_SECONDS`), and not at all of a job that was canceled.
    """
    return JobView.of(jobs.retry(job.id))
