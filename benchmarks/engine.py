"""How long does a step take at each size, in each number format, and what memory does it need?

make bench
"""

import resource
import statistics
import time
from collections.abc import Callable

from model.loading import load_tensorflow

load_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from model import weights  # noqa: E402
from model.devices import open_devices  # noqa: E402
from model.painting import Studio  # noqa: E402
from model.params import StyleTransferParams  # noqa: E402
from model.precision import Precision  # noqa: E402
from model.sitting import Sitting  # noqa: E402
from model.vgg import VGG19, Pool  # noqa: E402
from worker.settings import load_settings  # noqa: E402

SIZES = (128, 256, 512)
STEPS = 7


def flop_per_pixel() -> float:
    """Floating point operations of a step for one pixel: all convolutions, there and back."""
    operations, pixels = 0.0, 1.0
    for layer in VGG19:
        if isinstance(layer, Pool):
            pixels /= 4
        else:
            operations += 2 * 9 * layer.inputs * layer.outputs * pixels
    return 2 * operations


def matmul_peak(dtype: tf.DType) -> float:
    """Floating point operations per second of a large matrix product."""
    n = 4096
    a = tf.cast(tf.random.stateless_uniform([n, n], [1, 2]), dtype)
    tf.matmul(a, a)
    return 2 * n**3 / median_seconds(lambda: tf.matmul(a, a).numpy())


def median_seconds(work: Callable[[], object]) -> float:
    """Median duration of a callable."""
    seconds = []
    for _ in range(STEPS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def measure(precision: Precision) -> None:
    """Prints a line for each size."""
    features = weights.load("bundled", load_settings().folder / "features")
    studio = Studio(features, precision=precision)
    peak = matmul_peak(studio.dtype)
    rng = np.random.default_rng(0)
    for size in SIZES:
        square = rng.random((size, size, 3), np.float32)
        params = StyleTransferParams(size=size, preset="gatys", steps=STEPS + 1)
        run = studio.begin(Sitting.prepare(square, [square], params))
        began = time.perf_counter()
        run.advance(1)
        first = time.perf_counter() - began
        step = median_seconds(lambda: run.advance(1))  # noqa: B023 - called at once
        share = flop_per_pixel() * size**2 / step / peak
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
        print(
            f"{studio.dtype.name:>8} {size:4d} px  first step {first:5.2f} s  step {step:6.3f} s"
            f"  {share:4.0%} of matmul's {peak / 1e9:.0f} GFLOP/s  {memory:5.0f} MiB"
        )


def main() -> None:
    """Measures bfloat16, where the CPU has it, and float32."""
    open_devices("cpu")
    measure("auto")
    measure("float32")


if __name__ == "__main__":
    main()
