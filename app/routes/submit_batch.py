"""POST /v1/batches: hand in an archive of pictures to be painted."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from app import examples, kinds
from app.answers import headers, links, problems
from app.batch.form import BatchForm, max_batch_form_bytes
from app.dependencies import BatchesDep, CallerDep
from app.form import FormRoute, each_field_once
from app.idempotency import IdempotencyKeyDep
from app.views import BatchView
from worker.settings import Settings

_LINKS = ("get_batch", "get_batch_result", "cancel_batch", "delete_batch")

_PROBLEMS = (
    kinds.BAD_REQUEST,
    kinds.KEY_IN_USE,
    kinds.TOO_LARGE,
    kinds.UNSUPPORTED_MEDIA_TYPE,
    kinds.UNSUPPORTED_PICTURE,
    kinds.INVALID_PARAMETER,
    kinds.BROKEN_PICTURE,
    kinds.PICTURE_SIZE,
    kinds.BROKEN_ARCHIVE,
    kinds.BATCH_SIZE,
    kinds.KEY_REUSED,
    kinds.TOO_MANY_JOBS,
    kinds.QUEUE_FULL,
)


def router(settings: Settings) -> APIRouter:
    """The endpoints, with the limits of the settings."""
    routes = APIRouter(tags=["batches"], route_class=FormRoute)
    routes.add_api_route(
        "/v1/batches",
        submit_batch,
        methods=["POST"],
        status_code=HTTPStatus.ACCEPTED,
        responses={
            HTTPStatus.ACCEPTED: links(*_LINKS, parameter="batch_id")
            | {"headers": headers("Location", "Idempotency-Replayed")},
            **problems(*_PROBLEMS),
        },
        dependencies=[Depends(each_field_once)],
        max_body_size=max_batch_form_bytes(settings),
    )
    return routes


def submit_batch(
    form: Annotated[
        BatchForm, Form(media_type="multipart/form-data", openapi_examples=examples.BATCH_FORM)
    ],
    batches: BatchesDep,
    caller: CallerDep,
    idempotency_key: IdempotencyKeyDep,
    response: Response,
) -> BatchView:
    """Hands in an archive of pictures, all to be painted in the same one to eight styles.

    Each becomes a job like any other as soon as there is room for it in the queue, and none
    has a webhook. A picture that is not taken is one of the `failures` from the beginning; an
    archive that is damaged, or has more in it than is taken, is refused as a whole.

    A request that is sent again with the same `Idempotency-Key` has the first one's answer, with
    `Idempotency-Replayed: true`, and makes no second batch.
    """
    order = form.order(caller, batches.settings, idempotency_key)
    batch = BatchView.of(batches.hand_in(order))
    if batch.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    response.headers["Location"] = batch.urls.self
    return batch
