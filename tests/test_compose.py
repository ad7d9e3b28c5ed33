"""What the images and the compose files promise, read from the files: no container is needed."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import images
from worker.settings import Settings

HOUSE = Path(__file__).parents[1]

#: In containers these are the compose file's business: where to listen, what is where.
_FIXED = {"host", "port", "data_dir", "redis_url", "redis_password_file", "stop_grace_seconds"}

#: No container's: for the command line on somebody's own machine.
_CLIENTS = {"api_key"}

#: What the provider's own tools name so: how a store at `s3://` is reached.
_OF_THE_STORE = {"AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_SECRET_ACCESS_KEY"}


def _load(name: str) -> dict[str, Any]:
    return yaml.safe_load((HOUSE / name).read_text(encoding="utf-8"))  # type: ignore[no-any-return]


COMPOSE = _load("docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
WORKER_ON_GPU: dict[str, Any] = _load("docker-compose.gpu.yml")["services"]["worker"]
DOCKERFILE = (HOUSE / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def _stage(name: str) -> str:
    """The lines of a stage, and of those that it continues or copies from."""
    found = re.search(
        rf"^FROM (\S+) AS {name}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL
    )
    assert found, f"no stage {name}"
    parent, lines = found.groups()
    others = [parent, *re.findall(r"--from=(\S+)", lines)]
    return lines + "".join(_stage(other) for other in others if not other.startswith("$"))


def _setting(name: str) -> str:
    return f"ATELIER_{name.upper()}"


def test_there_are_redis_api_and_worker() -> None:
    assert set(SERVICES) == {"redis", "api", "worker"}
    assert {SERVICES[name]["build"]["target"] for name in ("api", "worker")} == {"api", "worker"}


def test_only_the_api_is_published_and_only_to_this_machine() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["api"]
    (port,) = SERVICES["api"]["ports"]
    assert port == "${ATELIER_HOST:-127.0.0.1}:${ATELIER_PORT:-8000}:8000"
    assert "ATELIER_PORT=8000" in _stage("api")


def test_the_api_knows_where_it_is_published_and_so_whether_it_needs_keys() -> None:
    (port,) = SERVICES["api"]["ports"]
    published = SERVICES["api"]["environment"]["ATELIER_PUBLISHED_HOST"]
    assert port.startswith(f"{published}:")
    for name in ("ATELIER_API_KEYS", "ATELIER_ALLOW_ANONYMOUS"):
        assert SERVICES["api"]["environment"][name] is None  # handed on as it is


def test_redis_is_on_no_network_that_leads_out() -> None:
    assert SERVICES["redis"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert "network_mode" not in SERVICES["redis"]


def test_redis_keeps_every_job_and_asks_for_a_password() -> None:
    script = SERVICES["redis"]["command"][-1]
    options = dict(re.findall(r"^([a-z-]+) (.+)$", script, re.MULTILINE))
    assert options["appendonly"] == "yes"
    assert options["maxmemory-policy"] == "noeviction"
    assert options["requirepass"] == '$$(cat "$$PASSWORD_FILE")'
    assert "redis:/data" in SERVICES["redis"]["volumes"]
    assert "redis" in COMPOSE["volumes"]


@pytest.mark.parametrize("name", ["api", "worker"])
def test_the_password_reaches_who_needs_it_and_nobody_can_change_it(name: str) -> None:
    file = Path(SERVICES[name]["environment"]["ATELIER_REDIS_PASSWORD_FILE"])
    assert str(file) == SERVICES["redis"]["environment"]["PASSWORD_FILE"]
    assert f"password:{file.parent}:ro" in SERVICES[name]["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service["restart"] == "unless-stopped"
    assert not {"privileged", "cap_add", "pid", "ipc"} & set(service)


@pytest.mark.parametrize("name", ["api", "worker"])
def test_images_are_checked_in_containers_like_those_of_compose(name: str) -> None:
    service = SERVICES[name]
    assert (
        *(["--read-only"] * service["read_only"]),
        *(f"--cap-drop={capability}" for capability in service["cap_drop"]),
        *(f"--security-opt={option}" for option in service["security_opt"]),
    ) == images.HARDENED
    assert [images.TMPFS[name]] == service["tmpfs"]
    assert images.SETTINGS.keys() <= service["environment"].keys()


@pytest.mark.parametrize("name", ["api", "worker"])
def test_nothing_starts_before_redis_answers(name: str) -> None:
    assert SERVICES[name]["depends_on"] == {"redis": {"condition": "service_healthy"}}
    assert "healthcheck" in SERVICES["redis"]


@pytest.mark.parametrize("name", ["api", "worker"])
def test_every_setting_can_be_given_and_no_other(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert {variable: environment[variable] for variable in _OF_THE_STORE} == dict.fromkeys(
        _OF_THE_STORE
    ), "handed on as they are"
    given = set(environment) - _OF_THE_STORE
    known = set(Settings.model_fields)
    assert given <= {_setting(field) for field in known}
    assert given >= {_setting(field) for field in known - _FIXED - _CLIENTS}


def test_a_worker_is_not_killed_within_its_grace() -> None:
    grace = Settings.model_fields["stop_grace_seconds"].default
    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) >= grace + 5
    # So that nobody raises the one without the other.
    assert _setting("stop_grace_seconds") not in SERVICES["worker"]["environment"]


def test_the_override_gives_the_worker_gpus_and_their_tensorflow() -> None:
    (device,) = WORKER_ON_GPU["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert WORKER_ON_GPU["build"]["args"] == {"WORKER_EXTRA": "cuda"}
    assert WORKER_ON_GPU["image"] != "atelier-worker"


@pytest.mark.parametrize("target", ["api", "worker"])
def test_an_image_runs_as_a_user_who_is_not_root(target: str) -> None:
    users = re.findall(r"^USER (\S+)$", _stage(target), re.MULTILINE)
    assert users == ["10001:10001"]
    assert "user" not in SERVICES[target]


@pytest.mark.parametrize("target", ["api", "worker"])
def test_an_image_has_a_health_check_and_listens_outside(target: str) -> None:
    stage = _stage(target)
    assert stage.count("HEALTHCHECK") == 1
    assert "ATELIER_HOST=0.0.0.0" in stage
    assert "ATELIER_DATA_DIR=/data" in stage


def test_the_api_has_neither_tensorflow_nor_the_features() -> None:
    installed = re.compile(r"-r (\S+\.txt)")
    assert set(installed.findall(_stage("api"))) == {"api.txt"}
    assert set(installed.findall(_stage("worker"))) == {"api.txt", "${WORKER_EXTRA}.txt"}
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not [name for name in project["dependencies"] if name.startswith("tensorflow")]
    assert {"worker", "cuda"} <= set(project["optional-dependencies"])
    removed = "rm -r /app/model/features"
    assert removed in _stage("api")
    assert removed not in _stage("worker")


def test_the_builds_of_the_worker_differ_in_tensorflow_alone() -> None:
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {
        name: [need for need in needs if not need.startswith("tensorflow")]
        for name, needs in project["optional-dependencies"].items()
    }
    assert extras["cpu"] == extras["cuda"] == extras["worker"]
    (default,) = re.findall(r"^ARG WORKER_EXTRA=(\w+)$", DOCKERFILE, re.MULTILINE)
    assert default == "cpu"


def test_what_builds_is_pinned_as_well() -> None:
    pinned = (HOUSE / "constraints.txt").read_text(encoding="utf-8")
    for name in ("pip", "setuptools", "tensorflow", "tensorflow-cpu", "nvidia-cudnn-cu12"):
        assert re.search(rf"^{name}==", pinned, re.MULTILINE), name


def test_no_bytecode_in_an_image_knows_when_it_was_made() -> None:
    installs = re.findall(r"pip --python \S+ install (.*)", DOCKERFILE)
    assert len(installs) == 3
    assert all("--no-compile" in how for how in installs)
    assert DOCKERFILE.count("$COMPILE /") == len(installs)
    assert "--invalidation-mode unchecked-hash" in DOCKERFILE


def test_versions_are_pinned_and_dependencies_come_before_the_source() -> None:
    installs = re.findall(r"pip --python \S+ install (.*)", DOCKERFILE)
    assert all("-c constraints.txt" in how or "--no-deps" in how for how in installs)
    assert "/tools/bin/pip install -c constraints.txt pip setuptools" in DOCKERFILE
    for target in ("api", "worker"):
        assert not re.search(r"COPY (app|worker|model|\.) ", _stage(f"{target}-dependencies"))


def test_an_image_is_made_of_nothing_but_what_it_needs() -> None:
    lines = (HOUSE / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    copied = set(re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE))
    wanted = {word for words in copied for word in words.split()}
    assert {rule.strip("!/") for rule in rules if rule.startswith("!")} == wanted
