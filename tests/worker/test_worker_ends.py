"""Worker processes that end at once: at a second signal, or as something is missing."""

import signal
from collections.abc import Iterator

import pytest

from tests.house import Process, house_environment
from tests.worker.crew import LONG, Crew, a_crew
from worker.pictures import Pictures
from worker.submission import Submission


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    with a_crew(tmp_path_factory.mktemp("crew")) as crew:
        yield crew


def test_a_second_signal_ends_a_worker_at_once(crew: Crew, content: bytes, style: bytes) -> None:
    job = crew.jobs.submit(Submission(Pictures(content, [style]), LONG))
    with crew.worker("impatient") as process:
        crew.until_painting(job)
        process.signal(signal.SIGTERM)
        process.signal(signal.SIGINT)
        assert process.wait(within=2) in {0, 128 + signal.SIGTERM, 128 + signal.SIGINT}
    crew.jobs.delete(job.id)


def test_a_worker_without_redis_says_so_in_one_sentence(crew: Crew) -> None:
    environment = house_environment(crew.folder, ATELIER_REDIS_URL="redis://127.0.0.1:1")
    log = crew.folder / "lonely.log"
    with Process("worker", environment=environment, log=log) as process:
        assert process.wait(within=60) == 1
    assert "127.0.0.1:1 does not answer" in process.output
    assert "Traceback" not in process.output


def test_a_worker_without_its_features_says_so_in_one_sentence(crew: Crew) -> None:
    environment = house_environment(
        crew.folder, ATELIER_REDIS_URL=crew.url, ATELIER_FEATURES="nowhere.npz"
    )
    log = crew.folder / "blind.log"
    with Process("worker", environment=environment, log=log) as process:
        assert process.wait(within=60) == 1
    assert "nowhere.npz" in process.output
    assert "Traceback" not in process.output
