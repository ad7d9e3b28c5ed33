"""An intake thread: an RQ worker that lives in a thread and feeds a device.

It takes a job when its device is nearly free, decodes and prepares the pictures, enqueues them
to the device, and while that paints keeps the job alive and publishes how far it is. At the end
it stores the picture and lets RQ mark the job finished. To RQ it is an ordinary worker:
``rq info`` shows it.
"""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import cast

import tensorflow as tf
from rq import Queue
from rq.exceptions import DequeueTimeout
from rq.job import Job

from worker import errand
from worker.assignment import Array, Assignment, Canceled, Interrupted
from worker.connections import RedisAway
from worker.device import Device
from worker.heartbeat import beating
from worker.jobs import Jobs
from worker.painting_job import PaintingJob
from worker.patience import Patience
from worker.records import FINAL, FeaturesUsed
from worker.rq_worker import RqWorker, Settled
from worker.settings import Settings
from worker.strangers import Strangers
from worker.tracing import describe, following
from worker.upkeep import Upkeep

logger = logging.getLogger(__name__)

#: How often the intake thread of a device that is nearly free looks into the queue, in seconds.
LOOK_SECONDS = 0.25

#: How often a waiting intake thread looks after its job, in seconds.
BEAT_SECONDS = 0.5


class Hung(Exception):  # noqa: N818 - reads better where it is raised
    """An intake thread does not come back from a job's pictures; only a new process helps."""


