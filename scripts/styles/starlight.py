"""Night over a lake in thick paint: the wind in whirls, the lights in rings."""

import numpy as np

from scripts.styles.brush import Brush, Canvas
from scripts.styles.colour import Ramp, over, rgb
from scripts.styles.cover import Pass, cover
from scripts.styles.plane import Colour, Field, Noise, Rng, grid, smoothstep

ASPECT = 4 / 3
SHORE = 0.565  # height of the far shore, downwards

#: x, y, radius, sense of rotation.
WHIRLS = ((0.30, 0.24, 0.115, 1), (0.505, 0.33, 0.085, -1), (0.085, 0.40, 0.075, -1))
#: x, y, radius.
LIGHTS = (
    (0.80, 0.17, 0.075),
    (0.10, 0.10, 0.032),
    (0.46, 0.085, 0.030),
    (0.62, 0.20, 0.026),
    (0.93, 0.39, 0.030),
    (0.68, 0.42, 0.024),
    (0.19, 0.44, 0.018),
    (0.36, 0.43, 0.018),
    (0.97, 0.06, 0.020),
    (0.27, 0.06, 0.016),
)
SKY = Ramp("0b1440 14297a 1f4fa8 3f86c9 8cc3d6 d3e2b8", (0.0, 0.22, 0.45, 0.66, 0.85, 1.0))
GLOW = Ramp("3f86c9 9fc9a8 f0d873 fbe9a0 fffbe2", (0.0, 0.3, 0.62, 0.85, 1.0))
LAKE = Ramp("081033 10256b 1d4f9a 3f84bd 86bccb")
HILLS = Ramp("0a1a3d 12355c 1c5a6b 2f7f70")


def paint(side: int, rng: Rng) -> Colour:
    """A night 4:3, sRGB in [0, 1]."""
    x, y = grid(side, ASPECT)
    angles, scene = flow(x, y, rng), night(x, y, rng)
    canvas = Canvas(scene * 0.75)
    brush = Brush(rng, dryness=0.45, streaks=0.045)
    bright = 0.05 + 0.95 * smoothstep(scene.max(axis=-1), 0.6, 0.9)
    for step in (
        Pass(0.022, 4.0, 0.9, light=0.035),
        Pass(0.015, 5.5, 1.1, light=0.05, chroma=0.015, body=0.16),
        Pass(0.010, 6.5, 1.8, light=0.06, chroma=0.018, body=0.2),
        Pass(0.007, 6.5, 1.7, light=0.04, chroma=0.012, body=0.26, where=bright),
    ):
        cover(canvas, scene, angles, step, brush=brush, rng=rng)
    return canvas.lit(relief=0.75, gloss=0.2)


def flow(x: Field, y: Field, rng: Rng) -> Field:
    """The angle of the strokes: a wind bent by whirls and round lights, then hills and water."""
    wander = Noise(rng, 2.0, 2)
    right = np.ones_like(x)
    down = 0.55 * wander(x, y) + 0.2 * np.sin(7.0 * x + 1.0)
    for cx, cy, radius, sense in (*WHIRLS, *((a, b, 1.5 * r, 1) for a, b, r in LIGHTS)):
        dx, dy = x - cx, y - cy
        distance = np.hypot(dx, dy) + 1e-4
        pull = 9.0 * sense * np.exp(-((distance / (1.25 * radius)) ** 2))
        # A little inwards as well, so that whirls are spirals and lights are rings.
        right = right - pull * (dy + 0.12 * dx) / distance
        down = down + pull * (dx - 0.12 * dy) / distance
    sky = np.arctan2(down, right)
    hills = 0.5 * np.sin(9.0 * x + 2.0) + 0.35 * wander(x * 2, y)
    water = 0.07 * wander(x * 2, y * 6)
    land = np.where(y > SHORE, water, hills)
    return np.where(y > horizon(x), land, sky).astype(np.float32)


def horizon(x: Field) -> Field:
    """Where the hills end and the sky begins."""
    return np.asarray(
        SHORE - 0.035 - 0.035 * np.sin(4.2 * x + 0.3) - 0.016 * np.sin(11.0 * x + 1.0), np.float32
    )


def night(x: Field, y: Field, rng: Rng) -> Colour:
    """The colours of the sky, its lights, the hills and the lake."""
    bands = Noise(rng, 3.0, 3)
    mist = bands(x * 0.7, y * 2.6)
    picture = SKY(0.12 + 0.75 * smoothstep(y, 0.0, SHORE) ** 1.3 + 0.13 * mist)
    for cx, cy, radius, sense in WHIRLS:
        dx, dy = x - cx, y - cy
        distance = np.hypot(dx, dy) / radius
        arms = np.cos(2.0 * np.arctan2(dy, dx) - sense * 6.0 * distance)
        picture = over(picture, SKY(0.62 + 0.3 * arms), 0.85 * smoothstep(distance, 1.35, 0.3))
    for cx, cy, radius in LIGHTS:
        distance = np.hypot(x - cx, y - cy) / radius
        rings = np.exp(-0.75 * distance) + 0.09 * np.cos(5.2 * distance) * np.exp(-0.4 * distance)
        picture = over(picture, GLOW(1.25 * rings), smoothstep(distance, 3.1, 0.9))
    slopes = HILLS(0.5 + 0.4 * bands(x * 3, y * 4) - 4.0 * (y - SHORE + 0.05))
    picture = over(picture, slopes, smoothstep(y - horizon(x), -0.001, 0.001))
    return over(picture, lake(x, y, bands), smoothstep(y, SHORE - 0.001, SHORE + 0.001))


def lake(x: Field, y: Field, waves: Noise) -> Colour:
    """Water, with each light's reflection drawn out towards us."""
    depth = (y - SHORE) / (0.75 - SHORE)
    ripple = waves(x * 1.5, y * 14.0)
    picture = LAKE(0.75 - 0.55 * depth + 0.22 * ripple)
    for cx, _, radius in LIGHTS:
        spread = radius * (0.45 + 0.7 * np.clip(depth, 0.0, 1.0)) * (1.0 + 0.6 * ripple)
        column = np.exp(-(((x - cx + 0.015 * ripple) / np.maximum(spread, 1e-3)) ** 2))
        broken = smoothstep(ripple + 0.35, -0.2, 0.7) * np.exp(-0.9 * np.clip(depth, 0.0, 1.0))
        picture = over(picture, GLOW(0.35 + 0.5 * column), column * broken)
    lamps = np.sin(140.0 * x) * np.sin(47.0 * x + 1.0) > 0.55
    shore = lamps & (np.abs(depth - 0.02) < 0.045)
    return np.where(shore[..., None], rgb("ffd76a"), picture).astype(np.float32)
