"""A river in summer in dots of pure colour that mix in the eye."""

import numpy as np
import numpy.typing as npt

from scripts.styles.brush import Brush, Canvas, Strokes, dabber
from scripts.styles.colour import Ramp, from_oklab, over, rgb, to_oklab
from scripts.styles.plane import Colour, Field, Noise, Rng, grid, jittered, sample, smoothstep

ASPECT = 4 / 3
BANK = 0.40
SKY = Ramp("3f86cc 6fb0dd a9cfe0 f0d9bb f9be8c")
WATER = Ramp("fbd3a8 c9d8d8 7fb8d8 3f86b8 24608f")
CANOPY = Ramp("16324f 1f5a4a 3f8a3f 8fbf3f dce04f f7ef9a", (0, 0.22, 0.45, 0.66, 0.86, 1))
MEADOW = Ramp("1f4f4f 3f8a45 8fc04a e2da5a f9efa0")
SHADE = rgb("2f3f8f")

#: x and y of the crown's middle, its half width and half height.
TREES = (
    (0.05, 0.235, 0.13, 0.185),
    (0.19, 0.295, 0.085, 0.12),
    (0.30, 0.345, 0.05, 0.065),
    (0.885, 0.28, 0.10, 0.14),
    (0.985, 0.22, 0.085, 0.20),
    (0.775, 0.345, 0.05, 0.065),
    (0.10, 0.385, 0.13, 0.035),
    (0.86, 0.385, 0.12, 0.035),
)
#: x of the mast, y of the waterline, size.
BOATS = ((0.47, 0.445, 0.105), (0.60, 0.418, 0.055), (0.385, 0.412, 0.035))


def paint(side: int, rng: Rng) -> Colour:
    """A river 4:3, sRGB in [0, 1]."""
    x, y = grid(side, ASPECT)
    scene = river(x, y, Noise(rng, 3.0, 4))
    canvas = Canvas(over(scene, rgb("f3e6c8"), np.full(x.shape, 0.35)))
    brush = dabber(rng)
    detail = 0.2 + 0.8 * _busy(scene)
    for size, spacing, strength, where in (
        (0.0130, 0.75, 0.05, None),
        (0.0105, 0.95, 0.08, None),
        (0.0085, 1.10, 0.09, None),
        (0.0065, 1.15, 0.07, detail),
    ):
        _dots(canvas, scene, (size, spacing, strength), where, brush=brush, rng=rng)
    return canvas.lit(relief=0.45, gloss=0.1)


def _busy(scene: Colour) -> Field:
    """How much happens at each pixel, in [0, 1]."""
    down, right = np.gradient(scene.mean(axis=-1))
    return smoothstep(np.hypot(down, right) * max(scene.shape), 2.0, 14.0)


def _dots(
    canvas: Canvas,
    scene: Colour,
    step: tuple[float, float, float],
    where: Field | None,
    *,
    brush: Brush,
    rng: Rng,
) -> None:
    """Dots all over, each in one of the pure colours around that of the scene."""
    size, spacing, strength = step
    height, width = scene.shape[:2]
    x, y = jittered(rng, canvas.side, width / height, size * spacing)
    if where is not None:
        chosen = rng.random(len(x)) < sample(where, x, y)
        x, y = x[chosen], y[chosen]
    count = len(x)
    sizes = (size * rng.uniform(0.75, 1.2, count)).astype(np.float32)
    colours = _divided(sample(scene, x, y), strength, rng)
    angle = rng.uniform(-0.5, 0.5, count).astype(np.float32)
    none = np.zeros(count, np.float32)
    canvas.paint(Strokes(x, y, angle, none, 1.1 * sizes, sizes, colours), brush, rng, 0.22)


def _divided(colours: Colour, strength: float, rng: Rng) -> Colour:
    """Colours divided: warmer and lighter, cooler and darker, or across the colour wheel."""
    lab = to_oklab(colours)
    count = len(lab)
    lean = rng.normal(0.0, 1.0, count).astype(np.float32)
    lab[:, 0] += 0.42 * strength * lean + rng.normal(0.0, 0.015, count)
    lab[:, 2] += 0.55 * strength * lean  # lighter is yellower, darker is bluer
    lab[:, 1] += 0.35 * strength * rng.normal(0.0, 1.0, count)
    lab[:, 1:] *= 1.15
    across: npt.NDArray[np.bool_] = rng.random(count) < 0.05
    lab[across, 1:] *= -0.7
    return from_oklab(lab)


