"""What an intake thread does for a job beside waiting: prepare, report, store."""

from collections.abc import Callable

from model import images
from model.door import PictureLimits
from model.errors import PaintingError
from model.sitting import Sitting
from worker import decoding
from worker.assignment import Array, Assignment, News
from worker.batches import book
from worker.blobs import Blobs, Kind
from worker.events import EventKind
from worker.jobs import Jobs
from worker.lease import Lease
from worker.painting_job import PaintingJob
from worker.records import JobProgress, JobResult, Losses, Work
from worker.result_files import file_headers
from worker.settings import Settings


def prepare(
    job: PaintingJob, blobs: Blobs, settings: Settings, check: Callable[[], None]
) -> Assignment:
    """Fetches and decodes a job's pictures, and the checkpoint of an earlier attempt.

    Args:
        job: that is to be painted.
        blobs: where its pictures are.
        settings: with the limits of pictures.
        check: called before each picture, to raise where there is no use in it any more.

    Raises:
        OtherVersion: what is to be done is not understood here.
        PaintingError: the pictures are not there any more.
        InputError: a picture that passed the door cannot be decoded after all, or masks have
            colours that do not go together.
    """
    return Assignment(
        _sitting(job.work, blobs, settings.picture_limits, check),
        resume=blobs.get(job.id, "checkpoint"),
        timeout_seconds=float(job.timeout or settings.job_timeout_seconds),
    )


def _sitting(work: Work, blobs: Blobs, limits: PictureLimits, check: Callable[[], None]) -> Sitting:
    def picture(digest: str) -> Array:
        check()
        return decoding.picture(_upload(digest, blobs), limits)

    def mask(digest: str) -> Array:
        check()
        return decoding.mask(_upload(digest, blobs), limits)

    return Sitting.prepare(
        picture(work.content),
        map(picture, work.styles),
        work.params,
        content_mask=None if work.content_mask is None else mask(work.content_mask),
        style_masks=[mask(digest) for digest in work.style_masks],
    )


def _upload(digest: str, blobs: Blobs) -> bytes:
    data = blobs.upload(digest)
    if data is None:
        raise PaintingError("The pictures of this job expired while it waited.")
    return data


def store(
    lease: Lease, picture: Array, assignment: Assignment, jobs: Jobs, settings: Settings
) -> None:
    """Encodes and stores the result, before anything says that there is one.

    Raises:
        Lost: the job is not the worker's any more.
    """
    job, file_format = lease.job, assignment.sitting.params.format
    data = images.encode(picture, file_format)
    height, width = picture.shape[:2]
    ttl = book.result_ttl(jobs.connection, job.batch, settings.result_ttl_seconds)
    result = JobResult(width=width, height=height, format=file_format, bytes=len(data))
    headers = file_headers(job.id, file_format)
    jobs.blobs.put(job.id, "result", data, ttl, headers=headers, write=lease.write)
    lease.write(lambda pipeline: jobs.enter(pipeline, job.id, {"result": result}))
    jobs.blobs.drop(job.id, "checkpoint", write=lease.write)


class Reporter:
    """Publishes the news of one attempt at a job."""

    def __init__(self, lease: Lease, jobs: Jobs, settings: Settings) -> None:
        self._id = lease.job.id
        self._lease = lease
        self._jobs = jobs
        self._ttl = settings.result_ttl_seconds
        self._previews = JobProgress(**lease.job.facts.get("progress", {})).preview_version

    def publish(self, news: News | None) -> None:
        """Stores checkpoint, preview and loss curve, then says how far the job is.

        Raises:
            Lost: the job is not the worker's any more.
        """
        if news is None:
            return
        if news.checkpoint is not None:
            self._put("checkpoint", news.checkpoint)
        if news.preview is not None:
            self._put("preview", images.encode_preview(news.preview))
            self._put("losses", Losses.of(news.progress.curve).model_dump_json().encode())
            self._previews += 1
        progress = self._progress(news)
        happened: dict[EventKind, str] = {"progress": progress.model_dump_json()}
        if news.preview is not None:
            happened["preview"] = f'{{"version": {self._previews}}}'
        self._lease.write(
            lambda pipeline: self._jobs.enter(pipeline, self._id, {"progress": progress}, happened)
        )

    def _put(self, kind: Kind, data: bytes) -> None:
        self._jobs.blobs.put(self._id, kind, data, self._ttl, write=self._lease.write)

    def _progress(self, news: News) -> JobProgress:
        progress = news.progress
        return JobProgress(
            step=progress.step,
            steps=progress.steps,
            fraction=progress.fraction,
            loss=progress.losses.get("total"),
            eta_seconds=news.eta_seconds,
            preview_version=self._previews,
            restarts=progress.restarts,
        )
