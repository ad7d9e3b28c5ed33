"""Who can reach the API: where it listens without keys, and under which names it answers."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from redis import Redis

from app.hosts import check_reach
from app.keys import Keyring
from app.server import listen
from tests.app.api import Files, contents, problem, serving
from tests.app.locked import ENTRIES, GRANTS, bearer
from tests.house import Process, house_environment
from worker.settings import Settings, SettingsError

#: A page of this site has its name resolve to 127.0.0.1 once it is loaded.
REBOUND = "rebound.example"


@pytest.fixture(scope="module")
def named(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """An API that everybody may use, under two names."""
    folder = tmp_path_factory.mktemp("named")
    names = "Studio.example, 2001:db8::1"
    with serving(redis_url, folder, ATELIER_ALLOWED_HOSTS=names) as client:
        yield client


# Under which names it answers.


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8000",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1:",
        "127.5.6.7:8000",
        "[::1]",
        "[::1]:8000",
    ],
)
def test_without_keys_this_machine_is_served_by_all_its_names(api: httpx.Client, host: str) -> None:
    assert api.get("/v1/jobs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        REBOUND,
        f"{REBOUND}:8000",
        "127.0.0.1.rebound.example",
        "localhost.rebound.example",
        "rebound.example@127.0.0.1",
        "127.0.0.1/rebound.example",
        "127.0.0.1:x",
        "0.0.0.0",
        "[::]",
        "192.0.2.1",
        "[::1",
        "127.0.0.1, rebound.example",
        "",
    ],
)
def test_without_keys_no_other_name_is_answered(
    api: httpx.Client, redis: Redis, files: Files, host: str
) -> None:
    before = contents(redis)
    for method, path, upload in [
        ("GET", "/v1/jobs", None),
        ("GET", "/", None),
        ("POST", "/v1/jobs", files),
    ]:
        response = api.request(method, path, files=upload, headers={"Host": host})
        assert problem(response, 421)["type"].endswith(":misdirected")
        assert host not in response.text or len(host) < 2
    assert contents(redis) == before


def test_a_rebound_page_passes_as_same_origin_and_is_refused_all_the_same(
    api: httpx.Client, files: Files
) -> None:
    headers = {
        "Host": REBOUND,
        "Origin": f"http://{REBOUND}",
        "Sec-Fetch-Site": "same-origin",
    }
    problem(api.post("/v1/jobs", files=files, headers=headers), 421)


@pytest.mark.parametrize(
    "host", ["studio.example", "STUDIO.EXAMPLE:443", "[2001:db8::1]:80", "127.0.0.1", "localhost"]
)
def test_named_hosts_are_served_and_always_this_machine(named: httpx.Client, host: str) -> None:
    assert named.get("/livez", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", [REBOUND, "x.studio.example", "studio.example.evil", "192.0.2.1"])
def test_where_hosts_are_named_no_other_is_served(named: httpx.Client, host: str) -> None:
    problem(named.get("/livez", headers={"Host": host}), 421)


@pytest.mark.parametrize(
    "settings", [{"ATELIER_API_KEYS": ENTRIES}, {"ATELIER_ALLOW_ANONYMOUS": "1"}], ids=str
)
def test_with_keys_or_for_everybody_every_name_is_served_unless_some_are_named(
    redis_url: str, redis: Redis, tmp_path: Path, settings: dict[str, str]
) -> None:
    del redis
    with serving(redis_url, tmp_path, **settings) as api:
        assert api.get("/livez", headers={"Host": REBOUND}).status_code == 200
    named = settings | {"ATELIER_ALLOWED_HOSTS": "studio.example"}
    with serving(redis_url, tmp_path, **named) as api:
        problem(api.get("/livez", headers={"Host": REBOUND}), 421)
        assert api.get("/livez", headers={"Host": "studio.example"}).status_code == 200


# Where it may listen.


def refused(settings: Settings) -> str | None:
    """Why an API with these settings does not start, if it does not."""
    try:
        check_reach(settings, Keyring.of(settings))
    except SettingsError as error:
        return str(error)
    return None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_without_keys_it_listens_on_this_machine(host: str) -> None:
    assert refused(Settings(host=host)) is None
    assert refused(Settings(host="0.0.0.0", published_host=host)) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "2001:db8::1", "studio"])
def test_without_keys_it_listens_nowhere_else(host: str) -> None:
    said = refused(Settings(host=host))
    assert said is not None
    assert f"ATELIER_HOST is {host!r}" in said
    assert "`atelier keys new OWNER`" in said
    assert "ATELIER_ALLOW_ANONYMOUS=1" in said
    assert refused(Settings(host=host, allow_anonymous=True)) is None
    assert refused(Settings(host=host, api_keys=SecretStr(ENTRIES))) is None


def test_what_a_container_publishes_decides_and_not_where_it_listens() -> None:
    said = refused(Settings(host="127.0.0.1", published_host="0.0.0.0"))
    assert said is not None
    assert "ATELIER_PUBLISHED_HOST is '0.0.0.0'" in said


@pytest.mark.parametrize("command", ["api", "up"])
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ATELIER_HOST": "0.0.0.0"}, "ATELIER_HOST is '0.0.0.0'"),
        ({"ATELIER_PUBLISHED_HOST": "0.0.0.0"}, "ATELIER_PUBLISHED_HOST is '0.0.0.0'"),
        ({"ATELIER_API_KEYS": "anna:atl_secret"}, "ATELIER_API_KEYS: entry 1"),
    ],
    ids=["bound", "published", "malformed"],
)
def test_a_start_that_is_refused_is_one_sentence(
    redis_url: str, tmp_path: Path, command: str, settings: dict[str, str], said: str
) -> None:
    environment = house_environment(tmp_path, ATELIER_REDIS_URL=redis_url) | settings
    with Process(command, environment=environment, log=tmp_path / "log") as process:
        assert process.wait(within=60) == 1, process.output
        assert re.fullmatch(r"atelier: [^\n]*[^.]\.\n", process.output), process.output
        assert said in process.output
        assert "secret" not in process.output


def test_with_keys_it_listens_on_all_addresses(redis_url: str, tmp_path: Path) -> None:
    settings = {"ATELIER_HOST": "0.0.0.0", "ATELIER_API_KEYS": GRANTS[0].entry}
    with serving(redis_url, tmp_path, **settings) as api:
        assert api.get("/livez").status_code == 200
        assert api.get("/v1/jobs").status_code == 401
        assert api.get("/v1/jobs", headers=bearer("atl_x")).status_code == 401


def test_what_is_sent_is_not_held_back_until_the_other_side_answers() -> None:
    with (
        listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()[:2], 10),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
