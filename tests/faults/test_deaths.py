"""kill -9 at every moment of a job, and SIGTERM: the job goes on elsewhere, to the same picture."""

import signal
import time
from collections.abc import Iterator

import pytest

from tests.faults.site import LONG, LONG_AT_ONCE, SHORT, Site, a_site
from tests.faults.workshop import Fault
from tests.house import eventually


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with a_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(autouse=True)
def _all_there(site: Site) -> None:
    site.ready()


@pytest.fixture(scope="module")
def undisturbed(site: Site) -> bytes:
    return site.painted(**LONG_AT_ONCE)


def test_a_worker_killed_while_idle_takes_no_job_with_it(site: Site) -> None:
    for worker in site.parts.workers:
        worker.send(signal.SIGKILL)
    job = site.submit(**SHORT)
    assert site.until(job, "succeeded").attempt == 1
    site.assert_settled(job)


def test_a_job_whose_worker_died_before_beginning_it_is_back_within_thirty_seconds(
    site: Site,
) -> None:
    blockers = [site.submit(**LONG) for _ in site.parts.workers]
    for blocker in blockers:
        site.until_painted(blocker, steps=1)
    job = site.submit(**SHORT)
    queue = site.jobs.queue
    # What Redis does for a worker that takes it and dies.
    site.jobs.connection.lmove(queue.key, queue.intermediate_queue_key, "LEFT", "RIGHT")
    for blocker in blockers:
        site.jobs.cancel(blocker)
    assert site.until(job, "succeeded", within=30).attempt == 1
    site.assert_settled(job, *blockers)


def test_a_job_whose_worker_is_killed_goes_on_within_thirty_seconds_from_its_checkpoint(
    site: Site, undisturbed: bytes
) -> None:
    job = site.submit(**LONG)
    worker = site.until_painted(job, steps=24)
    worker.send(signal.SIGKILL)
    died = time.monotonic()
    eventually(lambda: site.jobs.get(job).attempt == 2, within=30, what="another has the job")
    assert time.monotonic() - died < 30
    resumed = site.painter(job)
    assert resumed is not worker or resumed.starts > 1
    site.until(job, "succeeded")
    assert site.went_on_at(job, resumed) >= 10, "not from the beginning"
    assert site.picture(job) == undisturbed
    (mishap,) = site.record(job).facts["attempts"]["mishaps"]
    assert "died or was cut off at step" in mishap
    site.assert_settled(job)


def test_a_picture_that_was_stored_before_its_worker_died_is_not_lost_nor_another(
    site: Site,
) -> None:
    expected = site.painted(**SHORT, seed="1")
    job = site.submit(**SHORT, seed=str(int(Fault.DIES_STORED)))
    assert site.until(job, "succeeded").attempt == 2
    # Content as the beginning, so that the seed changes nothing.
    assert site.picture(job) == expected
    site.assert_settled(job)


def test_workers_that_are_asked_to_stop_put_the_job_back_and_it_counts_no_attempt(
    site: Site, undisturbed: bytes
) -> None:
    job = site.submit(**LONG)
    worker = site.until_painted(job, steps=12)
    idle = next(other for other in site.parts.workers if other is not worker)
    for part in (idle, worker):
        part.wanted = False
        part.send(signal.SIGTERM)
    assert (idle.wait(8), worker.wait(8)) == (0, 0)
    waiting = site.jobs.get(job)
    assert (waiting.status, waiting.queue_position, waiting.attempt) == ("queued", 1, 0)
    for part in (idle, worker):
        part.wanted = True
    assert site.until(job, "succeeded").attempt == 1
    assert site.picture(job) == undisturbed
    site.assert_settled(job)


def test_a_hung_painting_cannot_hold_the_exit_and_goes_on_elsewhere(site: Site) -> None:
    job = site.submit(**SHORT, seed=str(int(Fault.HANGS)))
    worker = site.until_painted(job, steps=2)
    worker.wanted = False
    worker.send(signal.SIGTERM)
    assert worker.wait(10) == 1, "it says that something did not stop"
    worker.wanted = True
    assert site.until(job, "succeeded").attempt == 1, "it was put back"
    site.assert_settled(job)
