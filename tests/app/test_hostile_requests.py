"""A thousand bad requests to a whole house, which answers each rightly and goes on as before.

The cases are drawn in `tests/app/hostile`, one module for each way to be bad. The rules are the
same for all: an answer in under a second, never a fault of ours, nothing told of our insides,
and afterwards no memory, file or job that stays behind.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from redis import Redis

from tests.app.api import Json, ended, painted
from tests.app.hostile import bombs, forms, lines, parameters, pictures, wire
from tests.app.hostile.case import CONTENT, STYLE, Case
from tests.app.hostile.sending import faults
from tests.house import House, eventually

CORPUS: dict[str, Callable[[], list[Case]]] = {
    "pictures": cache(pictures.cases),
    "bombs": cache(bombs.cases),
    "parameters": cache(parameters.cases),
    "forms": cache(forms.cases),
    "lines": cache(lines.cases),
    "wire": cache(wire.cases),
}

#: What is let in here goes on to the worker, which must see to the rest: refuse it, or paint it.
PAINTED = {"pictures", "bombs"}

GOOD = [("content", ("a", CONTENT)), ("style", ("b", STYLE))]

#: What half of the answers take at most, on a machine that is busy with other things.
USUAL_SECONDS = 0.2

#: Keys in Redis that are of one job each.
OF_JOBS = (
    "rq:job",
    "rq:results",
    "rq:execution",
    "atelier:upload",
    "atelier:users",
    "atelier:events",
)

#: More than a form with pictures of the largest size takes, and no more than one machine has.
MEMORY_BYTES = 300 * 2**20


@dataclass
class Api:
    """The process of the API, from outside."""

    process: psutil.Process

    @classmethod
    def of(cls, house: House) -> "Api":
        """The one child of the house that is the API."""
        children = psutil.Process(house.pid).children()
        (found,) = [child for child in children if "api" in child.cmdline()]
        (Path("/proc") / str(found.pid) / "clear_refs").write_text("5")  # the peak begins here
        return cls(found)

    def peak_bytes(self) -> int:
        """The most memory that it had resident."""
        status = (Path("/proc") / str(self.process.pid) / "status").read_text()
        found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
        assert found is not None
        return int(found.group(1)) * 1024

    def files(self) -> list[str]:
        """The files that it holds open, temporary ones too, which have no name any more."""
        folder = Path("/proc") / str(self.process.pid) / "fd"
        targets = (str(link.readlink()) for link in folder.iterdir() if link.is_symlink())
        return sorted(target for target in targets if target.startswith("/"))


@dataclass
class Before:
    """The house before the first case."""

    api: Api
    peak: int
    files: list[str]
    processes: set[int]


@pytest.fixture(scope="module")
def before(house: House) -> Before:
    with house.client() as client:
        for job in jobs_of(client):  # what others had painted would answer for a case
            client.delete(job["urls"]["self"])
        painted(client, GOOD)  # so that all is loaded
    api = Api.of(house)
    return Before(api, api.peak_bytes(), api.files(), processes(house))


@pytest.fixture
def quiet(house: House, before: Before, studio: httpx.Client, house_redis: Redis) -> Iterator[None]:
    """The house goes on as before: nothing is held, nobody died, nothing went wrong unseen."""
    said, stored = len(house.output), kept(house_redis)
    yield
    # What is queued is what the test left there: the studio would put it away.
    assert waiting(studio) == []
    assert kept(house_redis) <= stored
    assert studio.get("/v1/system").json()["queue_length"] == 0
    eventually(lambda: before.api.files() == before.files, within=5, what="all files are closed")
    assert before.api.peak_bytes() - before.peak < MEMORY_BYTES
    assert processes(house) == before.processes
    assert re.findall(r".*(?:ERROR|CRITICAL|Traceback).*", house.output[said:]) == []
    painted(studio, GOOD)


def kept(redis: Redis) -> set[str]:
    """What Redis keeps of jobs."""
    return {name for key in redis.scan_iter() if (name := key.decode()).startswith(OF_JOBS)}


def processes(house: House) -> set[int]:
    return {child.pid for child in psutil.Process(house.pid).children(recursive=True)}


def waiting(client: httpx.Client) -> list[Json]:
    found: list[Json] = []
    for status in ("queued", "running"):
        found += client.get("/v1/jobs", params={"status": status, "limit": 100}).json()["jobs"]
    return found


def test_the_corpus_is_large_and_every_case_in_it_has_a_name_of_its_own() -> None:
    names = Counter(f"{family}: {case.name}" for family in CORPUS for case in CORPUS[family]())
    assert len(names) > 1000
    assert [name for name, times in names.items() if times > 1] == []


def test_the_corpus_is_the_same_each_time() -> None:
    for cases in (pictures.cases, parameters.cases, wire.cases):
        assert cases() == cases()


def test_every_parameter_is_in_the_corpus_at_each_of_its_bounds() -> None:
    names = {case.name for case in CORPUS["parameters"]()}
    assert {"size: 64", "size: 63", "size: 4096", "size: 4097", "seed: 2147483648"} <= names
    assert {"format: webp", "style_weights: 1000.0000000000001", "tv_weight: -5e-324"} <= names


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("family", CORPUS)
def test_every_bad_request_is_answered_at_once_as_it_should_be(
    house: House, studio: httpx.Client, family: str
) -> None:
    url = urlsplit(house.url)
    address = (str(url.hostname), int(url.port or 0))
    earlier = {job["id"] for job in jobs_of(studio)}
    wrong: dict[str, str] = {}
    seconds: list[float] = []
    for case in CORPUS[family]():
        fault, answer = faults(address, case)
        if fault:
            wrong[case.name] = fault
        if answer is not None:
            seconds.append(answer.seconds)
            if answer.status == HTTPStatus.ACCEPTED and family not in PAINTED:
                # At once: what is painted before it is canceled would answer for a later case.
                taken = json.loads(answer.body)
                studio.post(taken["urls"]["cancel"])
                assert_ends_well(studio, taken)
    assert wrong == {}
    assert median(seconds) < USUAL_SECONDS
    for job in jobs_of(studio):
        if job["id"] not in earlier:
            assert_ends_well(studio, job)


def jobs_of(client: httpx.Client) -> list[Json]:
    """All jobs there are."""
    found: list[Json] = []
    query = {"limit": "100"}
    while query.get("cursor", "") is not None:
        page = client.get("/v1/jobs", params=query).json()
        found += page["jobs"]
        query["cursor"] = page["next_cursor"]
    return found


def assert_ends_well(client: httpx.Client, job: Json) -> None:
    """The job ends; if it failed, it says why in a sentence. Then it is put away."""
    now = ended(client, job)
    if now["status"] == "failed":
        assert re.fullmatch(r"[A-Z].*\.", now["error"]["detail"]), now["error"]
    assert client.delete(now["urls"]["self"]).status_code == HTTPStatus.NO_CONTENT
