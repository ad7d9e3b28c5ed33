"""Who may import whom, and what the front of the house never loads."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.house import House

ROOT = Path(__file__).parents[2]

#: Imports run one way.
MAY_IMPORT = {
    "app": {"app", "worker", "model"},
    "worker": {"worker", "model"},
    "model": {"model"},
}
HEAVY = {"tensorflow", "keras", "h5py"}
WORKERS_OWN = {"numpy", "scipy", "tifffile", "safetensors"}


def modules(room: str) -> list[str]:
    paths = sorted((ROOT / room).rglob("*.py"))
    assert paths, room
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in paths
    ]


def imported(path: Path) -> Iterator[str]:
    """The top-level packages that a file imports, inside its functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield (node.module or "").partition(".")[0]


def loaded_after(statements: str) -> set[str]:
    """The top-level packages in a fresh interpreter that has run the statements."""
    script = f"{statements}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_a_fresh_interpreter_imports_all_of_app_without_tensorflow() -> None:
    statements = "\n".join(f"import {name}" for name in modules("app"))
    assert not loaded_after(statements) & HEAVY


def test_the_api_needs_nothing_of_what_only_workers_have_installed() -> None:
    assert not loaded_after("import app.main, app.cli, app.client") & (HEAVY | WORKERS_OWN)


@pytest.mark.parametrize(
    "module",
    ["worker.jobs", "worker.settings", "worker.presence", "model.door", "model.recipes"],
)
def test_what_app_needs_of_the_other_rooms_is_free_of_tensorflow(module: str) -> None:
    assert not loaded_after(f"import {module}") & HEAVY


def test_the_look_into_a_fresh_interpreter_sees_a_package_that_is_loaded() -> None:
    assert "numpy" in loaded_after("import numpy.linalg")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_api_process_of_a_running_house_has_never_loaded_tensorflow(house: House) -> None:
    children = {child.cmdline()[3]: child for child in parts(house)}
    assert maps_tensorflow(children["worker"])
    assert not maps_tensorflow(children["api"])


def parts(house: House) -> list[psutil.Process]:
    return [child for child in psutil.Process(house.pid).children() if "app.cli" in child.cmdline()]


def maps_tensorflow(process: psutil.Process) -> bool:
    return "tensorflow" in Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8")


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_run_one_way(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        forbidden = set(imported(path)) & (set(MAY_IMPORT) | {"tests"}) - MAY_IMPORT[room]
        assert not forbidden, f"{path.relative_to(ROOT)} imports {forbidden}"


def test_app_itself_never_names_tensorflow_or_rq() -> None:
    for path in (ROOT / "app").rglob("*.py"):
        forbidden = set(imported(path)) & (HEAVY | {"rq"})
        assert not forbidden, f"{path.relative_to(ROOT)} imports {forbidden}"


def test_model_knows_neither_the_queue_nor_the_web_service() -> None:
    web = {"redis", "rq", "fastapi", "starlette", "uvicorn", "typer"}
    for path in (ROOT / "model").rglob("*.py"):
        forbidden = set(imported(path)) & web
        assert not forbidden, f"{path.relative_to(ROOT)} imports {forbidden}"
