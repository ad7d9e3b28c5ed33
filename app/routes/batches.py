"""/v1/batches/{id}: look at a batch, fetch its paintings, cancel it, have it forgotten."""

from collections.abc import Iterator
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from app import kinds
from app.answers import headers, media, problems
from app.batch.departing import recorded, zipped
from app.dependencies import BatchesDep, JobsDep, OwnBatchDep
from app.endings import ending_of
from app.problems import ProblemError
from app.views import BatchView
from worker.batches.batches import Painted
from worker.batches.records import ArchiveFormat, Batch
from worker.jobs import Jobs
from worker.records import FINAL

_MEDIA_TYPES: dict[ArchiveFormat, str] = {
    "zip": "application/zip",
    "tfrecord": "application/octet-stream",
}

router = APIRouter(prefix="/v1/batches/{batch_id}", tags=["batches"])


@router.get("", responses=problems(kinds.NO_SUCH_BATCH))
def get_batch(batch: OwnBatchDep) -> BatchView:
    """A batch as it is now: how many of its pictures are painted, and which could not be."""
    return BatchView.of(batch)


@router.post("/cancel", responses=problems(kinds.NO_SUCH_BATCH))
def cancel_batch(batch: OwnBatchDep, batches: BatchesDep) -> BatchView:
    """Cancels what has not ended; what is painted can be fetched."""
    return BatchView.of(batches.cancel(batch.id))


@router.delete("", status_code=204, responses=problems(kinds.NO_SUCH_BATCH))
def delete_batch(batch: OwnBatchDep, batches: BatchesDep) -> None:
    """Forgets a batch with all its jobs and pictures; what is left of it is canceled first.

    They are gone at once. What they take up is given back by and by: some minutes for thousands.
    """
    batches.delete(batch.id)


@router.get(
    "/result",
    response_class=StreamingResponse,
    responses={
        HTTPStatus.OK: media(*_MEDIA_TYPES.values())
        | {
            "description": "The paintings: a zip with the names of the pictures and another "
            "ending, and a `failures.json` where some are missing; or a TFRecord file with the "
            "records that have a painting, in its place.",
            "headers": headers("Content-Disposition"),
        },
        **problems(kinds.NO_SUCH_BATCH, kinds.NO_RESULT, kinds.RESULT_EXPIRED),
    },
)
def get_batch_result(batch: OwnBatchDep, batches: BatchesDep, jobs: JobsDep) -> StreamingResponse:
    """The paintings of a batch that is over, in the format and order of its pictures."""
    if batch.status not in FINAL or not batch.counts.succeeded:
        raise ProblemError(
            kinds.NO_RESULT,
            f"The batch has {'no' if batch.status in FINAL else 'not yet a'} result. "
            f"Its status is: {batch.status}.",
        )
    pictures = batches.painted(batch.id)  # from here on nothing has to be looked up in the book
    if pictures is None:
        raise ProblemError(kinds.RESULT_EXPIRED, "The paintings have expired, or were deleted.")
    name = f"atelier-{batch.id[:8]}.{batch.format}"
    return StreamingResponse(
        _archived(batch, pictures, jobs),
        media_type=_MEDIA_TYPES[batch.format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _archived(batch: Batch, pictures: Iterator[Painted], jobs: Jobs) -> Iterator[bytes]:
    fetch = partial(jobs.blobs.get, kind="result")
    if batch.format == "tfrecord":
        return recorded(pictures, fetch)
    return zipped(pictures, fetch, ending_of(batch.params.format), batch.created_at)
