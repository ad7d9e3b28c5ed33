"""What is known of a job, in Atelier's words: the same for the API, the page and the client."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from model.errors import AtelierError
from model.params import StyleTransferParams
from model.progress import CurvePoint

Status = Literal["queued", "running", "succeeded", "failed", "canceled"]

Priority = Literal["normal", "high"]

#: A job in one of these will not change any more.
FINAL: frozenset[Status] = frozenset({"succeeded", "failed", "canceled"})


def problem_type(slug: str) -> str:
    """The stable identifier of a kind of problem (RFC 9457, section 3.1.1)."""
    return f"urn:atelier:problem:{slug}"


class Record(BaseModel):
    """Base of the records: frozen, and written exactly as declared."""

    model_config = ConfigDict(frozen=True)


class FeaturesUsed(Record):
    """The VGG-19 weights that paint: ``imagenet``, ``bundled`` or a file's stem, and their hash."""

    name: str
    sha256: str


class JobProgress(Record):
    """How far a job is.

    Attributes:
        step: optimisation steps taken.
        steps: optimisation steps in all.
        fraction: of the work done, 0 to 1; a step on a large scale counts for more.
        loss: the total loss at the last step, null before the first.
        eta_seconds: estimate of the painting time left.
        preview_version: grows with each preview; 0 before the first.
        restarts: times the loss exploded, so that the painting had to go back a step and on with
            shorter ones; 0 or 1.
    """

    step: int = 0
    steps: int = 0
    fraction: float = 0.0
    loss: float | None = None
    eta_seconds: float | None = None
    preview_version: int = 0
    restarts: int = 0


class LossPoint(Record):
    """The weighted losses before a step.

    Attributes:
        step: optimisation steps taken until then.
        content: the loss of the content layer.
        style: the losses of the style layers together.
        tv: the total-variation loss.
        total: their sum, which is what the optimiser makes smaller.
    """

    step: int
    content: float
    style: float
    tv: float
    total: float


class Losses(Record):
    """The loss curve of a job so far: at most 200 points, evenly spread over all its steps."""

    points: tuple[LossPoint, ...]

    @classmethod
    def of(cls, curve: Iterable[CurvePoint]) -> "Losses":
        """The curve that the engine reports, as it is stored and shown."""
        return cls(points=tuple(LossPoint(**p._asdict(), total=sum(p[1:])) for p in curve))


class JobResult(Record):
    """The finished picture: pixels, file format and bytes."""

    width: int
    height: int
    format: str
    bytes: int


class JobError(Record):
    """Why a job failed, as a problem (RFC 9457): a stable type and sentences for a person."""

    type: str
    title: str
    detail: str

    @classmethod
    def of(cls, error: AtelierError) -> "JobError":
        """The problem that an error is."""
        return cls(type=problem_type(error.slug), title=error.title, detail=str(error))


class Attempts(Record):
    """What became of a job's attempts.

    Attributes:
        mishaps: what ended each that failed, as sentences without a full stop.
        worker: that has the job, or had it when it died; null between two attempts.
        counts: whether it is held against the job if the worker dies now.
    """

    mishaps: tuple[str, ...] = ()
    worker: str | None = None
    counts: bool = False

    @property
    def number(self) -> int:
        """Of the present attempt, or of the last one while there is none."""
        return len(self.mishaps) + (self.worker is not None)


#: Of the newest form of ``Work`` that is understood here.
WORK_VERSION = 1


class Work(Record):
    """What is put into the queue: JSON, ids and parameters, never pictures.

    Attributes:
        version: of this form; a worker leaves a newer one to others.
        content: SHA-256 of the uploaded content picture.
        styles: likewise of the style pictures, in their order.
        content_mask: likewise of the content picture's mask; null where there is none.
        style_masks: likewise of the style pictures' masks, in their order; none, or one for each.
        params: how to paint.
    """

    version: Literal[1] = 1
    content: str
    styles: tuple[str, ...]
    content_mask: str | None = None
    style_masks: tuple[str, ...] = ()
    params: StyleTransferParams

    @property
    def pictures(self) -> list[str]:
        """All of them: content, styles, and their masks in the same order."""
        masks = [] if self.content_mask is None else [self.content_mask, *self.style_masks]
        return [self.content, *self.styles, *masks]

    def as_json(self) -> dict[str, Any]:
        """As it goes into the queue."""
        return self.model_dump(mode="json")


class Job(Record):
    """A job as people see it. Times are UTC.

    Attributes:
        id: uuid4 in hex.
        owner: whose it is; None where it is everybody's. Not shown.
        attempt: how often a worker has begun it.
        queue_position: 1 is next; null unless queued.
        features: what paints it; null until a worker has begun it.
        reused: whether it was made earlier, for an identical request, and answers for this one.
        replayed: whether this answer was given before, to the same idempotency key. Not shown.
        expires_at: when the job and its picture are forgotten; null until it is finished.
    """

    id: str
    owner: str | None = Field(None, exclude=True)
    status: Status
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    attempt: int
    queue_position: int | None
    progress: JobProgress
    params: StyleTransferParams
    features: FeaturesUsed | None
    result: JobResult | None
    error: JobError | None
    reused: bool = False
    replayed: bool = Field(False, exclude=True)  # noqa: FBT003
