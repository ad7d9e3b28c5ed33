"""A worker that paints three jobs at once: what befalls it, befalls all of them."""

import signal
from collections.abc import Iterator

import pytest
from rq import Worker as RqWorker

from tests.faults.site import SHORT, Site, a_site
from tests.faults.workshop import Fault

#: Painted in one go with others of the kind: some seconds, where three are.
SMALL = {"size": "64", "quality": "draft", "steps": "200"}

#: Becomes the same picture whatever the seed: it begins with the photograph.
SLOW = {"size": "64", "quality": "draft", "steps": "30", "seed": str(int(Fault.DAWDLES))}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with a_site(folder, "--short-heartbeat", workers=1, ATELIER_TOGETHER="3") as site:
        yield site


@pytest.fixture(autouse=True)
def _all_there(site: Site) -> None:
    site.ready()


def painted_at_once(site: Site, *, steps: int) -> list[str]:
    """Three jobs, once each has taken so many steps."""
    jobs = [site.submit(**SMALL) for _ in range(3)]
    for job in jobs:
        site.until_painted(job, steps=steps)
    assert {site.jobs.get(job).status for job in jobs} == {"running"}
    return jobs


def test_three_jobs_are_painted_at_once_and_one_that_is_canceled_leaves_the_others(
    site: Site,
) -> None:
    canceled, *others = jobs = painted_at_once(site, steps=1)
    seen = RqWorker.all(connection=site.jobs.connection, serializer="json")
    assert len(seen) == 4, "one for each, and one that gets the next ready"
    site.jobs.cancel(canceled)
    site.until(canceled, "canceled", within=10)
    joining = site.submit(**SHORT)
    site.until(joining, "succeeded")
    assert {site.jobs.get(job).status for job in others} == {"running"}
    assert [site.until(job, "succeeded").attempt for job in others] == [1, 1]
    site.assert_settled(*jobs, joining)


def test_jobs_whose_worker_is_killed_all_go_on_from_their_checkpoints(site: Site) -> None:
    jobs = painted_at_once(site, steps=10)
    (worker,) = site.parts.workers
    worker.send(signal.SIGKILL)
    for job in jobs:
        assert site.until(job, "succeeded").attempt == 2
        assert site.went_on_at(job, worker) > 0
        (mishap,) = site.record(job).facts["attempts"]["mishaps"]
        assert "died or was cut off at step" in mishap
    site.assert_settled(*jobs)


@pytest.mark.timeout(300)  # a worker is started three times
def test_a_poison_job_takes_those_beside_it_with_it_once_and_no_more(site: Site) -> None:
    undisturbed = site.painted(**SLOW | {"seed": "1"})
    bystanders = [site.submit(**SLOW) for _ in range(2)]
    for job in bystanders:
        site.until_painted(job, steps=1)
    poison = site.submit(**SHORT, seed=str(int(Fault.KILLS)))
    failed = site.until(poison, "failed", within=240)
    assert failed.error is not None
    assert failed.error.type == "urn:atelier:problem:too-many-attempts"
    for job in bystanders:
        assert site.until(job, "succeeded").attempt == 2
        assert site.picture(job) == undisturbed
    site.assert_settled(poison, *bystanders)
