"""Keys: how they are made and configured, and what each opens at every endpoint there is."""

import hashlib
import re
import socket
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from redis import Redis

from app import keys
from app.keys import Keyring
from app.main import create_app
from model.errors import ParameterError
from tests.app.api import Files, contents, look, problem, submit
from tests.app.locked import (
    ADMIN,
    ANNA,
    ANNAS_SECOND,
    BERT,
    ENTRIES,
    GRANTS,
    STRANGER,
    bearer,
    holding,
    locked_api,
)
from tests.app.streams import listening
from tests.house import Process, eventually
from worker.settings import Settings, SettingsError

#: Every operation that there is, from the description of the API: none can be forgotten.
OPERATIONS = [
    (method.upper(), path)
    for path, operations in create_app(Settings(redis_url="redis://x")).openapi()["paths"].items()
    for method in operations
]
GUARDED = [found for found in OPERATIONS if found[1].startswith("/v1/")] + [("GET", "/metrics")]
OF_A_JOB = [found for found in GUARDED if "{job_id}" in found[1]]

OPEN = ["/livez", "/docs", "/openapi.json", "/", "/main.js", "/vendor/swagger-ui/swagger-ui.css"]

HASH = "0" * 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("locked")


@pytest.fixture(scope="module")
def running(redis_url: str, folder: Path) -> Iterator[httpx.Client]:
    with locked_api(redis_url, folder, ATELIER_LOG_LEVEL="debug") as client:
        yield client


@pytest.fixture
def api(running: httpx.Client, redis: Redis) -> httpx.Client:
    """The locked API, asked without a key, on an empty server."""
    del redis  # it was emptied
    return running


def ask(api: httpx.Client, key: str | None, method: str, path: str) -> httpx.Response:
    """The answer, of which only so much is read as it takes: a stream has no end."""
    with holding(api, key) as client, client.stream(method, path) as response:
        if not response.headers["Content-Type"].startswith("text/event-stream"):
            response.read()
        return response


def test_owners_take_turns_in_the_queue(api: httpx.Client, files: Files) -> None:
    with holding(api, ANNA) as anna, holding(api, BERT) as bert:
        first, second = submit(anna, files), submit(anna, files)
        with listening(anna, second) as stream:
            list(islice(stream, 2))  # how it is now
            assert submit(bert, files)["queue_position"] == 2
            assert next(stream).data["queue_position"] == 3
        assert [look(anna, job)["queue_position"] for job in (first, second)] == [1, 3]
        urgent = submit(anna, files, priority="high")
        assert urgent["queue_position"] == 1


def kind(response: httpx.Response) -> str:
    """The type of a problem, or what else the answer is."""
    found = response.headers.get("Content-Type", "")
    return str(response.json()["type"]) if found == "application/problem+json" else found


# What a key opens.


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_without_a_key_there_is_nothing(api: httpx.Client, method: str, path: str) -> None:
    response = api.request(method, path)
    assert problem(response, 401)["type"].endswith(":no-key")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="atelier"'


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_a_key_that_is_not_known_opens_nothing(api: httpx.Client, method: str, path: str) -> None:
    response = api.request(method, path, headers=bearer(STRANGER))
    assert problem(response, 401)["type"].endswith(":unknown-key")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="atelier", error="invalid_token"'


@pytest.mark.parametrize(("method", "path"), OF_A_JOB)
def test_a_job_of_another_owner_is_as_if_it_did_not_exist(
    api: httpx.Client, redis: Redis, files: Files, method: str, path: str
) -> None:
    with holding(api, ANNA) as anna:
        job = submit(anna, files)
    before = contents(redis)
    theirs = problem(ask(api, BERT, method, path.format(job_id=job["id"])), 404)
    assert theirs["type"].endswith(":no-such-job")
    assert theirs == problem(ask(api, BERT, method, path.format(job_id="0" * 32)), 404)
    assert contents(redis) == before


