"""What a client knows of a job and of its events, and what may come next."""

from contextlib import ExitStack
from dataclasses import dataclass, field

import httpx

from tests.app.api import FINAL, Json
from tests.app.streams import Event, listening

_RANK = {"queued": 0, "running": 1} | dict.fromkeys(FINAL, 2)


@dataclass(eq=False)
class Known:
    """A job as its owner has seen it last."""

    owner: str
    shown: Json
    is_canceled: bool = False
    is_deleted: bool = False
    result: bytes | None = None

    @property
    def id(self) -> str:
        return str(self.shown["id"])

    @property
    def url(self) -> str:
        return str(self.shown["urls"]["self"])

    def see(self, now: Json) -> None:
        """The job as it is shown now: later in its life, or as it ended."""
        before = self.shown["status"]
        assert now["id"] == self.id
        assert now["created_at"] == self.shown["created_at"]
        assert _RANK[now["status"]] >= _RANK[before], (before, now["status"])
        assert now["status"] in {"queued", "running", "succeeded", "canceled"}, now["error"]
        assert now["status"] != "canceled" or self.is_canceled
        assert before not in FINAL or now["status"] == before
        assert (now["result"] is not None) == (now["status"] == "succeeded")
        assert (now["queue_position"] is None) or now["status"] == "queued"
        self.shown = now


class Reading:
    """A reader of a job's events, who may be cut off and come back."""

    def __init__(self, client: httpx.Client, job: Known) -> None:
        self.job = job
        self.is_over = False
        self._client = client
        self._last: str | None = None
        self._rank = 0
        self._connection = ExitStack()
        self.is_open = False

    def open(self) -> None:
        """Comes, or comes back after a cut, with the id of the last event that was told."""
        stream = listening(self._client, self.job.shown, after=self._last, within=30)
        self._events = self._connection.enter_context(stream)
        self.is_open = True

    def cut(self) -> None:
        self._connection.close()
        self.is_open = False

    def status_of_coming_back(self) -> int:
        """What the answer to who has been told all, or whose job is gone, begins with."""
        headers = {} if self._last is None else {"Last-Event-ID": self._last}
        return self._client.get(f"{self.job.url}/events", headers=headers).status_code

    def read(self) -> None:
        """One event; after the last, the stream has to be over."""
        event = next(self._events)
        self._check_id(event)
        if event.kind == "status":
            self._check_status(event)
        if event.kind == "done":
            self._check_done(event)

    def drain(self) -> None:
        """All events to the end."""
        while not self.is_over:
            self.read()

    def _check_id(self, event: Event) -> None:
        if event.id is not None:
            assert self._last is None or _position(event.id) > _position(self._last)
            self._last = event.id

    def _check_status(self, event: Event) -> None:
        assert _RANK[event.data["status"]] >= self._rank
        self._rank = _RANK[event.data["status"]]

    def _check_done(self, event: Event) -> None:
        assert event.data is not None or self.job.is_deleted
        if event.data is not None:
            assert event.data["status"] in FINAL
            self.job.see(event.data)
        assert next(self._events, None) is None
        self.is_over = True
        self.cut()


def _position(event_id: str) -> tuple[int, int]:
    milliseconds, number = map(int, event_id.split("-"))
    return milliseconds, number


@dataclass
class Desk:
    """All that one owner has asked for."""

    client: httpx.Client
    jobs: list[Known] = field(default_factory=list)
    named: dict[str, tuple[Json, Json]] = field(default_factory=dict)

    @property
    def living(self) -> list[Known]:
        return [job for job in self.jobs if not job.is_deleted]

    def known(self, job_id: str) -> Known:
        (job,) = [job for job in self.jobs if job.id == job_id]
        return job
