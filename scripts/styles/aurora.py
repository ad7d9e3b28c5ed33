"""Northern lights over a lake, in gouache: upright strokes for the light, flat ones for water."""

import numpy as np

from scripts.styles.brush import Brush, Canvas, Strokes, dabber
from scripts.styles.colour import Ramp, over, shifted
from scripts.styles.cover import Pass, cover
from scripts.styles.plane import Colour, Field, Noise, Rng, grid, smoothstep

ASPECT = 4 / 3
SHORE = 0.535
FOOT = 0.75  # of the picture
NIGHT = Ramp("060a22 0b1a42 123561 1f6480")
LIGHT = Ramp("e6ffd8 8df5a8 2fd39a 1fa6b4 5468d6 9a45c8 d9488f", (0, 0.1, 0.28, 0.46, 0.62, 0.8, 1))
PEAKS = Ramp("081029 14305c 2f6f90 a8e8d4")
PINES = Ramp("02050d 071426 0f3038 1f5a58")

#: Height of a curtain's foot, its waviness, its reach upwards, its brightness, its place in noise.
CURTAINS = (
    (0.16, 0.13, 0.26, 1.0, 3.0),
    (0.27, 0.16, 0.33, 1.1, 0.0),
    (0.41, 0.10, 0.30, 1.1, 7.0),
)


def paint(side: int, rng: Rng) -> Colour:
    """A night 4:3, sRGB in [0, 1]."""
    x, y = grid(side, ASPECT)
    wander = Noise(rng, 2.2, 4)
    scene, angles = night(x, y, wander)
    canvas = Canvas(scene * 0.7)
    brush = Brush(rng, dryness=0.7, streaks=0.03)
    bright = 0.15 + 0.85 * smoothstep(scene.max(axis=-1), 0.35, 0.8)
    for step in (
        Pass(0.018, 5.0, 0.9, light=0.02, chroma=0.012),
        Pass(0.011, 7.0, 1.2, light=0.03, chroma=0.016, body=0.08),
        Pass(0.0065, 8.0, 1.8, light=0.035, chroma=0.018, body=0.12, where=bright),
    ):
        cover(canvas, scene, angles, step, brush=brush, rng=rng)
    _stars(canvas, rng)
    _pines(canvas, brush, rng)
    return canvas.lit(relief=0.55, gloss=0.08)


def night(x: Field, y: Field, wander: Noise) -> tuple[Colour, Field]:
    """The colours, and the angle of the strokes: the lake is the sky upside down, and broken."""
    ripple = wander(x * 1.6, y * 16.0)
    depth = np.clip((y - SHORE) / (FOOT - SHORE), 0.0, 1.0)
    bent = SHORE - 1.9 * (y - SHORE) + 0.05 * ripple * (0.3 + depth)
    above, upright = _sky(x, y, wander)
    below, _ = _sky(x + 0.012 * ripple, np.maximum(bent, 0.0).astype(np.float32), wander)
    below = over(below * 0.85, NIGHT(0.2 + 0.0 * x), 0.25 + 0.35 * smoothstep(ripple, 0.1, 0.8))
    water = smoothstep(y - SHORE, -0.001, 0.001)
    flat = 0.08 * wander(x * 2, y * 5)
    return over(above, below, water), np.where(water > 0.5, flat, upright)


def _sky(x: Field, y: Field, wander: Noise) -> tuple[Colour, Field]:
    """Darkness, the curtains of light, and the mountains under them."""
    picture = NIGHT(0.05 + 0.95 * (y / SHORE) ** 2.2 + 0.12 * wander(x, y * 2))
    leaning = np.zeros_like(x)
    for curtain in CURTAINS:
        light, colours, fold = _curtain(x, y, curtain, wander)
        picture = over(picture, colours, np.clip(1.25 * light, 0.0, 0.97))
        leaning = leaning + 0.25 * light * wander(fold, y)
    angles = np.pi / 2 + 0.22 * (x - 0.5) + leaning
    for number, (top, tall) in enumerate(((0.455, 0.075), (0.50, 0.05))):
        ridge = top - tall * wander(x * 1.9 + 3.7 * number, 0.0 * y + 5.0 * number)
        snow = 0.50 + 0.75 * wander(x * 4.5 + 2.2 * y, y * 4.0) - 5.0 * (y - ridge)
        where = smoothstep(y - ridge, -0.001, 0.001)
        picture = over(picture, PEAKS(snow - 0.2 * number), where)
        slope = 0.9 * np.tanh(6.0 * wander(x * 2.4, y * 0.8))
        angles = np.where(where > 0.5, slope, angles)
    return picture, angles.astype(np.float32)


