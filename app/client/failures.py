"""What may go wrong between a client and a server, and how long it is worth another try."""

import json
from typing import Any

import httpx

from model.errors import AtelierError

#: Waits before a request is tried again, in seconds, where the server names none.
_PAUSES = (0.5, 1.0, 2.0)

#: A server that asks for more patience than this is not waited for, in seconds.
_LONGEST_PAUSE = 30.0

#: Answers after which the same request may succeed: too many, bad gateway, unavailable, timeout.
_PASSING = {429, 502, 503, 504}


class ServerError(AtelierError):
    """The server refused, failed, or could not be reached."""

    slug = "server"
    title = "The server did not do it"


class Unreachable(ServerError):  # noqa: N818 - reads better where it is raised and caught
    """There was no answer, or none of an Atelier."""


class Refused(ServerError):  # noqa: N818 - likewise
    """The server's answer is an error.

    Attributes:
        status: of HTTP.
        type: of the problem (RFC 9457), stable, such as ``urn:atelier:problem:queue-full``.
        errors: what is wrong with which fields, each with ``field`` and ``message``.
        retry_after: seconds after which the server thinks another try worth it, or None.
    """

    def __init__(self, response: httpx.Response) -> None:
        problem = _problem(response)
        reason = f"The server answered {response.status_code} {response.reason_phrase}."
        super().__init__(str(problem.get("detail", reason)))
        self.status = response.status_code
        self.type = str(problem.get("type", "about:blank"))
        self.errors: list[dict[str, str]] = problem.get("errors", [])
        after = response.headers.get("retry-after", "")
        self.retry_after = float(after) if after.isdecimal() else None


def unreachable(url: httpx.URL, error: httpx.HTTPError) -> Unreachable:
    """The failure that an error of the transport is."""
    reason = str(error).rstrip(".") or type(error).__name__
    return Unreachable(f"{url} does not answer: {reason}.")


class Patience:
    """How long one request is tried."""

    def __init__(self) -> None:
        self._pauses = iter(_PAUSES)

    def pause(self, failure: ServerError, *, repeatable: bool) -> float:
        """Seconds to wait before the next try.

        Raises:
            ServerError: the failure, where there is no next try.
        """
        pause = next(self._pauses, None)
        passing = isinstance(failure, Unreachable) or (
            isinstance(failure, Refused) and failure.status in _PASSING
        )
        if not (repeatable and passing) or pause is None:
            raise failure
        asked = failure.retry_after if isinstance(failure, Refused) else None
        if asked is not None and asked > _LONGEST_PAUSE:
            raise failure
        return pause if asked is None else asked


def _problem(response: httpx.Response) -> dict[str, Any]:
    if response.headers.get("content-type") != "application/problem+json":
        return {}
    try:
        found = json.loads(response.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
