"""Published files are known by their hashes, and damaged ones by their sizes."""

import hashlib
from pathlib import Path

import pytest

from model import known
from model.known import Known, recognise


@pytest.fixture(autouse=True)
def _published(monkeypatch: pytest.MonkeyPatch) -> None:
    md5, sha256 = hashlib.md5(b"one").hexdigest(), hashlib.sha256(b"another").hexdigest()
    files = (Known("One", "md5", md5), Known("Another", "sha256", sha256[:8], 7))
    monkeypatch.setattr(known, "KNOWN", files)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"one", "One"),
        (b"another", "Another"),
        (b"anothex", "of the size of Another, but with another hash: damaged, or changed"),
        (b"two", None),
        (b"", None),
    ],
)
def test_a_file_is_known_by_its_hash_or_else_by_its_size(
    tmp_path: Path, data: bytes, what: str | None
) -> None:
    (tmp_path / "x.mat").write_bytes(data)
    assert recognise(tmp_path / "x.mat") == what
