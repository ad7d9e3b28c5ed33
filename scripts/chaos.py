"""A bad night: jobs come steadily while workers are killed, Redis restarts and lines are cut.

    make chaos                             ten minutes
    python -m scripts.chaos --seconds 60 --seed 7

In the end every job that was accepted has to be accounted for: in one final state, once, with a
picture if it succeeded, and with nothing of it left in the queue. What harm is done when follows
from the seed, which is printed; what it meets does not: the same seed is as bad a night, not the
same one.
"""

import argparse
import io
import random
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
from PIL import Image
from redis.exceptions import RedisError
from rq.registry import StartedJobRegistry

from scripts.parts import Part, Parts
from worker import census
from worker.jobs import Jobs
from worker.records import FINAL, Status

#: Between two jobs, and between two harms, on average, in seconds.
_JOB_SECONDS = 0.7
_HARM_SECONDS = 3.0

#: Part of the jobs that their client cancels, or deletes, somewhere on their way.
_REGRETTED = 0.15

#: How long all jobs may take to come to an end when the night is over, in seconds.
_MORNING_SECONDS = 240.0

_SETTINGS = {"ATELIER_MAX_JOBS_PER_CLIENT": "0", "ATELIER_LOG_LEVEL": "warning"}


class Night:
    """One run.

    Attributes:
        ids: of the jobs that were accepted.
        harm: what was done, how often.
    """

    def __init__(self, parts: Parts, seed: int) -> None:
        self._parts = parts
        self._random = random.Random(seed)  # noqa: S311 - nothing about it is secret
        self._picture = _picture(self._random)
        self._client = httpx.Client(base_url=parts.url, timeout=5.0)
        self._held_since: dict[Part, float] = {}
        self.ids: list[str] = []
        self.harm: Counter[str] = Counter()

    def run(self, seconds: float) -> None:
        """Submits and harms for so long, then waits for the end of all jobs."""
        end = time.monotonic() + seconds
        next_job = next_harm = time.monotonic()
        while (now := time.monotonic()) < end:
            if now >= next_job:
                self._submit()
                next_job = now + self._random.expovariate(1 / _JOB_SECONDS)
            if now >= next_harm:
                self._do_harm()
                next_harm = now + self._random.expovariate(1 / _HARM_SECONDS)
            self._let_go(after=2.0)
            time.sleep(0.05)
        self._let_go(after=0.0)
        self._wait_for_the_end()

    def accounts(self) -> list[str]:
        """What is wrong: nothing, it is to be hoped."""
        jobs, wrong = self._parts.jobs, []
        statuses = self.statuses()
        for job_id, status in statuses.items():
            if status not in FINAL:
                wrong.append(f"{job_id} is {status}")
            elif status == "succeeded" and jobs.blobs.get(job_id, "result") is None:
                wrong.append(f"{job_id} succeeded, and there is no picture")
        ended = sum(census.take(jobs).totals.ended.values())
        if ended != len(self.ids):
            wrong.append(f"{ended} ends of {len(self.ids)} jobs")
        return wrong + _left_over(jobs)

    def statuses(self) -> dict[str, Status]:
        """The jobs' present statuses."""
        return {job_id: self._parts.jobs.get(job_id).status for job_id in self.ids}

    def _submit(self) -> None:
        """Hands in a job, again and again under one key, until it is accepted."""
        key, seed = secrets.token_hex(8), str(self._random.randrange(1000))
        steps = str(self._random.choice((2, 4, 40)))
        form = {"size": "64", "quality": "draft", "steps": steps, "seed": seed, "reuse": "false"}
        files = {"content": self._picture, "style": self._picture}
        accepted = self._insist(
            lambda: self._client.post(
                "/v1/jobs", data=form, files=files, headers={"Idempotency-Key": key}
            )
        )
        if accepted is not None:
            self.ids.append(accepted.json()["id"])
        if self.ids and self._random.random() < _REGRETTED:
            regretted = self._random.choice(self.ids[-4:])
            self._insist(lambda: self._client.post(f"/v1/jobs/{regretted}/cancel"))
            self.harm["cancels"] += 1

    def _insist(self, ask: Callable[[], httpx.Response]) -> httpx.Response | None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                answer = ask()
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.is_success:
                return answer
            if answer is not None and answer.status_code not in {409, 429, 503}:
                raise AssertionError(f"{answer.status_code}: {answer.text}")
            self._let_go(after=2.0)
            time.sleep(0.1)
        return None

    def _do_harm(self) -> None:
        harms: dict[str, tuple[int, Callable[[], None]]] = {
            "worker kills": (6, lambda: self._worker().send(signal.SIGKILL)),
            "worker stops": (2, lambda: self._worker().send(signal.SIGTERM)),
            "worker freezes": (1, lambda: self._hold(self._worker())),
            "Redis restarts": (2, lambda: self._parts.redis.send(signal.SIGTERM)),
            "Redis kills": (1, lambda: self._parts.redis.send(signal.SIGKILL)),
            "Redis freezes": (1, lambda: self._hold(self._parts.redis)),
            "API kills": (1, lambda: self._parts.api.send(signal.SIGKILL)),
            "cuts of all lines": (2, self._cut),
        }
        weights = [weight for weight, _ in harms.values()]
        name = self._random.choices(list(harms), weights)[0]
        harms[name][1]()
        self.harm[name] += 1

    def _worker(self) -> Part:
        return self._random.choice(self._parts.workers)

    def _hold(self, part: Part) -> None:
        part.send(signal.SIGSTOP)
        self._held_since.setdefault(part, time.monotonic())

    def _let_go(self, after: float) -> None:
        for part, since in list(self._held_since.items()):
            if time.monotonic() - since >= after:
                part.send(signal.SIGCONT)
                del self._held_since[part]

    def _cut(self) -> None:
        try:
            self._parts.jobs.connection.execute_command("CLIENT", "KILL", "SKIPME", "yes")  # type: ignore[no-untyped-call]
        except RedisError:
            return  # it is being restarted, which cuts them as well

    def _wait_for_the_end(self) -> None:
        deadline = time.monotonic() + _MORNING_SECONDS
        while time.monotonic() < deadline:
            try:
                if set(self.statuses().values()) <= FINAL and self._parts.is_ready():
                    return
            except RedisError:
                pass
            time.sleep(0.5)


