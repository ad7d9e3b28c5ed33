"""A client of the API: what the command line talks to a server with."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, Self

import httpx
from pydantic import ValidationError

from model.errors import AtelierError
from model.params import StyleTransferParams
from worker.pictures import Pictures
from worker.records import FINAL, Job


class ServerError(AtelierError):
    """The server refused, failed, or could not be reached."""

    slug = "server"
    title = "The server did not do it"


class Atelier:
    """One server.

    Args:
        url: where it is, such as ``http://127.0.0.1:8000``.
        poll_seconds: between two looks at a job.
    """

    def __init__(self, url: str, *, poll_seconds: float = 0.5) -> None:
        try:
            here = httpx.URL(url).host in {"127.0.0.1", "::1", "localhost"}
            # A proxy of the environment does not lead to this machine.
            self._http = httpx.Client(base_url=url, timeout=60.0, trust_env=not here)
        except httpx.InvalidURL:
            raise ServerError(
                f"A server's URL looks like http://127.0.0.1:8000. Received: {url!r}."
            ) from None
        self._poll_seconds = poll_seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._http.close()

    def submit(
        self,
        content: bytes,
        styles: Sequence[bytes],
        params: StyleTransferParams,
        *,
        content_mask: bytes | None = None,
        style_masks: Sequence[bytes] = (),
        **options: str,
    ) -> Job:
        """Hands in a job.

        Args:
            content: the photograph's file.
            styles: files of the style pictures.
            params: how to paint.
            content_mask: file with a plain colour for each region; None where all is one region.
            style_masks: likewise, one for each style.
            options: further fields of the form, such as ``priority``.

        Raises:
            ServerError: it was refused, in the server's words, or there is no server.
        """
        pictures = Pictures(content, styles, content_mask, style_masks)
        files = [(field, (field, data)) for field, data in pictures.by_field()]
        fields = params.model_dump(mode="json", exclude_unset=True) | options
        data = {name: value for name, value in fields.items() if value is not None}
        return self._ask_for_job("POST", "/v1/jobs", data=data, files=files)

    def get(self, job_id: str) -> Job:
        """A job as it is now."""
        return self._ask_for_job("GET", f"/v1/jobs/{job_id}")

    def cancel(self, job_id: str) -> Job:
        """Cancels a job."""
        return self._ask_for_job("POST", f"/v1/jobs/{job_id}/cancel")

    def follow(self, job_id: str) -> Iterator[Job]:
        """The job again and again, until it has ended."""
        while True:
            job = self.get(job_id)
            yield job
            if job.status in FINAL:
                return
            time.sleep(self._poll_seconds)

    def result(self, job_id: str) -> bytes:
        """The finished picture's file."""
        return self._ask("GET", f"/v1/jobs/{job_id}/result").content

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            reason = str(error).rstrip(".")
            raise ServerError(f"{self._http.base_url} does not answer: {reason}.") from None
        if response.is_error:
            raise ServerError(_detail(response))
        return response

    def _ask_for_job(self, method: str, path: str, **options: Any) -> Job:
        answer = self._ask(method, path, **options)
        try:
            return Job.model_validate_json(answer.content)
        except ValidationError:
            raise ServerError(f"{self._http.base_url} is not an Atelier.") from None


def _detail(response: httpx.Response) -> str:
    if response.headers.get("content-type") == "application/problem+json":
        return str(response.json()["detail"])
    return f"The server answered {response.status_code} {response.reason_phrase}."
