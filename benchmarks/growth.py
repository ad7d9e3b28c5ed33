"""How do time and memory grow with the picture, and with the number of styles?

    python -m benchmarks.growth [--sizes 128 256 512 1024]

For each size, in a process of its own: the first step of a size that the process has not seen, its
further steps, and the most memory that was resident. Then the exponent of the time of a step in
pixels (least squares of the logarithms), and steps with four styles against those with one.
"""

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time

from model.loading import load_tensorflow

load_tensorflow()

import numpy as np  # noqa: E402

from benchmarks.scaled import Scaled  # noqa: E402
from model import weights  # noqa: E402
from model.devices import open_devices  # noqa: E402
from model.painting import Studio  # noqa: E402
from model.params import StyleTransferParams  # noqa: E402
from model.recipes import Scale  # noqa: E402
from model.run import Run  # noqa: E402
from model.sitting import Sitting  # noqa: E402
from worker.settings import load_settings  # noqa: E402

_STEPS = 5


def main() -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256, 512, 1024])
    parser.add_argument("--alone", type=int, metavar="SIZE", help="measure this one, here")
    asked = parser.parse_args()
    if asked.alone:
        print(json.dumps(_measured(asked.alone)))
        return
    found = {size: _in_a_process(size) for size in asked.sizes}
    print("| size | step | first step, as so many more | with four styles | resident |")
    print("|---|--:|--:|--:|--:|")
    for size, seen in found.items():
        print(
            f"| {size} | {1e3 * seen['step']:.0f} ms | {seen['first'] / seen['step'] - 1:.1f} |"
            f" {seen['four_styles'] / seen['step']:.2f} | {seen['gib']:.2f} GiB |"
        )
    pixels = [math.log(size**2) for size in found]
    seconds = [math.log(seen["step"]) for seen in found.values()]
    exponent = np.polynomial.Polynomial.fit(pixels, seconds, 1).convert().coef[1]
    print(f"\nTime of a step ~ pixels^{exponent:.2f}")


def _in_a_process(size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.growth", "--alone", str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measured(size: int) -> dict[str, float]:
    open_devices("cpu")
    studio = Studio(weights.load("bundled", load_settings().folder / "features"))
    _begin(studio, 64, styles=1).advance(2)  # as a worker warms up
    run = _begin(studio, size, styles=1)
    first = _seconds(run)
    step = statistics.median(_seconds(run) for _ in range(_STEPS))
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    several = _begin(studio, size, styles=4)
    several.advance(1)
    four_styles = statistics.median(_seconds(several) for _ in range(_STEPS))
    return {"first": first, "step": step, "four_styles": four_styles, "gib": gib}


def _begin(studio: Studio, side: int, styles: int) -> Run:
    """A run whose steps are all at its last scale: it is the size that counts."""
    rng = np.random.default_rng(0)
    pictures = [rng.random((side, side, 3), np.float32) for _ in range(1 + styles)]
    sitting = Sitting.prepare(pictures[0], pictures[1:], StyleTransferParams(size=side))
    return studio.begin(Scaled.at(sitting, Scale(side, side, 4 * _STEPS)))


def _seconds(run: Run) -> float:
    began = time.perf_counter()
    run.advance(1)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
