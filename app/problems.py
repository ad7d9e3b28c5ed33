"""The error answers (RFC 9457): what went wrong becomes a problem document.

Which kinds there are is in ``app.kinds``.
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

from app import kinds, methods
from app.kinds import Kind
from model import errors
from worker.connections import RedisAway
from worker.records import problem_type

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


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
    """A problem of a kind that no error class stands for, raised by an endpoint."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail


def respond(
    kind: Kind,
    detail: str,
    *,
    fields: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer that a problem is."""
    problem = Problem(
        type=problem_type(kind.slug),
        title=kind.title,
        status=kind.status,
        detail=detail,
        errors=list(fields),
    )
    retry = kinds.RETRY_AFTER_SECONDS.get(kind)
    return JSONResponse(
        problem.model_dump(exclude_defaults=True),
        kind.status,
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
    field = getattr(error, "field", None)
    fields = [FieldError(field=field, message=str(error))] if field else []
    return respond(kinds.of_error(type(error)), str(error), fields=fields)


def _on_problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return respond(error.kind, error.detail)


def _on_invalid_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # One sentence for each field: further ones are mostly consequences of the first.
    by_field = {item.field: item for item in map(_field_error, reversed(error.errors()))}
    found = list(reversed(by_field.values()))
    return respond(
        kinds.INVALID_PARAMETER,
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


def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return too_large()
    if isinstance(error.__cause__, OSError):  # the framework takes it for a fault of the form
        return _no_room(error.__cause__)
    if status == HTTPStatus.NOT_FOUND and methods.of_api(request):
        # The page below all endpoints was looked through for a file: a GET of what takes POST.
        return _on_http_exception(request, HTTPException(HTTPStatus.METHOD_NOT_ALLOWED))
    headers = dict(error.headers or {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(methods.allowed(request))
    return respond(kinds.of_status(status), str(error.detail), headers=headers)


def of_status(code: int, headers: Mapping[str, str]) -> JSONResponse:
    """The problem that a status tells by itself; the range that there is, is told as well."""
    status = HTTPStatus(code)
    told = {name: value for name, value in headers.items() if name == "content-range"}
    return respond(kinds.of_status(status), f"{status.description}.", headers=told)


def _on_redis_away(_request: Request, error: Exception) -> JSONResponse:
    return redis_away(error)


def redis_away(error: Exception) -> JSONResponse:
    """The answer when one of ``RedisAway`` was raised."""
    logger.warning("Redis does not answer: %s", error)
    return respond(
        kinds.REDIS_UNREACHABLE,
        "The queue does not answer at the moment. Jobs are safe; try again soon.",
    )


def _no_room(error: OSError) -> JSONResponse:
    """The answer when pictures could not be put down while they came in."""
    logger.error("The temporary folder cannot be written: %s", error)
    return respond(
        kinds.QUEUE_FULL, "There is no room for the pictures at the moment. Try again soon."
    )


def too_large() -> JSONResponse:
    """The answer to a body above the limit."""
    return respond(
        kinds.TOO_LARGE,
        "The pictures together are larger than what is taken here.",
    )


def internal_error() -> JSONResponse:
    """The answer when the fault is ours; the log has the trace."""
    return respond(
        kinds.INTERNAL_ERROR,
        "This is a fault of the service, not of the request. It has been logged.",
    )
