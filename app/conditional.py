"""Conditional requests and ranges (RFC 9110, sections 13 and 14) on an answer that is at hand.

Starlette has these for files alone: its ``FileResponse`` and ``StaticFiles`` want a path.
"""

import hashlib
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from starlette.staticfiles import NotModifiedResponse

from app import answers, kinds
from app.answers import Responses
from app.problems import respond

#: The headers that are looked at, for the description of an endpoint that answers so.
_CONDITIONS = {
    "If-Match": "Entity tags: 412 unless one of them is that of what is here.",
    "If-None-Match": "Entity tags: 304 if one of them is that of what is here.",
    "Range": "`bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-LENGTH`: 206 with these bytes alone.",
    "If-Range": "An entity tag: `Range` is left aside unless it is that of what is here.",
}
PARAMETERS: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "header", "description": words, "schema": {"type": "string"}}
        for name, words in _CONDITIONS.items()
    ]
}

#: An entity tag in a list of them (RFC 9110, section 8.8.3).
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')

#: One range of bytes (RFC 9110, section 14.1.2). Several, or other units, are as if not asked for.
_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


def responses(*media_types: str, **described: Any) -> Responses:
    """What an endpoint that answers so may say, in these media types."""
    whole = answers.headers("ETag", "Accept-Ranges", *described.pop("headers", ()))
    return {
        HTTPStatus.OK: {"headers": whole, **described},
        HTTPStatus.PARTIAL_CONTENT: {
            "description": "The range that was asked for.",
            "headers": whole | answers.headers("Content-Range"),
            **answers.media(*media_types),
        },
        HTTPStatus.NOT_MODIFIED: {
            "description": "What `If-None-Match` names still holds.",
            "headers": answers.headers("ETag"),
        },
        **answers.problems(kinds.PRECONDITION_FAILED, kinds.RANGE_NOT_SATISFIABLE),
    }


def tag_of(data: bytes) -> str:
    """The strong entity tag of an answer: other bytes, another tag."""
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def names(field: str, data: bytes) -> bool:
    """Whether ``If-None-Match`` names these bytes, by the weak comparison (section 8.8.3.2)."""
    tags = {tag for _, tag in _TAG.findall(field)}
    return field.strip() == "*" or tag_of(data) in tags


def listed(request: Request, name: str) -> str | None:
    """A field whose value is a list, which may come in several lines (RFC 9110, section 5.3)."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None


def answer(
    request: Request, data: bytes, media_type: str, *, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer to a GET: whole, a part of it, or that what the client has still holds.

    In the order of RFC 9110, section 13.2.2: If-Match, If-None-Match, If-Range and Range.
    """
    tag, asked = tag_of(data), request.headers
    tags = listed(request, "If-Match")
    if tags is not None and not _matches_strongly(tags, tag):
        return _other()
    whole = Response(
        data,
        headers={"ETag": tag, "Accept-Ranges": "bytes", **(headers or {})},
        media_type=media_type,
    )
    tags = listed(request, "If-None-Match")
    if tags is not None and names(tags, data):
        return NotModifiedResponse(whole.headers)
    part = _RANGE.fullmatch(asked.get("Range", ""))
    if part is None or asked.get("If-Range", tag) != tag:
        return whole
    return _part(whole, data, *part.groups())


def _part(whole: Response, data: bytes, first: str, last: str) -> Response:
    """206 with the range, or 416 where it has none of the bytes (RFC 9110, sections 14.4, 15.5.17).

    ``first`` is empty where the last so many bytes are asked for, ``last`` where all from there.
    """
    size = len(data)
    if not first and not last:
        return whole
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1, size) if first and last else size
    if first and last and int(last) < int(first):  # not a range: as if not asked for
        return whole
    if start >= end:
        return _not_satisfiable(size)
    headers = dict(whole.headers) | {"Content-Range": f"bytes {start}-{end - 1}/{size}"}
    del headers["content-length"]
    return Response(data[start:end], HTTPStatus.PARTIAL_CONTENT, headers)


def _matches_strongly(field: str, tag: str) -> bool:
    return field.strip() == "*" or ("", tag) in _TAG.findall(field)


def _other() -> Response:
    return respond(
        kinds.PRECONDITION_FAILED,
        "What is here is not what If-Match names.",
    )


def _not_satisfiable(size: int) -> Response:
    return respond(
        kinds.RANGE_NOT_SATISFIABLE,
        f"There are {size} bytes, and none of them in this range.",
        headers={"Content-Range": f"bytes */{size}"},
    )
