"""Pictures that would take more memory than there is are painted in less."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from model import memory
from model.optimizers import OPTIMIZERS
from model.painting import Studio
from model.sitting import Array
from tests.model.sittings import prepared

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


MIB = 2**20

#: What Linux says of the groups of a process in a container that has a name space of its own.
ALONE = "0::/\n"
OF_VERSION_1 = "5:cpu:/\n4:memory:/\n0::/\n"


@pytest.mark.parametrize(
    ("membership", "said", "allowed"),
    [
        (ALONE, {"memory.max": f"{64 * MIB}\n"}, 64 * MIB),
        (ALONE, {"memory.max": "max\n"}, MACHINE),
        (OF_VERSION_1, {"memory/memory.limit_in_bytes": f"{64 * MIB}\n"}, 64 * MIB),
        (OF_VERSION_1, {"memory/memory.limit_in_bytes": "9223372036854771712\n"}, MACHINE),
        (ALONE, {"something else": "1"}, MACHINE),
        (None, {"memory.max": "1"}, MACHINE),
    ],
)
def test_what_is_allowed_is_the_machines_memory_or_the_containers(
    groups: Callable[..., None], membership: str | None, said: dict[str, str], allowed: int
) -> None:
    groups(membership, said)
    assert memory.allowed() == allowed


def test_what_is_allowed_is_the_least_of_a_group_and_those_that_it_is_in(
    groups: Callable[..., None],
) -> None:
    limits = {"house/memory.max": f"{64 * MIB}", "house/worker/memory.max": "max"}
    groups("0::/house/worker\n", limits)
    assert memory.allowed() == 64 * MIB
    groups("0::/house/worker\n", {"house/worker/memory.max": f"{32 * MIB}"})
    assert memory.allowed() == 32 * MIB


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says in which groups this process is, and what their files have to say."""

    def tell(membership: str | None, said: Mapping[str, str]) -> None:
        monkeypatch.setattr(memory, "_MEMBERSHIP", tmp_path / "membership")
        monkeypatch.setattr(memory, "_CONTROL_GROUPS", tmp_path / "groups")
        if membership is not None:
            (tmp_path / "membership").write_text(membership)
        for name, text in said.items():
            file = tmp_path / "groups" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    return tell


ADAM, LBFGS = (OPTIMIZERS[name]().images_in_state for name in ("adam", "lbfgs"))


@pytest.mark.parametrize(
    ("gib", "side", "style_side", "images", "suffices"),
    [
        (2, 512, 512, ADAM, True),
        (2, 1024, 1024, ADAM, False),
        (2, 512, 2048, ADAM, False),
        (4, 1024, 1024, ADAM, True),
        (6, 4096, 1024, ADAM, False),
        (8, 4096, 1024, ADAM, True),
        (8, 4096, 1024, LBFGS, False),
        (12, 4096, 1024, LBFGS, True),
    ],
)
def test_what_a_painting_takes_grows_with_the_picture_its_style_and_the_optimisers_state(
    monkeypatch: pytest.MonkeyPatch,
    *,
    gib: float,
    side: int,
    style_side: int,
    images: int,
    suffices: bool,
) -> None:
    monkeypatch.setattr(memory, "allowed", lambda: int(gib * 2**30))
    assert memory.suffices(side**2, [style_side**2], images) == suffices


@pytest.mark.parametrize(
    ("gib", "side", "styles", "regions", "suffices"),
    [
        (4, 1024, 1, 0, True),
        (4, 1024, 1, 2, False),
        (8, 1024, 1, 8, True),
        (8, 4096, 1, 0, True),
        (8, 4096, 8, 0, False),
    ],
)
def test_regions_and_further_styles_take_memory_too(
    monkeypatch: pytest.MonkeyPatch,
    *,
    gib: float,
    side: int,
    styles: int,
    regions: int,
    suffices: bool,
) -> None:
    monkeypatch.setattr(memory, "allowed", lambda: int(gib * 2**30))
    assert memory.suffices(side**2, [side**2] * styles, ADAM, regions) == suffices


def test_graphs_of_other_kinds_take_memory_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "allowed", lambda: 4 * 2**30)
    found = [memory.suffices(1024**2, [1024**2], ADAM, kinds=kinds) for kinds in (1, 2, 9)]
    assert found == [True, True, False]


def test_a_picture_is_painted_in_small_tiles_where_memory_would_not_suffice(
    studio: Studio, photo: Array, strokes: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    sitting = prepared(photo, [strokes], size=64)
    assert not studio.begin(sitting)._objective._small_tiles
    monkeypatch.setattr(memory, "allowed", lambda: 2**30)
    assert studio.begin(sitting)._objective._small_tiles
