"""What schemathesis cannot make up: pictures, and a form whose fields agree with each other.

Run by schemathesis's own process, which has the tests' folder on its path but not their fixtures.
"""

import os
from typing import Any

import schemathesis
from schemathesis.generation.meta import TestPhase

from tests.app.archives import a_zip
from tests.pictures import photograph, style_picture

#: The job that is asked for, where there is one.
JOB = os.environ.get("CONTRACT_JOB")

_CONTENT = photograph(96, 72)
_STYLE = style_picture(80, 80)

#: What is handed in, by the name of the operation.
_FILES = {
    "submit": {"content": _CONTENT, "style": [_STYLE]},
    "submit_batch": {"pictures": a_zip({"town.jpg": _CONTENT}), "style": [_STYLE]},
}

#: Fields that only go together with others, or whose cost has a limit of its own.
_ENTANGLED = {
    "content_mask",
    "style_mask",
    "style_preset",
    "style_weights",
    "webhook_events",
    "webhook_url",
}
_CHEAP = {"size": 64, "steps": 3}


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]
) -> None:
    """Puts real pictures into a form that is as described; and nobody waits for no worker."""
    del kwargs
    if JOB is not None and "job_id" in case.path_parameters:
        case.path_parameters["job_id"] = JOB
    if isinstance(case.query.get("wait"), int):
        case.query["wait"] = min(case.query["wait"], 1)
    files = _files(context)
    if files and _is_valid(case) and isinstance(case.body, dict):
        kept = {name: value for name, value in case.body.items() if name not in _ENTANGLED}
        form: dict[str, Any] = kept | _CHEAP | files
        case.body = form


def _files(context: schemathesis.HookContext) -> dict[str, Any]:
    """The files of the operation's form, if it has one."""
    assert context.operation is not None
    return _FILES.get(context.operation.definition.raw.get("operationId", ""), {})


def _is_valid(case: schemathesis.Case[Any]) -> bool:
    """Whether it is to be taken; what the phase of single faults asks for stays as it is."""
    meta = case.meta
    if meta is None or meta.phase.name == TestPhase.COVERAGE:
        return False
    return meta.generation.mode == schemathesis.GenerationMode.POSITIVE
