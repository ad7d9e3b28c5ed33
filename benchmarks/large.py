"""How much memory and time does a picture of 4096 pixels take, and are its tiles to be seen?

    python -m benchmarks.large --size 4096 --steps 22 --output large.png

Paints the sample pavilion at 4:3 with few steps in all, and prints seconds per step at each scale,
the most memory that was resident until the end of each, and the gradient energy across the borders
of the tiles relative to its likes: about 1 where they are not to be seen.
"""

import argparse
import resource
import statistics
import time
from pathlib import Path

from model.loading import load_tensorflow

load_tensorflow()

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402

from app.presets import PRESETS  # noqa: E402
from model import images, tiles, weights  # noqa: E402
from model.devices import open_devices  # noqa: E402
from model.painting import Studio  # noqa: E402
from model.params import StyleTransferParams  # noqa: E402
from model.run import Run  # noqa: E402
from model.sitting import Sitting  # noqa: E402
from worker.settings import load_settings  # noqa: E402

SAMPLES = Path(__file__).parents[1] / "app" / "page" / "samples"

Array = npt.NDArray[np.float32]


def sitting(size: int, steps: int, style_loss: str) -> Sitting:
    """The pavilion, cropped to 4:3, in the sample style."""
    content = images.decode((SAMPLES / "pavilion.jpg").read_bytes()).rgb
    style = images.decode(PRESETS["starlight"].picture).rgb
    content = content[:, : 4 * content.shape[0] // 3]
    params = StyleTransferParams.model_validate(
        {"size": size, "steps": steps, "style_loss": style_loss}
    )
    return Sitting.prepare(images.resize(content, size, size * 3 // 4), [style], params)


def paint(run: Run) -> None:
    """Paints to the end, and prints a line for each scale."""
    seconds: list[float] = []
    while not run.done:
        started = time.monotonic()
        progress = run.advance(1)
        seconds.append(time.monotonic() - started)
        if run.is_between_scales:
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            size, each = f"{progress.width}x{progress.height}", statistics.median(seconds)
            print(f"{size}: {len(seconds)} steps of {each:.2f} s, {most:.2f} GiB", flush=True)
            seconds = []


def visibility_of_borders(picture: Array) -> float:
    """Gradient energy across the inner tiles' borders, over that at the pools' other borders.

    The pools' cells have a rhythm of 16 pixels with or without tiles, so it is among its likes that
    a tile's border must not stand out.
    """
    cut = tiles.cut(*picture.shape[:2])
    columns = {tile.inner.left for tile in cut} - {0}
    rows = {tile.inner.top for tile in cut} - {0}
    ratios = []
    for edges, axis in ((columns, 1), (rows, 0)):
        energy = np.square(np.diff(picture, axis=axis)).mean(axis=(1 - axis, 2))
        others = set(range(tiles.STRIDE, len(energy), tiles.STRIDE)) - edges
        usual = np.median(energy[np.array(sorted(others)) - 1])
        ratios += [energy[edge - 1] / usual for edge in edges]
    return statistics.mean(ratios) if ratios else 1.0


def main() -> None:
    """Prints the lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--steps", type=int, default=22)
    parser.add_argument("--style-loss", default=StyleTransferParams().style_loss)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    settings = load_settings()
    device = open_devices(settings.devices)[0]
    features = weights.load("bundled", settings.folder)
    studio = Studio(features, device=device, precision=settings.precision)
    run = studio.begin(sitting(arguments.size, arguments.steps, arguments.style_loss))
    paint(run)
    picture = run.picture()
    print(f"borders: {visibility_of_borders(picture):.3f}")
    if arguments.output is not None:
        arguments.output.write_bytes(images.encode(picture, "png"))


if __name__ == "__main__":
    main()
