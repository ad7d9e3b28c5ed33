"""neural-style's losses, which are found once and kept."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from benchmarks import neural_curve
from benchmarks.easel import Array
from benchmarks.neural_curve import Task
from benchmarks.neural_loss import NeuralLoss
from model.vgg import Features

#: Its pictures: black after no iteration, and a little lighter after each ten.
_FAKE = """#!{python}
import json, pathlib, sys
from PIL import Image
given = dict(word[2:].split("=") for word in sys.argv[2 : sys.argv.index("--")])
every, iterations = int(given["every"]), int(given["iterations"])
pathlib.Path({asked!r}).open("a").write(f"{{iterations}}\\n")
numbers = range(every, iterations + 1, every)
folder = pathlib.Path(given["output"]).parent
for number in numbers:
    light = {light} + number // 10
    Image.new("RGB", (4, 4), (light,) * 3).save(folder / f"{{number}}.png")
print(json.dumps({{"torch": "9.9", "snapshots": {{number: 0.5 * number for number in numbers}}}}))
"""


def darkness(picture: Array) -> float:
    """A loss of which it is easy to say what it is."""
    return 1.0 - float(picture.mean())


@pytest.fixture
def task(bundled: Features) -> Task:
    """A pair and a loss."""
    grey = np.full((4, 4, 3), 0.5, np.float32)
    return Task(bundled, grey, grey, cast("NeuralLoss", darkness))


@pytest.fixture
def painted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: Task
) -> Callable[[int], tuple[dict[int, float], list[str]]]:
    """Its losses where its pictures begin as light as this, and how many iterations it painted."""
    monkeypatch.setattr(neural_curve, "_KEPT", tmp_path / "kept.json")
    python, asked = tmp_path / "python", tmp_path / "asked"

    def paint(light: int) -> tuple[dict[int, float], list[str]]:
        python.write_text(_FAKE.format(python=sys.executable, asked=str(asked), light=light))
        python.chmod(0o755)
        asked.write_text("")
        begins_with = neural_curve.beginning(python, task).loss
        return neural_curve.losses(python, task, 30, begins_with), asked.read_text().split()

    return paint


Painted = Callable[[int], tuple[dict[int, float], list[str]]]


def test_its_losses_are_found_once(painted: Painted) -> None:
    found, iterations = painted(0)
    assert found == pytest.approx({10: 1 - 1 / 255, 20: 1 - 2 / 255, 30: 1 - 3 / 255})
    assert iterations == ["10", "30"]
    assert painted(0) == (found, ["10"])


def test_they_are_found_anew_where_it_begins_otherwise(painted: Painted) -> None:
    before, _ = painted(0)
    found, iterations = painted(9)
    assert found[30] < before[30]
    assert iterations == ["10", "30"]
    assert painted(9) == (found, ["10"])


def test_how_long_an_iteration_takes_is_measured_each_time(
    painted: Painted, tmp_path: Path, task: Task
) -> None:
    painted(0)
    assert neural_curve.beginning(tmp_path / "python", task).seconds == [0.5] * 9


def test_losses_are_of_the_features_the_pictures_and_the_number_of_iterations(
    task: Task,
) -> None:
    other = Task(task.features, task.content, task.style + np.float32(0.1), task.loss)
    assert len({task.fingerprint(30), task.fingerprint(40), other.fingerprint(30)}) == 3
