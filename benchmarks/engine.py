"""How long does a step take, beside PyTorch's, and what part of the matrix peak is that?

    python -m benchmarks.engine [--device gpu:0] [--torch PYTHON] [--sizes 256 512] [--rounds 3]

Ours and PyTorch take turns, so that what else the machine does hits all of them: a round is a few
steps of each. Printed are medians over the rounds. On a GPU ours begin when they are compiled.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from model.loading import load_tensorflow

load_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from benchmarks import machine, subjects  # noqa: E402
from benchmarks.torch_peer import TorchPeer  # noqa: E402
from model import weights  # noqa: E402
from model.devices import open_devices  # noqa: E402
from model.images import resize  # noqa: E402
from model.painting import Studio  # noqa: E402
from model.params import StyleTransferParams  # noqa: E402
from model.run import Run  # noqa: E402
from model.sitting import Sitting  # noqa: E402
from model.vgg import VGG19, Pool  # noqa: E402
from worker.settings import load_settings  # noqa: E402

#: Of each in a round; fewer of what takes long.
_SECONDS_IN_A_ROUND = 8.0
_MOST_IN_A_ROUND = 64

#: Of the square matrices whose product is the peak; a GPU is not busy with small ones.
_SIDES = {"cpu": 4096, "gpu": 8192}

#: Products, of which a GPU computes one while the next is launched.
_IN_A_ROW = 5

Measured = Mapping[str, list[float]]


def main() -> None:
    """Measures each size, and prints a table for it."""
    asked = _asked()
    (device,) = open_devices(asked.device)
    kind = device.partition(":")[0]
    features = weights.load("bundled", load_settings().folder / "features")
    chosen = Studio(features, device=device)
    exact = Studio(features, device=device, precision="float32")
    studios = {chosen.dtype.name: chosen, "float32": exact}
    print(f"- {machine.description()}")
    with tf.device(device):
        peaks = {name: _peak(tf.as_dtype(name), _SIDES[kind]) for name in studios}
    said = ", ".join(f"{peak / 1e9:.0f} in {name}" for name, peak in peaks.items())
    print(f"- Matrix products of {_SIDES[kind]} x {_SIDES[kind]}: {said} GFLOP/s")
    with ExitStack() as stack:
        theirs = "cuda" if kind == "gpu" else "cpu"
        peer = asked.torch and stack.enter_context(
            TorchPeer(asked.torch, features, _pictures(1024), theirs)
        )
        if peer:
            print(f"- PyTorch {peer.version}")
        for size in asked.sizes:
            print(_table(size, _measured(studios, peer, size, asked.rounds), peaks), flush=True)


def flop_per_pixel() -> float:
    """Floating point operations of a step for one pixel: all convolutions, there and back."""
    operations, pixels = 0.0, 1.0
    for layer in VGG19:
        if isinstance(layer, Pool):
            pixels /= 4
        else:
            operations += 2 * 9 * layer.inputs * layer.outputs * pixels
    return 2 * operations


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", help="cpu, or gpu:N")
    parser.add_argument("--torch", type=Path, metavar="PYTHON", help="interpreter that has torch")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _pictures(size: int) -> tuple[subjects.Array, subjects.Array]:
    """A content and a style picture, square."""
    content, style = subjects.contents(None)[0].rgb, subjects.styles(None)[0].rgb
    return resize(content, size, size), resize(style, size, size)


def _measured(
    studios: Mapping[str, Studio], peer: TorchPeer | None, size: int, rounds: int
) -> Measured:
    """Medians of the rounds' steps in seconds, by who took them."""
    ours = {f"Atelier {name}": _ours(_run(studio, size)) for name, studio in studios.items()}
    theirs = {f"PyTorch {name}": peer.steps(name, size) for name in peer.settings} if peer else {}
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, take in (ours | theirs).items():
            found.setdefault(name, []).append(_median_of_a_round(take))
    return found


def _run(studio: Studio, size: int) -> Run:
    content, style = _pictures(size)
    params = StyleTransferParams(size=size, preset="gatys", steps=5_000)
    run = studio.begin(Sitting.prepare(content, [style], params))
    run.advance(2)
    while run.ready().steps.are_being_compiled:
        run.advance(1)
    return run


def _ours(run: Run) -> Callable[[int], list[float]]:
    burst = run.ready().steps.burst

    def take(steps: int) -> list[float]:
        seconds: list[float] = []
        while len(seconds) < steps:
            began = time.perf_counter()
            run.advance(burst)
            seconds += [(time.perf_counter() - began) / burst] * burst
        return seconds

    return take


def _median_of_a_round(take: Callable[[int], list[float]]) -> float:
    first = take(1)
    more = min(_MOST_IN_A_ROUND, int(_SECONDS_IN_A_ROUND / first[0]))
    return statistics.median(first + take(more)) if more else first[0]


def _table(size: int, measured: Measured, peaks: Mapping[str, float]) -> str:
    medians = {name: statistics.median(seconds) for name, seconds in measured.items()}
    ours = next(iter(medians.values()))
    lines = [
        f"\n| {size} x {size} | step | times ours | convolutions, GFLOP/s | of the peak |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, seconds in medians.items():
        rate = flop_per_pixel() * size**2 / seconds
        dtype = name.split()[1]
        lines.append(
            f"| {name} | {_milliseconds(seconds)} | {seconds / ours:.2f} | {rate / 1e9:.0f} |"
            f" {rate / peaks[dtype]:.0%} |"
        )
    return "\n".join(lines)


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.{0 if seconds >= 0.1 else 2}f} ms"


def _peak(dtype: tf.DType, side: int) -> float:
    """Floating point operations per second of a large matrix product: the best of some."""
    a = tf.cast(np.random.default_rng(0).random((side, side), np.float32), dtype)
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(_IN_A_ROW):
            product = tf.matmul(a, a)
        product[0, 0].numpy()  # all of it would be copied from a GPU
        seconds.append((time.perf_counter() - began) / _IN_A_ROW)
    return 2 * side**3 / min(seconds)


if __name__ == "__main__":
    main()
