"""/v1/session: a browser gives a key once, and gets a cookie for it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from app import kinds
from app.answers import problems
from app.dependencies import CallerDep
from app.problems import ProblemError
from app.sessions import COOKIE, Sessions

router = APIRouter(
    prefix="/v1/session",
    tags=["session"],
)


class SessionView(BaseModel):
    """Who is there.

    Attributes:
        owner: whose key it is; null where there are no keys.
        admin: whether the jobs of all others are shown too.
        keys_required: whether the service has keys.
    """

    owner: str | None
    admin: bool
    keys_required: bool


def _sessions(request: Request) -> Sessions:
    sessions = request.app.state.sessions
    assert isinstance(sessions, Sessions)
    return sessions


SessionsDep = Annotated[Sessions, Depends(_sessions)]


@router.get("")
def get_session(caller: CallerDep) -> SessionView:
    """Who is there, by key or by session."""
    return SessionView(
        owner=caller.owner, admin=caller.admin, keys_required=caller.key_digest is not None
    )


@router.post("", status_code=HTTPStatus.NO_CONTENT, responses=problems(kinds.NO_KEYS))
def begin_session(
    request: Request, response: Response, caller: CallerDep, sessions: SessionsDep
) -> None:
    """Begins a session for the key that the request brings, in a cookie that no script can read."""
    if caller.key_digest is None:
        raise ProblemError(kinds.NO_KEYS, "This Atelier asks for no key.")
    response.set_cookie(
        COOKIE,
        sessions.begin(caller.key_digest),
        max_age=sessions.ttl_seconds,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


@router.delete("", status_code=HTTPStatus.NO_CONTENT)
def end_session(request: Request, response: Response, sessions: SessionsDep) -> None:
    """Ends the session of the cookie."""
    if (token := request.cookies.get(COOKIE)) is not None:
        sessions.end(token)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
