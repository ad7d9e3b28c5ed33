"""Peaks in mist and a branch in blossom: ink on silk, one colour beside the black."""

import numpy as np

from scripts.styles.brush import Brush, Canvas, Strokes, dabber
from scripts.styles.colour import Ramp, palette, rgb, shifted
from scripts.styles.paper import fibres
from scripts.styles.plane import Colour, Field, Noise, Rng, grid, smoothstep
from scripts.styles.shapes import Limb, trunk

ASPECT = 3 / 4
SILK = Ramp("efe3c8 e6d5b2 d9c49c")
INKS = Ramp("12141c 2f3a48 66788a a9b3b4 d9d2c0")
BLOSSOM = palette("c8202f e0485a f08a8f f7c4bf")
Peak = tuple[float, float, float, float]
#: x of a peak, height of its top, half its width, how far off it is.
PEAKS = (
    (0.09, 0.25, 0.10, 0.88), (0.52, 0.27, 0.09, 0.90), (0.70, 0.31, 0.08, 0.82),
    (0.31, 0.15, 0.105, 0.62), (0.17, 0.35, 0.09, 0.56), (0.46, 0.36, 0.08, 0.54),
    (0.62, 0.43, 0.10, 0.44), (0.02, 0.46, 0.12, 0.30), (0.33, 0.50, 0.12, 0.26),
    (0.13, 0.645, 0.17, 0.06), (0.56, 0.69, 0.13, 0.20),
)  # fmt: skip


def paint(side: int, rng: Rng) -> Colour:
    """A hanging scroll 3:4, sRGB in [0, 1]."""
    x, y = grid(side, ASPECT)
    wander = Noise(rng, 3.0, 5)
    silk = SILK(0.4 + 0.3 * wander(x, y) + 0.25 * np.abs(x - 0.375))
    canvas = Canvas(_washes(silk, x, y, wander))
    for peak in PEAKS:
        _texture(canvas, peak, wander, rng)
        _trees(canvas, peak, wander, rng)
    _water(canvas, rng)
    _branch(canvas, rng)
    picture = canvas.lit(relief=0.10, gloss=0.0)
    weave = fibres(x.shape, rng, max(1.0, 2.0 * side / 1024))
    return np.clip(picture * (1.0 + 0.022 * weave[..., None]), 0.0, 1.0)


def outline(peak: Peak, x: Field, wander: Noise) -> Field:
    """The height of a peak's edge above each x: steep sides and a rounded, broken top."""
    middle, top, half, _ = peak
    place = np.abs(x - middle - 0.012 * wander(x * 3, 0 * x + middle * 9)) / half
    return np.asarray(
        top + 0.34 * place**3.2 / (1.0 + 0.4 * place**2) + 0.016 * wander(x * 8, 0 * x + 9 * top)
    )


def _washes(silk: Colour, x: Field, y: Field, wander: Noise) -> Colour:
    """A sky and peaks in washes that multiply, each lost in mist at its foot."""
    light = silk
    sky = smoothstep(wander(x * 0.9, y * 2.2), -0.2, 0.9) * smoothstep(y, 0.75, 0.0)
    light = light * rgb("8fa0a8") ** (0.55 * sky)[..., None]
    sun = np.hypot(x - 0.575, y - 0.135) - 0.058
    disc = smoothstep(sun, 0.001, -0.001) * (0.85 + 0.15 * wander(x * 4, y * 4))
    light = light * rgb("d8402f") ** disc[..., None]
    for peak in PEAKS:
        light = _peak(light, silk, peak, (x, y), wander)
    return np.clip(light, 0.0, 1.0).astype(np.float32)


