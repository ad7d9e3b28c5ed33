"""Worker processes that stop or die while they paint, and those that take over."""

import signal
from collections.abc import Iterator

import pytest

from tests.house import Process, eventually, house_environment
from tests.worker.crew import LONG, Crew, a_crew
from worker.pictures import Pictures
from worker.submission import Submission


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    with a_crew(tmp_path_factory.mktemp("crew")) as crew:
        yield crew


@pytest.fixture(scope="module")
def undisturbed(crew: Crew, content: bytes, style: bytes) -> bytes:
    """The picture when nothing befalls the worker."""
    with crew.worker("undisturbed"):
        job = crew.until(
            crew.jobs.submit(Submission(Pictures(content, [style]), LONG)), "succeeded"
        )
    picture = crew.jobs.blobs.get(job.id, "result")
    assert picture is not None
    return picture


def test_a_stopped_worker_puts_its_job_back_and_the_next_paints_the_same_picture(
    crew: Crew, undisturbed: bytes, content: bytes, style: bytes
) -> None:
    job = crew.jobs.submit(Submission(Pictures(content, [style]), LONG))
    with crew.worker("stopped") as stopped:
        begun = crew.until_painting(job, steps=20)
        assert stopped.end(within=crew.settings.stop_grace_seconds) == 0
    waiting = crew.jobs.get(job.id)
    assert (waiting.status, waiting.queue_position, waiting.attempt) == ("queued", 1, 0)
    with crew.worker("next"):
        resumed = crew.until_painting(job)
        assert resumed.progress.step >= begun.progress.step, "it goes on where it stopped"
        crew.until(job, "succeeded")
    assert crew.jobs.blobs.get(job.id, "result") == undisturbed


def test_a_killed_workers_job_is_noticed_within_thirty_seconds_and_painted_by_another(
    crew: Crew, undisturbed: bytes, content: bytes, style: bytes
) -> None:
    with crew.worker("one") as one, crew.worker("other") as other:
        crew.ready(workers=2)
        job = crew.until_painting(
            crew.jobs.submit(Submission(Pictures(content, [style]), LONG)), steps=20
        )
        painter = next(process for process in (one, other) if process.pid == crew.painter(job).pid)
        painter.signal(signal.SIGKILL)
        painter.wait(within=5)

        def taken_over() -> bool:
            return crew.jobs.get(job.id).attempt == 2

        eventually(taken_over, within=30, what="another worker has the job")
        crew.until(job, "succeeded")
    assert crew.jobs.blobs.get(job.id, "result") == undisturbed


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
