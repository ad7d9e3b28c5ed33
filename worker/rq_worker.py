"""RQ's worker as a thread can be one, and what becomes of a job that did not end in a picture.

RQ's own workers fork, or sit on the main thread and use signals and alarms; neither can be had in
a process with TensorFlow threads.
"""

import logging
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from redis.client import Pipeline
from rq import Queue, SimpleWorker
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.timeouts import BaseDeathPenalty
from rq.utils import now
from rq.worker import WorkerStatus

from model.errors import AtelierError
from worker.assignment import Canceled, DeviceFault, DeviceLost, Interrupted, Lost
from worker.attempts import Attempt
from worker.connections import RedisAway
from worker.jobs import Jobs
from worker.lease import Lease
from worker.painting_job import PaintingJob
from worker.records import JobError

logger = logging.getLogger(__name__)

#: A job that has had no heartbeat for so long is taken for abandoned, in seconds.
HEARTBEAT_TTL_SECONDS = 15


class Settled(Exception):  # noqa: N818 - reads better where it is raised and caught
    """A job that came out of the queue is not to be painted, or another worker has it."""


class NoDeathPenalty(BaseDeathPenalty):
    """No alarm: the device thread looks at the clock between chunks, when the state is whole."""

    def setup_death_penalty(self) -> None:
        """Nothing to set up."""

    def cancel_death_penalty(self) -> None:
        """Nothing to cancel."""


