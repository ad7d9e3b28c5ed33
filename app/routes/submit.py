"""POST /v1/jobs: hand in pictures to be painted."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from app.dependencies import CallerDep, JobsDep
from app.form import JobForm, each_field_once, max_form_bytes
from app.problems import Problem
from app.views import JobView
from worker.settings import Settings


def router(settings: Settings) -> APIRouter:
    """The endpoint, with the limits of the settings."""
    routes = APIRouter(
        tags=["jobs"],
        responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
    )
    routes.add_api_route(
        "/v1/jobs",
        submit,
        methods=["POST"],
        status_code=HTTPStatus.ACCEPTED,
        dependencies=[Depends(each_field_once)],
        max_body_size=max_form_bytes(settings),
    )
    return routes


def submit(
    form: Annotated[JobForm, Form(media_type="multipart/form-data")],
    jobs: JobsDep,
    caller: CallerDep,
    response: Response,
) -> JobView:
    """Hands in a content picture and one to eight style pictures to be painted.

    With masks, each region of the content picture takes its style from the same region of the
    style pictures. They come together: one for the content picture and one for each style.
    """
    job = JobView.of(jobs.submit(form.submission(caller.owner)))
    response.headers["Location"] = job.urls.self
    return job
