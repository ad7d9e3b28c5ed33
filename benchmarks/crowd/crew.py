"""Workers that only take time, more and more of them, and what their jobs cost."""

import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from redis import Redis

from benchmarks.crowd import STEP_SECONDS
from benchmarks.crowd.queue import jobs_on, small_picture
from model.params import StyleTransferParams
from scripts.parts import Part
from worker import presence
from worker.jobs import Jobs
from worker.pictures import Pictures
from worker.submission import Submission

_PATIENCE_SECONDS = 150.0


@dataclass(frozen=True)
class Usage:
    """What has been used so far, or for one job.

    Attributes:
        workers: seconds of processors that all workers used.
        redis: likewise Redis.
        commands: that Redis was given.
        received: bytes that it was sent.
        sent: bytes that it sent.
    """

    workers: float
    redis: float
    commands: float
    received: float
    sent: float

    @classmethod
    def of(cls, redis: Redis, parts: list[Part]) -> Self:
        """Until now."""
        cpu, stats = redis.info("cpu"), redis.info("stats")
        return cls(
            sum(_cpu_seconds(part.pid) for part in parts),
            cpu["used_cpu_user"] + cpu["used_cpu_sys"],
            stats["total_commands_processed"],
            stats["total_net_input_bytes"],
            stats["total_net_output_bytes"],
        )


@dataclass(frozen=True)
class Trial:
    """Some jobs, and how it went.

    Attributes:
        seconds: from the beginning of the first job to the end of the last.
        of_linear: the least time that so many devices could take, as a share of ``seconds``.
        each: what a job used.
    """

    seconds: float
    of_linear: float
    each: Usage


class Crew:
    """The workers on one Redis."""

    def __init__(self, url: str, folder: Path) -> None:
        self._jobs: Jobs = jobs_on(url)
        self._environment = {
            "ATELIER_REDIS_URL": url,
            "ATELIER_DATA_DIR": str(folder),
            "ATELIER_LOG_LEVEL": "warning",
        }
        self._folder = folder
        self._parts: list[Part] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        for part in self._parts:
            part.stop()

    def row(self, rounds: int, workers: int, seconds: float, each: int) -> str:
        """A line of the table: the medians of some rounds.

        Args:
            rounds: how many.
            workers: that are to be there.
            seconds: that a job takes.
            each: jobs for each worker, in a round.
        """
        self._grow_to(workers)
        trials = [self._try(seconds, each) for _ in range(rounds)]

        def median(of: Callable[[Trial], float]) -> float:
            return statistics.median(map(of, trials))

        cells = (
            f"{workers}",
            f"{seconds:g}",
            f"{median(lambda t: workers * each / t.seconds):.2f}",
            f"{median(lambda t: t.of_linear):.3f}",
            f"{median(lambda t: 1e3 * t.each.workers):.0f} ms",
            f"{median(lambda t: 1e3 * t.each.redis):.1f} ms",
            f"{median(lambda t: t.each.commands):.0f}",
            f"{median(lambda t: t.each.received / 1e3):.1f} kB",
            f"{median(lambda t: t.each.sent / 1e3):.1f} kB",
        )
        return f"| {' | '.join(cells)} |"

    def _grow_to(self, workers: int) -> None:
        while len(self._parts) < workers:
            command = (sys.executable, "-m", "benchmarks.crowd.worker")
            name = f"worker-{len(self._parts)}"
            self._parts.append(Part(name, command, self._environment, self._folder))
            self._parts[-1].start()
        _until(lambda: len(presence.workers(self._jobs.connection)) == workers)

    def _try(self, seconds: float, each: int) -> Trial:
        count = len(self._parts) * each
        redis, finished = self._jobs.connection, self._jobs.queue.finished_job_registry.key
        all_finished = redis.zcard(finished) + count
        before = Usage.of(redis, self._parts)
        ids = [self._submit(seconds) for _ in range(count)]
        _until(lambda: redis.zcard(finished) == all_finished, pause=0.2)
        after = Usage.of(redis, self._parts)
        records = [self._jobs.get(job_id) for job_id in ids]
        began = min(job.started_at for job in records if job.started_at)
        took = (max(job.finished_at for job in records if job.finished_at) - began).total_seconds()
        used = zip(vars(after).values(), vars(before).values(), strict=True)
        return Trial(took, each * seconds / took, Usage(*((a - b) / count for a, b in used)))

    def _submit(self, seconds: float) -> str:
        steps = round(seconds / STEP_SECONDS)
        params = StyleTransferParams(size=64, quality="draft", steps=steps)
        pictures = Pictures(small_picture(), [small_picture()])
        return self._jobs.submit(Submission(pictures, params, reuse=False)).id


def _cpu_seconds(pid: int) -> float:
    """Of a process, by proc_pid_stat(5): user's and system's are the fields 14 and 15."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _until(happened: Callable[[], bool], pause: float = 0.05) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError("the workers did not come to it")
        time.sleep(pause)
