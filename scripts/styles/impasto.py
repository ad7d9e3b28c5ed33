"""An evening over rows of lavender, in oil put on thickly with short strokes."""

import numpy as np

from scripts.styles.brush import Brush, Canvas
from scripts.styles.colour import Ramp, over, palette
from scripts.styles.cover import Pass, cover
from scripts.styles.plane import Colour, Field, Noise, Rng, grid, smoothstep

ASPECT = 4 / 3
HORIZON = 0.37
SUN = (0.63, 0.275)
SKY = Ramp("fff3b8 ffd25e ff9d3c f0694a b8508a 5b4a9c 2f3f8a", (0, 0.1, 0.26, 0.42, 0.6, 0.8, 1))
FAR = Ramp("c87a9a 8a66a8 4f5597")
FIELD = Ramp("1e1650 432a8c 7447c0 a274dc dba6e8", (0, 0.3, 0.58, 0.82, 1))
EARTH = Ramp("4a3a2a 9a6a2c e0a83e f6d977")
TREES = Ramp("10241f 1d4032 3f6a34 a3a03c", (0, 0.4, 0.75, 1))

#: x of the trunk, y of the foot, height, half width.
CYPRESSES = (
    (0.115, 0.475, 0.37, 0.034),
    (0.185, 0.445, 0.25, 0.024),
    (0.050, 0.430, 0.20, 0.022),
    (0.865, 0.420, 0.155, 0.016),
    (0.905, 0.425, 0.19, 0.018),
    (0.945, 0.415, 0.125, 0.014),
)


def paint(side: int, rng: Rng) -> Colour:
    """An evening 4:3, sRGB in [0, 1]."""
    x, y = grid(side, ASPECT)
    wander = Noise(rng, 3.0, 4)
    scene, angles = evening(x, y, wander)
    canvas = Canvas(scene * palette("c07a50")[0])
    brush = Brush(rng, dryness=0.5, streaks=0.05)
    near = 0.25 + 0.75 * np.exp(-(((y - HORIZON) / 0.07) ** 2))
    for step in (
        Pass(0.030, 2.8, 0.80, light=0.03, chroma=0.012),
        Pass(0.022, 3.2, 1.0, light=0.045, chroma=0.02, body=0.15),
        Pass(0.015, 3.6, 1.6, light=0.055, chroma=0.022, body=0.2),
        Pass(0.010, 3.6, 2.0, light=0.06, chroma=0.022, body=0.26, where=near),
    ):
        cover(canvas, scene, angles, step, brush=brush, rng=rng)
    return canvas.lit(relief=0.85, gloss=0.25)


def evening(x: Field, y: Field, wander: Noise) -> tuple[Colour, Field]:
    """The colours, and the angle of the strokes."""
    picture, angles = sky(x, y, wander)
    for layer in (mountains, field, cypresses):
        colours, flow, where = layer(x, y, wander)
        picture = over(picture, colours, where)
        angles = np.where(where > 0.5, flow, angles)
    return picture, angles.astype(np.float32)


def sky(x: Field, y: Field, wander: Noise) -> tuple[Colour, Field]:
    """A low sun in rings, and clouds that catch its light from below."""
    dx, dy = x - SUN[0], 1.25 * (y - SUN[1])
    distance = np.hypot(dx, dy)
    clouds = wander(x * 0.9 + 0.2 * y, y * 3.0)
    picture = SKY(1.25 * distance + 0.10 * clouds - 0.02)
    lit = SKY(0.9 * distance - 0.12)
    picture = over(picture, lit, 0.85 * smoothstep(clouds, 0.25, 0.75))
    picture = over(picture, SKY(np.zeros_like(x) + 0.01), smoothstep(distance, 0.062, 0.05))
    rings = np.arctan2(dx, -dy)
    wind = 0.5 * wander(x * 0.6, y * 0.9 + 3.0) - 0.15
    return picture, np.where(distance < 0.26 + 0.06 * clouds, rings, wind).astype(np.float32)


def mountains(x: Field, y: Field, wander: Noise) -> tuple[Colour, Field, Field]:
    """Far mountains, bluer where they are higher."""
    top = HORIZON - 0.035 - 0.055 * (0.5 + 0.5 * np.sin(5.0 * x + 4.0)) - 0.02 * wander(x * 1.5, x)
    colours = FAR(0.25 + 9.0 * (HORIZON - y) + 0.3 * wander(x * 2, y * 2))
    flow = 0.55 * np.cos(5.0 * x + 4.0) + 0.5 * wander(x * 2, y * 2)
    return colours, flow, smoothstep(y - top, -0.001, 0.001)


def field(x: Field, y: Field, wander: Noise) -> tuple[Colour, Field, Field]:
    """Rows of lavender that run to a point on the horizon, with lit earth between them."""
    depth = np.maximum(y - HORIZON + 0.015, 0.004)
    across = (x - 0.56 + 0.03 * wander(x * 0.5, y * 0.5)) / depth
    row = 0.5 + 0.5 * np.cos(5.4 * across)
    crests = 0.5 + 0.5 * np.sin(5.4 * across + 0.9)
    rise = smoothstep(depth, 0.0, 0.16)  # far rows are too small to be seen one by one
    flowers = FIELD(
        0.10 + (0.50 * row * crests + 0.38 * row) * (0.5 + 0.5 * rise) + 0.16 * wander(x * 5, y * 5)
    )
    earth = EARTH(0.85 - 1.1 * depth + 0.3 * wander(x * 4, y * 4))
    colours = over(earth, flowers, smoothstep(row, 0.12, 0.32) * (0.35 + 0.65 * rise))
    colours = over(colours, EARTH(0.9 + 0 * x), 0.75 * smoothstep(depth, 0.05, 0.012))
    towards = np.arctan2(depth, x - 0.56)
    tufts = 0.55 * rise * np.sin(5.4 * across)
    return colours, towards + tufts, smoothstep(y - HORIZON, -0.001, 0.001)


def cypresses(x: Field, y: Field, wander: Noise) -> tuple[Colour, Field, Field]:
    """Dark flames of trees, lit on the side of the sun, with shadows on the field."""
    cover_, light, flow = np.zeros_like(x), np.zeros_like(x), np.full_like(x, 1.57)
    for trunk, foot, height, half in CYPRESSES:
        up = np.clip((foot - y) / height, 0.0, 1.0)
        sway = 0.012 * np.sin(16.0 * y + 40.0 * trunk) * up
        outline = half * np.sin(np.pi * np.clip(up, 0.02, 0.999) ** 0.62) ** 0.8
        place = (x - trunk - sway) / np.maximum(outline, 1e-4)
        tree = smoothstep(np.abs(place) + 0.25 * wander(x * 9, y * 4), 1.0, 0.9)
        tree *= (y < foot) & (y > foot - height)
        cover_ = np.maximum(cover_, tree)
        light = np.where(tree > 0, 0.3 + 0.3 * place + 0.3 * wander(x * 6, y * 3), light)
        flow = np.where(tree > 0, 1.57 - 0.5 * place + 0.5 * wander(x * 4, y * 3), flow)
    return TREES(light), flow, cover_.astype(np.float32)
