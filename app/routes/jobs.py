"""/v1/jobs: hand in pictures, follow the painting, fetch it."""

from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Form, Query, Request, Response, UploadFile
from pydantic import BaseModel, Field

from app.problems import Problem, ProblemError
from model.container import MEDIA_TYPES
from model.errors import ParameterError
from model.params import MAX_STYLES, StyleTransferParams
from worker.jobs import Jobs, Priority
from worker.pictures import Pictures
from worker.records import FINAL, Job, Losses, Status
from worker.settings import Settings

#: Room in a request for the form's fields and boundaries, beside its pictures.
_FORM_BYTES = 2**20

#: Content and styles, and a mask for each.
_PICTURES = 2 * (1 + MAX_STYLES)

_REPEATABLE = {"style", "style_mask", "style_weights"}


class JobForm(StyleTransferParams):
    """What is handed in: the pictures, how to paint them, and how soon."""

    content: UploadFile = Field(description="The photograph: JPEG, PNG, WebP or TIFF.")
    style: list[UploadFile] = Field(
        description="Pictures to take the style from.", json_schema_extra={"maxItems": MAX_STYLES}
    )
    content_mask: UploadFile | None = Field(
        None,
        description="Regions of the photograph, each painted in a plain colour of its own: a "
        "picture with its proportions.",
    )
    style_mask: list[UploadFile] = Field(
        [],
        description="Regions of each style picture, in their order. A region of the photograph "
        "takes its style from those of the same colour.",
        json_schema_extra={"maxItems": MAX_STYLES},
    )
    priority: Priority = Field("normal", description="`high` goes before all waiting jobs.")

    def pictures(self) -> Pictures:
        """The files, read."""
        mask = self.content_mask
        return Pictures(
            content=self.content.file.read(),
            styles=[style.file.read() for style in self.style],
            content_mask=None if mask is None else mask.file.read(),
            style_masks=[style_mask.file.read() for style_mask in self.style_mask],
        )

    def params(self) -> StyleTransferParams:
        """The parameters alone."""
        asked = self.model_dump(include=set(StyleTransferParams.model_fields), exclude_unset=True)
        return StyleTransferParams(**asked)


class Urls(BaseModel):
    """Where to go on from a job."""

    self: str
    result: str
    preview: str
    losses: str
    cancel: str


class JobView(Job):
    """A job as the API shows it."""

    urls: Urls

    @classmethod
    def of(cls, job: Job) -> Self:
        """The job with its addresses."""
        base = f"/v1/jobs/{job.id}"
        further = {name: f"{base}/{name}" for name in ("result", "preview", "losses", "cancel")}
        return cls(**dict(job), urls=Urls(self=base, **further))


class JobPage(BaseModel):
    """Some of the jobs, newest first, and where the next page begins."""

    jobs: list[JobView]
    next_cursor: str | None


def _jobs(request: Request) -> Jobs:
    jobs = request.app.state.jobs
    assert isinstance(jobs, Jobs)
    return jobs


JobsDep = Annotated[Jobs, Depends(_jobs)]


def router(settings: Settings) -> APIRouter:
    """The endpoints, with the limits of the settings."""
    routes = APIRouter(
        prefix="/v1/jobs",
        tags=["jobs"],
        responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
    )
    routes.add_api_route(
        "",
        submit,
        methods=["POST"],
        status_code=HTTPStatus.ACCEPTED,
        dependencies=[Depends(_each_field_once)],
        max_body_size=_PICTURES * settings.max_upload_bytes + _FORM_BYTES,
    )
    routes.add_api_route("", list_jobs, methods=["GET"])
    routes.add_api_route("/{job_id}", get_job, methods=["GET"])
    routes.add_api_route("/{job_id}", delete_job, methods=["DELETE"], status_code=204)
    routes.add_api_route("/{job_id}/cancel", cancel_job, methods=["POST"])
    routes.add_api_route("/{job_id}/result", get_result, methods=["GET"], response_class=Response)
    routes.add_api_route("/{job_id}/preview", get_preview, methods=["GET"], response_class=Response)
    routes.add_api_route("/{job_id}/losses", get_losses, methods=["GET"])
    return routes


async def _each_field_once(request: Request) -> None:
    """Of a field that is given twice the last would win, and the other be lost without a word."""
    names = [name for name, _ in (await request.form()).multi_items()]
    for name in names:
        if names.count(name) > 1 and name not in _REPEATABLE:
            raise ParameterError(
                f"{name} may be given once. Received: {names.count(name)} times.", field=name
            )


def submit(
    form: Annotated[JobForm, Form(media_type="multipart/form-data")],
    jobs: JobsDep,
    response: Response,
) -> JobView:
    """Hands in a content picture and one to eight style pictures to be painted.

    With masks, each region of the content picture takes its style from the same region of the
    style pictures. They come together: one for the content picture and one for each style.
    """
    job = JobView.of(jobs.submit(form.pictures(), form.params(), form.priority))
    response.headers["Location"] = job.urls.self
    return job


def list_jobs(
    jobs: JobsDep,
    status: Status | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=r"^\d{20}:[0-9a-f]{32}$")] = None,
) -> JobPage:
    """The jobs, newest first."""
    found, following = jobs.list_newest(status=status, limit=limit, cursor=cursor)
    return JobPage(jobs=[JobView.of(job) for job in found], next_cursor=following)


def get_job(job_id: str, jobs: JobsDep) -> JobView:
    """A job as it is now."""
    return JobView.of(jobs.get(job_id))


def delete_job(job_id: str, jobs: JobsDep) -> None:
    """Forgets a job and its pictures; a running one is canceled first."""
    jobs.delete(job_id)


def cancel_job(job_id: str, jobs: JobsDep) -> JobView:
    """Cancels a job, waiting or running; a finished one stays as it is."""
    return JobView.of(jobs.cancel(job_id))


def get_result(job_id: str, jobs: JobsDep) -> Response:
    """The finished picture."""
    job = jobs.get(job_id)
    if job.result is None:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "no-result",
            "There is no result",
            f"The job has {'no' if job.status in FINAL else 'not yet a'} result. "
            f"Its status is: {job.status}.",
        )
    picture = jobs.blobs.get(job_id, "result")
    if picture is None:
        raise ProblemError(
            HTTPStatus.GONE, "result-expired", "The result is gone", "The picture has expired."
        )
    name = f"atelier-{job.id[:8]}.{job.result.format}"
    return Response(
        picture,
        media_type=MEDIA_TYPES[job.result.format],
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )


def get_preview(job_id: str, jobs: JobsDep) -> Response:
    """The newest preview, a JPEG."""
    jobs.get(job_id)
    preview = jobs.blobs.get(job_id, "preview")
    if preview is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "no-preview", "No preview yet", "There is no preview so far."
        )
    return Response(preview, media_type="image/jpeg")


def get_losses(job_id: str, jobs: JobsDep) -> Losses:
    """The loss curve so far, at most 200 points: the weighted losses before some of the steps."""
    jobs.get(job_id)
    losses = jobs.blobs.get(job_id, "losses")
    if losses is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "no-losses", "No losses yet", "There is no loss curve so far."
        )
    return Losses.model_validate_json(losses)