class IntakeWorker(RqWorker):
    """The RQ worker of one intake thread; used by that thread only, but for its heartbeats."""

    def __init__(
        self, name: str, jobs: Jobs, device: Device, coord: tf.train.Coordinator, settings: Settings
    ) -> None:
        super().__init__(name, jobs)
        self._device = device
        self._coord = coord
        self._settings = settings
        self._upkeep = Upkeep(jobs, settings)
        self._receiving = False
        self._strangers = Strangers(jobs)

    def take_one(self) -> None:
        """The enqueue op of the queue runner: takes one job to its end, if there is one to take.

        Raises:
            tf.errors.CancelledError: the device takes no more.
            BaseException: an error of the house; the job has been put back.
        """
        if self._device.lost is not None:
            raise tf.errors.CancelledError(None, None, f"{self._device.name} is lost.")
        self._device.check_pulse(self._settings.hang_seconds)
        try:
            self.heartbeat()
            self._upkeep.run_if_due()
            self._receiving = self._device.reception.acquire(timeout=1.0)
            is_wanted = self._receiving and self._device.load.wait_until_nearly_free(timeout=1.0)
            if is_wanted and not self._coord.should_stop():
                self._execute_next()
        except RedisAway as error:
            logger.warning("Redis does not answer (%s); waiting for it.", type(error).__name__)
            self._coord.wait_for_stop(1.0)
        finally:
            self._leave_reception()
        if self._fault is not None:
            raise self._fault

    def _dequeue(self) -> tuple[PaintingJob, Queue] | None:
        """The next job, if there is one.

        Only an idle device waits for one to come. One that paints takes what is in the queue
        already: if any other were idle, it would not be there. Where there is room beside what is
        painted it looks at once, so that many small ones come together soon.
        """
        load = self._device.load
        is_idle = load.wait_until_idle(timeout=0 if load.has_room else LOOK_SECONDS)
        found = self._look(seconds=1 if is_idle else None)
        if found is None and load.has_room:
            load.wait_until_idle(timeout=LOOK_SECONDS)
        return found

    def _look(self, seconds: int | None) -> tuple[PaintingJob, Queue] | None:
        """Waits for a job for so long, or not at all."""
        try:
            found = self.queue_class.dequeue_any(
                self.queues,
                timeout=seconds,
                connection=self.connection,
                job_class=self.job_class,
                serializer=self.serializer,
                death_penalty_class=self.death_penalty_class,
            )
        except DequeueTimeout:
            return None
        return cast("tuple[PaintingJob, Queue] | None", found)

    def _execute_next(self) -> None:
        if (found := self._dequeue()) is not None:
            job, queue = found
            self._jobs.order.settle(self.connection)
            if job.is_of_newer_version and job.painting_status not in FINAL:
                self._coord.wait_for_stop(self._strangers.leave(job))
                return
            job.perform_with = self._perform
            with following(job), self._device.load.at_stake(job.id):
                try:
                    self.execute_job(job, queue)
                except Settled:
                    self._jobs.leave_be(job)

    def perform_job(self, job: Job, queue: Queue) -> bool:
        """Takes a job that is this worker's to its end, and tidies up."""
        try:
            return bool(super().perform_job(job, queue))
        finally:
            self._jobs.sweep(cast("PaintingJob", job))

    def _perform(self, job: PaintingJob) -> None:
        """Prepare, paint, store: RQ calls this performing the job."""
        try:
            self._paint(job)
        except RedisAway:
            # It goes back to the queue: whoever took it at once would fare no better.
            self._coord.wait_for_stop(1.0)
            raise

    def _paint(self, job: PaintingJob) -> None:
        self._stop_if_asked()
        began = time.monotonic()
        number = self._begin(job)
        logger.info("Job %s begins: %s, attempt %d", job.id, job.description, number)
        if is_suspect := number > 1:
            self._wait_until_alone(job)
        if self._jobs.cancel_requested(job.id):
            raise Canceled
        tally = self._device.tally
        with tally.stage("preparing"), self._kept_alive(job):
            assignment = errand.prepare(job, self._jobs.blobs, self._settings, self._stop_if_asked)
        describe(
            size=assignment.sitting.params.size,
            steps=sum(scale.steps for scale in assignment.sitting.scales),
            features=self._device.studio.features.name,
            attempt=number,
        )
        self._attempt.wait()
        self._hand_over(assignment)
        if not is_suspect:
            self._leave_reception()
        picture = self._accompany(job, assignment)
        self._stay(job)
        with tally.stage("storing"):
            self._insist(
                job,
                lambda: errand.store(self._lease, picture, assignment, self._jobs, self._settings),
            )
        logger.info("Job %s is painted, after %.1f s", job.id, time.monotonic() - began)

    def _stop_if_asked(self) -> None:
        """Raises Interrupted where the house stops: nothing else is to be begun."""
        if self._coord.should_stop():
            raise Interrupted

    def _begin(self, job: PaintingJob) -> int:
        features = self._device.studio.features
        used = FeaturesUsed(name=features.name, sha256=features.sha256)
        number = self._attempt.begin(used, self._settings.max_attempts)
        self._device.tally.begun(job.waited_seconds)
        return number

    def _wait_until_alone(self, job: PaintingJob) -> None:
        """Nothing else is to be at stake with a job of which an attempt failed.

        Whatever befell it may befall it again, and would be held against all beside it. So this
        thread waits for them to end, and stays in the reception until its own job has ended.
        """
        while not self._device.load.wait_until_alone(job.id, BEAT_SECONDS):
            self._stop_if_asked()
            self._device.check_pulse(self._settings.hang_seconds)
            self.maintain_heartbeats(job)
            self._stay(job)
            self._make_a_round()
        self._attempt.go_on()

    def _hand_over(self, assignment: Assignment) -> None:
        try:
            self._device.hand_over(assignment)
        except tf.errors.CancelledError:  # the house is stopping
            raise Interrupted from None

    def _leave_reception(self) -> None:
        if self._receiving:
            self._receiving = False
            self._device.reception.release()

    def _accompany(self, job: PaintingJob, assignment: Assignment) -> Array:
        """Waits for the device, and meanwhile speaks for the job."""
        try:
            return self._speak_for(job, assignment)
        finally:
            assignment.cancel.set()
            assignment.counted.set()  # the device need not wait for a job that nobody wants

    def _speak_for(self, job: PaintingJob, assignment: Assignment) -> Array:
        reporter = errand.Reporter(self._lease, self._jobs, self._settings)
        patience = Patience(self._coord, self._settings.stop_grace_seconds / 2)
        while (outcome := assignment.outcome) is None:
            assignment.changed.wait(BEAT_SECONDS)
            assignment.changed.clear()
            patience.check()
            self._device.check_pulse(self._settings.hang_seconds)
            try:
                self._count(assignment)
                self.maintain_heartbeats(job)
                self._stay(job)
                reporter.publish(assignment.take_news())
            except RedisAway:
                logger.warning("Redis does not answer; job %s is painted on.", job.id)
            self._make_a_round()
        last_news = assignment.take_news()
        self._insist(job, lambda: reporter.publish(last_news))
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def _make_a_round(self) -> None:
        """Looks after all jobs, if that is due; what goes wrong is not the doing of this one."""
        with self._coord.stop_on_exception(), suppress(*RedisAway):
            self._upkeep.run_if_due()

    def _count(self, assignment: Assignment) -> None:
        if assignment.taken.is_set() and not assignment.counted.is_set():
            self._attempt.go_on()
            assignment.counted.set()

    def _stay(self, job: PaintingJob) -> None:
        """Makes sure that the job is still to be painted, and still ours."""
        if self._jobs.cancel_requested(job.id):
            raise Canceled
        self._lease.check()

    def _kept_alive(self, job: PaintingJob) -> AbstractContextManager[None]:
        """Its heart beats while this thread is busy with it; if that hangs, the house ends."""
        longest = self._settings.hang_seconds

        def beat() -> None:
            with self._lease.speaking:
                self.maintain_heartbeats(job)
            self._make_a_round()

        def give_up() -> None:
            with self._coord.stop_on_exception():
                raise Hung(f"Job {job.id} is prepared or stored for more than {longest:g} s.")

        return beating(beat, BEAT_SECONDS, longest, give_up)

    def _insist(self, job: PaintingJob, write: Callable[[], None]) -> None:
        """Writes what must not be lost; waits for Redis as long as the house stands."""
        while True:
            try:
                with self._kept_alive(job):
                    return write()
            except RedisAway:
                logger.warning("Redis does not answer; a finished picture waits for it.")
                if self._coord.wait_for_stop(1.0):
                    raise Interrupted from None
