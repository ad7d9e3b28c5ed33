"""Devices that run out of memory, hang, or are lost."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.site import SHORT, Site, a_site
from tests.faults.workshop import Fault
from tests.house import eventually


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One worker with two devices."""
    folder = tmp_path_factory.mktemp("site")
    settings = {"ATELIER_HANG_SECONDS": "15", "ATELIER_PRECISION": "float32"}
    with a_site(folder, "--two-devices", workers=1, **settings) as site:
        yield site


@pytest.fixture(autouse=True)
def _all_there(site: Site) -> None:
    site.ready()


def faulty(site: Site, fault: Fault) -> str:
    return site.submit(**SHORT, seed=str(int(fault)))


def test_a_picture_too_large_for_the_device_goes_on_in_small_tiles(site: Site) -> None:
    job = faulty(site, Fault.RUNS_OUT_OF_MEMORY)
    assert site.until(job, "succeeded").attempt == 1
    assert "goes on with smaller tiles" in site.parts.workers[0].output
    site.assert_settled(job)


def test_a_picture_too_large_for_the_device_in_small_tiles_too_fails_and_says_so(
    site: Site,
) -> None:
    job = faulty(site, Fault.NEVER_FITS)
    failed = site.until(job, "failed")
    assert failed.error is not None
    assert failed.error.type == "urn:atelier:problem:out-of-memory"
    site.assert_settled(job)


def test_a_hung_device_is_noticed_and_its_process_replaced(site: Site) -> None:
    (worker,) = site.parts.workers
    starts = worker.starts
    job = faulty(site, Fault.HANGS)
    assert site.until(job, "succeeded", within=150).attempt == 2
    assert worker.starts == starts + 1
    (mishap,) = site.record(job).facts["attempts"]["mishaps"]
    assert re.search(r"hung for more than 15 s on cpu:\d at step 2 of 6", mishap)
    site.assert_settled(job)


def test_native_code_that_lets_no_python_run_is_ended_too(site: Site) -> None:
    (worker,) = site.parts.workers
    starts = worker.starts
    job = faulty(site, Fault.HOLDS_THE_LOCK)
    assert site.until(job, "succeeded", within=150).attempt == 2, site.record(job).facts["attempts"]
    assert worker.starts == starts + 1
    assert "most recent call first" in worker.output, "where it stood still"
    site.assert_settled(job)


def test_a_lost_device_is_told_and_the_other_goes_on_until_it_is_lost_too(
    site: Site,
) -> None:
    (worker,) = site.parts.workers
    starts = worker.starts
    job = faulty(site, Fault.LOSES_THE_DEVICE)
    assert site.until(job, "succeeded", within=150).attempt == 2
    assert worker.starts == starts

    def lost() -> list[str]:
        return list(site.api.get("/readyz").json()["lost_devices"])

    (name,) = eventually(lost, within=10, what="the device is said to be lost")
    assert re.fullmatch(r".+/cpu:[01]", name)
    metrics = site.api.get("/metrics").text
    assert len(re.findall(r"^atelier_device_lost\{.*\} 1\.0$", metrics, re.MULTILINE)) == 1
    assert len(re.findall(r"^atelier_device_lost\{.*\} 0\.0$", metrics, re.MULTILINE)) == 1
    (mishap,) = site.record(job).facts["attempts"]["mishaps"]
    assert "lost cpu:" in mishap
    assert "InternalError" in mishap

    (Path(site.parts.workers[0].log).parent / f"{Fault.LOSES_THE_DEVICE.name}.happened").unlink()
    again = faulty(site, Fault.LOSES_THE_DEVICE)
    assert site.until(again, "succeeded").attempt == 2
    assert worker.starts == starts + 1, "a worker without devices ends itself"
    assert "DeviceLost: The worker has no device left." in worker.output
    assert "TypeError" not in worker.output
    site.assert_settled(job, again)
