"""/v1/jobs/{id}/...: what a job has to show: result, preview, loss curve."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from app import conditional
from app.dependencies import JobsDep, OwnJobDep
from app.problems import Problem, ProblemError
from model.container import MEDIA_TYPES
from worker.records import FINAL, Losses

router = APIRouter(
    prefix="/v1/jobs/{job_id}",
    tags=["jobs"],
    responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
)


@router.get("/result", response_class=Response, responses=conditional.RESPONSES)
def get_result(job: OwnJobDep, jobs: JobsDep, request: Request) -> Response:
    """The finished picture."""
    if job.result is None:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "no-result",
            "There is no result",
            f"The job has {'no' if job.status in FINAL else 'not yet a'} result. "
            f"Its status is: {job.status}.",
        )
    picture = jobs.blobs.get(job.id, "result")
    if picture is None:
        raise ProblemError(
            HTTPStatus.GONE, "result-expired", "The result is gone", "The picture has expired."
        )
    name = f"atelier-{job.id[:8]}.{job.result.format}"
    return conditional.answer(
        request,
        picture,
        MEDIA_TYPES[job.result.format],
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )


@router.get("/preview", response_class=Response, responses=conditional.RESPONSES)
def get_preview(job: OwnJobDep, jobs: JobsDep, request: Request) -> Response:
    """The newest preview, a JPEG."""
    preview = jobs.blobs.get(job.id, "preview")
    if preview is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "no-preview", "No preview yet", "There is no preview so far."
        )
    return conditional.answer(request, preview, "image/jpeg")


@router.get("/losses", response_model=Losses, responses=conditional.RESPONSES)
def get_losses(job: OwnJobDep, jobs: JobsDep, request: Request) -> Response:
    """The loss curve so far, at most 200 points: the weighted losses before some of the steps."""
    losses = jobs.blobs.get(job.id, "losses")
    if losses is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "no-losses", "No losses yet", "There is no loss curve so far."
        )
    curve = Losses.model_validate_json(losses).model_dump_json()
    return conditional.answer(request, curve.encode(), "application/json")
