"""What is held against a job whose workers die, on a real Valkey without a worker."""

import pytest
from redis import Redis

from model.params import StyleTransferParams
from tests.worker.leases import taken
from worker.attempts import Attempt, TooManyAttempts
from worker.jobs import Jobs
from worker.pictures import Pictures
from worker.records import FeaturesUsed
from worker.settings import Settings
from worker.submission import Submission

FEATURES = FeaturesUsed(name="bundled", sha256="0" * 64)


@pytest.fixture
def jobs(redis: Redis, settings: Settings) -> Jobs:
    return Jobs(redis, settings)


@pytest.fixture
def job(jobs: Jobs, content: bytes, style: bytes) -> str:
    params = StyleTransferParams(size=64)
    return jobs.submit(Submission(Pictures(content, [style]), params)).id


def begun(jobs: Jobs, job: str, worker: str) -> tuple[Attempt, int]:
    """A worker has the job, which another may have had when it died."""
    lease, _ = taken(jobs.fetch(job))
    attempt = Attempt(lease, jobs, worker)
    return attempt, attempt.begin(FEATURES, most=2)


def test_a_job_that_waited_behind_another_when_its_worker_died_has_lost_no_attempt(
    jobs: Jobs, job: str
) -> None:
    for worker in ("first", "second", "third", "fourth"):
        attempt, number = begun(jobs, job, worker)
        attempt.wait()
        assert number == 1


def test_a_job_that_was_painted_when_its_worker_died_has_lost_one_and_says_whose(
    jobs: Jobs, job: str
) -> None:
    for number, worker in enumerate(("first", "second"), start=1):
        attempt, which = begun(jobs, job, worker)
        attempt.wait()
        attempt.go_on()
        assert which == number == jobs.get(job).attempt
    with pytest.raises(TooManyAttempts, match=r"2 times: \(1\) first died .*\(2\) second died"):
        begun(jobs, job, "third")


def test_a_job_whose_preparation_kills_its_workers_is_not_tried_for_ever(
    jobs: Jobs, job: str
) -> None:
    begun(jobs, job, "first")
    attempt, _ = begun(jobs, job, "second")
    attempt.go_on()  # it is alone, and its pictures are prepared
    with pytest.raises(TooManyAttempts):
        begun(jobs, job, "third")


def test_a_job_that_waited_to_be_alone_when_its_worker_died_has_not_lost_another(
    jobs: Jobs, job: str
) -> None:
    begun(jobs, job, "first")
    for worker in ("second", "third", "fourth"):
        _, number = begun(jobs, job, worker)
        assert number == 2


def test_what_was_put_back_has_lost_none(jobs: Jobs, job: str) -> None:
    for worker in ("first", "second", "third"):
        attempt, number = begun(jobs, job, worker)
        attempt.withdraw()
        assert (number, jobs.get(job).attempt) == (1, 0)
