"""Workers on hosts of their own, one of which is cut off: neither lost nor doubled."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import cast

import pytest

from scripts.parts import Part
from tests.faults.network import Hosts, NoNetwork
from tests.faults.site import LONG, LONG_AT_ONCE, WORKSHOP, Site
from tests.house import eventually

#: After so many seconds without a word a worker's job goes to another.
OPTIONS = ("--short-heartbeat",)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        try:
            hosts = Hosts(tmp_path_factory.mktemp("site"), (*WORKSHOP, *OPTIONS))
        except NoNetwork as reason:  # it takes root, and a kernel that lets it
            if os.environ.get("CI"):
                raise
            pytest.skip(str(reason))
        site = Site(stack.enter_context(hosts))
        stack.callback(site.api.close)
        yield site


@pytest.fixture
def hosts(site: Site) -> Hosts:
    site.ready()
    return cast("Hosts", site.parts)


@pytest.fixture(scope="module")
def undisturbed(site: Site) -> bytes:
    return site.painted(**LONG_AT_ONCE)


def assert_refused(worker: Part, job: str) -> None:
    """A worker has been told that a job is not its own any more."""
    said = f"Job {job} was given to another worker meanwhile"
    eventually(lambda: said in worker.output, within=30, what="it hears that the job is lost")
    assert f"Job {job} is painted" not in worker.output


def test_a_host_that_is_cut_off_loses_its_job_to_another_and_brings_no_second_result(
    site: Site, hosts: Hosts, undisturbed: bytes
) -> None:
    job = site.submit(**LONG)
    worker = site.until_painted(job, steps=24)
    hosts.unplug(worker)
    eventually(lambda: site.jobs.get(job).attempt == 2, within=30, what="another has the job")
    other = site.painter(job)
    assert other is not worker
    ended = site.until(job, "succeeded")
    assert site.went_on_at(job, other) >= 10, "not from the beginning"
    hosts.plug_in_again(worker)
    assert_refused(worker, job)
    assert site.jobs.get(job) == ended
    assert site.picture(job) == undisturbed
    (mishap,) = site.record(job).facts["attempts"]["mishaps"]
    assert "died or was cut off at step" in mishap
    site.assert_settled(job, attempts=2)
    assert [part.starts for part in hosts.workers] == [1, 1]
