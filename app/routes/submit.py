"""POST /v1/jobs: hand in pictures to be painted."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from app import examples, kinds
from app.answers import headers, links, problems
from app.dependencies import CallerDep, EventsDep, JobsDep
from app.form import FormRoute, JobForm, each_field_once, max_form_bytes
from app.idempotency import IdempotencyKeyDep
from app.views import JobView
from app.waiting import PreferDep, until
from worker.connections import RedisAway
from worker.records import FINAL
from worker.settings import Settings

_HEADERS = headers("Location", "Idempotency-Replayed", "Preference-Applied")

_LINKS = ("get_job", "get_events", "get_result", "cancel_job", "delete_job")

_PROBLEMS = (
    kinds.BAD_REQUEST,
    kinds.NO_SUCH_JOB,  # deleted while its answer was held
    kinds.KEY_IN_USE,
    kinds.TOO_LARGE,
    kinds.UNSUPPORTED_MEDIA_TYPE,
    kinds.UNSUPPORTED_PICTURE,
    kinds.INVALID_PARAMETER,
    kinds.BROKEN_PICTURE,
    kinds.PICTURE_SIZE,
    kinds.KEY_REUSED,
    kinds.TOO_MANY_JOBS,
    kinds.QUEUE_FULL,
)


def router(settings: Settings) -> APIRouter:
    """The endpoint, with the limits of the settings."""
    routes = APIRouter(tags=["jobs"], route_class=FormRoute)
    routes.add_api_route(
        "/v1/jobs",
        submit_and_wait,
        methods=["POST"],
        status_code=HTTPStatus.ACCEPTED,
        operation_id="submit",
        summary="Submit",
        responses={
            HTTPStatus.ACCEPTED: links(*_LINKS, parameter="job_id") | {"headers": _HEADERS},
            HTTPStatus.OK: {
                **links(*_LINKS, parameter="job_id"),
                "model": JobView,
                "description": "A job that has ended: an identical one that was painted before "
                "(`reused`), or this one while the answer was held.",
                "headers": _HEADERS,
            },
            **problems(*_PROBLEMS),
        },
        dependencies=[Depends(each_field_once)],
        max_body_size=max_form_bytes(settings),
    )
    return routes


def submit(
    form: Annotated[
        JobForm, Form(media_type="multipart/form-data", openapi_examples=examples.FORM)
    ],
    jobs: JobsDep,
    caller: CallerDep,
    idempotency_key: IdempotencyKeyDep,
    response: Response,
) -> JobView:
    """Hands in, on a thread of its own: pictures are checked, and Redis is waited for."""
    limits = jobs.settings.picture_limits
    job = JobView.of(jobs.submit(form.submission(caller, limits, idempotency_key)))
    if job.reused:
        response.status_code = HTTPStatus.OK
    if job.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    response.headers["Location"] = job.urls.self
    return job


async def submit_and_wait(
    job: Annotated[JobView, Depends(submit)],
    events: EventsDep,
    response: Response,
    prefer: PreferDep,
) -> JobView:
    """Hands in a content picture and one to eight style pictures to be painted.

    With masks, each region of the content picture takes its style from the same region of the
    style pictures. They come together: one for the content picture and one for each style.

    `Prefer: wait=60` (RFC 7240) holds the answer until the job has ended, at most so many seconds:
    200 if it has, 202 if it has not.

    A request that is sent again with the same `Idempotency-Key` has the first one's answer, with
    `Idempotency-Replayed: true`, and makes no second job.
    """
    if prefer is None:
        return job
    try:
        now = await until(lambda now: now.status in FINAL, job.id, events, prefer)
    except RedisAway:  # the job is there: whoever was told to come again would hand in another
        return job
    response.headers["Preference-Applied"] = f"wait={prefer}"
    if now.status in FINAL:
        response.status_code = HTTPStatus.OK
    return JobView.of(now.model_copy(update={"reused": job.reused}))
