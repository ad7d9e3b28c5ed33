"""benchmarks/results.md, part by part."""

import sys
import time
from pathlib import Path

import pytest

from benchmarks import machine, results


def test_a_part_that_fails_leaves_what_was_measured_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "results.md"
    of_now = f"# What was measured\n\n{machine.description()}; {time.strftime('%B %Y')}.\n\n"
    file.write_text(f"{of_now}## Works\n\nold\n\n## Fails\n\nkept\n")
    monkeypatch.setattr(results, "_FILE", file)
    monkeypatch.setattr(results, "_PARTS", {"machine": ("Works",), "no_such": ("Fails", "--x")})
    monkeypatch.setattr(sys, "argv", ["results"])
    with pytest.raises(SystemExit, match="Not measured: Fails"):
        results.main()
    command = "    .venv/bin/python -m benchmarks.machine"
    assert file.read_text().startswith(f"{of_now}## Works\n\n{command}\n")
    assert "old" not in file.read_text()
    assert file.read_text().endswith("## Fails\n\nkept\n")


def test_what_was_measured_on_another_machine_does_not_stand_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "results.md"
    file.write_text("# What was measured\n\n64 cores; May 1999.\n\n## Other\n\nold\n")
    monkeypatch.setattr(results, "_FILE", file)
    monkeypatch.setattr(results, "_PARTS", {"machine": ("Works",), "no_such": ("Other",)})
    monkeypatch.setattr(sys, "argv", ["results", "--only", "machine"])
    results.main()
    assert "old" not in file.read_text()
