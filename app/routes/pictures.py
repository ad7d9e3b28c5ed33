"""/v1/jobs/{id}/...: what a job has to show: result, preview, loss curve."""

from fastapi import APIRouter, Request, Response

from app import conditional, kinds
from app.answers import media, problems
from app.dependencies import JobsDep, OwnJobDep
from app.problems import ProblemError
from model.container import MEDIA_TYPES
from worker.records import FINAL, Losses

router = APIRouter(
    prefix="/v1/jobs/{job_id}",
    tags=["jobs"],
)

_PICTURES = MEDIA_TYPES.values()


@router.get(
    "/result",
    response_class=Response,
    responses={
        **conditional.responses(*_PICTURES, headers=("Content-Disposition",), **media(*_PICTURES)),
        **problems(kinds.NO_SUCH_JOB, kinds.NO_RESULT, kinds.RESULT_EXPIRED),
    },
    openapi_extra=conditional.PARAMETERS,
)
def get_result(job: OwnJobDep, jobs: JobsDep, request: Request) -> Response:
    """The finished picture."""
    if job.result is None:
        raise ProblemError(
            kinds.NO_RESULT,
            f"The job has {'no' if job.status in FINAL else 'not yet a'} result. "
            f"Its status is: {job.status}.",
        )
    picture = jobs.blobs.get(job.id, "result")
    if picture is None:
        raise ProblemError(kinds.RESULT_EXPIRED, "The picture has expired.")
    name = f"atelier-{job.id[:8]}.{job.result.format}"
    return conditional.answer(
        request,
        picture,
        MEDIA_TYPES[job.result.format],
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )


@router.get(
    "/preview",
    response_class=Response,
    responses={
        **conditional.responses("image/jpeg", **media("image/jpeg")),
        **problems(kinds.NO_SUCH_JOB, kinds.NO_PREVIEW),
    },
    openapi_extra=conditional.PARAMETERS,
)
def get_preview(job: OwnJobDep, jobs: JobsDep, request: Request) -> Response:
    """The newest preview, a JPEG."""
    preview = jobs.blobs.get(job.id, "preview")
    if preview is None:
        raise ProblemError(kinds.NO_PREVIEW, "There is no preview so far.")
    return conditional.answer(request, preview, "image/jpeg")


@router.get(
    "/losses",
    response_model=Losses,
    responses={
        **conditional.responses("application/json"),
        **problems(kinds.NO_SUCH_JOB, kinds.NO_LOSSES),
    },
    openapi_extra=conditional.PARAMETERS,
)
def get_losses(job: OwnJobDep, jobs: JobsDep, request: Request) -> Response:
    """The loss curve so far, at most 200 points: the weighted losses before some of the steps."""
    losses = jobs.blobs.get(job.id, "losses")
    if losses is None:
        raise ProblemError(kinds.NO_LOSSES, "There is no loss curve so far.")
    curve = Losses.model_validate_json(losses).model_dump_json()
    return conditional.answer(request, curve.encode(), "application/json")
