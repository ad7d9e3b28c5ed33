"""Examples for the description of the API, made by what makes the answers: they cannot be wrong."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app import messages
from app.kinds import INVALID_PARAMETER, Kind
from app.messages import PreviewThere, StatusNow
from app.problems import FieldError, Problem
from app.views import BatchView, JobView
from model.errors import PictureSizeError
from model.params import StyleTransferParams
from worker.batches.records import Batch, BatchCounts, BatchFailure, BatchProgress
from worker.records import FeaturesUsed, Job, JobError, JobProgress, JobResult, problem_type
from worker.watching import Event

_BEGAN = datetime(2027, 1, 1, 12, 0, tzinfo=UTC)

_SUCCEEDED = Job(
    id="5f0c8d3e9b7a4c61a2d4e6f801234567",
    status="succeeded",
    created_at=_BEGAN,
    started_at=_BEGAN + timedelta(seconds=2),
    finished_at=_BEGAN + timedelta(seconds=43),
    expires_at=_BEGAN + timedelta(days=1, seconds=43),
    attempt=1,
    queue_position=None,
    progress=JobProgress(
        step=300, steps=300, fraction=1.0, loss=0.213, eta_seconds=0.0, preview_version=12
    ),
    params=StyleTransferParams(size=768, seed=7),
    features=FeaturesUsed(name="bundled", sha256="9c56cc51b374c3ba189210d5b6d4bf57" * 2),
    result=JobResult(width=768, height=512, format="png", bytes=912_345),
    error=None,
)

_QUEUED = _SUCCEEDED.model_copy(
    update={
        "status": "queued",
        **dict.fromkeys(("started_at", "finished_at", "expires_at", "features", "result")),
        "attempt": 0,
        "queue_position": 1,
        "progress": JobProgress(),
    }
)

#: What is handed in as a batch, likewise.
BATCH_FORM: dict[str, Any] = {
    "all of an archive in one of Atelier's own styles": {
        "value": {"pictures": "(holiday.zip)", "style_preset": ["woodcut"], "size": 768}
    },
}

#: What is handed in; a file is shown by a word for its bytes.
FORM: dict[str, Any] = {
    "one style, 768 pixels": {
        "value": {"content": "(town.jpg)", "style": ["(night.jpg)"], "size": 768, "seed": 7}
    },
    "two of Atelier's own styles, one of them twice as much": {
        "value": {
            "content": "(town.jpg)",
            "style_preset": ["starlight", "mosaic"],
            "style_weights": [2, 1],
        }
    },
}


def of_job(*, over: bool) -> dict[str, Any]:
    """A job: one that is over, or one that waits."""
    return JobView.of(_SUCCEEDED if over else _QUEUED).model_dump(mode="json")


def of_batch() -> dict[str, Any]:
    """A batch that is being painted."""
    batch = Batch(
        id="0c9d1e5f7a3b4d2c8e6f901234567abc",
        status="running",
        created_at=_BEGAN,
        finished_at=None,
        expires_at=None,
        total=40,
        counts=BatchCounts(queued=28, running=1, succeeded=10, failed=1),
        progress=BatchProgress(fraction=0.275),
        failures=[
            BatchFailure(
                name="beach/thin.png",
                job_id=None,
                problem=JobError.of(
                    PictureSizeError(
                        "A picture may be up to 8 times as long as wide. "
                        "Received: 1600 x 90 pixels."
                    )
                ),
            )
        ],
        format="zip",
        params=StyleTransferParams(size=768),
    )
    return BatchView.of(batch).model_dump(mode="json")


def of_problem(kind: Kind) -> dict[str, Any]:
    """An answer of this kind."""
    at_fault = FieldError(
        field="size", message="Input should be greater than or equal to 64. Received: '1'"
    )
    fields = [at_fault] if kind == INVALID_PARAMETER else []
    problem = Problem(
        type=problem_type(kind.slug),
        title=kind.title,
        status=kind.status,
        detail="; ".join(f"{item.field}: {item.message}" for item in fields) or f"{kind.title}.",
        errors=fields,
    )
    return problem.model_dump(mode="json", exclude_defaults=True)


def of_stream() -> str:
    """The events of a short job."""
    at = int(_BEGAN.timestamp() * 1000)
    running = StatusNow(status="running", attempt=1).model_dump_json()
    steps = JobProgress(step=150, steps=300, fraction=0.4, loss=0.52, eta_seconds=21.0)
    preview = PreviewThere(version=6, url="").model_dump_json(include={"version"})
    entries = [
        Event((at + 2000, 0), "status", running),
        Event((at + 20_000, 0), "progress", steps.model_dump_json()),
        Event((at + 20_000, 1), "preview", preview),
    ]
    told = [messages.told(_SUCCEEDED.id, entry).data for entry in entries]
    end = messages.done(_SUCCEEDED, (at + 43_000, 0)).data
    return b"".join([messages.RETRY, *told, end]).decode()