@pytest.mark.parametrize(("method", "path"), OF_A_JOB)
@pytest.mark.parametrize("key", [ANNA, ANNAS_SECOND, ADMIN], ids=["first", "second", "admin"])
def test_each_key_of_the_owner_opens_a_job_and_an_admins(
    api: httpx.Client, files: Files, method: str, path: str, key: str
) -> None:
    with holding(api, ANNA) as anna:
        job = submit(anna, files)
    response = ask(api, key, method, path.format(job_id=job["id"]))
    assert not kind(response).endswith((":no-such-job", ":no-key", ":unknown-key"))
    assert response.status_code < 500


def test_every_id_in_a_path_is_of_a_kind_that_is_tested_here() -> None:
    assert set(re.findall(r"\{(\w+)\}", " ".join(path for _, path in OPERATIONS))) == {
        "job_id",
        "batch_id",  # in test_batches_door
        "name",  # of a style of ours, which is everybody's
    }


def test_a_list_shows_ones_own_jobs_and_to_an_admin_those_of_all(
    api: httpx.Client, files: Files
) -> None:
    made: dict[str, list[str]] = {ANNA: [], BERT: []}
    for key in (ANNA, BERT, ANNA):
        with holding(api, key) as client:
            made[key].insert(0, submit(client, files)["id"])
    seen = {key: ids(api, key) for key in (ANNA, ANNAS_SECOND, BERT, ADMIN)}
    assert seen[ANNA] == seen[ANNAS_SECOND] == made[ANNA]
    assert seen[BERT] == made[BERT]
    assert seen[ADMIN] == [made[ANNA][0], made[BERT][0], made[ANNA][1]]
    with holding(api, ADMIN) as admin:
        assert admin.delete(f"/v1/jobs/{made[BERT][0]}").status_code == 204
    assert ids(api, BERT) == []
    assert ids(api, ADMIN) == made[ANNA]


def test_pages_of_an_admins_list_fit_together(api: httpx.Client, files: Files) -> None:
    for key in (ANNA, BERT, ANNA):
        with holding(api, key) as client:
            submit(client, files)
    with holding(api, ADMIN) as admin:
        first = admin.get("/v1/jobs", params={"limit": 2}).json()
        second = admin.get("/v1/jobs", params={"cursor": first["next_cursor"]}).json()
    assert [job["id"] for job in first["jobs"] + second["jobs"]] == ids(api, ADMIN)


def test_what_is_forgotten_of_a_job_is_forgotten_everywhere(
    api: httpx.Client, redis: Redis, files: Files
) -> None:
    with holding(api, ANNA) as anna:
        anna.delete(submit(anna, files)["urls"]["self"])
    assert not redis.keys("atelier:jobs*")


def test_jobs_from_before_there_were_keys_are_an_admins_alone(
    redis_url: str, redis: Redis, api: httpx.Client, running_api: httpx.Client, files: Files
) -> None:
    del redis_url, redis
    job = submit(running_api, files)
    assert ask(api, ANNA, "GET", job["urls"]["self"]).status_code == 404
    assert ids(api, ANNA) == []
    assert ids(api, ADMIN) == [job["id"]]


def test_whom_a_job_belongs_to_is_not_shown(api: httpx.Client, files: Files) -> None:
    with holding(api, ANNA) as anna:
        job = submit(anna, files)
        assert "owner" not in job
        assert look(anna, job)["id"] == job["id"]


@pytest.mark.parametrize("path", OPEN)
def test_what_shows_no_job_needs_no_key(api: httpx.Client, path: str) -> None:
    assert api.get(path).status_code == 200


def test_a_probe_needs_no_key(api: httpx.Client) -> None:
    problem(api.get("/readyz"), 503)  # there is no worker, and that may be known


def test_metrics_can_be_opened(redis_url: str, tmp_path: Path) -> None:
    with locked_api(redis_url, tmp_path, ATELIER_OPEN_METRICS="1") as api:
        assert api.get("/metrics").status_code != 401
        assert api.get("/v1/jobs").status_code == 401


# How a key is sent.


