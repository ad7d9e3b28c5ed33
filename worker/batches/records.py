"""What is known of a batch, in Atelier's words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from model.errors import AtelierError, InputError
from model.params import StyleTransferParams
from worker.records import JobError, Priority, Record, Status

#: What pictures come in, and paintings go out in.
ArchiveFormat = Literal["zip", "tfrecord"]

#: Pictures that could not be painted are named up to so many.
NAMED = 20


class NoSuchBatch(AtelierError):  # noqa: N818 - reads better where it is raised and caught
    """There is no such batch, or not any more."""

    slug = "no-such-batch"
    title = "No such batch"


class BrokenArchiveError(InputError):
    """An archive that is cut off, damaged, or made to do harm."""

    slug = "broken-archive"
    title = "The archive cannot be read"


class BatchSizeError(InputError):
    """More pictures or bytes than a batch may have, or no picture at all."""

    slug = "batch-size"
    title = "The batch's size is out of range"


class BatchCounts(Record):
    """Pictures of a batch by status; those that no job has been made of yet are queued."""

    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    canceled: int = 0

    @property
    def unfinished(self) -> int:
        """Those that will still change."""
        return self.queued + self.running

    @property
    def status(self) -> Status:
        """What the batch as a whole is: succeeded, if there is a painting at all."""
        if self.unfinished:
            ended = self.succeeded + self.failed + self.canceled
            return "running" if self.running or ended else "queued"
        if self.canceled:
            return "canceled"
        return "succeeded" if self.succeeded else "failed"


class BatchProgress(Record):
    """How far a batch is: the part of its pictures that have ended, 0 to 1."""

    fraction: float


class BatchFailure(Record):
    """A picture that could not be painted.

    Attributes:
        name: where it is in the archive.
        job_id: of its job; null where there was none.
        problem: why.
    """

    name: str
    job_id: str | None
    problem: JobError


class Batch(Record):
    """A batch as people see it. Times are UTC.

    Attributes:
        id: uuid4 in hex.
        owner: whose it is; None where it is everybody's. Not shown.
        status: ``succeeded`` when all has ended and something was painted: ``counts`` says how
            much; ``canceled`` when something was canceled.
        total: number of pictures.
        failures: the first of those that could not be painted.
        format: of the archive that came, and of the result.
        expires_at: when the batch and its paintings are forgotten; null until it is finished.
        replayed: whether this answer was given before, to the same idempotency key. Not shown.
    """

    id: str
    owner: str | None = Field(None, exclude=True)
    status: Status
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None
    total: int
    counts: BatchCounts
    progress: BatchProgress
    failures: list[BatchFailure]
    format: ArchiveFormat
    params: StyleTransferParams
    replayed: bool = Field(False, exclude=True)  # noqa: FBT003


class Entry(Record):
    """A picture of a batch: its name in the archive, and the SHA-256 of its file."""

    name: str
    picture: str


class Manifest(Record):
    """What a batch is made of; it does not change.

    Attributes:
        batch: its id, so that no two are alike.
        entries: the pictures in their order.
        styles: SHA-256 of the style pictures, in their order.
        leaves: SHA-256 of files in which the records lie, without their pictures, that these came
            in: all in the order of the entries, some in each file. None of a zip.
    """

    batch: str
    entries: tuple[Entry, ...]
    styles: tuple[str, ...]
    leaves: tuple[str, ...] = ()


class Asked(Record):
    """What a batch was asked for; it does not change.

    Attributes:
        owner: whose it is; None where it is everybody's.
        client: digest of whom limits count.
        manifest: SHA-256 of the file that says what it is made of.
        traceparent: of the trace that its jobs belong to.
    """

    owner: str | None
    client: str
    created_at: datetime
    total: int
    format: ArchiveFormat
    params: StyleTransferParams
    priority: Priority
    manifest: str
    traceparent: str | None


@dataclass(frozen=True)
class Place:
    """Whereabouts a job belongs: the batch's id, and the number of its picture from 0."""

    batch: str
    number: int

    def __str__(self) -> str:
        return f"{self.batch}:{self.number}"

    @classmethod
    def read(cls, written: str) -> Self:
        """From how it is written in a job's record."""
        batch, _, number = written.partition(":")
        return cls(batch, int(number))