class RqWorker(SimpleWorker):
    """An RQ worker that lives in a thread; used by that thread only, but for its heartbeats."""

    death_penalty_class = NoDeathPenalty
    job_class = PaintingJob

    #: Of the job at hand.
    _lease: Lease
    _attempt: Attempt

    def __init__(self, name: str, jobs: Jobs) -> None:
        super().__init__(
            [jobs.queue], name=name, connection=jobs.connection, serializer="json", worker_ttl=30
        )
        self._jobs = jobs
        self._fault: BaseException | None = None  # of the house

    @property
    def connection_timeout(self) -> int:
        """The least that RQ has the socket's be: none, for ours is right, and RQ's outlasts jobs.

        It allows for a blocking read of as long as a worker lives without a heartbeat; here they
        last a second.
        """
        return 0

    def get_heartbeat_ttl(self, job: Job) -> int:
        """Short, because it is renewed twice a second: a death is noticed soon."""
        del job
        return HEARTBEAT_TTL_SECONDS

    def prepare_execution(self, job: Job) -> Execution:
        """The job is this worker's from here on, and nobody else's.

        Raises:
            Settled: it is not to be painted, or another worker has it.
        """
        job = cast("PaintingJob", job)
        lease: Lease | None = None

        def take(pipeline: Pipeline) -> None:
            nonlocal lease
            if lease is not None and lease.holds(pipeline):  # all but the answer has come through
                pipeline.multi()
                return
            if self._jobs.is_settled(job):
                raise Settled
            pipeline.multi()
            ttl = self.get_heartbeat_ttl(job)
            self.execution = Execution.create(job, ttl, pipeline, worker_name=self.name)
            lease = Lease(job, self.execution)
            lease.enter(pipeline)
            self.set_state(WorkerStatus.BUSY, pipeline=pipeline)

        # Whoever else takes it changes its record as well.
        self.connection.transaction(take, job.key)
        self._lease = cast("Lease", lease)
        self._attempt = Attempt(self._lease, self._jobs, self.name)
        return cast("Execution", self.execution)

    def prepare_job_execution(
        self,
        job: Job,
        remove_from_intermediate_queue: bool = False,  # noqa: FBT001, FBT002 - RQ's
    ) -> None:
        """Says that the job is painted, where RQ would not ask whose it is.

        Raises:
            Lost: it was given to another, or is not there any more.
        """
        ttl = self.get_heartbeat_ttl(job)

        def say(pipeline: Pipeline) -> None:
            self.set_current_job_id(job.id, pipeline)
            self.set_current_job_working_time(0, pipeline)
            self.heartbeat(ttl, pipeline)
            job.heartbeat(now(), ttl, pipeline)
            job.prepare_for_execution(self.name, pipeline)
            if remove_from_intermediate_queue:
                pipeline.lrem(self._jobs.queue.intermediate_queue_key, 1, job.id)
            pipeline.persist(job.key)

        self._lease.write(say)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Says in the log why a job did not end in a picture: a line, or a trace if it is ours."""
        match exc_info[1]:
            case Canceled():
                logger.info("Job %s was canceled.", job.id)
            case Interrupted():
                logger.info("Job %s was interrupted and goes back to the queue.", job.id)
            case Lost():
                pass  # said when it is let go
            case AtelierError() as error:
                logger.warning("Job %s failed: %s", job.id, error)
            case DeviceFault() as error:
                logger.error("Job %s goes back to the queue: the worker %s.", job.id, error)
            case _:
                logger.error("Job %s met a fault of the worker.", job.id, exc_info=exc_info)

    def handle_job_success(self, job: Job, queue: Queue, started_job_registry: Any) -> None:
        """Marks a painted job as finished, where RQ would not ask whose it is."""
        del queue, started_job_registry
        self._end(cast("PaintingJob", job), self._succeed)

    def handle_job_failure(
        self, job: Job, queue: Queue, started_job_registry: Any = None, exc_string: str = ""
    ) -> None:
        """Decides what becomes of a job that did not end in a picture."""
        del queue, started_job_registry
        job, error = cast("PaintingJob", job), sys.exception()
        try:
            self._decide(job, error, exc_string)
        except Lost:  # whatever became of it here: it is for another to say
            logger.warning("Job %s was given to another worker meanwhile, or deleted.", job.id)
            with self.connection.pipeline() as pipeline:
                self.cleanup_execution(job, pipeline)
                pipeline.execute()

    def _decide(self, job: PaintingJob, error: BaseException | None, trace: str) -> None:
        match error:
            case Lost():
                raise error
            case Canceled():
                self._end(job, self._jobs.end_canceled)
            case AtelierError():
                self._end(job, partial(self._fail, JobError.of(error), trace))
                self._jobs.blobs.drop(job.id, "checkpoint")
            case _ if isinstance(error, (Interrupted, *RedisAway)):
                self._attempt.withdraw()
                self._put_back(job)
            case DeviceLost():
                self._attempt.fail(str(error))
                self._put_back(job)
            case _:
                self._fault = error
                self._attempt.fail(_said_of(error))
                self._put_back(job)

    def _put_back(self, job: PaintingJob) -> None:
        # Enqueuing writes the whole record: one that was deleted meanwhile would be back.
        unwanted = self._jobs.cancel_requested(job.id)
        self._end(job, self._jobs.end_canceled if unwanted else self._jobs.put_back)

    # RQ's own ends of a job, without what nothing here uses: dependents, repeats, callbacks.

    def _succeed(self, job: PaintingJob, pipeline: Pipeline) -> None:
        self._count_time(job, pipeline)
        self.increment_successful_job_count(pipeline)
        ttl = cast("int", job.result_ttl)
        job._handle_success(ttl, pipeline, worker_name=self.name)  # noqa: SLF001
        job.cleanup(ttl, pipeline, remove_from_queue=False)

    def _fail(self, why: JobError, trace: str, job: PaintingJob, pipeline: Pipeline) -> None:
        self._jobs.enter(pipeline, job.id, {"error": why})
        self._count_time(job, pipeline)
        self.increment_failed_job_count(pipeline)
        job.set_status(JobStatus.FAILED, pipeline)
        job._handle_failure(trace, pipeline, worker_name=self.name)  # noqa: SLF001

    def _count_time(self, job: PaintingJob, pipeline: Pipeline) -> None:
        if job.started_at is not None and job.ended_at is not None:
            self.increment_total_working_time(job.ended_at - job.started_at, pipeline)

    def _end(self, job: PaintingJob, how: Callable[[PaintingJob, Pipeline], None]) -> None:
        """Lets go of a job, in one transaction with what becomes of it."""
        execution = self.execution

        def end(pipeline: Pipeline) -> None:
            self.execution = execution  # RQ forgets it below, and this may be done again
            how(job, pipeline)
            self.cleanup_execution(job, pipeline)

        self._lease.write(end)


def _said_of(fault: BaseException | None) -> str:
    """For people, who have no use for a trace: the log has it."""
    return str(fault) if isinstance(fault, DeviceFault) else f"met {type(fault).__name__}"
