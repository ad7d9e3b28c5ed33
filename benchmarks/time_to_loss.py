"""How long until the loss that neural-style has after 500 iterations?

    python -m benchmarks.time_to_loss --neural-style PYTHON [--size 512] [--iterations 500]

neural-style paints from noise, with L-BFGS and its own loss: content at relu4_2, style at relu1_1
to relu5_1, no total variation. We paint for the same loss, with L-BFGS and with Adam. What is
judged is the picture as people get it, in 8 bits, by that loss in float32, outside both.

neural-style's 500 iterations take long, and their losses do not depend on the clock: they are kept
in build/time_to_loss. How long an iteration takes is measured each time, from some of them.
"""

import argparse
import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from model.loading import load_tensorflow

load_tensorflow()

import numpy as np  # noqa: E402

from benchmarks import easel, machine, subjects  # noqa: E402
from benchmarks.neural_loss import NeuralLoss, neural_params  # noqa: E402
from benchmarks.peers import DRIVER, last_line  # noqa: E402
from benchmarks.scaled import Scaled  # noqa: E402
from model import formats, weights  # noqa: E402
from model.devices import open_devices  # noqa: E402
from model.images import resize  # noqa: E402
from model.objective import Objective  # noqa: E402
from model.optimizers import OPTIMIZERS  # noqa: E402
from model.precision import fastest  # noqa: E402
from model.recipes import Scale  # noqa: E402
from model.run import Run  # noqa: E402
from model.sitting import Sitting  # noqa: E402
from model.sizes import fit  # noqa: E402
from model.steps import Steps  # noqa: E402
from model.vgg import Features, Network  # noqa: E402
from worker.settings import load_settings  # noqa: E402

#: neural-style's options: the style weighs about a hundred times as much as the content, as ours
#: does. With its own weights the features, which are normalised, would hardly paint.
STYLE_WEIGHT = 1e5
OPTIONS = ("-tv_weight", "0", "-style_weight", f"{STYLE_WEIGHT:g}")

#: Of neural-style's iterations, between two looks at it; and how many are timed.
_EVERY, _TIMED = 50, 10


@dataclass(frozen=True)
class Point:
    """The loss of a picture, relative to the first look at neural-style, and when it was had."""

    seconds: float
    loss: float


@dataclass(frozen=True)
class Task:
    """What all paint: a pair as people see it, with the same features, for the same loss."""

    features: Features
    content: easel.Array
    style: easel.Array
    loss: NeuralLoss

    @property
    def fingerprint(self) -> str:
        """Of all that makes neural-style's losses what they are."""
        digest = hashlib.sha256(f"{self.features.sha256} {OPTIONS}".encode())
        for picture in (self.content, self.style):
            digest.update(repr(picture.shape).encode() + picture.tobytes())
        return digest.hexdigest()[:12]


@dataclass(frozen=True)
class Way:
    """How ours gets there: the optimiser, and steps at shares of the size, coarse to fine."""

    name: str
    optimizer: str
    steps: Mapping[float, int]


WAYS = (
    Way("L-BFGS, coarse to fine", "lbfgs", {0.5: 40, 1.0: 200}),
    Way("L-BFGS, at once", "lbfgs", {1.0: 200}),
    Way("Adam, at once", "adam", {1.0: 60}),
)


def main() -> None:
    """Paints, judges, and prints the curves and a table."""
    asked = _asked()
    open_devices("cpu")
    features = weights.load("bundled", load_settings().folder / "features")
    print(machine.description(), flush=True)
    content, style = _pair(asked.size)
    loss = NeuralLoss(Network(features), content, style, STYLE_WEIGHT)
    task = Task(features, content, style, loss)
    theirs = _neural_style(asked.neural_style, task, asked.iterations, asked.output)
    goal = theirs[-1]
    _print("neural-style", theirs)
    lines = ["| | seconds to the loss | times as fast |", "|---|--:|--:|"]
    lines.append(f"| neural-style, {asked.iterations} iterations | {goal.seconds:.0f} | 1 |")
    for way in WAYS:
        ours = list(_ours(way, task, goal))
        _print(way.name, ours)
        lines.append(_row(way, ours[-1], goal))
    print("\n".join(lines))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neural-style", type=Path, metavar="PYTHON", required=True)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--iterations", type=int, default=500)
    parser.add_argument("--output", type=Path, default=Path("build/time_to_loss"))
    return parser.parse_args()


