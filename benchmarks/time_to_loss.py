"""How long until the loss that neural-style has after 500 iterations?

    python -m benchmarks.time_to_loss --peers PYTHON [--size 512] [--iterations 500]

neural-style paints from noise, with L-BFGS and its own loss: content at relu4_2, style at relu1_1
to relu5_1, no total variation. We paint for the same loss, with L-BFGS and with Adam, from noise
too, and once from the photograph, as pystiche does. What is judged is the picture as people get
it, in 8 bits, by that loss in float32, outside both.

neural-style's 500 iterations take long, so their losses are kept (``neural_curve``). pystiche
paints for the same loss too.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from model.loading import load_tensorflow

load_tensorflow()

import numpy as np  # noqa: E402

from benchmarks import easel, machine, neural_curve, subjects  # noqa: E402
from benchmarks.neural_curve import Point, Task  # noqa: E402
from benchmarks.neural_loss import NeuralLoss, neural_params  # noqa: E402
from benchmarks.scaled import Scaled  # noqa: E402
from model import weights  # noqa: E402
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
from model.vgg import Network  # noqa: E402
from worker.settings import load_settings  # noqa: E402

#: For a curve; it takes longer to neural-style's loss.
_PYSTICHE_ITERATIONS = 50


@dataclass(frozen=True, eq=False)
class Way:
    """How ours gets there: the optimiser, steps at shares of the size, and what it begins with."""

    name: str
    optimizer: str
    steps: Mapping[float, int]
    init: str = "noise"


WAYS = (
    Way("L-BFGS, coarse to fine", "lbfgs", {0.5: 40, 1.0: 200}),
    Way("L-BFGS, at once", "lbfgs", {1.0: 200}),
    Way("L-BFGS, at once, from the photograph", "lbfgs", {1.0: 200}, "content"),
    Way("Adam, at once", "adam", {1.0: 45}),
)


def main() -> None:
    """Paints, judges, and prints the curves and a table."""
    asked = _asked()
    open_devices("cpu")
    features = weights.load("bundled", load_settings().folder / "features")
    print(f"- {machine.description()}", flush=True)
    content, style = _pair(asked.size)
    loss = NeuralLoss(Network(features), content, style, neural_curve.STYLE_WEIGHT)
    task = Task(features, content, style, loss)
    python, iterations = asked.peers, asked.iterations
    before = neural_curve.beginning(python, task)
    losses = neural_curve.losses(python, task, iterations, before.loss)
    curves = {way: list(_ours(way, task, losses[iterations])) for way in WAYS}
    after = neural_curve.beginning(python, task)
    seconds = statistics.median(before.seconds + after.seconds)
    theirs = [Point(seconds * iteration, loss) for iteration, loss in losses.items()]
    print("\nSeconds, and the loss then, which is 1 where nothing is right:\n")
    _print("neural-style", theirs)
    pystiche = neural_curve.pystiche(python, task, _PYSTICHE_ITERATIONS)
    _print("pystiche", pystiche)
    lines = ["\n| | seconds to the loss | times as fast |", "|---|--:|--:|"]
    lines.append(f"| neural-style, {iterations} iterations | {theirs[-1].seconds:.0f} | 1 |")
    for way, ours in curves.items():
        _print(way.name, ours)
        lines.append(_row(way.name, ours[-1], theirs[-1]))
    lines.append(_row(f"pystiche, {_PYSTICHE_ITERATIONS} iterations", pystiche[-1], theirs[-1]))
    print("\n".join(lines))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, metavar="PYTHON", required=True)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--iterations", type=int, default=500)
    return parser.parse_args()


def _pair(size: int) -> tuple[easel.Array, easel.Array]:
    """A row of old houses at a river would be the classic; a pavilion under trees is at hand."""
    contents = {subject.name: subject.rgb for subject in subjects.contents(None)}
    styles = {subject.name: subject.rgb for subject in subjects.styles(None)}
    pictures = contents["china"], styles["starlight"]
    content, style = (resize(p, *fit(p.shape[1], p.shape[0], size)) for p in pictures)
    return _as_people_get_it(content), _as_people_get_it(style)


def _ours(way: Way, task: Task, goal: float) -> Iterator[Point]:
    """Looks at the painting now and then, until its loss is as low or its steps are at an end."""
    params = neural_params(max(task.content.shape), way.optimizer, way.init)
    began = time.perf_counter()
    sitting = Sitting.prepare(task.content, [task.style], params)
    network = Network(task.features, fastest("auto", "cpu"))
    scaled = Scaled.at(sitting, *_scales(way, task.content))
    objective = Objective(network, task.loss.kind)
    run = Run(scaled, Steps(objective, OPTIMIZERS[params.optimizer](), "cpu"))
    seconds, point = 0.0, Point(0.0, np.inf)
    while not run.done and point.loss > goal:
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


def _row(name: str, last: Point, goal: Point) -> str:
    if last.loss > goal.loss:
        return f"| {name} | not in {last.seconds:.0f} | |"
    return f"| {name} | {last.seconds:.0f} | {goal.seconds / last.seconds:.1f} |"


def _as_people_get_it(picture: easel.Array) -> easel.Array:
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.float32) / np.float32(255)


def _print(name: str, points: list[Point]) -> None:
    curve = [[round(p.seconds, 1), float(f"{p.loss:.4g}")] for p in points]
    print(f"- {name}: {json.dumps(curve)}", flush=True)


if __name__ == "__main__":
    main()
