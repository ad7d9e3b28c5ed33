"""A request's trace goes on in the worker; with a collector, as spans."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from redis import Redis

from tests.app.api import SHORT, Files, ended, serving, submit
from tests.collector import Collector, collecting
from tests.house import House, eventually
from worker.tracing import current_traceparent, in_trace_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture(scope="module")
def traced(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that exports its spans."""
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with House(tmp_path_factory.mktemp("traced"), **settings) as running:
        yield running


def carried(redis: Redis, job_id: str) -> str:
    """The trace that a job belongs to, as its worker will read it."""
    found = redis.hget(f"rq:job:{job_id}", "atelier.traceparent")
    assert isinstance(found, bytes)
    return found.decode().strip('"')


def exported(collector: Collector, trace_id: str, *names: str) -> dict[str, tuple[str, Span]]:
    def all_there() -> dict[str, tuple[str, Span]] | None:
        found = collector.of_trace(trace_id)
        return found if found.keys() >= set(names) else None

    spans = eventually(all_there, within=30, what=f"spans {names}")
    assert spans is not None
    return spans


def attributes(span: Span) -> dict[str, str | int]:
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


def test_a_painting_is_one_trace_from_the_callers_span_to_the_stored_picture(
    traced: House, collector: Collector, files: Files
) -> None:
    with traced.client() as client:
        client.headers["traceparent"] = TRACEPARENT
        job = ended(client, submit(client, files, **SHORT))
        client.get("/readyz")
    stages = ("prepare", "paint", "store")
    spans = exported(collector, TRACE, "POST /v1/jobs", "atelier.job", *stages)
    service, request = spans["POST /v1/jobs"]
    assert service == "atelier-api"
    assert request.kind == Span.SPAN_KIND_SERVER
    assert request.parent_span_id.hex() == CALLER
    service, work = spans["atelier.job"]
    assert service == "atelier-worker"
    assert work.kind == Span.SPAN_KIND_CONSUMER
    assert work.parent_span_id == request.span_id
    assert all(spans[stage][1].parent_span_id == work.span_id for stage in stages)
    ends = [spans[stage][1].end_time_unix_nano for stage in stages]
    assert ends == sorted(ends)
    told = attributes(work)
    assert told["atelier.job.id"] == job["id"]
    assert (told["atelier.job.size"], told["atelier.job.steps"]) == (64, 3)
    assert (told["atelier.job.features"], told["atelier.job.attempt"]) == ("bundled", 1)
    assert told["atelier.job.status"] == "succeeded"
    assert not [name for name in spans if "readyz" in name]


def test_a_house_that_ends_sends_the_spans_that_are_left(
    tmp_path: Path, collector: Collector, files: Files
) -> None:
    trace_id = "1" * 32
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "600000"}
    with House(tmp_path, **settings) as house, house.client() as client:
        client.headers["traceparent"] = f"00-{trace_id}-{CALLER}-01"
        ended(client, submit(client, files, **SHORT))
        assert not collector.of_trace(trace_id)
    exported(collector, trace_id, "POST /v1/jobs", "atelier.job")


def test_without_a_collector_the_trace_is_carried_all_the_same(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    job = submit_in(api, files, TRACEPARENT)
    assert carried(redis, job) == TRACEPARENT


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        "",
        "nonsense",
        f"00-{TRACE}-{CALLER}",
        f"00-{TRACE.upper()}-{CALLER}-01",
        f"00-{'0' * 32}-{CALLER}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{CALLER}-01-more",
        f"ff-{TRACE}-{CALLER}-01",
        f"00-{TRACE}-{CALLER}-01" * 100,
    ],
)
def test_without_a_valid_traceparent_a_new_trace_begins(
    api: httpx.Client, redis: Redis, files: Files, traceparent: str | None
) -> None:
    made = carried(redis, submit_in(api, files, traceparent))
    version, trace_id, span_id, flags = made.split("-")
    assert (version, flags) == ("00", "01")
    assert trace_id != TRACE
    assert set(trace_id) != {"0"}
    assert (len(trace_id), len(span_id)) == (32, 16)


def test_two_traceparents_are_as_good_as_none() -> None:
    with in_trace_of([TRACEPARENT, TRACEPARENT]):
        assert TRACE not in (current_traceparent() or TRACE)


def test_two_requests_without_a_traceparent_are_two_traces(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    first, second = (carried(redis, submit_in(api, files, None)) for _ in range(2))
    assert first.split("-")[1] != second.split("-")[1]


def test_a_later_version_of_traceparent_is_read_as_far_as_it_is_known(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    job = submit_in(api, files, f"01-{TRACE}-{CALLER}-01-what-comes-later")
    assert carried(redis, job) == TRACEPARENT


def test_a_collector_that_is_away_holds_nobody(
    redis_url: str, tmp_path: Path, redis: Redis, files: Files
) -> None:
    del redis  # it was emptied
    with serving(redis_url, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as client:
        submit(client, files)  # `serving` then ends it, and would not wait for long


def test_without_the_extra_there_is_one_line_that_says_so() -> None:
    script = (
        "import sys; sys.modules['opentelemetry.exporter'] = None\n"
        "from worker.logs import set_up_logging; set_up_logging('info', 'text')\n"
        "from worker.tracing import set_up_tracing; set_up_tracing('atelier-api')\n"
    )
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    (line,) = done.stderr.splitlines()
    assert "OTEL_EXPORTER_OTLP_ENDPOINT is set" in line
    assert "install atelier[otel]" in line


def submit_in(client: httpx.Client, files: Files, traceparent: str | None) -> str:
    headers = {} if traceparent is None else {"traceparent": traceparent}
    response = client.post("/v1/jobs", files=files, headers=headers)
    assert response.status_code == 202, response.text
    return str(response.json()["id"])
