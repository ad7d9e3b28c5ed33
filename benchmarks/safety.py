"""What part of the painting time do checkpoints and heartbeats cost?

.venv/bin/python -m benchmarks.safety [SIZE]

Each is timed by itself, with a real Valkey, and set against how often it comes. Only taking a
checkpoint stops the device; the rest is done by the intake thread meanwhile, and is counted as if
it stopped the device too.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import tensorflow as tf

from benchmarks.service import SAMPLES
from model import weights
from model.devices import open_devices
from model.painting import Studio
from model.params import StyleTransferParams
from model.run import Run
from model.sitting import Sitting
from scripts.parts import Parts
from worker.device import Device
from worker.intake import BEAT_SECONDS, IntakeWorker
from worker.jobs import Jobs
from worker.pace import CHECKPOINT_SECONDS
from worker.pictures import Pictures
from worker.settings import Settings
from worker.submission import Submission

REPETITIONS = 15


def least_seconds(work: Callable[[], object], times: int = REPETITIONS) -> float:
    """Shortest duration of a callable: whatever else the machine does only adds."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def begun(size: int) -> Run:
    """A painting on its largest scale."""
    picture = np.random.default_rng(0).random((size, size, 3)).astype(np.float32)
    params = StyleTransferParams(size=size, quality="draft", preset="gatys")  # one scale
    studio = Studio(weights.load("bundled", Path()), device=open_devices("auto")[0])
    run = studio.begin(Sitting.prepare(picture, [picture], params))
    run.advance(2)
    return run


def a_beat(jobs: Jobs, settings: Settings) -> Callable[[], None]:
    """What an intake thread does twice a second for a job that is painted."""
    sample = (SAMPLES / "pavilion.jpg").read_bytes()
    submitted = jobs.submit(Submission(Pictures(sample, [sample]), StyleTransferParams()))
    job = jobs.fetch(submitted.id)
    no_device = cast("Device", None)
    intake = IntakeWorker("benchmark", jobs, no_device, tf.train.Coordinator(), settings)
    intake.register_birth()  # type: ignore[no-untyped-call]
    intake.prepare_execution(job)

    def beat() -> None:
        intake.maintain_heartbeats(job)
        intake._stay(job)  # noqa: SLF001 - it is what is measured
        intake._upkeep.run_if_due()  # noqa: SLF001

    return beat


def main() -> None:
    """Prints a line for each, and the sum."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 512
    run = begun(size)
    step = least_seconds(lambda: run.advance(1), times=2)
    taking, data = least_seconds(run.checkpoint), run.checkpoint()
    with tempfile.TemporaryDirectory() as folder, Parts(Path(folder), workers=0) as parts:
        settings = Settings(redis_url=parts.redis_url, data_dir=Path(folder))
        storing = least_seconds(lambda: parts.jobs.blobs.put("0" * 32, "checkpoint", data, 60))
        beating = least_seconds(a_beat(parts.jobs, settings))
    shares = ((taking + storing) / CHECKPOINT_SECONDS, beating / BEAT_SECONDS)
    sys.stdout.write(
        f"{size} x {size}, a step takes {step:.3f} s\n"
        f"checkpoint of {len(data) / 2**20:.1f} MiB: {1e3 * taking:.1f} ms to take, "
        f"{1e3 * storing:.1f} ms to store, each {CHECKPOINT_SECONDS:g} s: {shares[0]:.3%}\n"
        f"heartbeat: {1e3 * beating:.2f} ms, each {BEAT_SECONDS:g} s: {shares[1]:.3%}\n"
        f"together {sum(shares):.3%} of the painting time\n"
    )


if __name__ == "__main__":
    main()
