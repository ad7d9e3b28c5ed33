"""A worker process: signals, coordinator, threads, join, exit code.

Its threads, most of them known to one coordinator:

    main           waits for a signal or for the coordinator to stop, then joins the others
    NAME           one per device (``cpu``, ``gpu:0``): paints what is in the device's queue
    NAME-warm-up   traces its first graphs; known to nobody else, for it cannot be broken off
    NAME-N         the intake threads: one for each job that the device may paint at once, which
                   speaks for it, and one that gets the next ready; with NAME-close_on_stop, a
                   queue runner
    presence       says every few seconds that the worker is there
    janitor        looks now and then for pictures in a store that nobody names any more
    batches        makes jobs of the pictures of batches while there is room in the queue
    heartbeat      of a job whose intake thread is busy with its pictures; it ends with that
    webhooks       gives each delivery that is due to a thread, which nobody waits for long

It exits with 0 after SIGTERM or SIGINT, every job finished or back in the queue, and with 1 when
something of the house broke, a device hung, the last one was lost, or a thread did not stop within
the grace period. A second signal exits at once. Where Redis does not answer, no job can be put
back, and none is lost: others find it when its heartbeat is over, with its last checkpoint.
"""

import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from types import FrameType
from uuid import uuid4

import tensorflow as tf
from redis import Redis
from rq.worker import WorkerStatus

from model import weights
from model.devices import open_devices
from model.errors import AtelierError
from model.painting import Studio
from model.vgg import Features
from worker import presence
from worker.assignment import DeviceLost
from worker.batches.feeder import Feeder
from worker.connections import RedisAway, connect_patiently, ping
from worker.coordination import QueueRunner
from worker.courier import Courier
from worker.device import Device
from worker.intake import IntakeWorker
from worker.jobs import Jobs
from worker.logs import set_up_logging
from worker.records import FeaturesUsed
from worker.settings import Settings, load_settings
from worker.tracing import set_up_tracing, shut_down_tracing
from worker.watchdog import Watchdog

logger = logging.getLogger(__name__)

_PRESENCE_SECONDS = 2.0

_SWEEP_LOOK_SECONDS = 60.0


