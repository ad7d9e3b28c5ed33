"""The client for programs with an event loop: the methods of ``Atelier``, to be awaited."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
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


class AsyncAtelier:
    """One server. To be closed, or used in an ``async with`` statement.

    Arguments and errors are those of ``Atelier``.
    """

    def __init__(self, url: str, *, api_key: str | None = None) -> None:
        self._http = httpx.AsyncClient(**requests.client_options(url, api_key))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Gives the connections back."""
        await self._http.aclose()

    async def submit(
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
        """Hands in a job."""
        return await self._do(
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

    async def get(self, job_id: str) -> Job:
        """A job as it is now."""
        return await self._do(requests.get(job_id))

    async def jobs(self, status: Status | None = None) -> AsyncIterator[Job]:
        """One's own jobs, newest first, page by page as they are looked at."""
        page = JobsPage(jobs=[], next_cursor="")
        while page.next_cursor is not None:
            page = await self._do(requests.list_jobs(status, 100, page.next_cursor or None))
            for job in page.jobs:
                yield job

    async def wait(self, job_id: str, *, within_seconds: float = math.inf) -> Job:
        """The job when it has ended.

        Raises:
            TimeoutError: it has not within the time.
        """
        deadline = time.monotonic() + within_seconds
        job, etag = await self.get(job_id), None
        while job.status not in FINAL:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"The job is still {job.status}.")
            job, etag = await self._do(requests.get_changed(job, etag, left))
        return job

    async def stream(self, job_id: str) -> AsyncIterator[Event]:
        """What happens to a job, as it happens, up to and with ``Done``; goes on after a cut."""
        place, patience = Place(), Patience()
        while True:
            try:
                async for event in self._events(job_id, place):
                    yield event
                    if isinstance(event, Done):
                        return
                    patience = Patience()  # what has answered is worth as long again
                failure: ServerError = Unreachable("The server has ended its stream.")
            except httpx.HTTPError as error:
                failure = unreachable(self._http.base_url, error)
            except ServerError as error:
                failure = error
            await asyncio.sleep(patience.pause(failure, repeatable=True))

    async def cancel(self, job_id: str) -> Job:
        """Cancels a job; a finished one stays as it is."""
        return await self._do(requests.cancel(job_id))

    async def retry(self, job_id: str) -> Job:
        """Queues a job that failed once more, as if it were new."""
        return await self._do(requests.retry(job_id))

    async def delete(self, job_id: str) -> None:
        """Forgets a job and its pictures."""
        await self._do(requests.delete(job_id))

    async def result(self, job_id: str) -> bytes:
        """The finished picture's file."""
        return await self._do(requests.result(job_id))

    async def preview(self, job_id: str) -> bytes:
        """The newest preview, a JPEG."""
        return await self._do(requests.preview(job_id))

    async def losses(self, job_id: str) -> Losses:
        """The loss curve so far."""
        return await self._do(requests.losses(job_id))

    async def system(self) -> dict[str, Any]:
        """What the server says of itself: version, features, workers, queue."""
        return await self._do(requests.system())

    async def _events(self, job_id: str, place: Place) -> AsyncIterator[Event]:
        headers = place.headers | {"Accept": "text/event-stream"}
        path = f"/v1/jobs/{job_id}/events"
        async with self._http.stream("GET", path, headers=headers) as response:
            if response.is_error:
                await response.aread()
                raise Refused(response)
            try:
                async for sse in EventSource(response).aiter_sse():
                    if (event := place.read(sse)) is not None:
                        yield event
            except SSEError:
                raise Unreachable(f"{self._http.base_url} is not an Atelier.") from None

    async def _do(self, ask: Ask[T]) -> T:
        patience = Patience()
        while True:
            try:
                response = await self._http.request(ask.method, ask.path, **ask.options)
                if not response.is_error:
                    return ask.read(response)
                failure: ServerError = Refused(response)
            except httpx.HTTPError as error:
                failure = unreachable(self._http.base_url, error)
            await asyncio.sleep(patience.pause(failure, repeatable=ask.repeatable))