def _left_over(jobs: Jobs) -> list[str]:
    """What is still in the lists of those that are to be painted."""
    queue, connection = jobs.queue, jobs.connection
    waiting = connection.llen(queue.key)
    taken = connection.llen(queue.intermediate_queue_key)
    running = connection.zcard(StartedJobRegistry(queue=queue).key)
    return [f"{waiting} waiting, {taken} taken, {running} running"] * any((waiting, taken, running))


def _picture(numbers: random.Random) -> bytes:
    file = io.BytesIO()
    Image.frombytes("RGB", (64, 64), numbers.randbytes(64 * 64 * 3)).save(file, "PNG")
    return file.getvalue()


def main() -> int:
    """Runs a night; 0 if every job is accounted for."""
    parser = argparse.ArgumentParser(description="A bad night for Atelier.")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    asked = parser.parse_args()
    sys.stdout.write(f"seed {asked.seed}, {asked.seconds:g} s\n")
    with tempfile.TemporaryDirectory(prefix="atelier-chaos-") as folder:
        with Parts(Path(folder), settings=_SETTINGS) as parts:
            night = Night(parts, asked.seed)
            night.run(asked.seconds)
            wrong, statuses = night.accounts(), Counter(night.statuses().values())
        harm = ", ".join(f"{number} {name}" for name, number in night.harm.most_common())
        ended = ", ".join(f"{number} {status}" for status, number in statuses.most_common())
        sys.stdout.write(f"harm: {harm}\n{len(night.ids)} jobs: {ended}\n")
    sys.stdout.write("".join(f"WRONG: {line}\n" for line in wrong) or "every job accounted for\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
