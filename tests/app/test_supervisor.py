"""``atelier up``: all parts start together, are kept alive, and end together."""

import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import psutil
import pytest

from tests.app.api import LONG, SHORT, Files, ended, painting, submit
from tests.house import START_SECONDS, House, Process, eventually, house_environment, valkey
from worker.connections import connect_impatiently
from worker.jobs import Jobs
from worker.settings import Settings

#: Everything is gone so soon after a signal.
STOP_SECONDS = 10.0


@pytest.fixture(scope="module")
def harmable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], House]]:
    """Gives a house that a test may harm: the last one, or a new one if that is gone."""
    houses: list[House] = []

    def give() -> House:
        if not houses or not houses[-1].alive:
            houses.append(House(tmp_path_factory.mktemp("harmable")).__enter__())
        return houses[-1]

    yield give
    for house in houses:
        house.__exit__()


def family(pid: int) -> list[psutil.Process]:
    """A process and all that came from it."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def part(house: Process, name: str) -> psutil.Process:
    """The API or the worker of a house."""
    (found,) = _parts(house, name)
    return found


def _parts(house: Process, name: str) -> list[psutil.Process]:
    """None as long as it is a copy of the house's process, from which it is made."""
    return [
        child
        for child in psutil.Process(house.pid).children()
        if child.cmdline()[1:4] == ["-m", "app.cli", name]
    ]


def gone(processes: Sequence[psutil.Process]) -> bool:
    return not any(_runs(process) for process in processes)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def one_sentence(folder: Path, **settings: str) -> str:
    """What ``atelier up`` says when it cannot."""
    environment = house_environment(folder) | settings
    with Process("up", environment=environment, log=folder / "refused.log") as process:
        assert process.wait(within=30) == 1, process.output
        found = re.fullmatch(r"atelier: (.*[^.]\.)\s*", process.output)
    assert found, f"not one sentence: {process.output[-1500:]}"
    return found.group(1)


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


# Starting.


def test_up_says_where_it_is_when_it_is_ready(house: House) -> None:
    told = (
        r"^Atelier is ready at http://127\.0\.0\.1:\d+ \(features: bundled; devices: cpu \(\w+\)\)$"
    )
    assert re.search(told, house.output, re.MULTILINE)
    with house.client() as client:
        assert client.get("/readyz").status_code == 200


