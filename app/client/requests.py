"""What can be asked of a server: each request as data, and how its answer is read.

Both clients send these, so what a request is has one definition.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import uuid4

import httpx
from pydantic import BaseModel, ValidationError

from app.client.failures import Unreachable
from model.errors import InputError, ParameterError
from model.params import StyleTransferParams
from worker.pictures import Pictures
from worker.records import Job, Losses, Status

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)

#: A picture file, or where it is.
Picture = bytes | Path

#: What the server is asked to hold an answer for at most, in seconds.
WAIT_SECONDS = 30

#: How long an answer may take that is not held, in seconds.
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Ask(Generic[T]):
    """A request.

    Attributes:
        method: of HTTP.
        path: below the server's URL.
        read: makes of the answer what the caller wants.
        repeatable: asking twice does what asking once does.
        options: of ``httpx.Client.request``.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    repeatable: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


class JobsPage(BaseModel):
    """Some of the jobs, newest first, and where the next page begins; None after the last."""

    jobs: list[Job]
    next_cursor: str | None


def client_options(url: str, api_key: str | None) -> dict[str, Any]:
    """Options of ``httpx.Client`` for one server.

    Raises:
        Unreachable: it is no URL.
    """
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        raise _no_url(url) from None
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise _no_url(url)
    # A proxy of the environment does not lead to this machine.
    here = parts.host in {"127.0.0.1", "::1", "localhost"}
    headers = {"Authorization": f"Bearer {api_key.strip()}"} if api_key else {}
    return {
        "base_url": url,
        "timeout": PATIENCE_SECONDS + WAIT_SECONDS,
        "trust_env": not here,
        "headers": headers,
    }


def submit(
    content: Picture,
    styles: Sequence[Picture],
    params: StyleTransferParams | Mapping[str, Any],
    *,
    content_mask: Picture | None,
    style_masks: Sequence[Picture],
    idempotency_key: str | None,
    **fields: Any,
) -> Ask[Job]:
    """Hands in a job. Under a key of its own, so that it may be sent twice and be one."""
    pictures = Pictures(
        _bytes(content),
        [_bytes(style) for style in styles],
        None if content_mask is None else _bytes(content_mask),
        [_bytes(mask) for mask in style_masks],
    )
    asked = _params(params).model_dump(mode="json", exclude_unset=True) | fields
    options = {
        "files": [(name, (name, data)) for name, data in pictures.by_field()],
        "data": {name: _form(value) for name, value in asked.items() if value is not None},
        "headers": {"Idempotency-Key": idempotency_key or uuid4().hex},
    }
    return Ask("POST", "/v1/jobs", _model(Job), options=options)


def get(job_id: str) -> Ask[Job]:
    """A job as it is now."""
    return Ask("GET", f"/v1/jobs/{job_id}", _model(Job))


def get_changed(job: Job, etag: str | None, seconds: float) -> Ask[tuple[Job, str | None]]:
    """The job when it has changed since its ETag, or unchanged after so many seconds."""

    def read(response: httpx.Response) -> tuple[Job, str | None]:
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return job, etag
        return _model(Job)(response), response.headers.get("etag")

    headers = {"If-None-Match": etag} if etag else {}
    wait = {"wait": math.ceil(min(WAIT_SECONDS, seconds))} if etag else {}
    options = {"params": wait, "headers": headers}
    return Ask("GET", f"/v1/jobs/{job.id}", read, options=options)


def list_jobs(status: Status | None, limit: int, cursor: str | None) -> Ask[JobsPage]:
    """A page of jobs."""
    asked = {"status": status, "limit": limit, "cursor": cursor}
    params = {name: value for name, value in asked.items() if value is not None}
    return Ask("GET", "/v1/jobs", _model(JobsPage), options={"params": params})


def cancel(job_id: str) -> Ask[Job]:
    """Cancels a job; a finished one stays as it is."""
    return Ask("POST", f"/v1/jobs/{job_id}/cancel", _model(Job))


def retry(job_id: str) -> Ask[Job]:
    """Queues a job that failed once more."""
    # Not repeated: the second time it waits, and that is refused.
    return Ask("POST", f"/v1/jobs/{job_id}/retry", _model(Job), repeatable=False)


def delete(job_id: str) -> Ask[None]:
    """Forgets a job and its pictures."""
    # Not repeated: the second time there is no such job.
    return Ask("DELETE", f"/v1/jobs/{job_id}", lambda _: None, repeatable=False)


def result(job_id: str) -> Ask[bytes]:
    """The finished picture's file."""
    # The store may have it; httpx sends the key to no other server.
    options = {"follow_redirects": True}
    path = f"/v1/jobs/{job_id}/result"
    return Ask("GET", path, lambda response: response.content, options=options)


def preview(job_id: str) -> Ask[bytes]:
    """The newest preview, a JPEG."""
    return Ask("GET", f"/v1/jobs/{job_id}/preview", lambda response: response.content)


def losses(job_id: str) -> Ask[Losses]:
    """The loss curve so far."""
    return Ask("GET", f"/v1/jobs/{job_id}/losses", _model(Losses))


def system() -> Ask[dict[str, Any]]:
    """What the server says of itself."""
    return Ask("GET", "/v1/system", lambda response: dict(response.json()))


def _model(model: type[Model]) -> Callable[[httpx.Response], Model]:
    def read(response: httpx.Response) -> Model:
        try:
            return model.model_validate_json(response.content)
        except ValidationError:
            server = str(response.url).removesuffix(response.url.raw_path.decode())
            raise Unreachable(f"{server} is not an Atelier.") from None

    return read


def _params(params: StyleTransferParams | Mapping[str, Any]) -> StyleTransferParams:
    if isinstance(params, StyleTransferParams):
        return params
    try:
        return StyleTransferParams(**params)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "parameters"
        message = f"{name}: {first['msg']}. Received: {first['input']!r}."
        raise ParameterError(message, field=name) from None


def _bytes(picture: Picture) -> bytes:
    if isinstance(picture, bytes):
        return picture
    try:
        return picture.read_bytes()
    except OSError as error:
        raise InputError(f"{picture} cannot be read: {error.strerror}.") from None


def _form(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _no_url(url: str) -> Unreachable:
    return Unreachable(f"A server's URL looks like http://127.0.0.1:8000. Received: {url!r}.")
