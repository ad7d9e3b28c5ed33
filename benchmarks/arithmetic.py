"""Are pictures worse for how fast the convolutions are?

    python -m benchmarks.arithmetic [--pairs 3] [--size 181]

Paints each pair at each quality level twice: with direct convolutions in float32, and with what
this device does in the least time. Both are judged by one loss, that of direct convolutions in
float32, of the picture in 8 bits. Writes a contact sheet of each into build/arithmetic.
"""

import argparse
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path

from model.loading import load_tensorflow

load_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from benchmarks import machine, sheets, subjects  # noqa: E402
from benchmarks.subjects import Pair  # noqa: E402
from model import recipes, weights  # noqa: E402
from model.devices import open_devices  # noqa: E402
from model.graphs import Kind  # noqa: E402
from model.objective import Objective, loss_weights  # noqa: E402
from model.optimizers import OPTIMIZERS  # noqa: E402
from model.params import StyleTransferParams  # noqa: E402
from model.precision import Arithmetic, fastest  # noqa: E402
from model.run import Run  # noqa: E402
from model.sitting import Sitting  # noqa: E402
from model.steps import Steps  # noqa: E402
from model.vgg import Features, Network  # noqa: E402
from worker.settings import load_settings  # noqa: E402

_DIRECT = "direct, float32"
_FASTEST = "as it is done here"


class Painter:
    """One way to compute the convolutions."""

    def __init__(self, features: Features, arithmetic: Arithmetic) -> None:
        params = StyleTransferParams()
        kind = Kind(recipes.layers(params), params.pooling, params.style_loss, 0)
        self._objective = Objective(Network(features, arithmetic), kind)
        self._steps = Steps(self._objective, OPTIMIZERS[params.optimizer](), "cpu")

    def paint(self, sitting: Sitting) -> sheets.Array:
        """The picture in 8 bits, as float32 in [0, 1]."""
        run = Run(sitting, self._steps)
        while not run.done:
            run.advance(10)
        return np.round(run.picture() * 255).astype(np.float32) / np.float32(255)

    def loss(self, sitting: Sitting, picture: sheets.Array) -> float:
        """Of a picture, at the size of the result."""
        targets = self._objective.targets(sitting, sitting.scales[-1])
        image, balance = tf.constant(picture[np.newaxis]), loss_weights(sitting.params)
        parts, _ = self._objective.loss_and_gradient(image, targets, balance)
        return float(tf.reduce_sum(parts))


def main() -> None:
    """Paints and judges, and prints a table."""
    asked = _asked()
    open_devices("cpu")
    features = weights.load("bundled", load_settings().folder / "features")
    direct = Painter(features, Arithmetic())
    painters = {_DIRECT: direct, _FASTEST: Painter(features, fastest("auto", "cpu"))}
    print(f"{machine.description()}\n", flush=True)
    print(f"| loss, mean of {asked.pairs} pairs | {_DIRECT} | {_FASTEST} | each pair's ratio |")
    print("|---|--:|--:|---|")
    contents, styles = subjects.contents(None), subjects.styles(None)
    pairs = subjects.pairs(contents, styles, asked.pairs)
    for quality in recipes.QUALITIES:
        losses: dict[str, list[float]] = {name: [] for name in painters}
        paintings: dict[str, dict[tuple[str, str], sheets.Array]] = {n: {} for n in painters}
        for pair, sitting in _sittings(pairs, quality, asked.size):
            for name, painter in painters.items():
                picture = painter.paint(sitting)
                losses[name].append(direct.loss(sitting, picture))
                paintings[name][pair.content.name, pair.style.name] = picture
        print(_row(quality, losses), flush=True)
        for number, (name, theirs) in enumerate(paintings.items()):
            sheet = sheets.contact_sheet(
                [pair.content for pair in pairs], styles, theirs, f"{quality}, {name}"
            )
            sheet.save(asked.output / f"{quality}-{number}.png")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--size", type=int, default=181)
    parser.add_argument("--output", type=Path, default=Path("build/arithmetic"))
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    return asked


def _sittings(pairs: list[Pair], quality: str, size: int) -> Iterator[tuple[Pair, Sitting]]:
    params = StyleTransferParams.model_validate({"size": size, "quality": quality})
    for pair in pairs:
        yield pair, Sitting.prepare(pair.content.rgb, [pair.style.rgb], params)


def _row(quality: str, losses: Mapping[str, list[float]]) -> str:
    ratios = [b / a for a, b in zip(losses[_DIRECT], losses[_FASTEST], strict=True)]
    means = [statistics.mean(of_all) for of_all in losses.values()]
    each = ", ".join(f"{ratio:.4f}" for ratio in ratios)
    return f"| `{quality}` | {means[0]:.4f} | {means[1]:.4f} | {each} |"


if __name__ == "__main__":
    main()
