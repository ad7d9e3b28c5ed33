"""How many more pictures does a device paint when it takes their steps together?

    python -m benchmarks.together --device gpu:0 [--size 256] [--most 8]

Steps in the preset ``gatys`` with one, two, four, ... pictures at once, when they are compiled;
medians of some bursts. On a CPU there is nothing to be gained.
"""

import argparse
import statistics
import time

from model.loading import load_tensorflow

load_tensorflow()

from benchmarks import machine, subjects  # noqa: E402
from model import weights  # noqa: E402
from model.devices import open_devices  # noqa: E402
from model.images import resize  # noqa: E402
from model.painting import Studio  # noqa: E402
from model.params import StyleTransferParams  # noqa: E402
from model.run import Run, advance  # noqa: E402
from model.sitting import Sitting  # noqa: E402
from worker.settings import load_settings  # noqa: E402

_BURSTS = 9


def main() -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--most", type=int, default=8, help="pictures at once")
    asked = parser.parse_args()
    (device,) = open_devices(asked.device)
    studio = Studio(weights.load("bundled", load_settings().folder / "features"), device=device)
    print(machine.description())
    print(f"\n| {asked.size} x {asked.size} at once | step | pictures in the same time |")
    print("|--:|--:|--:|")
    count, alone = 1, 0.0
    while count <= asked.most:
        seconds = _step([_begun(studio, asked.size, seed) for seed in range(count)])
        alone = alone or seconds
        print(f"| {count} | {1e3 * seconds:.2f} ms | {count * alone / seconds:.2f} |", flush=True)
        count *= 2


def _begun(studio: Studio, size: int, seed: int) -> Run:
    content, style = subjects.contents(None)[0].rgb, subjects.styles(None)[0].rgb
    params = StyleTransferParams(size=size, preset="gatys", steps=5_000, seed=seed)
    return studio.begin(Sitting.prepare(resize(content, size, size), [style], params))


def _step(runs: list[Run]) -> float:
    """How long one takes with all of them, in seconds."""
    steps = runs[0].ready().steps
    advance(runs, 2)
    while steps.are_being_compiled:
        advance(runs, 1)
    seconds = []
    for _ in range(_BURSTS):
        began = time.perf_counter()
        advance(runs, steps.burst)
        seconds.append((time.perf_counter() - began) / steps.burst)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
