"""What the processes of a house write on stderr: lines that say what they are about."""

import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from redis import Redis

from tests.app.api import LONG, SHORT, Files, ended, painting, pictures, submit
from tests.house import House, eventually
from worker import logs
from worker.blobs import Blobs
from worker.logs import JsonLinesFormatter, TextFormatter

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"

#: uuid4 in hex, as it is made up for a request that has no name.
MADE_UP = re.compile(r"[0-9a-f]{32}")


@pytest.fixture(scope="module")
def logging_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose log is for machines."""
    with House(tmp_path_factory.mktemp("logs"), ATELIER_LOG_FORMAT="json") as house:
        yield house


@pytest.fixture
def client(logging_house: House) -> Iterator[httpx.Client]:
    with logging_house.client() as client:
        yield client


@pytest.fixture
def redis_of_house(logging_house: House) -> Iterator[Redis]:
    socket = Path(logging_house.environment["ATELIER_DATA_DIR"]) / "valkey" / "valkey.sock"
    connection = Redis(unix_socket_path=str(socket))
    yield connection
    connection.close()


@pytest.fixture
def files(content: bytes, style: bytes) -> Files:
    return pictures(content, style)


def lines(house: House) -> list[dict[str, Any]]:
    """The objects; the one line on stdout is for people."""
    whole, _, _ = house.output.rpartition("\n")
    return [json.loads(line) for line in whole.splitlines() if not line.startswith("Atelier is")]


def logged(house: House, **wanted: object) -> dict[str, Any]:
    """The first line with these fields."""

    def look() -> dict[str, Any] | None:
        found = [line for line in lines(house) if wanted.items() <= line.items()]
        return found[0] if found else None

    line = eventually(look, within=20, what=f"a line with {wanted}")
    assert line is not None
    return line


def test_every_line_is_an_object_with_time_level_logger_and_message(
    logging_house: House, client: httpx.Client
) -> None:
    client.get("/v1/system")
    logged(logging_house, route="/v1/system")
    for line in lines(logging_house):
        moment = datetime.fromisoformat(line["time"])
        assert moment.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - moment) < timedelta(minutes=10)
        assert line["level"] in {"debug", "info", "warning", "error"}
        assert line["logger"]
        assert line["message"]
        assert "color_message" not in line
    loggers = {line["logger"].partition(".")[0] for line in lines(logging_house)}
    assert {"uvicorn", "app", "model"} <= loggers


def test_from_the_request_to_the_end_of_its_job_lines_have_one_trace(
    logging_house: House, client: httpx.Client, files: Files
) -> None:
    client.headers["traceparent"] = TRACEPARENT
    job = ended(client, submit(client, files, **SHORT))
    about = {"job_id": job["id"], "trace_id": TRACE}
    assert "begins" in logged(logging_house, logger="worker.intake", **about)["message"]
    painted = [line for line in lines(logging_house) if "is painted" in line["message"]]
    assert about.items() <= painted[-1].items()
    assert logged(logging_house, method="POST", trace_id=TRACE)["status"] == 202


def test_what_a_device_thread_has_to_say_is_about_the_job_that_it_paints(
    logging_house: House, client: httpx.Client, redis_of_house: Redis, files: Files
) -> None:
    first, second = (
        painting(client, submit(client, files, **LONG)),
        submit(client, files, **SHORT),
    )
    Blobs(redis_of_house).put(second["id"], "checkpoint", b"of another version", 60)
    client.post(first["urls"]["cancel"])
    ended(client, second)
    said = logged(logging_house, logger="worker.easel")
    assert "starts from the beginning" in said["message"]
    assert said["job_id"] == second["id"]
    taken = logged(logging_house, logger="worker.intake", job_id=second["id"])
    assert said["trace_id"] == taken["trace_id"]


def test_a_job_that_is_canceled_says_so_in_its_own_name(
    logging_house: House, client: httpx.Client, files: Files
) -> None:
    job = painting(client, submit(client, files, **LONG))
    client.post(job["urls"]["cancel"])
    assert logged(logging_house, message=f"Job {job['id']} was canceled.")["job_id"] == job["id"]


def test_a_request_is_one_line_with_its_route_and_its_job(
    logging_house: House, client: httpx.Client
) -> None:
    job_id = "f" * 32
    response = client.get(f"/v1/jobs/{job_id}?secret=1", headers={"X-Request-ID": "mine-1"})
    assert response.status_code == 404
    assert response.headers["X-Request-ID"] == "mine-1"
    line = logged(logging_house, request_id="mine-1")
    assert line["logger"] == "app.requests"
    assert line["level"] == "info"
    assert (line["method"], line["route"]) == ("GET", "/v1/jobs/{job_id}")
    assert (line["status"], line["client"]) == (404, "127.0.0.1")
    assert line["job_id"] == job_id
    assert 0 < line["ms"] < 60_000
    assert (
        len([found for found in lines(logging_house) if found.get("request_id") == "mine-1"]) == 1
    )
    assert "secret" not in logging_house.output


@pytest.mark.parametrize(
    "name", ["", "a" * 65, "two words", 'quote"', "new%0aline\x7f", "ä".encode(), "{}"]
)
def test_a_request_id_that_is_not_sane_is_replaced(client: httpx.Client, name: str | bytes) -> None:
    value = name if isinstance(name, bytes) else name.encode()
    answer = client.get("/v1/jobs", headers=[(b"X-Request-ID", value)])
    assert MADE_UP.fullmatch(answer.headers["X-Request-ID"])


@pytest.mark.parametrize("name", ["a" * 64, "5f0c-1", "Root=1-67891233-abc:1/2+3._", "7"])
def test_a_request_id_that_is_sane_is_taken_over(client: httpx.Client, name: str) -> None:
    answer = client.get("/v1/jobs", headers={"X-Request-ID": name})
    assert answer.headers["X-Request-ID"] == name


def test_every_answer_has_a_request_id_of_its_own(client: httpx.Client, files: Files) -> None:
    answers = [
        client.get("/"),
        client.get("/nowhere"),
        client.put("/v1/jobs"),
        client.post("/v1/jobs"),
        client.post("/v1/jobs", files=files, headers={"Origin": "http://elsewhere"}),
        client.get("/livez"),
        client.get("/v1/jobs"),
    ]
    assert {answer.status_code for answer in answers} == {200, 404, 405, 422, 403}
    ids = {answer.headers["X-Request-ID"] for answer in answers}
    assert len(ids) == len(answers)
    assert all(MADE_UP.fullmatch(found) for found in ids)


def test_probes_are_not_in_the_log(logging_house: House, client: httpx.Client) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        client.get(path)
    client.get("/v1/jobs", headers={"X-Request-ID": "after-the-probes"})
    logged(logging_house, request_id="after-the-probes")
    assert not {"/livez", "/readyz", "/metrics"} & {
        line.get("route") for line in lines(logging_house)
    }


def test_text_says_behind_the_message_what_it_is_about(house: House, files: Files) -> None:
    with house.client() as client:
        job = ended(client, submit(client, files, **SHORT))
    pattern = rf"INFO +worker\.intake: Job .* is painted, after .* s \[job_id={job['id']}\]"
    house.wait_for(pattern, within=20)
    assert re.search(
        r"app\.requests: POST /v1/jobs 202 .* \[request_id=[0-9a-f]{32}\]", house.output
    )


@pytest.fixture
def written() -> Iterator[tuple[logging.Logger, io.StringIO, logging.StreamHandler[io.StringIO]]]:
    """A logger of its own, and what it writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.Logger("a.module")  # noqa: LOG001 - nobody else is to have it
    logger.addHandler(handler)
    yield logger, stream, handler
    handler.close()


