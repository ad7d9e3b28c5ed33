"""Every request seen: its id, its trace, how long it took, and a line in the log."""

import logging
import re
import time
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.metrics import Metrics
from worker import logs, tracing

logger = logging.getLogger(__name__)

#: Asked every few seconds by machines: no trace, and a line in the log only at level debug.
_PROBES = {"/livez", "/readyz", "/metrics"}

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

#: What a client may call a request: ids of all common kinds, nothing that means something in a log.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:=+/-]{1,64}")

_JOB_ID = re.compile("[0-9a-f]{32}")

#: FastAPI's own server spans, where the SDK is set up. Metrics are ours, and logs stay here.
TELEMETRY = TelemetryConfig(
    metrics=False,
    logs=False,
    operation_spans=False,
    auto_configure=False,
    exclude=lambda scope: scope["path"] in _PROBES,
)


def install(app: FastAPI, metrics: Metrics) -> None:
    """Puts the observer around the app; to be called last, so that it is outermost."""
    app.add_middleware(Observer, metrics=metrics)


class Observer:
    """ASGI middleware: what the client may know of it is the header ``X-Request-ID``."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, from its first byte to the last of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers.get("x-request-id", ""))
        visit = _Visit(scope, self._metrics)

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
                visit.answered(message["status"])
            await send(message)

        with (
            logs.about(request_id=request_id),
            tracing.in_trace_of(headers.getlist("traceparent")),
        ):
            try:
                await self._app(scope, receive, send_named)
            except Exception:
                if visit.status is None:  # what is outside of all middleware answers now
                    visit.answered(HTTPStatus.INTERNAL_SERVER_ERROR)
                raise
            finally:
                visit.log()


class _Visit:
    """The course of one request."""

    def __init__(self, scope: Scope, metrics: Metrics) -> None:
        self.status: int | None = None
        self._scope = scope
        self._metrics = metrics
        self._began = time.perf_counter()

    def answered(self, status: int) -> None:
        """The answer begins; a stream may go on for hours after it."""
        self.status = status
        self._metrics.answered(_handler(self._scope, status), self._method, status, self._seconds)

    def log(self) -> None:
        """One line, when all is over."""
        scope, status = self._scope, self.status or 0  # 0: the client left before an answer
        facts: dict[str, Any] = {
            "method": self._method,
            "route": _handler(scope, status),
            "status": status,
            "ms": round(1000 * self._seconds, 1),
            "client": scope["client"][0] if scope.get("client") else "local",
        }
        level = logging.DEBUG if scope["path"] in _PROBES else logging.INFO
        with logs.about(**_job(scope)):
            logger.log(level, "%s %s %d %s ms %s", *facts.values(), extra=facts)

    @property
    def _seconds(self) -> float:
        return time.perf_counter() - self._began

    @property
    def _method(self) -> str:
        method = self._scope["method"]
        return method if method in _METHODS else "other"


def _request_id(asked: str) -> str:
    return asked if _REQUEST_ID.fullmatch(asked) else uuid4().hex


def _handler(scope: Scope, status: int) -> str:
    """The route's template: paths themselves are without number, and anybody may make them up."""
    if "route" in scope:
        return str(scope["route"].path)
    is_page = HTTPStatus.OK <= status < HTTPStatus.BAD_REQUEST  # the page's files have no route
    return "/" if is_page else "none"


def _job(scope: Scope) -> dict[str, str]:
    job_id = str(scope.get("path_params", {}).get("job_id", ""))
    return {"job_id": job_id} if _JOB_ID.fullmatch(job_id) else {}