@pytest.mark.parametrize(
    "value",
    [
        "Bearer",
        f"Bearer{ANNA}",
        f"Basic {ANNA}",
        ANNA,
        f"Bearer {ANNA}x",
        f"Bearer {ANNA[:-1]}",
        f"Bearer {ANNA.upper()}",
        f"Bearer {ANNA}, {BERT}",
        f"Bearer {GRANTS[0].digest}",
        f"Bearer {GRANTS[0].entry}",
        "Bearer \xff\xfe",
        "Bearer " + "x" * 20_000,
    ],
    ids=lambda value: value[:24],
)
def test_only_a_whole_key_as_a_bearer_token_opens(api: httpx.Client, value: str) -> None:
    headers = {b"Authorization": value.encode("latin-1")}
    problem(api.get("/v1/jobs", headers=headers), 401)


def test_the_schemes_name_may_be_in_any_case(api: httpx.Client) -> None:
    assert api.get("/v1/jobs", headers={"Authorization": f"bearer {ANNA}"}).status_code == 200


def test_a_key_in_an_address_opens_nothing(api: httpx.Client) -> None:
    for name in ("key", "api_key", "access_token", "token"):
        problem(api.get("/v1/jobs", params={name: ANNA}), 401)


def test_a_strangers_upload_is_not_read(api: httpx.Client) -> None:
    """Headers alone bring the answer: nothing of the gigabyte that they promise is waited for."""
    with socket.create_connection((api.base_url.host, api.base_url.port or 0), 10) as line:
        line.sendall(
            b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        )
        assert line.recv(100).startswith(b"HTTP/1.1 401 ")


def test_no_key_and_no_hash_is_in_an_answer_or_a_log(
    api: httpx.Client, redis: Redis, folder: Path, files: Files
) -> None:
    with holding(api, ANNA) as anna:
        job = submit(anna, files)
        redis.hset(f"rq:job:{job['id']}", "atelier.result", "{broken")
        answers = [
            anna.get(job["urls"]["self"]),
            anna.get("/v1/jobs?limit=x"),
            anna.post("/v1/session"),
            anna.get("/v1/session"),
            api.get("/v1/jobs", headers=bearer(STRANGER)),
        ]
    assert [answer.status_code for answer in answers] == [500, 422, 204, 200, 401]
    token = answers[2].cookies["atelier_session"]
    told = "".join(answer.text for answer in answers)
    log = (folder / "api.log").read_text(encoding="utf-8")
    assert "failed" in log
    for secret in (ANNA, STRANGER, token, GRANTS[0].digest, "atl_"):
        assert secret not in told
        assert secret not in log


def test_the_description_says_which_endpoints_ask_for_a_key(
    api: httpx.Client, running_api: httpx.Client
) -> None:
    locked, unlocked = (client.get("/openapi.json").json() for client in (api, running_api))
    asked = {
        (method.upper(), path)
        for path, operations in locked["paths"].items()
        for method, operation in operations.items()
        if operation.get("security") == [{"key": []}, {"session": []}]
    }
    assert asked == set(GUARDED) & set(OPERATIONS)
    assert set(locked["components"]["securitySchemes"]) == {"key", "session"}
    assert "securitySchemes" not in unlocked["components"]


def test_the_command_line_sends_a_key_and_never_shows_it(
    api: httpx.Client, tmp_path: Path, content: bytes, style: bytes
) -> None:
    for name, picture in {"a": content, "b": style}.items():
        (tmp_path / name).write_bytes(picture)
    where = [str(tmp_path / "a"), str(tmp_path / "b"), "-o", str(tmp_path / "c.png")]

    def stylize(key: str) -> Process:
        return Process(
            *("stylize", *where, "--server", str(api.base_url)),
            environment={"ATELIER_API_KEY": key},
            log=tmp_path / "log",
        )

    with stylize(STRANGER) as process:
        assert process.wait(within=60) == 1
        assert "atelier: The key that was sent is not" in process.output
        assert "atl_" not in process.output
    with stylize(f"{ANNA}\n") as process:
        (job,) = eventually(lambda: ids(api, ANNA), within=60, what="the job is handed in")
        with holding(api, ANNA) as anna:
            anna.post(f"/v1/jobs/{job}/cancel")
        assert process.wait(within=30) == 1
        assert "The job was canceled" in process.output


