"""What a stream of events tells of a job."""

from dataclasses import dataclass

from httpx_sse import ServerSentEvent
from pydantic import BaseModel, ValidationError

from app.client.failures import Unreachable
from worker.records import Job, JobProgress, Status


class StatusChanged(BaseModel):
    """The job is in this status.

    Attributes:
        attempt: how often a worker has begun it.
        queue_position: 1 is next; None unless queued.
    """

    status: Status
    attempt: int = 0
    queue_position: int | None = None


class Progressed(BaseModel):
    """The job is so far."""

    progress: JobProgress


class PreviewMade(BaseModel):
    """There is a new preview, at a path below the server's URL."""

    version: int
    url: str


class Done(BaseModel):
    """The job has ended; the stream ends with it."""

    job: Job


Event = StatusChanged | Progressed | PreviewMade | Done


@dataclass
class Place:
    """Where a reader is in a stream: what it comes back with after a cut."""

    last_event_id: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """Of the request that goes on from here."""
        return {"Last-Event-ID": self.last_event_id} if self.last_event_id else {}

    def read(self, sse: ServerSentEvent) -> Event | None:
        """What an event says; None if it is of a kind that this client does not know.

        Raises:
            Unreachable: it is not an event of an Atelier.
        """
        if sse.id:
            self.last_event_id = sse.id
        try:
            match sse.event:
                case "status":
                    return StatusChanged.model_validate_json(sse.data)
                case "progress":
                    return Progressed(progress=JobProgress.model_validate_json(sse.data))
                case "preview":
                    return PreviewMade.model_validate_json(sse.data)
                case "done":
                    return Done(job=Job.model_validate_json(sse.data))
        except ValidationError:
            raise Unreachable("The server's events are not those of an Atelier.") from None
        return None
