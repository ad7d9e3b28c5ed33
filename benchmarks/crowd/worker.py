"""A worker whose device takes time, as a GPU would, and paints nothing.

python -m benchmarks.crowd.worker

All of it is the real worker but for the studio, where a step takes milliseconds of no processor.
"""

import os
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from benchmarks.crowd import STEP_SECONDS
from model import weights
from model.painting import Studio
from model.progress import Progress
from model.sitting import Sitting
from worker.__main__ import Worker
from worker.device import Device
from worker.logs import set_up_logging
from worker.settings import load_settings


class SleepingRun:
    """A run that sleeps; what a device asks of one is what there is."""

    can_be_stored, is_last_to_be_stored = True, False
    kin = None

    def __init__(self, sitting: Sitting) -> None:
        self._sitting = sitting
        self._steps = sum(scale.steps for scale in sitting.scales)
        self._taken = 0
        self._began = time.monotonic()

    @property
    def done(self) -> bool:
        """Whether all steps are taken."""
        return self._taken == self._steps

    def advance(self, steps: int) -> Progress:
        """Takes steps."""
        self._taken = min(self._taken + steps, self._steps)
        # By the clock, so that what is slept too long in a chunk does not add up.
        time.sleep(max(0.0, self._began + self._taken * STEP_SECONDS - time.monotonic()))
        return self.progress()

    def progress(self) -> Progress:
        """How far it is."""
        fraction = self._taken / self._steps
        return Progress(self._taken, self._steps, fraction, 64, 64, {}, {}, (), restarts=0)

    def picture(self) -> npt.NDArray[np.float32]:
        """The content."""
        return self._sitting.finished(self._sitting.content)

    def checkpoint(self) -> bytes:
        """As many bytes as Adam has for 64 x 64 pixels."""
        return bytes(4 * 64 * 64 * 3 * 4)


class SleepingStudio:
    """A studio without a network."""

    device = "cpu"
    dtype = tf.float32

    def __init__(self) -> None:
        self.features = weights.load("bundled", Path())

    def begin(self, sitting: Sitting, **_options: Any) -> SleepingRun:
        """A run that has taken no step yet."""
        return SleepingRun(sitting)


def main() -> int:
    """Works until SIGTERM."""
    settings, studio = load_settings(), SleepingStudio()
    set_up_logging(settings.log_level, settings.log_format)
    return Worker(settings, studio.features, [Device(cast("Studio", studio))]).run()


if __name__ == "__main__":
    os._exit(main())
