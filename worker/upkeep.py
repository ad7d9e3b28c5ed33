"""Jobs whose worker has died are found and put back; every worker looks, none is needed.

RQ's own cleaning is run under a lock that lasts fifteen minutes if its holder dies, fails what it
finds in the intermediate list, and writes of a job what it read of it some time ago. This one
expires by itself, puts back, and only what is still without a heartbeat when it does.
"""

import logging
import time
from contextvars import Context
from functools import partial
from typing import cast

from redis.client import Pipeline
from rq.registry import CanceledJobRegistry, FailedJobRegistry, FinishedJobRegistry
from rq.utils import parse_composite_key
from rq.worker_registration import clean_worker_registry

from worker.jobs import Jobs
from worker.ledger import NoSuchJob
from worker.overdue import Overdue
from worker.painting_job import PaintingJob
from worker.records import FINAL
from worker.removal import STRANDED
from worker.settings import Settings

logger = logging.getLogger(__name__)

#: Between two rounds, whichever worker makes them, in seconds.
ROUND_SECONDS = 5

#: After a while in which nobody could speak: as long as the slowest may take to try again.
_GRACE_SECONDS = 2 * ROUND_SECONDS

#: A job between the queue and a worker for so long was dropped by one that died, in seconds.
STRANDED_SECONDS = 15

#: Between two counts of all uploads, which take longer than the rest, in seconds.
RECOUNT_SECONDS = 600

_LOCK = "atelier:upkeep"
_RECOUNT = "atelier:recount"

#: Moves an id from the intermediate list back to the queue, unless its worker did so meanwhile.
_PUT_BACK = """
redis.call('HDEL', KEYS[3], ARGV[1])
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
if redis.call('HEXISTS', KEYS[4], 'data') == 0 then return 0 end
redis.call('LPUSH', KEYS[2], ARGV[1])
return 1
"""


class Upkeep:
    """The rounds of one worker."""

    def __init__(self, jobs: Jobs, settings: Settings) -> None:
        self._jobs = jobs
        self._overdue = Overdue(jobs, settings.max_queue_seconds)
        self._connection = jobs.connection
        self._put_back = jobs.connection.register_script(_PUT_BACK)
        self._last_look = self._next_round = 0.0

    def run_if_due(self) -> None:
        """Makes a round, if no worker has made one in the last seconds.

        Who has not been here for long was kept away by Redis, and so were the heartbeats of all
        workers, perhaps: they come first.
        """
        now = time.monotonic()
        if now - self._last_look > ROUND_SECONDS:
            self._next_round = now + _GRACE_SECONDS
        self._last_look = now
        if now < self._next_round:
            return
        self._next_round = now + ROUND_SECONDS
        if self._connection.set(_LOCK, 1, nx=True, ex=ROUND_SECONDS):
            # In a context of its own: it is about other jobs than the one that its thread has.
            Context().run(self._make_round)

    def _make_round(self) -> None:
        self._jobs.order.settle(self._connection)
        self._put_abandoned_back()
        self._put_stranded_back()
        self._overdue.end_all()
        self._drop_expired()

    def _put_abandoned_back(self) -> None:
        """Jobs without a heartbeat go to the front of the queue."""
        registry = self._jobs.queue.started_job_registry.key
        silent = cast("list[bytes]", self._connection.zrangebyscore(registry, 0, time.time()))
        for entry in map(bytes.decode, silent):
            job_id, execution = parse_composite_key(entry)
            end = partial(self._end_execution, registry, job_id, execution)
            self._connection.transaction(end, PaintingJob.key_for(job_id))  # heartbeats write there

    def _end_execution(
        self, registry: str, job_id: str, execution: str, pipeline: Pipeline
    ) -> None:
        """Takes a job from a worker that is silent, unless it has spoken after all."""
        entry = f"{job_id}:{execution}"
        last = pipeline.zscore(registry, entry)
        job = self._unfinished(job_id)
        # A worker of an older version names none, and leaves what another has named before.
        named = job.facts.get("lease", execution) if job is not None else execution
        is_anothers = named != execution and pipeline.zscore(registry, f"{job_id}:{named}")
        pipeline.multi()
        if last is None or last > time.time():
            return
        pipeline.zrem(registry, entry)
        if job is not None and not is_anothers:
            logger.warning("Job %s has lost its worker and goes back to the queue.", job_id)
            self._jobs.put_back(job, pipeline)

    def _unfinished(self, job_id: str) -> PaintingJob | None:
        try:
            job = self._jobs.fetch(job_id)
        except NoSuchJob:
            return None
        return None if job.painting_status in FINAL else job

    def _put_stranded_back(self) -> None:
        """Jobs whose worker died between taking them and saying so."""
        intermediate = self._jobs.queue.intermediate_queue
        now = time.time()
        seen = cast("dict[bytes, bytes]", self._connection.hgetall(STRANDED))
        present = {job_id.encode() for job_id in intermediate.get_job_ids()}
        for job_id in present - seen.keys():
            self._connection.hset(STRANDED, job_id.decode(), str(now))
        for job_id in seen.keys() - present:
            self._connection.hdel(STRANDED, job_id.decode())
        for job_id in present & seen.keys():
            if now - float(seen[job_id]) > STRANDED_SECONDS:
                logger.warning("Job %s was stranded and goes back to the queue.", job_id.decode())
                record = PaintingJob.key_for(job_id.decode())
                keys = [intermediate.key, self._jobs.queue.key, STRANDED, record]
                self._put_back(keys=keys, args=[job_id])

    def _drop_expired(self) -> None:
        """Names of jobs and workers that are gone."""
        for registry in (FinishedJobRegistry, FailedJobRegistry):
            registry(queue=self._jobs.queue).cleanup()
        canceled = CanceledJobRegistry(queue=self._jobs.queue).key  # RQ never cleans this one
        self._connection.zremrangebyscore(canceled, 0, time.time())
        clean_worker_registry(self._jobs.queue)
        if self._connection.set(_RECOUNT, 1, nx=True, ex=RECOUNT_SECONDS):
            self._jobs.blobs.count_again()
