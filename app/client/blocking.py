"""The client for programs that wait."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar

import httpx
from httpx_sse import EventSource, SSEError

from app.client import requests
from app.client.events import Done, Event, Place
from app.client.failures import Patience, Refused, ServerError, Unreachable, unreachable
from app.client.requests import Ask, JobsPage, Picture
from model.params import StyleTransferParams
from worker.records import FINAL, Job, Losses, Status

T = TypeVar("T")


class Atelier:
    """One server. To be closed, or used in a ``with`` statement.

    All methods raise ``Refused`` where the server's answer is an error, and ``Unreachable`` where
    there is none; both are ``ServerError``.

    Args:
        url: where it is, such as ``http://127.0.0.1:8000``.
        api_key: where it asks for one.
    """

    def __init__(self, url: str, *, api_key: str | None = None) -> None:
        self._http = httpx.Client(**requests.client_options(url, api_key))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the connections back."""
        self._http.close()

    def submit(
        self,
        content: Picture,
        styles: Sequence[Picture],
        params: StyleTransferParams | Mapping[str, Any] | None = None,
        *,
        content_mask: Picture | None = None,
        style_masks: Sequence[Picture] = (),
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> Job:
        """Hands in a job.

        Args:
            content: the photograph: its file, or where it is.
            styles: likewise the style pictures.
            params: how to paint; None for the defaults.
            content_mask: a plain colour for each region; None where all is one region.
            style_masks: likewise, one for each style.
            idempotency_key: a name of one's own for this submission; the same name twice is one
                job. Without it each call has another.
            fields: further fields of the form, such as ``priority``.

        Raises:
            InputError: a file cannot be read, or a parameter is out of its range.
        """
        return self._do(
            requests.submit(
                content,
                styles,
                params or {},
                content_mask=content_mask,
                style_masks=style_masks,
                idempotency_key=idempotency_key,
                **fields,
            )
        )

    def get(self, job_id: str) -> Job:
        """A job as it is now."""
        return self._do(requests.get(job_id))

    def jobs(self, status: Status | None = None) -> Iterator[Job]:
        """One's own jobs, newest first, page by page as they are looked at."""
        page = JobsPage(jobs=[], next_cursor="")
        while page.next_cursor is not None:
            page = self._do(requests.list_jobs(status, 100, page.next_cursor or None))
            yield from page.jobs

    def wait(self, job_id: str, *, within_seconds: float = math.inf) -> Job:
        """The job when it has ended.

        Raises:
            TimeoutError: it has not within the time.
        """
        deadline = time.monotonic() + within_seconds
        job, etag = self.get(job_id), None
        while job.status not in FINAL:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"The job is still {job.status}.")
            job, etag = self._do(requests.get_changed(job, etag, left))
        return job

    def stream(self, job_id: str) -> Iterator[Event]:
        """What happens to a job, as it happens, up to and with ``Done``; goes on after a cut."""
        place, patience = Place(), Patience()
        while True:
            try:
                for event in self._events(job_id, place):
                    yield event
                    if isinstance(event, Done):
                        return
                    patience = Patience()  # what has answered is worth as long again
                failure: ServerError = Unreachable("The server has ended its stream.")
            except httpx.HTTPError as error:
                failure = unreachable(self._http.base_url, error)
            except ServerError as error:
                failure = error
            time.sleep(patience.pause(failure, repeatable=True))

    def cancel(self, job_id: str) -> Job:
        """Cancels a job; a finished one stays as it is."""
        return self._do(requests.cancel(job_id))

    def retry(self, job_id: str) -> Job:
        """Queues a job that failed once more, as if it were new."""
        return self._do(requests.retry(job_id))

    def delete(self, job_id: str) -> None:
        """Forgets a job and its pictures."""
        self._do(requests.delete(job_id))

    def result(self, job_id: str) -> bytes:
        """The finished picture's file."""
        return self._do(requests.result(job_id))

    def preview(self, job_id: str) -> bytes:
        """The newest preview, a JPEG."""
        return self._do(requests.preview(job_id))

    def losses(self, job_id: str) -> Losses:
        """The loss curve so far."""
        return self._do(requests.losses(job_id))

    def system(self) -> dict[str, Any]:
        """What the server says of itself: version, features, workers, queue."""
        return self._do(requests.system())

    def _events(self, job_id: str, place: Place) -> Iterator[Event]:
        headers = place.headers | {"Accept": "text/event-stream"}
        path = f"/v1/jobs/{job_id}/events"
        with self._http.stream("GET", path, headers=headers) as response:
            if response.is_error:
                response.read()
                raise Refused(response)
            try:
                for sse in EventSource(response).iter_sse():
                    if (event := place.read(sse)) is not None:
                        yield event
            except SSEError:
                raise Unreachable(f"{self._http.base_url} is not an Atelier.") from None

    def _do(self, ask: Ask[T]) -> T:
        patience = Patience()
        while True:
            try:
                response = self._http.request(ask.method, ask.path, **ask.options)
                if not response.is_error:
                    return ask.read(response)
                failure: ServerError = Refused(response)
            except httpx.HTTPError as error:
                failure = unreachable(self._http.base_url, error)
            time.sleep(patience.pause(failure, repeatable=ask.repeatable))