def ids(api: httpx.Client, key: str) -> list[str]:
    """The jobs that a key shows."""
    return [job["id"] for job in ask(api, key, "GET", "/v1/jobs").json()["jobs"]]


# How keys are made and configured.


def keyring(text: str) -> Keyring:
    return Keyring.of(Settings(api_keys=SecretStr(text)))


def test_a_key_is_256_random_bits_and_only_its_hash_is_configured() -> None:
    key, grant = keys.new("anna")
    assert re.fullmatch(r"atl_[A-Za-z0-9_-]{43}", key)
    assert grant.entry == f"anna:{hashlib.sha256(key.encode()).hexdigest()}"
    assert keys.new("anna")[0] != key
    assert keys.new("anna", admin=True)[1].entry.startswith("anna+admin:")


@pytest.mark.parametrize("separator", [",", ", ", " ", "\n", " ,\n"])
def test_entries_are_parted_by_commas_or_spaces(separator: str) -> None:
    ring = keyring(separator.join(grant.entry for grant in GRANTS) + separator)
    assert [ring.find_digest(grant.digest) for grant in GRANTS] == list(GRANTS)
    assert ring.find(STRANGER) is None


def test_a_file_has_an_entry_a_line_beside_those_of_the_variable(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    text = f"# who may\n\n{GRANTS[0].entry}\n  {GRANTS[3].entry}  # for repairs\n"
    file.write_text(text, encoding="utf-8")
    ring = Keyring.of(Settings(api_keys_file=file, api_keys=SecretStr(GRANTS[2].entry)))
    found = [ring.find(key) for key in (ANNA, BERT, ADMIN, ANNAS_SECOND)]
    assert found == [GRANTS[0], GRANTS[2], GRANTS[3], None]


def test_without_entries_nothing_is_locked() -> None:
    assert not Keyring.of(Settings())
    assert keyring(ENTRIES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        "anna",
        HASH,
        f":{HASH}",
        f"Anna:{HASH}",
        f"-anna:{HASH}",
        f"an na:{HASH}",
        f"{'a' * 65}:{HASH}",
        f"anna:{HASH[1:]}",
        f"anna:{HASH.replace('0', 'A')}",
        f"anna+root:{HASH}",
        f"anna:{HASH}:{HASH}",
        f"*:{HASH}",
        f"{GRANTS[0].entry};{GRANTS[2].entry}",
        f"anna:{ANNA}",
        ANNA,
        f"anna:{HASH}, bert:{HASH}",
        f"anna:{HASH}, anna+admin:{HASH}",
    ],
    ids=lambda text: text.replace(ANNA, "KEY")[:20],
)
@pytest.mark.parametrize("variable", ["ATELIER_API_KEYS", "ATELIER_API_KEYS_FILE"])
def test_a_malformed_setting_is_one_sentence_that_names_it_and_shows_nothing_of_it(
    tmp_path: Path, text: str, variable: str
) -> None:
    file = tmp_path / "keys"
    file.write_text(text.replace(",", "\n"), encoding="utf-8")
    by_file = variable.endswith("_FILE")
    settings = Settings(api_keys_file=file) if by_file else Settings(api_keys=SecretStr(text))
    with pytest.raises(SettingsError) as caught:
        Keyring.of(settings)
    sentence = str(caught.value)
    assert sentence.startswith(
        "ATELIER_API_KEYS: one key" if text.count(HASH) > 1 and "," in text else variable
    )
    assert re.fullmatch(r"[^\n]*[^.]\.", sentence)
    assert not re.search(r"atl_|[0-9a-f]{20}", sentence)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^ATELIER_API_KEYS_FILE cannot be read"):
        Keyring.of(Settings(api_keys_file=tmp_path / "nowhere"))


@pytest.mark.parametrize("owner", ["", "Anna", "-a", "a b", "a:b", "a+admin", "*", "a" * 65, "é"])
def test_an_owner_has_a_plain_name(owner: str) -> None:
    with pytest.raises(ParameterError, match="An owner's name is"):
        keys.new(owner)


def test_settings_that_are_printed_show_no_keys() -> None:
    assert GRANTS[0].digest not in repr(Settings(api_keys=SecretStr(ENTRIES)))
