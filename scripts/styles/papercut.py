"""A relief map of cut paper: sheets upon sheets, each casting its shadow on those below."""

import numpy as np
from scipy import ndimage

from scripts.styles.colour import Ramp, over, rgb
from scripts.styles.paper import grain
from scripts.styles.plane import Colour, Field, Noise, Rng, grid, smoothstep

ASPECT = 4 / 3
SHEETS = 17
RAMP = Ramp(
    "0a2239 0f4c64 1b7a83 57aea0 b9dcc0 f6ecc9 f4cf8b ef9f63 dc6248 a8324a 5d1b42",
)


def paint(side: int, rng: Rng) -> Colour:
    """A map 4:3, sRGB in [0, 1]."""
    x, y = grid(side, ASPECT)
    ground = land(x, y, rng)
    share = np.linspace(0.0, 1.0, SHEETS + 1)[1:-1]
    even = ground.min() + share * (ground.max() - ground.min())
    levels = 0.5 * (np.quantile(ground, share) + even)  # neither thin sheets nor wide ones
    steep = np.hypot(*np.gradient(ground)) * side
    picture = _sheet(ground.shape, 0.0, rng)
    for number, level in enumerate(levels, start=1):
        away = (ground - level) / np.maximum(steep, 1e-3)
        picture = _shaded(picture, away, side)
        sheet = _sheet(ground.shape, number / (SHEETS - 1), rng)
        edge = smoothstep(away * side, 2.6, 0.6)[..., None]
        sheet = sheet + 0.16 * edge * (1.0 - sheet)  # the cut edge catches the light
        picture = over(picture, sheet, smoothstep(away * side, -0.6, 0.6))
    return np.clip(picture, 0.0, 1.0)


def land(x: Field, y: Field, rng: Rng) -> Field:
    """The height of the land: noise bent by noise, so that valleys meander."""
    bend, heights = Noise(rng, 3.2, 2), Noise(rng, 4.4, 3, gain=0.38)
    ground = heights(x + 0.09 * bend(x, y), y + 0.09 * bend(x + 3.1, y + 1.7))
    return np.asarray(ndimage.gaussian_filter(ground, 0.003 * max(x.shape)), np.float32)


def _sheet(shape: tuple[int, int], t: float, rng: Rng) -> Colour:
    """A sheet of paper of the ramp's colour at t."""
    height = grain(shape, rng, max(0.7, max(shape) / 900))
    slope = np.gradient(height, axis=0) + np.gradient(height, axis=1)
    tone = 1.0 + 0.028 * slope / slope.std() + 0.012 * height
    return np.asarray(RAMP(np.full(shape, t, np.float32)) * tone[..., None], np.float32)


def _shaded(picture: Colour, away: Field, side: int) -> Colour:
    """The picture in the shadow of a sheet that covers where away is positive."""
    covers = smoothstep(away * side, -1.0, 1.0)
    for reach, dark in ((0.004, 0.34), (0.014, 0.40)):
        fallen = ndimage.shift(covers, (1.1 * reach * side, 0.8 * reach * side), order=1)
        shadow = dark * ndimage.gaussian_filter(fallen, 0.55 * reach * side)
        picture = over(picture, picture * 0.2 + 0.1 * rgb("1b1440"), shadow)
    return picture