Written = tuple[logging.Logger, io.StringIO, logging.StreamHandler[io.StringIO]]


def test_an_exception_is_in_the_line_with_its_type_and_its_trace(written: Written) -> None:
    logger, stream, handler = written
    handler.setFormatter(JsonLinesFormatter())
    try:
        int("what went wrong")
    except ValueError:
        logger.exception("It broke.")
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert told["message"] == "It broke."
    assert told["exception"]["type"] == "ValueError"
    assert "test_logs.py" in told["exception"]["trace"]
    assert "what went wrong" in told["exception"]["trace"]
    assert "exc_info" not in told


def test_subjects_nest_and_end(written: Written) -> None:
    logger, stream, handler = written
    handler.setFormatter(TextFormatter("%(message)s"))
    with logs.about(request_id="r"):
        with logs.about(job_id="j"):
            logger.info("both")
        logger.info("one")
    logger.info("none")
    assert stream.getvalue().splitlines() == [
        "both [request_id=r job_id=j]",
        "one [request_id=r]",
        "none",
    ]


def test_subjects_are_those_of_ones_own_thread(written: Written) -> None:
    logger, stream, handler = written
    handler.setFormatter(TextFormatter("%(message)s"))
    with logs.about(job_id="j"):
        other = Thread(target=logger.info, args=["elsewhere"])
        other.start()
        other.join()
    assert stream.getvalue() == "elsewhere\n"


def test_a_line_break_in_a_message_does_not_break_the_line(written: Written) -> None:
    logger, stream, handler = written
    handler.setFormatter(JsonLinesFormatter())
    logger.info("first\nsecond")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["message"] == "first\nsecond"
