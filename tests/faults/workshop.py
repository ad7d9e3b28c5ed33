"""A worker on whose devices chosen jobs go wrong: ``python -m tests.faults.workshop [OPTION]...``.

All of it is the real worker but for the studio, which looks at a job's seed: those in ``Fault`` do
what they say, once in a data folder or each time; all others are painted as ever.
"""

import ctypes
import os
import signal
import sys
import threading
from dataclasses import replace
from enum import IntEnum
from pathlib import Path
from typing import Any

from model.loading import load_tensorflow

load_tensorflow()

import tensorflow as tf  # noqa: E402

from model import devices  # noqa: E402
from model.errors import OutOfTimeError  # noqa: E402
from model.painting import Studio  # noqa: E402
from model.run import Run  # noqa: E402
from model.sitting import Sitting  # noqa: E402
from model.vgg import Features  # noqa: E402
from tests.house import eventually  # noqa: E402
from tests.networks import a_thin_network, thin_features  # noqa: E402
from worker import __main__ as process  # noqa: E402
from worker import errand, pace, rq_worker  # noqa: E402
from worker.painting_job import status_of  # noqa: E402
from worker.records import FINAL  # noqa: E402
from worker.rq_worker import RqWorker  # noqa: E402


class Fault(IntEnum):
    """What goes wrong with a job, by its seed."""

    KILLS = 9001  # each time
    DIES_STORED = 9002
    HANGS = 9003
    HOLDS_THE_LOCK = 9004
    RUNS_OUT_OF_MEMORY = 9005  # each time, but in small tiles
    NEVER_FITS = 9006  # each time
    LOSES_THE_DEVICE = 9007
    MEETS_A_BUG = 9008
    STORES_LATE = 9009
    FAILS_LATE = 9010
    DAWDLES = 9011  # each time, at every step
    DECODES_LONG = 9012


#: Steps that are taken before it goes wrong.
STEPS_BEFORE = 2

#: How long a heartbeat lasts where it is asked to be short.
SHORT_HEARTBEAT_SECONDS = 4

#: How long the pictures of some jobs take to be decoded.
DECODING_SECONDS = 2.5 * SHORT_HEARTBEAT_SECONDS

#: A pause before each step of a job that dawdles, in seconds: it takes long, and costs little.
PAUSE_SECONDS = 0.1


class FaultyRun:
    """A run that goes wrong after some steps."""

    def __init__(self, run: Run, fault: Fault, *, small_tiles: bool) -> None:
        self._run = run
        self._fault = fault
        self._small_tiles = small_tiles

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run, name)

    @property
    def kin(self) -> Any:
        """Itself: with others in one go it would not go wrong."""
        return self

    def advance(self, steps: int) -> Any:
        """As a run does, up to the fault."""
        if self._fault is Fault.DAWDLES:
            threading.Event().wait(PAUSE_SECONDS)
            return self._run.advance(1)
        if self._run.progress().step >= STEPS_BEFORE:
            self._go_wrong()
            return self._run.advance(steps)
        return self._run.advance(1)

    def _go_wrong(self) -> None:
        match self._fault:
            case Fault.KILLS:
                os.kill(os.getpid(), signal.SIGKILL)
            case Fault.HANGS if first_time(self._fault):
                threading.Event().wait()
            case Fault.HOLDS_THE_LOCK if first_time(self._fault):
                ctypes.PyDLL(None).sleep(600)
            case Fault.NEVER_FITS:
                raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating a tensor")
            case Fault.RUNS_OUT_OF_MEMORY if not self._small_tiles:
                raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating a tensor")
            case Fault.LOSES_THE_DEVICE if first_time(self._fault):
                raise tf.errors.InternalError(None, None, "the device fell off the bus")
            case Fault.MEETS_A_BUG if first_time(self._fault):
                raise ZeroDivisionError


class FaultyStudio(Studio):
    """A studio in which some jobs go wrong; its network is thin, so that others are soon done."""

    def __init__(self, features: Features, **options: Any) -> None:
        thin = thin_features()
        super().__init__(replace(features, kernels=thin.kernels, biases=thin.biases), **options)

    def begin(self, sitting: Sitting, *, small_tiles: bool = False) -> Any:
        """A run, or a faulty one."""
        run = super().begin(sitting, small_tiles=small_tiles)
        try:
            fault = Fault(sitting.params.seed)
        except ValueError:
            return run
        return FaultyRun(run, fault, small_tiles=small_tiles)


def first_time(fault: Fault) -> bool:
    """Whether it has never happened with this data folder."""
    mark = Path(os.environ["ATELIER_DATA_DIR"]) / f"{fault.name}.happened"
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def prepare(job: Any, *others: Any) -> Any:
    """Prepares a job; of some the pictures are large."""
    if job.work.params.seed == Fault.DECODES_LONG:
        threading.Event().wait(DECODING_SECONDS)
    return errand_prepare(job, *others)


def store(lease: Any, picture: Any, assignment: Any, *others: Any) -> None:
    """Stores a picture; some workers do not live to say so, others come too late."""
    match assignment.sitting.params.seed:
        case Fault.DIES_STORED if first_time(Fault.DIES_STORED):
            errand_store(lease, picture, assignment, *others)
            os.kill(os.getpid(), signal.SIGKILL)
        case Fault.STORES_LATE if first_time(Fault.STORES_LATE):
            wait_for_another_to_end(lease)
            errand_store(lease, 1 - picture, assignment, *others)  # to be told from the other's
        case Fault.FAILS_LATE if first_time(Fault.FAILS_LATE):
            wait_for_another_to_end(lease)
            raise OutOfTimeError("The painting took too long.")
        case _:
            errand_store(lease, picture, assignment, *others)


def wait_for_another_to_end(lease: Any) -> None:
    """Says nothing, as if cut off, until the job has ended elsewhere."""
    silent.add(lease._entry)
    eventually(
        lambda: status_of(lease.job.get_status()) in FINAL, within=60, what="another ends it"
    )


def maintain_heartbeats(worker: RqWorker, job: Any) -> None:
    """Speaks for a job, but for attempts of which nothing is to be heard."""
    if worker._lease._entry not in silent:
        worker_beat(worker, job)


def open_two(spec: str) -> list[str]:
    """This machine's processor as two devices."""
    devices.open_devices(spec)
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [half, half]
    )
    return ["cpu:0", "cpu:1"]


#: Executions that this worker is cut off from.
silent: set[str] = set()

errand_prepare, errand_store = errand.prepare, errand.store
worker_beat = RqWorker.maintain_heartbeats

if __name__ == "__main__":
    options = set(sys.argv[1:])
    errand.prepare, errand.store = prepare, store  # type: ignore[assignment]
    RqWorker.maintain_heartbeats = maintain_heartbeats  # type: ignore[method-assign, assignment]
    process.Studio = FaultyStudio  # type: ignore[attr-defined]
    pace.CHECKPOINT_SECONDS = 0.5
    if "--two-devices" in options:
        process.open_devices = open_two  # type: ignore[attr-defined]
    if "--short-heartbeat" in options:
        rq_worker.HEARTBEAT_TTL_SECONDS = SHORT_HEARTBEAT_SECONDS
    with a_thin_network():
        os._exit(process.main())