def river(x: Field, y: Field, wander: Noise) -> Colour:
    """Sky and trees, the water that mirrors them, boats, and a meadow this side."""
    above = _far(x, y, wander)
    ripple = wander(x * 1.5, y * 14)
    mirrored = _far(x + 0.010 * ripple, (2 * BANK - y + 0.02 * ripple).astype(np.float32), wander)
    depth = np.clip((y - BANK) / 0.3, 0.0, 1.0)
    water = over(mirrored, WATER(depth + 0.18 * ripple), 0.25 + 0.45 * depth)
    glitter = smoothstep(ripple, 0.55, 0.9) * np.exp(-(((x - 0.56) / 0.16) ** 2))
    water = over(water, rgb("fff3c8"), 0.9 * glitter)
    picture = over(above, water, smoothstep(y, BANK - 0.001, BANK + 0.001))
    for boat in BOATS:
        picture = _boat(picture, x + 0.004 * ripple * (y > boat[1]), y, boat)
    return _near(picture, x, y, wander)


def _far(x: Field, y: Field, wander: Noise) -> Colour:
    """The sky with soft clouds, hills, and the far bank with its trees."""
    clouds = wander(x * 0.9, y * 2.4)
    picture = SKY(y / BANK + 0.1 * clouds)
    picture = over(picture, rgb("fff4e2"), 0.75 * smoothstep(clouds, 0.25, 0.9))
    ridge = BANK - 0.06 - 0.035 * np.sin(5 * x + 0.5) - 0.01 * np.sin(13 * x)
    hills = Ramp("8f8fc8 7fa8c0 8fbf9f")(12 * (y - ridge) + 0.2 * clouds)
    picture = over(picture, hills, smoothstep(y, ridge - 0.002, ridge + 0.002))
    bank = BANK - 0.022 - 0.012 * np.cos(6.5 * (x - 0.5))
    picture = over(picture, MEADOW(0.75 + 0.25 * clouds), smoothstep(y, bank - 0.001, bank + 0.001))
    for cx, cy, wide, high in TREES:
        dx, dy = (x - cx) / wide, (y - cy) / high
        edge = np.hypot(dx, dy) + 0.20 * wander(x * 6, y * 6)
        clumps = wander(x * 7 + cx, y * 8)
        tone = 0.42 + 0.30 * (0.6 * dx * np.sign(0.5 - cx) - 0.8 * dy) + 0.24 * clumps
        picture = over(picture, CANOPY(tone), smoothstep(edge, 1.04, 0.96))
    return picture


def _boat(picture: Colour, x: Field, y: Field, boat: tuple[float, float, float]) -> Colour:
    """A hull, two sails, and both once more in the water."""
    mast, line, size = boat
    for sign, fade in ((1.0, 1.0), (-1.0, 0.55)):
        u, v = (x - mast) / size, sign * (line - y) / size
        main = (u > 0.02) & (u < 0.48 * (1 - v / 1.25)) & (v > 0.16) & (v < 1.2)
        jib = (u < -0.02) & (u > -0.33 * (1 - v / 1.0)) & (v > 0.16) & (v < 1.0)
        hull = (v > -0.02) & (v < 0.13) & (np.abs(u - 0.03) < 0.42 + 0.5 * v)
        for part, code in ((main, "fff8e6"), (jib, "f7c98f"), (hull, "b8433a")):
            alpha = fade * part.astype(np.float32)
            picture = over(picture, rgb(code), alpha)
    return picture


def _near(picture: Colour, x: Field, y: Field, wander: Noise) -> Colour:
    """A meadow in the corner, in sun and in the shadow of a tree, with poppies."""
    edge = 0.615 + 0.10 * x - 0.05 * np.sin(3.6 * x + 0.4) + 0.008 * wander(x * 5, y)
    sunny = 0.55 + 0.35 * np.sin(9 * x - 14 * y) * 0.5 + 0.3 * wander(x * 1.5, y * 4)
    grass = MEADOW(sunny + 0.25 * smoothstep(y - edge, 0.05, 0.0))
    shadow = smoothstep(wander(x * 0.8 + 4, y * 2.5), 0.05, 0.4)
    grass = over(grass, SHADE + 0.25 * grass, 0.5 * shadow)
    poppies = smoothstep(wander(x * 14, y * 18), 0.70, 0.95)
    grass = over(grass, rgb("e8402f"), poppies)
    return over(picture, grass, smoothstep(y - edge, -0.001, 0.001))
