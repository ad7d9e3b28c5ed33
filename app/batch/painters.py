"""Who paints a batch: this machine, or a server that is handed a few jobs ahead."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from app.bar import Report
from app.batch.collections import Item
from app.client import Atelier, Refused, ServerError
from model.errors import AtelierError, InputError, PaintingError
from model.params import StyleTransferParams
from worker.digests import digest_of
from worker.pictures import Pictures
from worker.settings import Settings

#: Jobs that a server has of one batch at a time: its workers are never idle, its queue stays free.
JOBS_AHEAD = 8

#: Answers that are about the picture, and not about whoever asks or how the server is.
_OF_THE_PICTURE = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}


@dataclass(frozen=True)
class Task:
    """How each picture is to be painted.

    Attributes:
        styles: the pictures' files.
        params: of all paintings.
        fingerprint: of both.
    """

    styles: Sequence[bytes]
    params: StyleTransferParams
    fingerprint: str


#: A painting's file, or why there is none.
Outcome = bytes | AtelierError


class Painter(Protocol):
    """Paints items one after the other, reports on the present one, and gives what came of each.

    What is no fault of a picture is raised, and ends the batch.
    """

    def paint(
        self, items: Iterable[Item], report: Report
    ) -> Generator[tuple[Item, Outcome], None, None]:
        """Begins."""
        ...


class Here:
    """This machine."""

    def __init__(self, task: Task, settings: Settings) -> None:
        from worker.alone import Soloist  # noqa: PLC0415 - loads TensorFlow

        self._task = task
        self._soloist = Soloist(settings)

    def paint(
        self, items: Iterable[Item], report: Report
    ) -> Generator[tuple[Item, Outcome], None, None]:
        """One at a time."""
        for item in items:
            yield item, self._outcome(item, report)

    def _outcome(self, item: Item, report: Report) -> Outcome:
        try:
            pictures = Pictures(item.read(), self._task.styles)
            return self._soloist.paint(pictures, self._task.params, report)
        except (InputError, PaintingError) as error:
            return error


class There:
    """A server, on which nothing of the batch stays."""

    def __init__(self, task: Task, atelier: Atelier) -> None:
        self._task = task
        self._atelier = atelier

    def paint(
        self, items: Iterable[Item], report: Report
    ) -> Generator[tuple[Item, Outcome], None, None]:
        """Some jobs ahead; those that are not fetched when the caller gives up are deleted.

        A batch that dies leaves its jobs to be painted: begun again, it finds them by the names
        that it gives them.
        """
        ahead: deque[tuple[Item, str | AtelierError]] = deque()
        try:
            for item in items:
                ahead.append((item, self._handed_in(item)))
                if len(ahead) > JOBS_AHEAD:
                    yield from self._fetched(*ahead.popleft(), report)
            while ahead:
                yield from self._fetched(*ahead.popleft(), report)
        except (KeyboardInterrupt, GeneratorExit):
            self._delete_all(ahead)
            raise

    def _handed_in(self, item: Item) -> str | AtelierError:
        """The id of its job, or why there is none."""
        try:
            picture, task = item.read(), self._task
            name = digest_of(f"{task.fingerprint} {item.key} {digest_of(picture)}".encode())
            # Its own: what it fetches it deletes, and that may be of nobody else.
            job = self._atelier.submit(
                picture, task.styles, task.params, idempotency_key=name, reuse=False
            )
        except Refused as refusal:
            if refusal.status not in _OF_THE_PICTURE:
                raise
            return refusal
        except InputError as error:
            return error
        return job.id

    def _fetched(
        self, item: Item, job_id: str | AtelierError, report: Report
    ) -> Iterator[tuple[Item, Outcome]]:
        if isinstance(job_id, AtelierError):
            yield item, job_id
            return
        report(0.0, "waiting for the server")
        yield item, self._result(job_id)
        self._atelier.delete(job_id)  # only now, when the caller has the painting

    def _result(self, job_id: str) -> Outcome:
        job = self._atelier.wait(job_id)
        if job.status == "succeeded":
            return self._atelier.result(job_id)
        return PaintingError(job.error.detail if job.error else f"The job was {job.status}.")

    def _delete_all(self, ahead: Iterable[tuple[Item, str | AtelierError]]) -> None:
        for _, job_id in ahead:
            if isinstance(job_id, str):
                with suppress(ServerError):
                    self._atelier.delete(job_id)
