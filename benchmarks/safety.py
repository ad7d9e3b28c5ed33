"""What part of the painting time do checkpoints, previews and heartbeats cost?

    python -m benchmarks.safety [SIZE]

Each is timed by itself, with a real Valkey, and set against how often it comes. Only taking a
picture or a checkpoint stops the device; the rest is done by the intake thread meanwhile, and is
counted as if it stopped the device too.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import tensorflow as tf

from benchmarks.service import SAMPLES
from model import images, weights
from model.devices import open_devices
from model.painting import Studio
from model.params import StyleTransferParams
from model.run import Run
from model.sitting import Sitting
from scripts.parts import Parts
from worker.device import Device
from worker.intake import BEAT_SECONDS, IntakeWorker
from worker.jobs import Jobs
from worker.pace import CHECKPOINT_SECONDS, PREVIEW_SECONDS
from worker.pictures import Pictures
from worker.settings import Settings
from worker.submission import Submission

REPETITIONS = 15


def seconds(work: Callable[[], object], times: int = REPETITIONS) -> float:
    """Median duration of a callable."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


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
    sys.stdout.write(
        f"{size} x {size}, a step takes {seconds(lambda: run.advance(1), 3):.3f} s\n\n"
    )
    checkpoint, picture = run.checkpoint(), run.picture()
    preview = images.encode_preview(picture)
    with tempfile.TemporaryDirectory() as folder, Parts(Path(folder), workers=0) as parts:
        put = partial(parts.jobs.blobs.put, "0" * 32)
        settings = Settings(redis_url=parts.redis_url, data_dir=Path(folder))
        costs = {
            f"a checkpoint of {len(checkpoint) / 2**20:.1f} MiB": (
                seconds(run.checkpoint) + seconds(lambda: put("checkpoint", checkpoint, 60)),
                CHECKPOINT_SECONDS,
            ),
            f"a preview of {len(preview) / 2**10:.0f} KiB": (
                seconds(run.picture)
                + seconds(lambda: images.encode_preview(picture))
                + seconds(lambda: put("preview", preview, 60)),
                PREVIEW_SECONDS,
            ),
            "a heartbeat": (seconds(a_beat(parts.jobs, settings)), BEAT_SECONDS),
        }
    for what, (cost, every) in costs.items():
        share = cost / every
        sys.stdout.write(f"- {what}: {1e3 * cost:.1f} ms each {every:g} s, {share:.2%}\n")
    together = sum(cost / every for cost, every in costs.values())
    sys.stdout.write(f"- together {together:.2%} of the painting time\n")


if __name__ == "__main__":
    main()