def _curtain(
    x: Field, y: Field, curtain: tuple[float, float, float, float, float], wander: Noise
) -> tuple[Field, Colour, Field]:
    """How bright a curtain is, its colours, and where along its folds each pixel lies."""
    foot, waves, reach, bright, place = curtain
    fold = x + 0.035 * wander(x * 2.0, y * 0.6 + place)
    line = foot + waves * wander(fold * 0.75, 0.0 * y + place) + 0.12 * (x - 0.5) ** 2
    up = (line - y) / reach
    rays = np.clip(0.62 + 0.38 * wander(fold * 13.0, 0.35 * y + place), 0.2, 1.2)
    light = np.exp(-1.5 * np.maximum(up, 0.0)) * smoothstep(up, -0.06, 0.03)
    light = bright * light * rays * (0.75 + 0.45 * wander(x * 0.8, place + 0 * y))
    return light, LIGHT(np.clip(up, 0.0, 1.4) * 0.85 + 0.06 * wander(fold * 5, y)), fold


def _stars(canvas: Canvas, rng: Rng, count: int = 420) -> None:
    """Dots of white in the sky, thick ones few."""
    x = rng.uniform(0.0, 1.0, count)
    y = 0.37 * rng.uniform(0.0, 1.0, count) ** 1.3
    size = 0.0022 + 0.0042 * rng.random(count) ** 6
    colours = shifted(np.tile([0.96, 0.97, 0.90], (count, 1)), rng, 0.03, 0.02)
    none = np.zeros(count)
    dots = Strokes(x, y, none, none, size, size, colours)
    canvas.paint(dots, dabber(rng), rng, 0.3)


def _pines(canvas: Canvas, brush: Brush, rng: Rng) -> None:
    """Pines on both shores, each from its tip down, in strokes that hang outwards."""
    for x, foot, height in _stand(rng):
        tiers = int(26 * height / 0.3) + 8
        down = np.repeat(np.linspace(0.02, 1.0, tiers), 4)
        hand = np.tile([-1.0, 1.0, -0.5, 0.5], tiers)
        reach = 0.17 * height * down**0.85 * rng.uniform(0.6, 1.15, len(down)) * np.abs(hand) ** 0.4
        px = x + hand * reach * 0.55
        py = foot - height * (1.0 - down) + 0.25 * reach
        angle = np.where(hand > 0, 0.45, np.pi - 0.45) + rng.normal(0.0, 0.15, len(down))
        bend = -np.sign(hand) * 9.0
        width = np.full(len(down), 0.0042 + 0.010 * height)
        colours = PINES(np.clip(0.16 + 0.4 * rng.random(len(down)) ** 2, 0, 1).astype(np.float32))
        strokes = Strokes(px, py, angle, bend, reach + 0.006, width, colours)
        canvas.paint(strokes, brush, rng, 0.15)


def _stand(rng: Rng) -> list[tuple[float, float, float]]:
    """x, foot and height of each pine, far ones first."""
    far = [(x, SHORE + 0.006, rng.uniform(0.03, 0.075)) for x in rng.uniform(0.0, 1.0, 70)]
    left = [(x, 0.70 + 0.5 * x, 0.46 - 1.2 * x) for x in (0.21, 0.165, 0.12, 0.075, 0.02)]
    right = [
        (x, 0.76 - 0.4 * (x - 0.8), 0.20 + 1.1 * (x - 0.8)) for x in (0.83, 0.885, 0.93, 0.985)
    ]
    near = [(x, f + rng.uniform(0, 0.03), h * rng.uniform(0.85, 1.15)) for x, f, h in left + right]
    return sorted(far + near, key=lambda pine: pine[1])