def test_up_is_three_children_and_redis_has_no_port(house: House) -> None:
    children = psutil.Process(house.pid).children()
    assert len(children) == 3
    listening = {
        connection.laddr.port
        for process in children
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {port_of(house.url)}


@pytest.mark.skipif("CI" not in os.environ and not _has_ipv6(), reason="needs IPv6")
def test_up_can_be_at_an_ipv6_address(tmp_path: Path) -> None:
    with House(tmp_path, ATELIER_HOST="::1") as house:
        assert re.fullmatch(r"http://\[::1\]:\d+", house.url)
        assert httpx.get(f"{house.url}/readyz").status_code == 200


@pytest.mark.skipif(sys.platform == "win32", reason="has no such modes")
def test_only_this_user_can_open_the_data_folder(house: House) -> None:
    data = Path(house.environment["ATELIER_DATA_DIR"]) / "valkey"
    assert data.stat().st_mode & 0o077 == 0
    assert (data / "valkey.sock").stat().st_mode & 0o077 == 0


def test_a_second_up_with_the_same_data_is_refused_and_the_first_goes_on(
    house: House, tmp_path: Path
) -> None:
    said = one_sentence(tmp_path, ATELIER_DATA_DIR=house.environment["ATELIER_DATA_DIR"])
    assert "running already" in said
    with house.client() as client:
        assert client.get("/readyz").status_code == 200


def test_a_port_in_use_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = one_sentence(tmp_path, ATELIER_PORT=str(port))
    assert f"127.0.0.1:{port}" in said
    assert "ATELIER_PORT" in said
    assert not (tmp_path / "data").exists()


def test_a_redis_that_does_not_answer_is_told(tmp_path: Path) -> None:
    assert "127.0.0.1:1" in one_sentence(tmp_path, ATELIER_REDIS_URL="redis://127.0.0.1:1")


def test_a_wrong_setting_is_told(tmp_path: Path) -> None:
    said = one_sentence(tmp_path, ATELIER_RESULT_TTL_SECONDS="soon")
    assert said.startswith("ATELIER_RESULT_TTL_SECONDS: ")


def test_a_data_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = one_sentence(tmp_path, ATELIER_DATA_DIR=str(tmp_path / "file" / "data"))
    assert "ATELIER_DATA_DIR" in said


# Living.


def test_a_killed_worker_and_a_killed_api_are_started_again(
    harmable: Callable[[], House], files: Files
) -> None:
    house = harmable()
    worker, api = part(house, "worker"), part(house, "api")
    with house.client() as client:
        worker.kill()
        house.wait_for("The worker has ended", within=5)
        assert client.get("/livez").status_code == 200
        job = submit(client, files, **SHORT)
    api.kill()
    house.wait_for("The API has ended", within=5)
    eventually(lambda: _answers(house.url), within=20, what="the API is back, at the same place")
    with house.client() as client:
        assert ended(client, job, within=START_SECONDS)["status"] == "succeeded"
    assert part(house, "worker").pid != worker.pid
    assert part(house, "api").pid != api.pid


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez").is_success
    except httpx.HTTPError:
        return False


# Ending.


def test_sigterm_ends_everything_in_time_and_puts_the_running_job_back(
    harmable: Callable[[], House], files: Files, settings: Settings
) -> None:
    house = harmable()
    with house.client() as client:
        job = painting(client, submit(client, files, **LONG))
    processes = family(house.pid)
    began = time.monotonic()
    assert house.end(within=STOP_SECONDS) == 0
    eventually(lambda: gone(processes), within=2, what="no process is left")
    assert time.monotonic() - began < STOP_SECONDS
    assert "killed" not in house.output
    assert "Traceback" not in house.output
    socket.create_server(("127.0.0.1", port_of(house.url))).close()

    with (
        valkey(Path(house.environment["ATELIER_DATA_DIR"])) as url,
        connect_impatiently(url) as redis,
    ):
        assert Jobs(redis, settings).get(job["id"]).status == "queued"


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[Process]:
    """A house of which all parts have started, the worker not being ready yet."""
    log = tmp_path / "up.log"
    with Process("up", environment=house_environment(tmp_path), log=log) as process:
        eventually(
            lambda: _parts(process, "api") and _parts(process, "worker"),
            within=20,
            what="all parts have started",
        )
        yield process


def test_ctrl_c_ends_everything_also_before_it_is_ready(starting: Process) -> None:
    processes = family(starting.pid)
    began = time.monotonic()
    os.killpg(starting.pid, signal.SIGINT)  # as a terminal sends it
    assert starting.wait(within=STOP_SECONDS) == 0
    eventually(lambda: gone(processes), within=2, what="no process is left")
    assert time.monotonic() - began < STOP_SECONDS
    assert "Traceback" not in starting.output
    assert "is ready" not in starting.output


def test_ctrl_c_is_heard_while_the_api_is_waited_for(starting: Process) -> None:
    processes, worker, api = family(starting.pid), part(starting, "worker"), part(starting, "api")
    api.suspend()  # it has the port, and does not answer
    eventually(lambda: _waits_for_an_answer(starting), within=5, what="the API is asked")
    starting.signal(signal.SIGINT)
    eventually(lambda: gone([worker]), within=2, what="it is heard")
    api.resume()
    assert starting.wait(within=STOP_SECONDS) == 0
    eventually(lambda: gone(processes), within=2, what="no process is left")


def _waits_for_an_answer(house: Process) -> bool:
    connections = psutil.Process(house.pid).net_connections("tcp")
    return any(connection.status == psutil.CONN_ESTABLISHED for connection in connections)


def test_a_second_ctrl_c_ends_everything_at_once(starting: Process) -> None:
    processes, worker = family(starting.pid), part(starting, "worker")
    part(starting, "api").suspend()  # it cannot end when it is asked to
    starting.signal(signal.SIGINT)
    eventually(lambda: gone([worker]), within=5, what="the first is heard")
    starting.signal(signal.SIGINT)
    starting.wait(within=3)
    eventually(lambda: gone(processes), within=2, what="no process is left")


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl(2)")
def test_nothing_outlives_an_up_that_is_killed(starting: Process) -> None:
    processes = family(starting.pid)
    starting.signal(signal.SIGKILL)
    eventually(lambda: gone(processes), within=STOP_SECONDS, what="no process is left")
