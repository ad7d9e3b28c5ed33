"""Worker processes that end at once: at a second signal, or as something is missing."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.house import Process, house_environment
from tests.worker.crew import Crew, a_crew


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    with a_crew(tmp_path_factory.mktemp("crew")) as crew:
        yield crew


def test_a_second_signal_ends_a_worker_at_once(crew: Crew) -> None:
    redis = crew.jobs.connection.info("server")["process_id"]
    with crew.worker("impatient") as process:
        crew.ready()
        os.kill(redis, signal.SIGSTOP)  # so that it would wait
        try:
            process.signal(signal.SIGTERM)
            process.wait_for("stopping")
            process.signal(signal.SIGINT)
            assert process.wait(within=2) == 128 + signal.SIGINT
        finally:
            os.kill(redis, signal.SIGCONT)


def test_a_worker_without_redis_says_so_in_one_sentence(crew: Crew) -> None:
    environment = house_environment(crew.folder, ATELIER_REDIS_URL="redis://127.0.0.1:1")
    log = crew.folder / "lonely.log"
    with Process("worker", environment=environment, log=log) as process:
        assert process.wait(within=60) == 1
    assert "127.0.0.1:1 does not answer" in process.output
    assert "Traceback" not in process.output


def test_a_worker_whose_redis_hangs_as_it_starts_says_so_in_one_sentence(crew: Crew) -> None:
    redis = crew.jobs.connection.info("server")["process_id"]
    os.kill(redis, signal.SIGSTOP)
    try:
        with crew.worker("early") as process:
            assert process.wait(within=60) == 1
    finally:
        os.kill(redis, signal.SIGCONT)
    assert "does not answer as Redis: Timeout" in process.output
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
