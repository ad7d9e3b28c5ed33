"""What endpoints say of their answers in the description of the API: problems, headers, media."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from app import examples
from app.kinds import RANGE_NOT_SATISFIABLE, RETRY_AFTER_SECONDS, TOO_MANY_REQUESTS, Kind
from app.problems import MEDIA_TYPE

#: As FastAPI takes them: a status and what is said of it.
Responses = dict[int | str, dict[str, Any]]

#: Headers of answers that mean something here, with what they say.
HEADERS = {
    "Accept-Ranges": "`bytes`: ranges of this can be asked for.",
    "Content-Disposition": "A name for the file.",
    "Content-Range": "Which bytes these are, and of how many.",
    "ETag": "Strong; another as soon as the answer is another.",
    "Idempotency-Replayed": "`true`: this was answered before, to the same `Idempotency-Key`.",
    "Location": "Where the job, the batch or the picture is.",
    "Preference-Applied": "`wait=N`: how long the answer was held at most.",
    "RateLimit": "How many requests are left (`r`) of this minute's, and its seconds left (`t`).",
    "RateLimit-Policy": "How many requests are taken (`q`) in so many seconds (`w`).",
    "Retry-After": "Seconds after which it is worth to ask again.",
    "WWW-Authenticate": "`Bearer`.",
    "X-Request-ID": "The request's name in the service's log: the client's own, or a new one.",
}

#: The others are there whenever they are named.
_SOMETIMES = {"Idempotency-Replayed", "Preference-Applied", "RateLimit", "RateLimit-Policy"}


def headers(*names: str) -> dict[str, Any]:
    """These headers of an answer."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def described_headers() -> dict[str, Any]:
    """All of them, for the components of the document."""
    return {
        name: {
            "description": words,
            "required": name not in _SOMETIMES,
            "schema": {"type": "string"},
        }
        for name, words in HEADERS.items()
    }


def problems(*kinds: Kind) -> Responses:
    """The answers that these kinds of problems are."""
    told: Responses = {}
    add(told, kinds)
    return told


def add(told: Responses, kinds: Iterable[Kind]) -> None:
    """Adds kinds of problems to what is said of an endpoint's answers."""
    for kind in kinds:
        answer = told.setdefault(str(kind.status.value), {})
        media = answer.setdefault("content", {}).setdefault(MEDIA_TYPE, {})
        media["schema"] = {"$ref": "#/components/schemas/Problem"}
        media.setdefault("examples", {})[kind.slug] = {
            "summary": kind.title,
            "value": examples.of_problem(kind),
        }
        answer["description"] = "; ".join(
            f"`{slug}`: {example['summary']}" for slug, example in media["examples"].items()
        )
        answer["headers"] = answer.get("headers", {}) | headers(*_headers_of(kind))


def _headers_of(kind: Kind) -> Iterator[str]:
    if kind in RETRY_AFTER_SECONDS or kind == TOO_MANY_REQUESTS:
        yield "Retry-After"
    if kind.status == HTTPStatus.UNAUTHORIZED:
        yield "WWW-Authenticate"
    if kind == RANGE_NOT_SATISFIABLE:
        yield "Content-Range"


def media(*types: str) -> dict[str, Any]:
    """Content that is no JSON (OpenAPI 3.1, section 4.8.14.2): binary, so without a schema."""
    return {"content": {kind: {} for kind in types}}


def links(*operations: str, parameter: str) -> dict[str, Any]:
    """Where to go on from what an answer shows, whose ``id`` is a parameter of these operations."""
    return {
        "links": {
            name: {"operationId": name, "parameters": {parameter: "$response.body#/id"}}
            for name in operations
        }
    }


def a_stream() -> dict[str, Any]:
    """Events as an answer, each with its data (``itemSchema`` is OpenAPI 3.2's, as FastAPI's)."""
    data: dict[str, dict[str, Any]] = {
        "status": {"$ref": "#/components/schemas/StatusNow"},
        "progress": {"$ref": "#/components/schemas/JobProgress"},
        "preview": {"$ref": "#/components/schemas/PreviewThere"},
        "done": {"anyOf": [{"$ref": "#/components/schemas/JobView"}, {"type": "null"}]},
    }
    return {
        "description": "Server-sent events until `done`; comments between them say that it lives.",
        "content": {
            "text/event-stream": {
                "example": examples.of_stream(),
                "itemSchema": {"oneOf": [_event(kind, schema) for kind, schema in data.items()]},
            }
        },
    }


def _event(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    return {
        "type": "object",
        "properties": {"event": {"const": kind}, "data": data, "id": {"type": "string"}},
        "required": ["event", "data"],
    }
