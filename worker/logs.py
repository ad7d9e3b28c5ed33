"""How a process of Atelier writes its log: one line per event on stderr, as text or as JSON.

A line says what it is about: the request, the job, the trace. That is taken from the context of
the thread or task that writes it, so that those who log need not carry it along.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from opentelemetry import trace
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

_TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"

_subjects: ContextVar[Mapping[str, str]] = ContextVar("subjects", default=MappingProxyType({}))


@contextmanager
def about(**subjects: str) -> Iterator[None]:
    """Meanwhile lines are about these, such as ``job_id``, beside what they are about already."""
    token = _subjects.set({**_subjects.get(), **subjects})
    try:
        yield
    finally:
        _subjects.reset(token)


class TextFormatter(logging.Formatter):
    """For people: what a line is about comes after what it says; the trace's id is left out."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line without a stack trace."""
        named = " ".join(f"{name}={value}" for name, value in _subjects.get().items())
        return super().formatMessage(record) + (f" [{named}]" if named else "")


class JsonLinesFormatter(JsonFormatter):
    """For machines: an object per line; ``extra`` of a log call becomes fields of its own."""

    def __init__(self) -> None:
        # The last is uvicorn's: its message once more, with the codes of a terminal's colours.
        super().__init__([], timestamp="time", reserved_attrs=[*RESERVED_ATTRS, "color_message"])

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Fills the object."""
        log_data |= {
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.message,
            **_subjects.get(),
        }
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            log_data["trace_id"] = trace.format_trace_id(span.trace_id)
        super().add_fields(log_data, record, message_dict)
        if record.exc_info and record.exc_info[0]:
            name = record.exc_info[0].__qualname__
            log_data["exception"] = {"type": name, "trace": log_data.pop("exc_info")}


def set_up_logging(level: str, log_format: str) -> None:
    """Sets the least severe level shown, such as ``info``, and ``text`` or ``json``."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLinesFormatter() if log_format == "json" else TextFormatter(_TEXT))
    logging.basicConfig(handlers=[handler], level=level.upper())
    for chatty in ("rq.worker", "rq.job", "rq.queue", "httpx", "httpcore", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
