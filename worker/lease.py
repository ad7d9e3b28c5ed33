"""A worker's lease of a job, and that nothing which it writes counts once the lease is over.

A worker that was cut off does not know that its job was given to another, and it may find out in
the middle of a word: Redis hears the rest when the line is mended. So whatever is written of a job
that is painted is written together with the question whether it is still the worker's. The job's
record names the one that has it: who takes the job fences off whoever had it before
(https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html).
"""

import threading
import time
from collections.abc import Callable
from typing import Any, cast

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import WatchError
from rq.executions import Execution

from worker.assignment import Lost
from worker.painting_job import PaintingJob, as_fields

#: Between two tries to write, for a heartbeat that waits to be heard.
_PAUSE_SECONDS = 0.01


class Lease:
    """An execution of RQ's, which lasts as long as its heartbeats come.

    Attributes:
        job: that it is of, as it was when the worker took it.
        speaking: held by whoever speaks of the job: a heartbeat in the middle of a large write
            would undo that, since both change the job's record.
    """

    def __init__(self, job: PaintingJob, execution: Execution) -> None:
        self.job = job
        self.speaking = threading.Lock()
        self._connection = job.connection
        self._record = job.key
        self._registry = job.started_job_registry.key
        self._entry = execution.composite_key
        self._name, self._holder = as_fields({"lease": execution.id})

    def enter(self, pipeline: Pipeline) -> None:
        """Names the worker in the record, in the transaction that makes the execution."""
        pipeline.hset(self._record, self._name, self._holder)

    def check(self) -> None:
        """Makes sure that the job is still the worker's.

        Raises:
            Lost: it was given to another, or is not there any more.
        """
        self._check(self._connection)

    def holds(self, connection: Redis) -> bool:
        """Whether the job is the worker's."""
        is_alive = connection.zscore(self._registry, self._entry) is not None
        holder = cast("bytes | None", connection.hget(self._record, self._name))
        return is_alive and holder == self._holder.encode()

    def write(self, do: Callable[[Pipeline], None]) -> list[Any]:
        """Does all of it or nothing, with the job still the worker's; gives what Redis answers.

        Raises:
            Lost: it was given to another, or is not there any more.
        """
        while True:
            try:
                with self.speaking, self._connection.pipeline() as pipeline:
                    # Who takes the job over, or back, changes its record. The registry has the
                    # heartbeats of all workers: whoever watched that would never come to an end.
                    pipeline.watch(self._record)  # type: ignore[no-untyped-call]
                    self._check(pipeline)
                    pipeline.multi()
                    do(pipeline)
                    return pipeline.execute()
            except WatchError:
                time.sleep(_PAUSE_SECONDS)

    def _check(self, connection: Redis) -> None:
        if not self.holds(connection):
            raise Lost