def _peak(
    light: Colour, silk: Colour, peak: Peak, at: tuple[Field, Field], wander: Noise
) -> Colour:
    """A peak before what is already there."""
    x, y = at
    _, top, _, far = peak
    edge = outline(peak, x[:1], wander)
    slope = np.gradient(edge[0]) / (x[0, 1] - x[0, 0])
    drop = (y - edge) / np.sqrt(1.0 + slope**2)
    fallen = y - top + 0.05 * wander(x * 1.5, y * 2.5 + 3 * top)
    # Towards its foot a peak loses its edge, then itself, in the mist.
    soft = 0.0010 + 0.045 * smoothstep(fallen, 0.10, 0.26)
    inside = smoothstep(drop, -soft, soft)
    body = smoothstep(fallen, 0.27, 0.0) ** 1.2
    pooled = 0.75 + 0.45 * wander(x * 4 + top, y * 3) + 0.9 * np.exp(-np.maximum(drop, 0) / 0.007)
    veil = (inside * (0.55 + 0.4 * smoothstep(fallen, 0.0, 0.2)))[..., None]
    light = light + (silk * 1.02 - light) * veil
    amount = inside * body * np.clip(pooled, 0.25, 2.2) * (1.45 - 1.05 * far)
    return np.asarray(light * INKS(np.full_like(x, 0.22 + 0.3 * far)) ** amount[..., None])


def _texture(canvas: Canvas, peak: Peak, wander: Noise, rng: Rng) -> None:
    """Dry strokes down the sides of a peak, and dots of trees on its ledges."""
    middle, top, half, far = peak
    count = int(2400 * half / 0.1 * (1.05 - far))
    x = (middle + half * 1.5 * rng.normal(0.0, 0.55, count)).astype(np.float32)
    edge = outline(peak, x, wander)
    drop = 0.22 * rng.random(count) ** 1.2 + 0.004
    y = (edge + drop).astype(np.float32)
    folds = wander(x * 6, y * 1.5)
    keep = folds + rng.normal(0.0, 0.25, count) > 4.0 * (y - top) - 0.55
    keep &= y - top < 0.20
    x, y, drop = x[keep], y[keep], drop[keep]
    count = len(x)
    angle = np.pi / 2 - 0.9 * np.tanh((x - middle) / half) * 0.45 + rng.normal(0.0, 0.16, count)
    length = 0.030 * rng.uniform(0.5, 1.4, count) * (1.1 - 0.5 * far)
    width = 0.0042 * rng.uniform(0.5, 1.3, count) * (1.1 - 0.4 * far)
    tone = np.clip(0.04 + 0.72 * far + 1.6 * drop + rng.normal(0.0, 0.06, count), 0.0, 0.8)
    bend = rng.normal(0.0, 9.0, count)
    canvas.paint(
        Strokes(x, y, angle, bend, length, width, INKS(tone)), Brush(rng, 1.1, 0.03), rng, 0.02
    )


def _trees(canvas: Canvas, peak: Peak, wander: Noise, rng: Rng) -> None:
    """Dots of trees along the edge of a peak and on its ledges."""
    middle, top, half, far = peak
    trees = int(420 * half / 0.1 * (1.0 - far))
    x = middle + half * rng.normal(0.0, 0.8, trees)
    y = outline(peak, x, wander) + 0.10 * rng.random(trees) ** 2 - 0.003
    x, y = x[y - top < 0.19], y[y - top < 0.19]
    trees = len(x)
    size = 0.0052 * rng.uniform(0.5, 1.3, trees) * (1.15 - 0.6 * far)
    tone = np.clip(0.02 + 0.7 * far + rng.normal(0.0, 0.05, trees), 0.0, 0.8)
    none = np.zeros(trees)
    canvas.paint(Strokes(x, y, none, none, 1.6 * size, size, INKS(tone)), dabber(rng), rng, 0.02)


def _water(canvas: Canvas, rng: Rng) -> None:
    """Flat dry strokes of water in front, and reeds."""
    count = 300
    x, depth = rng.uniform(0.0, 0.75, count), rng.random(count) ** 1.2
    y = 0.85 + 0.16 * depth
    keep = np.sin(11 * x + 60 * depth) + rng.normal(0.0, 0.6, count) > 0
    x, y, depth = x[keep], y[keep], depth[keep]
    count = len(x)
    length, width = 0.05 + 0.09 * rng.random(count), 0.0022 + 0.0035 * depth
    tone = np.clip(0.62 - 0.3 * depth + rng.normal(0.0, 0.08, count), 0.1, 0.9)
    angle = rng.normal(0.0, 0.02, count)
    strokes = Strokes(x, y, angle, rng.normal(0, 0.6, count), length, width, INKS(tone))
    canvas.paint(strokes, Brush(rng, 1.2, 0.03), rng, 0.02)