class Worker:
    """One worker process."""

    def __init__(self, settings: Settings, features: Features, devices: list[Device]) -> None:
        self._settings = settings
        self._devices = devices
        self._coord = tf.train.Coordinator()
        connection = connect_patiently(
            settings.required_redis_url, self._coord.should_stop, settings.stop_grace_seconds
        )
        self._jobs = Jobs(connection, settings)
        self._courier = Courier(self._jobs, settings)
        self._feeder = Feeder(self._jobs, settings, self._coord.should_stop)
        self._info = presence.WorkerInfo(
            name=f"{socket.gethostname()}-{uuid4().hex[:8]}",
            host=socket.gethostname(),
            pid=os.getpid(),
            version=version("atelier"),
            started_at=datetime.now(UTC).isoformat(),
            features=FeaturesUsed(name=features.name, sha256=features.sha256),
            devices=[],
        )
        self._intakes: list[IntakeWorker] = []
        self._threads: list[threading.Thread] = []

    def run(self) -> int:
        """Works until a signal or an error of the house; returns the exit code."""
        signals = _watch_signals()
        for device in self._devices:
            self._start(device)
        self._thread("presence", self._announce)
        self._thread("webhooks", lambda: self._courier.run(self._coord))
        self._thread("batches", lambda: self._feeder.run(self._coord))
        self._thread("janitor", self._sweep)
        watchdog = Watchdog(self._settings.hang_seconds)
        while not self._coord.wait_for_stop(timeout=0.1):
            watchdog.pat()
            # Not requested in the signal handler: the coordinator's lock is not reentrant.
            if signals:
                self._coord.request_stop()
            with self._coord.stop_on_exception():
                self._check_devices()
        watchdog.dismiss()
        return self._join()

    def _check_devices(self) -> None:
        if all(device.lost for device in self._devices):
            raise DeviceLost("The worker has no device left.")

    def _start(self, device: Device) -> None:
        self._thread(device.name, lambda: device.run(self._coord))
        intakes = [
            IntakeWorker(
                f"{self._info.name}.{device.name}.{number}",
                self._jobs,
                device,
                self._coord,
                self._settings,
            )
            for number in range(device.together + 1)
        ]
        for intake in intakes:
            intake.register_birth()  # type: ignore[no-untyped-call]
            intake.set_state(WorkerStatus.STARTED)
        self._intakes += intakes
        runner = QueueRunner(device.queue, [intake.take_one for intake in intakes])
        self._threads += runner.create_threads(self._coord, daemon=True, start=True)

    def _thread(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._coord.register_thread(thread)
        self._threads.append(thread)
        thread.start()

    def _announce(self) -> None:
        with self._coord.stop_on_exception():
            for device in self._devices:
                while not (device.warm.wait(0.1) or self._coord.should_stop()):
                    pass
            _collect_from_now_on()
            while not self._coord.should_stop():
                try:
                    devices = [device.info() for device in self._devices]
                    info = self._info.model_copy(update={"devices": devices})
                    presence.announce(self._jobs.connection, info)
                    self._publish_tallies(self._jobs.connection)
                except RedisAway:
                    logger.warning("Redis does not answer; nobody knows that this worker is here.")
                self._coord.wait_for_stop(_PRESENCE_SECONDS)

    def _sweep(self) -> None:
        with self._coord.stop_on_exception():
            while not self._coord.wait_for_stop(_SWEEP_LOOK_SECONDS):
                with contextlib.suppress(*RedisAway):  # the next worker, or the next time
                    self._jobs.blobs.sweep_if_due(self._coord.should_stop)

    def _publish_tallies(self, connection: Redis) -> None:
        for device in self._devices:
            device.tally.publish(connection)

    def _join(self) -> int:
        """Waits for the threads; 0 if all ended well, 1 if not."""
        logger.info("stopping: running jobs go back to the queue")
        try:
            grace = self._settings.stop_grace_seconds
            self._coord.join(stop_grace_period_secs=grace, ignore_live_threads=True)
        except Exception:
            logger.exception("The worker stops because of an error.")
            return 1
        finally:
            self._take_leave()
        late = [thread.name for thread in self._threads if thread.is_alive()]
        if late:
            logger.error("Not stopped within %d s: %s", grace, ", ".join(late))
        return 1 if late else 0

    def _take_leave(self) -> None:
        try:
            presence.withdraw(self._jobs.connection, self._info.name)
            self._publish_tallies(self._jobs.connection)
            for intake in self._intakes:
                intake.register_death()  # type: ignore[no-untyped-call]
        except RedisAway:
            logger.warning("Redis does not answer; it will forget this worker by itself.")


def _collect_from_now_on() -> None:
    """Ends what ``main`` began: garbage is looked for, in what is made from here on."""
    gc.freeze()
    gc.enable()


def _watch_signals() -> list[int]:
    """SIGTERM and SIGINT as they come; the second signal exits at once.

    Not an event: the second may come in the middle of the first one's handler, and would wait for
    ever for the lock that this holds.
    """
    come: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        if come:
            os._exit(128 + number)
        come.append(number)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    return come


def main(settings: Settings | None = None) -> int:
    """Runs a worker; returns its exit code.

    Errors that a person can mend are one sentence on stderr, without a trace.
    """
    # Graphs and features are here to stay: to look for garbage in them again and again, as they are
    # made, only costs time.
    gc.disable()
    try:
        settings = settings or load_settings()
        set_up_logging(settings.log_level, settings.log_format)
        set_up_tracing("atelier-worker")
        ping(settings.required_redis_url)
        devices = open_devices(settings.devices)
        features = weights.load(settings.features, settings.folder / "features")
        studios = [Studio(features, device=d, precision=settings.precision) for d in devices]
        return Worker(settings, features, [Device(s, settings.together) for s in studios]).run()
    except AtelierError as error:
        sys.stderr.write(f"atelier worker: {error}\n")
        return 1
    finally:
        shut_down_tracing()


if __name__ == "__main__":
    # Not sys.exit: a thread stuck in native code must not hold the process.
    code = main()
    logging.shutdown()
    os._exit(code)
