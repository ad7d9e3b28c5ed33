"""``Allow``: which methods a path takes (RFC 9110, section 10.2.1).

The framework names those of one route, which may be one of several, or of the page below them all.
"""

from fastapi import Request
from starlette.routing import Match, Mount

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def allowed(request: Request) -> list[str]:
    """The methods that the path of a request takes; HEAD wherever there is GET."""
    found = of_api(request) or ["GET"]  # the page's files
    return sorted([*found, "HEAD"] if "GET" in found else found)


def of_api(request: Request) -> list[str]:
    """The methods for which there is an endpoint at the path of a request."""
    api = [route for route in request.app.routes if not isinstance(route, Mount)]
    return [
        method
        for method in _METHODS
        if any(route.matches(_asked_with(method, request))[0] == Match.FULL for route in api)
    ]


def _asked_with(method: str, request: Request) -> dict[str, object]:
    return {**request.scope, "method": method}