def _branch(canvas: Canvas, rng: Rng) -> None:
    """An old branch across the front in a loaded brush, then twigs, buds and flowers."""
    limbs = _grown(rng, trunk(0.80, 0.90, 0.115, 0.023, -2.66), 8)
    rows = np.array([[limb.x0, limb.y0, limb.x1, limb.y1, limb.r0] for limb in limbs])
    dx, dy = rows[:, 2] - rows[:, 0], rows[:, 3] - rows[:, 1]
    x, y = rows[:, 0] + dx / 2, rows[:, 1] + dy / 2
    length, angle = 1.35 * np.hypot(dx, dy), np.arctan2(dy, dx)
    for share, tone, light in ((2.1, 0.02, 0.02), (1.1, 0.10, 0.05)):
        colours = shifted(INKS(np.full(len(x), tone, np.float32)), rng, light)
        bend = rng.normal(0.0, 1.5, len(x))
        strokes = Strokes(
            x, y, angle, bend, length, np.maximum(share * rows[:, 4], 0.0022), colours
        )
        canvas.paint(strokes, Brush(rng, 0.8, 0.05), rng, 0.05)
    tips = rows[rows[:, 4] < 0.0075]
    for px, py in zip(*(tips[rng.random(len(tips)) < 0.9, 2:4].T), strict=True):
        _flower(canvas, px + rng.normal(0, 0.008), py + rng.normal(0, 0.008), rng)


def _grown(rng: Rng, limb: Limb, forks: int) -> list[Limb]:
    """An old plum: it goes on crookedly, and sends up straight twigs."""
    if forks == 0:
        return [limb]
    crook = rng.choice([-1, 1]) * rng.uniform(0.15, 0.5) + 0.08
    limbs = [limb, *_grown(rng, limb.grown(crook, rng.uniform(0.82, 0.98), 0.80), forks - 1)]
    if rng.random() < 0.92:
        upwards = 1.0 if np.cos(limb.angle) < 0 else -1.0
        turn = rng.uniform(0.45, 1.1) * upwards * rng.choice([1.0, 1.0, -0.6])
        limbs += _grown(rng, limb.grown(turn, rng.uniform(0.6, 0.9), 0.42), max(forks - 2, 0))
    return limbs


def _flower(canvas: Canvas, x: float, y: float, rng: Rng) -> None:
    """Five petals in wet dabs, or a bud, and the dark stamens."""
    size = rng.uniform(0.008, 0.0135)
    bud = rng.random() < 0.3
    count = 1 if bud else 5
    turn = rng.uniform(0, 6) + 2 * np.pi * np.arange(count) / 5
    px, py = x + 0.75 * size * np.cos(turn) * (not bud), y + 0.6 * size * np.sin(turn) * (not bud)
    colours = shifted(BLOSSOM[rng.choice(4, count, p=[0.35, 0.3, 0.25, 0.1])], rng, 0.03, 0.01)
    none, sizes = np.zeros(count), np.full(count, size)
    canvas.paint(
        Strokes(px, py, turn, none, 1.35 * sizes, 1.15 * sizes, colours), dabber(rng), rng, 0.04
    )
    if not bud:
        turn = rng.uniform(0, 6.3, 7)
        reach = 0.55 * size * rng.random(7)
        dots = np.full(7, 0.0020)
        gold = np.repeat(palette("3a1420")[:1], 7, axis=0)
        strokes = Strokes(
            x + reach * np.cos(turn), y + reach * np.sin(turn), turn, np.zeros(7), dots, dots, gold
        )
        canvas.paint(strokes, dabber(rng), rng, 0.02)
