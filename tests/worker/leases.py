"""Jobs that a worker has, without a worker."""

from rq.executions import Execution

from worker.lease import Lease
from worker.painting_job import PaintingJob


def taken(job: PaintingJob) -> tuple[Lease, Execution]:
    """A worker has the job from now on: its lease, and what that rests on."""
    with job.connection.pipeline() as pipeline:
        execution = Execution.create(job, 60, pipeline)
        lease = Lease(job, execution)
        lease.enter(pipeline)
        pipeline.execute()
    return lease, execution


def let_go(job: PaintingJob, execution: Execution) -> None:
    """The worker has it no more."""
    with job.connection.pipeline() as pipeline:
        execution.delete(job, pipeline)
        pipeline.execute()
