"""The error answers (RFC 9457): what went wrong becomes a problem document.

One table says which status an error class has; its type and title are the class's own.
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from model import errors
from worker import admission, idempotency, ledger
from worker.connections import RedisAway, RedisUnreachableError
from worker.records import problem_type

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

#: The most specific class of an error that is in here decides.
STATUS: Mapping[type[Exception], HTTPStatus] = {
    errors.AtelierError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnsupportedPictureError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ledger.NoSuchJob: HTTPStatus.NOT_FOUND,
    admission.QueueFull: HTTPStatus.SERVICE_UNAVAILABLE,
    admission.TooManyJobs: HTTPStatus.TOO_MANY_REQUESTS,
    idempotency.KeyInUse: HTTPStatus.CONFLICT,
}

#: When to come back, in seconds: a restart of Redis is over by then, and so is a draft.
RETRY_AFTER_SECONDS = {
    "redis-unreachable": 2,
    "queue-full": 30,
    "too-many-jobs": 30,
    "idempotency-key-in-use": 1,
    "not-ready": 5,
}


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class Problem(BaseModel):
    """An error answer (RFC 9457, section 3.1); ``errors`` names the fields at fault."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


class ProblemError(Exception):
    """A problem with a status of its own, raised by an endpoint."""

    def __init__(self, status: HTTPStatus, slug: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.slug, self.title, self.detail = status, slug, title, detail


def respond(
    status: HTTPStatus,
    slug: str,
    title: str,
    detail: str,
    *,
    fields: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer that a problem is."""
    problem = Problem(
        type=problem_type(slug), title=title, status=status, detail=detail, errors=list(fields)
    )
    retry = RETRY_AFTER_SECONDS.get(slug)
    return JSONResponse(
        problem.model_dump(exclude_defaults=True),
        status,
        {**(headers or {}), **({"Retry-After": str(retry)} if retry else {})},
        MEDIA_TYPE,
    )


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem document."""
    app.add_exception_handler(errors.AtelierError, _on_atelier_error)
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    for error in RedisAway:
        app.add_exception_handler(error, _on_redis_away)


def _on_atelier_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.AtelierError)
    status = next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)
    field = getattr(error, "field", None)
    fields = [FieldError(field=field, message=str(error))] if field else []
    return respond(status, error.slug, error.title, str(error), fields=fields)


def _on_problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return respond(error.status, error.slug, error.title, error.detail)


def _on_invalid_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # One sentence for each field: further ones are mostly consequences of the first.
    by_field = {item.field: item for item in map(_field_error, reversed(error.errors()))}
    found = list(reversed(by_field.values()))
    return respond(
        STATUS[errors.InputError],
        errors.ParameterError.slug,
        errors.ParameterError.title,
        "; ".join(f"{item.field}: {item.message}" for item in found),
        fields=found,
    )


def _field_error(item: Mapping[str, Any]) -> FieldError:
    place = item["loc"][1:]  # the first part is body, query or path
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        message = "There is no such field"
    elif "UploadFile" in message:
        return FieldError(field=str(place[0]), message="A file is needed here, not text")
    received = item.get("input")
    if isinstance(received, str | int | float | None) and item["type"] != "missing":
        message += f". Received: {_shortened(received)}"
    return FieldError(field=str(place[0]) if place else "request", message=message)


def _shortened(received: object, length: int = 80) -> str:
    text = repr(received)
    return text if len(text) <= length else f"{text[:length]}..."


def _on_http_exception(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return too_large()
    slug = status.phrase.lower().replace(" ", "-")
    return respond(status, slug, status.phrase, str(error.detail), headers=error.headers)


def of_status(code: int, headers: Mapping[str, str]) -> JSONResponse:
    """The problem that a status tells by itself; the range that there is, is told as well."""
    status = HTTPStatus(code)
    slug = status.phrase.lower().replace(" ", "-")
    told = {name: value for name, value in headers.items() if name == "content-range"}
    return respond(status, slug, status.phrase, f"{status.description}.", headers=told)


def _on_redis_away(_request: Request, error: Exception) -> JSONResponse:
    return redis_away(error)


def redis_away(error: Exception) -> JSONResponse:
    """The answer when one of ``RedisAway`` was raised."""
    logger.warning("Redis does not answer: %s", error)
    return respond(
        HTTPStatus.SERVICE_UNAVAILABLE,
        RedisUnreachableError.slug,
        RedisUnreachableError.title,
        "The queue does not answer at the moment. Jobs are safe; try again soon.",
    )


def too_large() -> JSONResponse:
    """The answer to a body above the limit."""
    return respond(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-large",
        "The request is too large",
        "The pictures together are larger than what is taken here.",
    )


def internal_error() -> JSONResponse:
    """The answer when the fault is ours; the log has the trace."""
    return respond(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal-error",
        "Something broke on our side",
        "This is a fault of the service, not of the request. It has been logged.",
    )
