"""A cloth of dyed threads: an ikat, whose dye has crept along the warp before weaving."""

import numpy as np

from scripts.styles.colour import from_oklab, palette, to_oklab
from scripts.styles.plane import Colour, Field, Noise, Rng, grid
from scripts.styles.shapes import reduced

ASPECT = 3 / 4
FINER = 2  # samples a pixel has along each side
WARP, WEFT = 150, 132  # threads to a unit of length
DYES = palette("f5e8cc 1b2a5e b3262e e8a33a 1f7a7a 6b1d3f f7d9a0 0f1738")
#: Where one dye of a diamond ends and the next begins, from its middle, and which they are.
STEPS = np.array([0.12, 0.22, 0.36, 0.46, 0.62, 0.70, 0.86, 0.95, 1.10, 1.22, 1.40, 1.52, 1.72])
INKS = np.array([5, 3, 2, 0, 1, 4, 6, 1, 2, 3, 7, 0, 5, 4])
WEFT_DYE = palette("3a1f33")[0]


def paint(side: int, rng: Rng) -> Colour:
    """A cloth 3:4, sRGB in [0, 1]."""
    x, y = grid(side * FINER, ASPECT)
    wander = Noise(rng, 2.2, 3)
    # Cloth is never quite straight.
    u = (x + 0.006 * wander(x, y)) * WARP
    v = (y + 0.006 * wander(x + 4, y + 2)) * WEFT
    column, row = np.floor(u).astype(int), np.floor(v).astype(int)
    lab = to_oklab(_pattern(column, v / WEFT, rng))
    return reduced(_woven(lab, (u, v), (column, row), rng), FINER)


def _pattern(column: np.ndarray, y: Field, rng: Rng) -> Colour:
    """The dye at each place of a warp thread: nested diamonds between combs and zigzags.

    Threads were bound in bundles before dyeing, so each bundle has slipped a little.
    """
    threads = int(column.max()) + 3
    first = int(column.min())
    bundle = np.repeat(rng.normal(0.0, 0.0055, threads), 2)[:threads]
    slip = bundle + rng.normal(0.0, 0.0035, threads)
    x = (column / WARP).astype(np.float32)
    y = y + slip[column - first].astype(np.float32)
    width, height = 0.25, 0.34
    half = 0.5 * (np.floor(y / height) % 2)
    px = np.abs((x / width + half) % 1.0 - 0.5) * 2.0
    py = np.abs((y / height) % 1.0 - 0.5) * 2.0
    diamond = px + py
    comb = 0.055 * np.abs(((px - py) * 5.0) % 1.0 - 0.5) * 2.0
    ring = diamond + comb
    return np.asarray(DYES[INKS[np.searchsorted(STEPS, ring)]])


def _woven(
    lab: Colour, at: tuple[Field, Field], number: tuple[np.ndarray, np.ndarray], rng: Rng
) -> Colour:
    """Threads over and under each other, round, twisted, each of its own shade."""
    u, v = at
    column, row = number
    over_ = (column + row) % 4 != 0  # the warp faces us, as in a satin
    across = np.where(over_, u - column, v - row) - 0.5
    along = np.where(over_, (v + column) / 4.0, u / 2.0)
    shade = rng.normal(0.0, 0.022, 4096)
    own = np.where(over_, shade[column % 4096], shade[(row + 2000) % 4096])
    weft = to_oklab(WEFT_DYE[None])[0]
    lab = np.where(over_[..., None], lab, 0.45 * lab + 0.55 * weft)
    rounded = np.sqrt(np.clip(1.0 - (2.0 * across) ** 2 * 0.9, 0.0, 1.0))
    twist = np.sin(2 * np.pi * (along * 3.0 + 1.1 * across))
    bow = np.where(over_, np.cos(np.pi * (((v + column) % 4.0) / 4.0 - 0.5)), 0.4)
    worn = Noise(rng, 3.0, 4)(u / WARP, v / WEFT)
    lab[..., 0] *= 0.62 + 0.34 * rounded + 0.10 * bow
    lab[..., 0] += (
        0.020 * twist * rounded + own + 0.018 * worn + 0.03 * (rounded - 0.6) * (across < 0)
    )
    lab[..., 1:] *= (1.0 - 0.08 * worn)[..., None]
    return from_oklab(lab.astype(np.float32))
