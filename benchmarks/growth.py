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

import numpy as np

from model.loading import load_tensorflow

_STEPS = 9


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
    print(f"time of a step ~ pixels^{exponent:.2f}")


def _in_a_process(size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.growth", "--alone", str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measured(size: int) -> dict[str, float]:
    load_tensorflow()
    from model import weights  # noqa: PLC0415 - TensorFlow is quiet only from here on
    from model.devices import open_devices  # noqa: PLC0415
    from model.painting import Studio  # noqa: PLC0415
    from model.params import StyleTransferParams  # noqa: PLC0415
    from model.run import Run  # noqa: PLC0415
    from model.sitting import Sitting  # noqa: PLC0415
    from worker.settings import load_settings  # noqa: PLC0415

    open_devices("cpu")
    studio = Studio(weights.load("bundled", load_settings().folder / "features"))
    rng = np.random.default_rng(0)

    def begin(side: int, styles: int) -> Run:
        pictures = [rng.random((side, side, 3), np.float32) for _ in range(1 + styles)]
        # All steps on the last scale: it is the size that counts.
        params = StyleTransferParams(size=side, steps=1)
        sitting = Sitting.prepare(pictures[0], pictures[1:], params)
        sitting.__dict__["scales"] = (sitting.scales[-1].__class__(side, side, 100),)
        return studio.begin(sitting)

    begin(64, 1).advance(2)  # as a worker warms up
    run = begin(size, 1)
    first = _seconds(run)
    step = statistics.median(_seconds(run) for _ in range(_STEPS))
    several = begin(size, 4)
    several.advance(1)
    four_styles = statistics.median(_seconds(several) for _ in range(_STEPS))
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"first": first, "step": step, "four_styles": four_styles, "gib": gib}


def _seconds(run: "object") -> float:
    began = time.perf_counter()
    run.advance(1)  # type: ignore[attr-defined]
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
