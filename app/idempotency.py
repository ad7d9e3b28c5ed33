"""The ``Idempotency-Key`` header (draft-ietf-httpapi-idempotency-key-header-07, section 2.1)."""

import re
from typing import Annotated

from fastapi import Depends, Header, Request

from model.errors import ParameterError
from worker.idempotency import HEADER

#: A string of structured fields (RFC 9651, section 3.3.3), and what many clients send instead.
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_BARE = re.compile(r'[^"].*')

#: Visible ASCII.
_KEY = re.compile("[!-~]{1,255}")

_DESCRIPTION = (
    "The client's own name of this request, 1 to 255 visible ASCII characters, such as a UUID; in "
    "double quotes, or bare. A request sent again with it makes no second job or batch."
)


def _idempotency_key(
    request: Request,
    _documented: Annotated[str | None, Header(alias=HEADER, description=_DESCRIPTION)] = None,
) -> str | None:
    """The key, without its quotes; None where there is none.

    Raises:
        ParameterError: it is not as it should be.
    """
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    key = _unquoted(given[0].strip())
    if len(given) > 1 or key is None or not _KEY.fullmatch(key):
        raise ParameterError(
            f"{HEADER} is one of 1 to 255 visible ASCII characters. "
            f"Received: {', '.join(given)[:80]!r}.",
            field=HEADER,
        )
    return key


def _unquoted(given: str) -> str | None:
    if quoted := _QUOTED.fullmatch(given):
        return re.sub(r'\\(["\\])', r"\1", quoted[1])
    return given if _BARE.fullmatch(given) else None


IdempotencyKeyDep = Annotated[str | None, Depends(_idempotency_key)]
