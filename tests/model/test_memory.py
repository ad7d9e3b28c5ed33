"""Pictures that would take more memory than there is are painted in less."""

import os
from pathlib import Path

import pytest

from model import memory
from model.painting import Studio
from model.sitting import Array
from tests.model.sittings import prepared

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("name", "said", "allowed"),
    [
        ("memory.max", "2147483648\n", 2**31),
        ("memory.max", "max\n", MACHINE),
        ("memory/memory.limit_in_bytes", "2147483648\n", 2**31),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", MACHINE),
        ("something else", "1", MACHINE),
    ],
)
def test_what_is_allowed_is_the_machines_memory_or_the_containers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str, allowed: int
) -> None:
    monkeypatch.setattr(memory, "_CONTROL_GROUP", tmp_path)
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(said)
    assert memory.allowed() == allowed


@pytest.mark.parametrize(("gib", "suffices"), [(2, (True, False)), (4, (True, True))])
def test_512_pixels_fit_into_2_gib_and_1024_do_not(
    monkeypatch: pytest.MonkeyPatch, gib: float, suffices: tuple[bool, bool]
) -> None:
    monkeypatch.setattr(memory, "allowed", lambda: int(gib * 2**30))
    assert (memory.suffices(512**2), memory.suffices(1024**2)) == suffices


def test_a_picture_is_painted_in_small_tiles_where_memory_would_not_suffice(
    studio: Studio, photo: Array, strokes: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    sitting = prepared(photo, [strokes], size=64)
    assert not studio.begin(sitting)._objective._small_tiles
    monkeypatch.setattr(memory, "allowed", lambda: 2**30)
    assert studio.begin(sitting)._objective._small_tiles
