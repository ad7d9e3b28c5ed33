"""RQ's record of a job, with our own fields in it, and the view that people get of both.

What Atelier knows beyond RQ lies in the same Redis hash, in fields of ours, so that both live,
expire and go together. RQ's own ``meta`` would not do: whoever saves it last overwrites all of it.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from redis import Redis
from redis.client import Pipeline
from rq.job import Job as RqJob
from rq.job import JobStatus

from model.errors import AtelierError
from worker import answers, events, in_flight, reuse, totals, webhooks
from worker.batches import moves
from worker.records import (
    FINAL,
    WORK_VERSION,
    Attempts,
    FeaturesUsed,
    Job,
    JobError,
    JobProgress,
    JobResult,
    Status,
    Work,
)
from worker.webhooks import Webhook

#: Before the names of our fields in RQ's hash.
_PREFIX = "atelier."

#: Set in a running job that is to stop.
CANCEL_FIELD = f"{_PREFIX}cancel"

Fact = JobProgress | JobResult | JobError | FeaturesUsed | Attempts | Webhook | int | str

_STATUSES: Mapping[JobStatus, Status] = {
    JobStatus.STARTED: "running",
    JobStatus.FINISHED: "succeeded",
    JobStatus.FAILED: "failed",
    JobStatus.STOPPED: "canceled",
    JobStatus.CANCELED: "canceled",
}


class OtherVersion(AtelierError):  # noqa: N818 - reads better where it is raised and caught
    """What is to be done is written in a way that only another version of Atelier understands.

    Attributes:
        owner: whose job it is.
    """

    slug = "other-version"
    title = "The job is of another version"

    def __init__(self, owner: str | None) -> None:
        super().__init__("This job was handed in to another version of Atelier.")
        self.owner = owner


class PaintingJob(RqJob):
    """RQ's job with the fields that are our own.

    Attributes:
        facts: our fields by name.
        is_recorded: whether it was there before, so that somebody may have seen it.
        perform_with: what a worker does with the job, in place of importing a function by name.
    """

    facts: Mapping[str, Any] = MappingProxyType({})
    is_recorded = False
    perform_with: Callable[["PaintingJob"], None]

    @property
    def painting_status(self) -> Status:
        """The status in our words."""
        return status_of(self.get_status(refresh=False))

    @property
    def owner(self) -> str | None:
        """Whose it is; None where it is everybody's."""
        return self.facts.get("owner")

    @property
    def waited_seconds(self) -> float:
        """From when it was last put into the queue until a worker took it."""
        if self.enqueued_at is None or self.started_at is None:
            return 0.0
        return (self.started_at - self.enqueued_at).total_seconds()

    @property
    def work(self) -> Work:
        """What is to be done.

        Raises:
            OtherVersion: it is not understood here.
        """
        try:
            return Work(**self.kwargs)
        except ValidationError:
            raise OtherVersion(self.owner) from None

    def understood(self) -> "PaintingJob":
        """The job itself.

        Raises:
            OtherVersion: what is to be done is not understood here.
        """
        self.work  # noqa: B018 - it raises
        return self

    @property
    def pictures(self) -> set[str]:
        """SHA-256 of each of its uploads, also where another version of Atelier took it in."""
        work = self.kwargs
        mask = work.get("content_mask")
        masks = {mask, *work["style_masks"]} if mask else set()
        return {work["content"], *work["styles"], *masks}

    @property
    def is_of_newer_version(self) -> bool:
        """Whether only a newer Atelier knows how to paint it."""
        return int(self.kwargs.get("version", WORK_VERSION)) > WORK_VERSION

    @property
    def client(self) -> str | None:
        """Digest of whose limits it counts for; None where it counts for nobody's."""
        return self.facts.get("client")

    @property
    def priority(self) -> str:
        """``normal`` or ``high``."""
        return str(self.facts.get("priority", "normal"))

    @property
    def batch(self) -> str | None:
        """Its place in a batch; None where it is in none."""
        return self.facts.get("batch")

    def restore(self, raw_data: Mapping[bytes, bytes]) -> Any:
        """Reads RQ's fields, then ours."""
        restored = super().restore(raw_data)
        self.is_recorded = True
        names = {name.decode(): value for name, value in raw_data.items()}
        self.facts = {
            name.removeprefix(_PREFIX): json.loads(value)
            for name, value in names.items()
            if name.startswith(_PREFIX)
        }
        return restored

    def set_status(self, status: JobStatus, pipeline: Pipeline | None = None) -> None:
        """Comes into a status, and tells whoever watches."""
        super().set_status(status, pipeline)
        connection = self.connection if pipeline is None else pipeline
        self._tell_status(connection)
        self._settle(connection)

    def prepare_for_execution(self, worker_name: str, pipeline: Pipeline) -> None:
        """A worker has the job now."""
        super().prepare_for_execution(worker_name, pipeline)
        self._tell_status(pipeline)

    def _tell_status(self, connection: Redis) -> None:
        status, asked = self.painting_status, self.facts.get("webhook")
        if self.is_recorded:
            happened = events.of_status(status, self.facts.get("attempt", 0))
            events.append(connection, self.id, happened, self.result_ttl or 0)
        else:  # its record says as much, and with its first entry a stream takes 4 kB of memory
            events.say_queue_moved(connection, self.id)
        if asked is not None:
            webhook = Webhook.model_validate(asked)
            webhooks.add(connection, self.id, status, webhook, self.owner)
        if status in FINAL:
            totals.count_ended(connection, status)
        moves.move(connection, self.batch, self.id, status)

    def _settle(self, connection: Redis) -> None:
        """A job that has ended counts no more; one that has succeeded may answer for others."""
        if self.painting_status in FINAL:
            answers.keep(connection, self.id, self.result_ttl or 1)
            if self.client is not None:
                in_flight.remove(connection, self.client, self.id)
        if self.painting_status == "succeeded":
            reuse.remember(connection, self.owner, self.kwargs, self.id, self.result_ttl or 1)

    def view(self, position: int | None) -> Job:
        """The job as people see it; ``position`` is its place in the queue, if it is there.

        Raises:
            OtherVersion: it is not understood here.
        """
        facts, status = self.facts, self.painting_status
        finished = self.ended_at if status in FINAL else None
        return Job(
            id=self.id,
            owner=self.owner,
            status=status,
            created_at=self.created_at,
            started_at=self.started_at if status != "queued" else None,
            finished_at=finished,
            expires_at=finished + timedelta(seconds=self.result_ttl or 0) if finished else None,
            attempt=facts.get("attempt", 0),
            queue_position=position,
            progress=JobProgress(**facts.get("progress", {})),
            params=self.work.params,
            features=facts.get("features"),
            result=facts.get("result") if status == "succeeded" else None,
            error=facts.get("error") if status == "failed" else None,
        )

    def perform(self) -> None:
        """Does what there is to do. RQ would first write to the record, whosever it is by now."""
        self.perform_with(self)


def status_of(status: JobStatus) -> Status:
    """RQ's status in our words."""
    return _STATUSES.get(status, "queued")


def field_of(fact: str) -> str:
    """The field of the hash that a fact lies in."""
    return _PREFIX + fact


def as_fields(facts: Mapping[str, Fact]) -> list[str]:
    """Facts as they are written into the hash: name, value, name, value."""
    pairs: list[str] = []
    for name, fact in facts.items():
        value = json.dumps(fact) if isinstance(fact, int | str) else fact.model_dump_json()
        pairs += [field_of(name), value]
    return pairs


def as_rq_writes(moment: datetime) -> str:
    """A time in the form of RQ's fields."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
