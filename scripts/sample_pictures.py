"""Makes the pictures in ``samples/``: ``.venv/bin/python scripts/sample_pictures.py``.

``pavilion.jpg`` is a photograph by danielbuechele (CC BY 2.0), from scikit-learn. ``night.jpg`` is
rendered here: strokes that follow a field of whirls over a sky, its lights and a field of wheat.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from sklearn import datasets

Field = npt.NDArray[np.float64]

SAMPLES = Path(__file__).parents[1] / "samples"
WIDTH, HEIGHT = 768, 576
SUPERSAMPLING = 2

#: Centre in units of the height, radius, and sense of rotation of each whirl.
WHIRLS = (
    (0.35, 0.30, 0.16, 1),
    (0.62, 0.42, 0.13, -1),
    (1.05, 0.22, 0.12, 1),
    (0.95, 0.55, 0.1, -1),
)

#: Centre and radius of each light in the sky.
LIGHTS = (
    (1.14, 0.16, 0.07),
    (0.15, 0.14, 0.035),
    (0.5, 0.1, 0.03),
    (0.83, 0.2, 0.04),
    (0.3, 0.5, 0.03),
)


def main() -> None:
    """Writes both pictures."""
    SAMPLES.mkdir(exist_ok=True)
    pavilion = Image.fromarray(datasets.load_sample_image("china.jpg"))
    pavilion.save(SAMPLES / "pavilion.jpg", quality=90)
    night(np.random.default_rng(3)).save(SAMPLES / "night.jpg", quality=90)


def night(rng: np.random.Generator) -> Image.Image:
    """A night of strokes, coarse to fine, 768x576."""
    scale = SUPERSAMPLING * HEIGHT
    canvas = Image.new("RGB", (SUPERSAMPLING * WIDTH, SUPERSAMPLING * HEIGHT), (22, 32, 78))
    draw = ImageDraw.Draw(canvas)
    for size, count in ((0.06, 900), (0.036, 1800), (0.024, 2600), (0.015, 4200)):
        for start in rng.random((count, 2)) * (WIDTH / HEIGHT, 1.0):
            stroke(draw, start, size, scale, rng)
    return canvas.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def stroke(
    draw: ImageDraw.ImageDraw, start: Field, size: float, scale: int, rng: np.random.Generator
) -> None:
    """One stroke of the brush, along the field, in the colour of where it starts."""
    points, point = [start], start
    for _ in range(8):
        angle = direction(point)
        point = point + 0.7 * size * np.array([np.cos(angle), np.sin(angle)])
        points.append(point)
    jitter = rng.normal(0.0, 14.0, 3) + rng.normal(0.0, 30.0)
    ink = tuple(int(c) for c in np.clip(colour(start) + jitter, 0, 255))
    xy = [tuple(float(v) for v in p * scale) for p in points]
    draw.line(xy, fill=ink, width=max(2, round(0.55 * size * scale)), joint="curve")


def direction(point: Field) -> float:
    """The angle of the field: a wind from the left, bent by whirls and around lights."""
    x, y = point
    flow = np.array([1.0, 0.25 * np.sin(5.0 * x)])
    if y > hill(x):
        return float(np.arctan2(-0.5 + 0.4 * np.sin(9.0 * x), 1.0))
    for cx, cy, radius, sense in (*WHIRLS, *((x, y, 1.3 * r, 1) for x, y, r in LIGHTS)):
        away = point - (cx, cy)
        pull = 3.0 * np.exp(-(away @ away) / radius**2)
        flow = flow + sense * pull * np.array([-away[1], away[0]]) / (np.hypot(*away) + 0.02)
    return float(np.arctan2(flow[1], flow[0]))


def colour(point: Field) -> Field:
    """What is painted at a point, RGB in [0, 255]."""
    x, y = point
    if y > hill(x):
        furrow = max(0.0, np.sin(30.0 * x + 20.0 * y)) ** 2
        return np.asarray([44.0, 62.0, 40.0] + furrow * np.array([180.0, 120.0, 14.0]))
    sky = (1 - y) * np.array([24.0, 50.0, 140.0]) + y * np.array([130.0, 185.0, 205.0])
    sky = sky + 34.0 * np.sin(16.0 * y + 6.0 * np.sin(3.0 * x)) * np.array([0.7, 1.0, 1.0])
    for cx, cy, radius in LIGHTS:
        glow = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (1.6 * radius) ** 2)
        sky = (1 - glow) * sky + glow * np.array([250.0, 220.0, 110.0])
    return np.asarray(sky)


def hill(x: float) -> float:
    """The height of the horizon, downwards."""
    return float(0.8 - 0.09 * np.sin(2.2 * x + 0.6) - 0.03 * np.sin(7.0 * x))


if __name__ == "__main__":
    main()