def _pair(size: int) -> tuple[easel.Array, easel.Array]:
    """A row of old houses at a river would be the classic; a pavilion under trees is at hand."""
    contents = {subject.name: subject.rgb for subject in subjects.contents(None)}
    styles = {subject.name: subject.rgb for subject in subjects.styles(None)}
    pictures = contents["china"], styles["starlight"]
    content, style = (resize(p, *fit(p.shape[1], p.shape[0], size)) for p in pictures)
    return _as_people_get_it(content), _as_people_get_it(style)


def _neural_style(python: Path, task: Task, iterations: int, kept: Path) -> list[Point]:
    """Its losses, kept or anew, at the times that a median iteration of now gives them."""
    kept.mkdir(parents=True, exist_ok=True)
    file = kept / f"{task.fingerprint}-{iterations}.json"
    if not file.exists():
        file.write_text(json.dumps(_losses(python, task, iterations)), encoding="utf-8")
    losses: dict[str, float] = json.loads(file.read_text(encoding="utf-8"))
    seconds = _seconds_of_an_iteration(python, task)
    return [Point(seconds * int(iteration), loss) for iteration, loss in losses.items()]


def _losses(python: Path, task: Task, iterations: int) -> dict[str, float]:
    with _painted(python, task, iterations, _EVERY) as (folder, snapshots):
        return {count: task.loss(easel.read(folder / f"{count}.png")) for count in snapshots}


def _seconds_of_an_iteration(python: Path, task: Task) -> float:
    with _painted(python, task, _TIMED, 1) as (_, snapshots):
        return statistics.median(b - a for a, b in pairwise(snapshots.values()))


@contextmanager
def _painted(
    python: Path, task: Task, iterations: int, every: int
) -> Iterator[tuple[Path, Mapping[str, float]]]:
    """A folder with its pictures, and after how many seconds each was there, by iteration."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        easel.write(task.content, folder / "content.png")
        easel.write(task.style, folder / "style.png")
        formats.save(task.features, folder / "features.npz")
        files = [f"--{Path(f).stem}={folder / f}" for f in ("content.png", "style.png")]
        files += [f"--features={folder / 'features.npz'}", f"--output={folder / 'output.png'}"]
        span = [f"--iterations={iterations}", f"--every={every}"]
        size = f"--size={max(task.content.shape)}"
        facts = last_line([str(python), str(DRIVER), *files, *span, size, "--", *OPTIONS])
        yield folder, facts["snapshots"]


def _ours(way: Way, task: Task, goal: Point) -> Iterator[Point]:
    """Looks at the painting now and then, until its loss is as low or its steps are at an end."""
    params = neural_params(max(task.content.shape), way.optimizer)
    began = time.perf_counter()
    sitting = Sitting.prepare(task.content, [task.style], params)
    network = Network(task.features, fastest("auto", "cpu"))
    scaled = Scaled.at(sitting, *_scales(way, task.content))
    objective = Objective(network, task.loss.kind)
    run = Run(scaled, Steps(objective, OPTIMIZERS[params.optimizer](), "cpu"))
    seconds, point = 0.0, Point(0.0, np.inf)
    while not run.done and point.loss > goal.loss:
        run.advance(5)
        seconds += time.perf_counter() - began
        picture = run.picture()
        if picture.shape == task.content.shape:
            point = Point(seconds, task.loss(_as_people_get_it(picture)))
            yield point
        began = time.perf_counter()


def _scales(way: Way, content: easel.Array) -> list[Scale]:
    height, width = content.shape[:2]
    return [
        Scale(*fit(width, height, round(max(width, height) * share)), steps)
        for share, steps in way.steps.items()
    ]


def _row(way: Way, last: Point, goal: Point) -> str:
    if last.loss > goal.loss:
        return f"| {way.name} | not in {last.seconds:.0f} | |"
    return f"| {way.name} | {last.seconds:.0f} | {goal.seconds / last.seconds:.1f} |"


def _as_people_get_it(picture: easel.Array) -> easel.Array:
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.float32) / np.float32(255)


def _print(name: str, points: list[Point]) -> None:
    curve = [[round(p.seconds, 1), float(f"{p.loss:.4g}")] for p in points]
    print(f"{name}: {json.dumps(curve)}", flush=True)


if __name__ == "__main__":
    main()
