"""The benchmark of paintings: what it paints, keeps, counts and shows."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import painters, report, subjects
from benchmarks.easel import Easel, Work, read
from benchmarks.judge import Verdict
from benchmarks.peers import NeuralStyle
from benchmarks.pictures import Exhibition
from benchmarks.report import Row
from benchmarks.source import fingerprint
from benchmarks.subjects import Pair, Subject
from model.painting import Studio
from model.vgg import Features
from tests.pictures import photograph, style_picture


class Copyist:
    """Paints the content picture again, and counts how often."""

    def __init__(self, kept: Easel, name: str = "copyist, by eye") -> None:
        self.name = name
        self.painted = 0
        self._kept = kept

    def paint(self, pair: Pair) -> Work:
        return self._kept.painted(painters.file_name(self, pair), {}, lambda: self._copy(pair))

    def _copy(self, pair: Pair) -> Work:
        self.painted += 1
        return Work(painters.sitting(pair, 64).content, 1.5, 3)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of two content pictures and one of seven styles."""
    contents, styles = tmp_path / "contents", tmp_path / "styles"
    contents.mkdir()
    styles.mkdir()
    for name in ("hill", "house"):
        (contents / f"{name}.jpg").write_bytes(photograph(96, 88))
    for number in range(7):
        (styles / f"style{number}.png").write_bytes(style_picture(80 + number, 80))
    (styles / "README.md").write_text("no picture")
    return contents, styles


def pair() -> Pair:
    rng = np.random.default_rng(3)
    content, style = (rng.random((side, 70, 3), np.float32) for side in (60, 80))
    return Pair(Subject("content", content), Subject("style", style))


def test_there_are_six_contents_that_anyone_may_use() -> None:
    names = [subject.name for subject in subjects.contents(None)]
    assert names == ["astronaut", "chelsea", "coffee", "rocket", "china", "flower"]
    assert all(subject.rgb.max() <= 1 for subject in subjects.contents(None))


def test_there_are_six_styles_of_ours() -> None:
    assert [subject.name for subject in subjects.styles(None)] == list(subjects.STYLES)


def test_six_pictures_of_a_folder_are_taken_at_most(folders: tuple[Path, Path]) -> None:
    names = [subject.name for subject in subjects.pictures_of(folders[1])]
    assert names == [f"style{number}" for number in range(6)]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"no pictures in this folder. Received: {tmp_path}"):
        subjects.pictures_of(tmp_path)


def test_a_few_pairs_are_spread_over_the_grid(folders: tuple[Path, Path]) -> None:
    contents = [Subject(name, pair().content.rgb) for name in "abcdef"]
    styles = subjects.pictures_of(folders[1])
    whole = subjects.pairs(contents, styles, None)
    assert len({(pair.content.name, pair.style.name) for pair in whole}) == 36
    six = subjects.pairs(contents, styles, 6)
    assert len({pair.content.name for pair in six}) == len({pair.style.name for pair in six}) == 6


def test_what_was_painted_by_the_same_means_is_not_painted_again(tmp_path: Path) -> None:
    painted = []

    def paint() -> Work:
        painted.append(1)
        return Work(np.full((4, 5, 3), 0.5, np.float32), 2.5, 7)

    first = Easel(tmp_path).painted("one", {"features": "a"}, paint)
    again = Easel(tmp_path).painted("one", {"features": "a"}, paint)
    assert len(painted) == 1
    assert (again.seconds, again.steps) == (2.5, 7)
    np.testing.assert_array_equal(first.rgb, again.rgb)
    Easel(tmp_path).painted("one", {"features": "b"}, paint)
    assert len(painted) == 2


def test_a_painting_that_was_cut_off_is_painted_again(tmp_path: Path) -> None:
    easel, work = Easel(tmp_path), Work(np.zeros((4, 5, 3), np.float32), 2.5, 7)
    easel.painted("one", {}, lambda: work)
    (facts,) = tmp_path.glob("*.json")
    facts.unlink()
    (picture,) = tmp_path.glob("*.png")
    picture.write_bytes(b"half")
    assert easel.painted("one", {}, lambda: work).steps == 7


def test_comments_leave_the_hash_of_a_program_and_code_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "room").mkdir()
    door, key = tmp_path / "room" / "door.py", tmp_path / "room" / "key.py"
    monkeypatch.setattr("benchmarks.source._ROOT", tmp_path)
    door.write_text('"""A door."""\nfrom room import key\n')
    key.write_text("TEETH = 3\n")
    first = fingerprint("room.door")
    door.write_text('"""The door."""\nfrom room import key  # the one\n')
    assert fingerprint("room.door") == first
    key.write_text("TEETH = 4\n")
    assert fingerprint("room.door") != first
    without = fingerprint("room.door", frozenset({"room.key"}))
    key.write_text("TEETH = 5\n")
    assert fingerprint("room.door", frozenset({"room.key"})) == without


