"""The description of the API is true: schemathesis asks as it says, and gets what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from redis import Redis

from app.kinds import KINDS
from app.presets import PRESETS
from app.views import JobView
from tests.app.api import SHORT, Files, Json, ended, serving, submit
from tests.app.locked import ADMIN, ANNA, locked_api
from tests.house import House

HERE = Path(__file__).parent


def conform(url: str, *options: str, phases: str, **environment: str) -> None:
    """All answers of a run of schemathesis are as described."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(HERE / "schemathesis.toml")),
            *("run", f"{url}/openapi.json", "--phases", phases, *options),
        ],
        env={
            **os.environ,
            "PYTHONPATH": str(HERE.parents[1]),
            "SCHEMATHESIS_HOOKS": "tests.app.contract_hooks",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told = "\n".join(line[:500] for line in run.stdout.splitlines() if line.strip())
    assert run.returncode == 0, told + run.stderr[-2000:]


def test_an_api_with_keys_answers_as_described(
    redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    del redis  # it was emptied
    with locked_api(redis_url, tmp_path) as client:
        url, endless = str(client.base_url), ("--exclude-operation-id", "get_events")
        for_admins = ("--exclude-path-regex", "/v1/admin/")
        all_phases = "examples,coverage,fuzzing,stateful"
        conform(url, *bearing(ANNA), *endless, *for_admins, phases=all_phases)
        conform(url, *bearing(ADMIN), "--include-path-regex", "/v1/admin/", phases="coverage")


def bearing(key: str) -> tuple[str, str]:
    """The options that send a key."""
    return ("-H", f"Authorization: Bearer {key}")


def test_a_finished_job_is_answered_as_described(studio: httpx.Client, files: Files) -> None:
    job = ended(studio, submit(studio, files, **SHORT))
    reading = ("--include-path-regex", "job_id", "--exclude-method-regex", "POST|DELETE")
    conform(str(studio.base_url), *reading, phases="coverage,fuzzing", CONTRACT_JOB=job["id"])


# What no request can show.


@pytest.fixture(scope="module")
def document(running_api: httpx.Client) -> Json:
    return dict(running_api.get("/openapi.json").json())


def test_how_large_a_picture_may_be_is_said_as_the_settings_have_it(
    redis_url: str, tmp_path: Path
) -> None:
    with serving(redis_url, tmp_path, ATELIER_MAX_UPLOAD_BYTES="12345") as client:
        fields = client.get("/openapi.json").json()["components"]["schemas"]["JobForm"][
            "properties"
        ]
    pictures = (fields["content"], fields["content_mask"])
    several = (fields["style"]["items"], fields["style_mask"]["items"])
    assert {field["maxLength"] for field in (*pictures, *several)} == {12345}


def test_every_answer_says_what_it_is_and_every_refusal_is_a_problem(document: Json) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert set(operation["responses"]) >= {"421", "500"}
            for status, answer in operation["responses"].items():
                where = f"{method} {path} {status}"
                assert answer["description"], where
                kinds = set(answer.get("content", {}))
                assert (kinds == {"application/problem+json"}) == (status >= "400"), where
                assert kinds or status in {"204", "304", "307"}, where


def test_operations_have_short_names_and_their_tags_words(document: Json) -> None:
    operations = [found for path in document["paths"].values() for found in path.values()]
    names = {operation["operationId"] for operation in operations}
    assert {"submit", "get_job", "list_jobs", "cancel_job", "get_events"} <= names
    assert not [name for name in names if "v1" in name]
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert described == {tag for operation in operations for tag in operation["tags"]}


def test_headers_of_limits_are_described_where_requests_are_counted(alone: httpx.Client) -> None:
    for path, operations in alone.get("/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            answer = alone.request(method, path.replace("{job_id}", "0" * 32))
            told = any("RateLimit" in found["headers"] for found in operation["responses"].values())
            assert told == ("429" in operation["responses"]) == ("RateLimit" in answer.headers), (
                path
            )


def test_examples_are_what_the_models_take(document: Json) -> None:
    answers = document["paths"]["/v1/jobs"]["post"]["responses"]
    for status in ("200", "202"):
        JobView.model_validate(answers[status]["content"]["application/json"]["example"])
    form = document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["multipart/form-data"]
    for example in form["examples"].values():
        given = example["value"]
        names = set(given)
        assert names <= set(document["components"]["schemas"]["JobForm"]["properties"])
        assert set(given.get("style_preset", [])) <= set(PRESETS)


# docs/api.md.

DOCS = (HERE.parents[1] / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_page_for_people_has_every_kind_of_problem() -> None:
    rows = re.findall(r"^\| (\d{3}) \| `([a-z-]+)` \| ([^|]+) \| [^|]+ \|$", DOCS, re.MULTILINE)
    found = sorted((kind.status.value, kind.slug, kind.title) for kind in KINDS)
    assert sorted((int(status), slug, title) for status, slug, title in rows) == found


def test_the_page_for_people_has_every_endpoint_with_its_answers(document: Json) -> None:
    rows = re.findall(r"^\| `([A-Z]+) (/\S*)` \| [^\n]* \| ([^|]+) \|$", DOCS, re.MULTILINE)
    told = {(method, path): set(re.findall(r"\d{3}", answers)) for method, path, answers in rows}
    assert told == {
        (method.upper(), path): {status for status in operation["responses"] if status < "400"}
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


@pytest.mark.parametrize("language", ["sh", "python"])
def test_the_examples_for_people_work_as_they_stand_but_for_the_address_and_fewer_steps(
    house: House, studio: httpx.Client, tmp_path: Path, language: str
) -> None:
    del studio  # it leaves the house with nothing to do
    (tmp_path / "app").symlink_to(HERE.parents[1] / "app")
    run = {"sh": ["sh", "-e", "-c"], "python": [sys.executable, "-c"]}[language]
    for example in re.findall(rf"^```{language}\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL):
        if "JOB_ID" in example:
            continue
        (tmp_path / "painted.png").unlink(missing_ok=True)
        program = example.replace("http://127.0.0.1:8000", house.url)
        program = program.replace("-F quality=draft", "-F quality=draft -F steps=3")
        program = program.replace('quality="draft"', 'quality="draft", steps=3')
        assert "steps=3" in program
        environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
        subprocess.run([*run, program], cwd=tmp_path, env=environment, timeout=90, check=True)
        assert (tmp_path / "painted.png").read_bytes().startswith(b"\x89PNG")
