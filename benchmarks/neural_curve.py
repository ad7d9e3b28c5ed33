"""neural-style's losses as its iterations go on, and when it has them.

500 iterations take twenty minutes on two cores, and their losses do not depend on the clock. They
are kept in neural_curve.json, with what they were found on. How long an iteration takes is measured
each time, from the first ten. Their loss has to be the kept one: where it is not, or none is kept,
all are painted anew.
"""

import hashlib
import json
import math
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks import easel, machine
from benchmarks.neural_loss import NeuralLoss
from benchmarks.peers import DRIVER, last_line
from model import formats
from model.vgg import Features

#: neural-style's options: the style weighs about a hundred times as much as the content, as ours
#: does. With its own weights the features, which are normalised, would hardly paint.
STYLE_WEIGHT = 1e5
OPTIONS = ("-tv_weight", "0", "-style_weight", f"{STYLE_WEIGHT:g}")

_KEPT = Path(__file__).with_suffix(".json")

#: Iterations between two looks at it, and those that are timed.
_EVERY = 10

#: Processors round differently, which ten iterations hardly enlarge.
_AS_NEAR = 0.01


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
        digest = hashlib.sha256(f"{self.features.sha256} {OPTIONS} {iterations}".encode())
        for picture in (self.content, self.style):
            digest.update(repr(picture.shape).encode() + picture.tobytes())
        return digest.hexdigest()[:12]


def curve(python: Path, task: Task, iterations: int) -> list[Point]:
    """Its losses at the times that a median iteration of now gives them.

    Args:
        python: the interpreter that has neural-style.
        task: what it paints.
        iterations: how many; a multiple of ten.

    Raises:
        RuntimeError: neural-style failed.
    """
    with _painted(python, task, _EVERY, 1) as (folder, facts):
        seconds = statistics.median(b - a for a, b in pairwise(facts["snapshots"].values()))
        begins_with = task.loss(easel.read(folder / f"{_EVERY}.png"))
    losses = _kept(task, iterations, begins_with) or _found(python, task, iterations)
    return [Point(seconds * int(iteration), loss) for iteration, loss in losses.items()]


def _kept(task: Task, iterations: int, begins_with: float) -> Mapping[str, float]:
    """The kept losses by iteration; none if there are none, or if it begins with another now."""
    kept = _read().get(task.fingerprint(iterations))
    if kept is None:
        return {}
    losses: dict[str, float] = kept["losses"]
    first = losses[str(_EVERY)]
    is_same = math.isclose(first, begins_with, rel_tol=_AS_NEAR)
    said = "its losses are kept" if is_same else "all is painted anew"
    print(f"neural-style after {_EVERY} iterations: {begins_with:.4g}, kept {first:.4g}: {said}")
    return losses if is_same else {}


def _found(python: Path, task: Task, iterations: int) -> Mapping[str, float]:
    with _painted(python, task, iterations, _EVERY) as (folder, facts):
        losses = {
            count: task.loss(easel.read(folder / f"{count}.png")) for count in facts["snapshots"]
        }
    of = {"on": machine.description(), "torch": facts["torch"], "losses": losses}
    kept = _read() | {task.fingerprint(iterations): of}
    _KEPT.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return losses


def _read() -> dict[str, Any]:
    return json.loads(_KEPT.read_text(encoding="utf-8")) if _KEPT.exists() else {}


@contextmanager
def _painted(
    python: Path, task: Task, iterations: int, every: int
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """A folder with its pictures by iteration, and what the driver says."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        easel.write(task.content, folder / "content.png")
        easel.write(task.style, folder / "style.png")
        formats.save(task.features, folder / "features.npz")
        files = [f"--{Path(f).stem}={folder / f}" for f in ("content.png", "style.png")]
        files += [f"--features={folder / 'features.npz'}", f"--output={folder / 'output.png'}"]
        span = [f"--iterations={iterations}", f"--every={every}"]
        size = f"--size={max(task.content.shape)}"
        command = [str(python), str(DRIVER), *files, *span, size, "--", *OPTIONS]
        yield folder, last_line(command)
