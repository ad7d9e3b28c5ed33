"""neural-style's losses as its iterations go on, and when it has them; and pystiche's.

500 iterations take twenty minutes on two cores, and their losses do not depend on the clock, only a
little on how a processor rounds. They are kept in neural_curve.json, with what they were found on.
The first ten are painted each time, for their seconds; and where they do not come to the kept loss,
or none is kept, all are painted anew.
"""

import hashlib
import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks import easel, machine, source
from benchmarks.neural_loss import NeuralLoss
from benchmarks.peers import DRIVER, last_line
from model import formats
from model.vgg import Features

#: neural-style's options: the style weighs about a hundred times as much as the content, as ours
#: does. With its own weights the features, which are normalised, would hardly paint.
STYLE_WEIGHT = 1e5
OPTIONS = ("-tv_weight", "0", "-style_weight", f"{STYLE_WEIGHT:g}")

_PYSTICHE = Path(__file__).with_name("pystiche_driver.py")

_KEPT = Path(__file__).with_suffix(".json")

#: Iterations between two looks at it, and those that are painted each time.
_EVERY = 10

#: Relative: as far apart may losses be that differ by rounding alone, after so few iterations.
_AS_NEAR = 1e-3


@dataclass(frozen=True)
class Point:
    """The loss of a picture, 1 if nothing is right, and when it was had."""

    seconds: float
    loss: float


@dataclass(frozen=True)
class Task:
    """What all paint: a pair as people see it, with the same features, for the same loss."""

    features: Features
    content: easel.Array
    style: easel.Array
    loss: NeuralLoss

    def fingerprint(self, iterations: int) -> str:
        """Of all that makes neural-style's losses what they are."""
        driver = source.fingerprint("benchmarks.neural_style_driver")
        means = f"{self.features.sha256} {driver} {OPTIONS} {iterations}"
        digest = hashlib.sha256(means.encode())
        for picture in (self.content, self.style):
            digest.update(repr(picture.shape).encode() + picture.tobytes())
        return digest.hexdigest()[:12]


@dataclass(frozen=True)
class Beginning:
    """Its first ten iterations: how long those after the first take, and the loss they come to."""

    seconds: list[float]
    loss: float


def beginning(python: Path, task: Task) -> Beginning:
    """Paints as much as shows how fast it is here.

    Args:
        python: the interpreter that has neural-style.
        task: what it paints.

    Raises:
        RuntimeError: neural-style failed.
    """
    with _painted(python, task, _EVERY, 1) as (folder, facts):
        seconds = [b - a for a, b in pairwise(facts["snapshots"].values())]
        return Beginning(seconds, task.loss(easel.read(folder / f"{_EVERY}.png")))


def losses(python: Path, task: Task, iterations: int, begins_with: float) -> dict[int, float]:
    """What it comes to after each ten iterations: as it is kept, or found and kept.

    Args:
        python: the interpreter that has neural-style.
        task: what it paints.
        iterations: how many; a multiple of ten.
        begins_with: the loss that its first ten come to here.

    Raises:
        RuntimeError: neural-style failed.
    """
    fingerprint = task.fingerprint(iterations)
    kept = _read().get(fingerprint)
    if kept is not None:
        first = kept["losses"][str(_EVERY)]
        print(f"- neural-style's losses are of: {kept['on']}, PyTorch {kept['torch']}")
        print(
            f"- After {_EVERY} iterations it had {first:.4f} there, and has {begins_with:.4f} here"
        )
        if not math.isclose(first, begins_with, rel_tol=_AS_NEAR):
            kept = None
    if kept is None:
        kept = _found(python, task, iterations)
        _KEPT.write_text(json.dumps(_read() | {fingerprint: kept}, indent=2) + "\n", "utf-8")
    return {int(iteration): loss for iteration, loss in kept["losses"].items()}


def pystiche(python: Path, task: Task, iterations: int) -> list[Point]:
    """What pystiche comes to after each ten iterations for the same loss, and when, here.

    Args:
        python: the interpreter that has pystiche.
        task: what it paints; it begins with the photograph.
        iterations: how many; a multiple of ten.

    Raises:
        RuntimeError: pystiche failed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = _handed_over(task, folder)
        span = [f"--iterations={iterations}", f"--every={_EVERY}"]
        command = [str(python), str(_PYSTICHE), *files, *span, f"--style-weight={STYLE_WEIGHT:g}"]
        snapshots = last_line(command)["snapshots"]
        return [Point(s, task.loss(easel.read(folder / f"{n}.png"))) for n, s in snapshots.items()]


def _found(python: Path, task: Task, iterations: int) -> dict[str, Any]:
    with _painted(python, task, iterations, _EVERY) as (folder, facts):
        found = {str(n): task.loss(easel.read(folder / f"{n}.png")) for n in facts["snapshots"]}
    return {"on": machine.description(), "torch": facts["torch"], "losses": found}


def _read() -> dict[str, Any]:
    return json.loads(_KEPT.read_text(encoding="utf-8")) if _KEPT.exists() else {}


@contextmanager
def _painted(
    python: Path, task: Task, iterations: int, every: int
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """A folder with its pictures by iteration, and what the driver says."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = _handed_over(task, folder)
        span = [f"--iterations={iterations}", f"--every={every}"]
        size = f"--size={max(task.content.shape)}"
        command = [str(python), str(DRIVER), *files, *span, size, "--", *OPTIONS]
        yield folder, last_line(command)


def _handed_over(task: Task, folder: Path) -> list[str]:
    """Puts into a folder what a driver needs; gives its options for that."""
    easel.write(task.content, folder / "content.png")
    easel.write(task.style, folder / "style.png")
    formats.save(task.features, folder / "features.npz")
    names = ("content.png", "style.png", "features.npz", "output.png")
    return [f"--{Path(name).stem}={folder / name}" for name in names]
