"""/v1/jobs/{id}/...: what a job has to show: result, preview, loss curve."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from app import conditional, head, kinds
from app.answers import headers, media, problems
from app.dependencies import JobsDep, OwnJobDep
from app.problems import ProblemError
from model.container import MEDIA_TYPES
from worker.records import FINAL, Losses
from worker.result_files import file_headers
from worker.vaults import Method

router = APIRouter(
    prefix="/v1/jobs/{job_id}",
    tags=["jobs"],
)

_PICTURES = MEDIA_TYPES.values()

Redirect = Annotated[
    bool,
    Query(
        description="Whether the answer may be a link to the store that has the picture; without "
        "one the picture comes from here."
    ),
]


@router.get(
    "/result",
    response_class=Response,
    responses={
        **conditional.responses(*_PICTURES, headers=("Content-Disposition",), **media(*_PICTURES)),
        HTTPStatus.TEMPORARY_REDIRECT: {
            "description": "Where the picture is for a short while, for whoever has this URL: no "
            "key is asked for there, and none is to be sent.",
            "headers": headers("Location"),
        },
        **problems(
            kinds.NO_SUCH_JOB, kinds.NO_RESULT, kinds.RESULT_EXPIRED, kinds.INVALID_PARAMETER
        ),
    },
    openapi_extra=conditional.PARAMETERS,
)
def get_result(
    job: OwnJobDep,
    jobs: JobsDep,
    request: Request,
    redirect: Redirect = True,  # noqa: FBT002 - by its name, in the query
) -> Response:
    """The finished picture, or where the store itself hands it out (`ATELIER_RESULT_LINK_SECONDS`).

    Conditions and ranges are then for the store: it has entity tags of its own.
    """
    if job.result is None:
        raise ProblemError(
            kinds.NO_RESULT,
            f"The job has {'no' if job.status in FINAL else 'not yet a'} result. "
            f"Its status is: {job.status}.",
        )
    method: Method = "HEAD" if head.is_asked(request) else "GET"
    if redirect and (link := jobs.blobs.link(job.id, "result", method)):
        return RedirectResponse(link, headers={"Cache-Control": "no-store"})
    picture = jobs.blobs.get(job.id, "result")
    if picture is None:
        raise ProblemError(kinds.RESULT_EXPIRED, "The picture has expired.")
    kind = job.result.format
    return conditional.answer(
        request, picture, MEDIA_TYPES[kind], headers=file_headers(job.id, kind)
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