def test_the_hash_of_the_engine_covers_its_losses_and_not_its_errors() -> None:
    modules = {f"model.{name}" for name in ("recipes", "losses", "objective", "run", "vgg")}
    whole = fingerprint("model.painting")
    for module in modules:
        assert fingerprint("model.painting", frozenset({module})) != whole, module
    assert fingerprint("model.painting") == whole


def test_atelier_paints_a_pair_and_keeps_it(tmp_path: Path, bundled: Features) -> None:
    atelier = painters.Atelier(Studio(bundled), "draft", 64, Easel(tmp_path))
    atelier._work = lambda seated: Work(seated.content, 1.0, 2)  # type: ignore[method-assign]
    work = atelier.paint(pair())
    assert work.rgb.shape == (55, 64, 3)
    (file,) = tmp_path.glob("content-style-draft-bundled-*.json")
    means = json.loads(file.read_text())["means"]
    assert means["features"].startswith(bundled.sha256)
    assert set(means) == {"features", "code", "numbers", "sitting"}


def test_neural_style_gets_the_pictures_the_features_and_the_time(
    tmp_path: Path, bundled: Features
) -> None:
    python = tmp_path / "python"
    python.write_text(
        f"#!{sys.executable}\n"
        "import json, pathlib, shutil, sys, zipfile\n"
        "driver, *words = sys.argv[1:]\n"
        "given = dict(word[2:].split('=') for word in words[:words.index('--')])\n"
        "assert zipfile.is_zipfile(given['features'])\n"
        "shutil.copy(given['style'], given['output'])\n"
        f"pathlib.Path({str(tmp_path)!r}, 'given.json').write_text(json.dumps([given, words]))\n"
        "print('hello')\n"
        "print(json.dumps({'seconds': 1.25, 'iterations': 9}))\n"
    )
    python.chmod(0o755)
    kept = Easel(tmp_path / "paintings")
    options = ("-init", "image")
    peer = NeuralStyle(python, options, bundled, "cpu", 64, kept, Copyist(kept))
    work = peer.paint(pair())
    given, words = json.loads((tmp_path / "given.json").read_text())
    assert peer.name == "neural-style, bundled, as long as copyist, -init image"
    assert (given["seconds"], given["size"], given["gpu"]) == ("1.5", "64", "c")
    assert words[-2:] == ["-init", "image"]
    assert (work.seconds, work.steps, work.rgb.shape) == (1.25, 9, (64, 56, 3))


def test_neural_style_that_gives_up_says_why(tmp_path: Path, bundled: Features) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'No module named torch' >&2\nexit 1\n")
    python.chmod(0o755)
    peer = NeuralStyle(python, (), bundled, "cpu", 64, Easel(tmp_path), 5)
    with pytest.raises(RuntimeError, match=r"gave up. Received:\nNo module named torch"):
        peer.paint(pair())


def test_the_table_has_means_and_worst_ones() -> None:
    rows = [
        Row("draft, a", "c", "s", Verdict(1.0, 4.0, 0.0), 0.5, 10.0, 80),
        Row("draft, a", "c", "t", Verdict(2.0, 4.0, 0.0), 0.9, 30.0, 100),
        Row("fine, a", "c", "s", Verdict(0.4, 4.0, 0.0), 0.6, 50.0, 500),
    ]
    lines = report.table(rows).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2] == "| draft, a | 2 | 62.5 % | 50.0 % | 0.700 | 0.500 | 20.0 | 90 |"
    assert lines[3] == "| fine, a | 1 | 90.0 % | 90.0 % | 0.600 | 0.600 | 50.0 | 500 |"


def test_an_exhibition_writes_table_rows_frontier_and_sheets(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    contents, styles = (subjects.pictures_of(folder) for folder in folders)
    output = tmp_path / "output"
    kept = Easel(output / "paintings")
    copyist = Copyist(kept)
    for _ in range(2):  # the second time nothing is painted
        exhibition = Exhibition(contents, styles, 2, 64, output)
        exhibition.show(copyist)
    exhibition.show(Copyist(kept, "other"))
    assert copyist.painted == 2
    assert [row.verdict.removed for row in exhibition.rows] == pytest.approx([0] * 4, abs=1)
    with (output / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["painter"] for row in rows] == ["copyist, by eye"] * 2 + ["other"] * 2
    assert float(rows[0]["correlation"]) == pytest.approx(1, abs=1e-3)
    assert "| other | 2 |" in (output / "table.md").read_text()
    assert read(output / "frontier.png").shape == (720, 1080, 3)
    height, width, _ = read(output / "sheet-copyist-by-eye.jpg").shape
    assert width > height  # six styles, two contents


def test_two_painters_of_one_name_are_not_mixed_up(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    contents, styles = (subjects.pictures_of(folder) for folder in folders)
    exhibition = Exhibition(contents, styles, 1, 64, tmp_path)
    exhibition.show(Copyist(Easel(tmp_path), "one"))
    with pytest.raises(ValueError, match=r"names of their own\. Received twice: one"):
        exhibition.show(Copyist(Easel(tmp_path), "one"))
