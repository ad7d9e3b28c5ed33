"""/openapi.json: what FastAPI cannot know of the endpoints is added to what it does.

That is what is in front of them (keys, limits, checks of host and origin), and the settings.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from app import answers, examples, kinds
from app.authentication import SCHEMES, guarded
from app.batch import arriving
from app.keys import Keyring
from app.kinds import Kind
from app.messages import PreviewThere, StatusNow
from app.problems import Problem
from worker.settings import Settings

TAGS = [
    {"name": "jobs", "description": "Hand in pictures, follow the painting, fetch the result."},
    {"name": "batches", "description": "The same for all pictures of an archive."},
    {"name": "styles", "description": "Style pictures that come with Atelier."},
    {"name": "webhooks", "description": "Be called when a job has changed."},
    {"name": "session", "description": "A browser's session, in place of a key."},
    {"name": "system", "description": "Is it well, and what is it made of."},
]

#: What the pictures of a form may be.
_PICTURE_TYPES = "image/jpeg, image/png, image/webp, image/tiff"

#: What many of them may come in.
_ARCHIVE_TYPES = "application/zip, application/octet-stream"

#: Of answers. Here, for FastAPI takes all that is null out of an endpoint's own.
_EXAMPLES = {
    ("/v1/jobs", "post", "202"): examples.of_job(over=False),
    ("/v1/jobs", "post", "200"): examples.of_job(over=True),
    ("/v1/jobs/{job_id}", "get", "200"): examples.of_job(over=True),
    ("/v1/batches", "post", "202"): examples.of_batch(),
    ("/v1/batches/{batch_id}", "get", "200"): examples.of_batch(),
}

_WRITES = {"post", "put", "patch", "delete"}

_UNUSED = {"HTTPValidationError", "ValidationError"}


def install(app: FastAPI, settings: Settings, keyring: Keyring) -> None:
    """Completes the app's document, once, when it is first asked for."""
    incomplete = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(incomplete(), settings, has_keys=bool(keyring))
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI documents it


def _complete(document: dict[str, Any], settings: Settings, *, has_keys: bool) -> None:
    for path, method, operation in _operations(document):
        _drop_what_never_happens(operation)
        is_guarded = has_keys and guarded(path, open_metrics=settings.open_metrics)
        if is_guarded:
            operation["security"] = [{name: []} for name in SCHEMES]
        before = _kinds_before(path, method, settings, is_guarded=is_guarded)
        answers.add(operation["responses"], before)
        for answer in operation["responses"].values():
            answer["headers"] = answer.get("headers", {}) | _headers(path, settings)
        for parameter in operation.get("parameters", []):
            parameter["schema"] = _without_null(parameter["schema"])
    for webhook in document["webhooks"].values():
        _drop_what_never_happens(webhook["post"])
    _complete_form(document, "/v1/jobs", "JobForm", settings)
    _complete_form(document, "/v1/batches", "BatchForm", settings)
    for (path, method, status), example in _EXAMPLES.items():
        answer = document["paths"][path][method]["responses"][status]
        answer["content"]["application/json"]["example"] = example
    _complete_components(document["components"], has_keys=has_keys)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _drop_what_never_happens(operation: dict[str, Any]) -> None:
    """FastAPI's own 422: ours are problems, and endpoints without anything to check have none."""
    content = operation["responses"].get("422", {}).get("content", {})
    if "application/json" in content:
        del operation["responses"]["422"]


def _kinds_before(
    path: str, method: str, settings: Settings, *, is_guarded: bool
) -> Iterator[Kind]:
    """What may be said before an endpoint is reached."""
    yield from (kinds.MISDIRECTED, kinds.INTERNAL_ERROR)
    if is_guarded:
        yield from (kinds.NO_KEY, kinds.UNKNOWN_KEY)
    if method in _WRITES:
        yield kinds.CROSS_SITE
    if _is_counted(path, settings):
        yield kinds.TOO_MANY_REQUESTS
    if path.startswith("/v1/"):
        yield kinds.REDIS_UNREACHABLE
    if path.startswith("/v1/jobs/"):
        yield kinds.OTHER_VERSION


def _is_counted(path: str, settings: Settings) -> bool:
    """Whether an endpoint's requests are; signing in and out is not."""
    limited = settings.max_requests_per_minute > 0
    return limited and path.startswith("/v1/") and not path.startswith("/v1/session")


def _headers(path: str, settings: Settings) -> dict[str, Any]:
    limits = ("RateLimit", "RateLimit-Policy") if _is_counted(path, settings) else ()
    return answers.headers("X-Request-ID", *limits)


def _complete_form(document: dict[str, Any], path: str, form: str, settings: Settings) -> None:
    """Sizes and media types of files; and no null, which a form cannot send."""
    fields = document["components"]["schemas"][form]["properties"]
    encoding = {}
    for name, field in fields.items():
        fields[name] = described = _without_null(field)
        item = described.get("items", described)
        if "contentMediaType" in item:
            is_archive = name == arriving.FIELD
            item["maxLength"] = (
                settings.max_batch_bytes if is_archive else settings.max_upload_bytes
            )
            encoding[name] = {"contentType": _ARCHIVE_TYPES if is_archive else _PICTURE_TYPES}
    body = document["paths"][path]["post"]["requestBody"]["content"]
    body["multipart/form-data"]["encoding"] = encoding


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    some: list[dict[str, Any]] = [
        choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}
    ]
    if len(some) != 1:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if rest.get("default", ...) is None:
        del rest["default"]
    return some[0] | rest


def _complete_components(components: dict[str, Any], *, has_keys: bool) -> None:
    """The models that no endpoint returns by itself."""
    _, further = models_json_schema(
        [(model, "serialization") for model in (Problem, StatusNow, PreviewThere)],
        ref_template="#/components/schemas/{model}",
    )
    schemas = components["schemas"] | further["$defs"]
    kept = schemas.keys() - _UNUSED
    components["schemas"] = {name: schemas[name] for name in sorted(kept)}
    components["headers"] = answers.described_headers()
    if has_keys:
        components["securitySchemes"] = SCHEMES
