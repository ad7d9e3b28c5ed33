"""A town by the sea, drawn plainly: what the style of facets then breaks into planes."""

import numpy as np
from PIL import Image, ImageDraw

from scripts.styles.colour import Ramp, palette, rgb
from scripts.styles.plane import Colour, Rng, grid

SKY = Ramp("f6e3b4 efc27a d98a5a 9a7a8a 4f6f8f 274a6b")
SEA = Ramp("8fb8b0 3f8a94 1f5a78 143a5a")
SHORE = 0.78
SUN, DISC = (0.52, 0.17), 0.085
HILLS = palette("8a6a6f 6f7f7a a5764f")
WALLS = palette("f4e2b8 e8b56a d9824a c4523a f0cf94 b8a58a 7fa09a dcd0b4")
ROOFS = palette("8a2f2a b8452f 5a3038 3a4a5f a5552f")
WINDOW, SAIL, JIB, LIGHT = rgb("373d4d"), rgb("fbf1d8"), rgb("e07a3f"), rgb("fff4cf")
STREET = 0.05  # how far walls go on below their foot, behind the next row


class Drawing:
    """A picture under way, drawn on in units of the long side.

    Args:
        ground: what is there before, sRGB in [0, 1], [height, width, 3].
    """

    def __init__(self, ground: Colour) -> None:
        self.side = max(ground.shape)
        self.image = Image.fromarray((ground * 255).astype(np.uint8))
        self.draw = ImageDraw.Draw(self.image)

    def shape(self, colour: Colour, *corners: tuple[float, float]) -> None:
        """A polygon of one colour."""
        red, green, blue = (np.clip(colour, 0.0, 1.0) * 255).astype(int).tolist()
        places = [(x * self.side, y * self.side) for x, y in corners]
        self.draw.polygon(places, fill=(red, green, blue))

    def box(self, colour: Colour, left: float, top: float, right: float, foot: float) -> None:
        """An upright rectangle of one colour."""
        self.shape(colour, (left, top), (right, top), (right, foot), (left, foot))


def town(side: int, aspect: float, rng: Rng) -> Colour:
    """The scene: sky, sun, hills, rows of houses with a tower, and the sea with sails."""
    x, y = grid(side, aspect)
    sky = SKY(np.hypot(x - SUN[0], y - SUN[1]) / 0.62)
    sea = SEA((y - SHORE) / (1.0 - SHORE))
    drawing = Drawing(np.where((y > SHORE)[..., None], sea, sky))
    turns = np.linspace(0.0, 2 * np.pi, 40)
    disc = [(SUN[0] + DISC * np.cos(turn), SUN[1] + DISC * np.sin(turn)) for turn in turns]
    drawing.shape(LIGHT, *disc)
    peaks = ((0.14, 0.22, 0.36), (0.66, 0.27, 0.36), (0.40, 0.33, 0.40))
    for (px, py, wide), colour in zip(peaks, HILLS, strict=True):
        drawing.shape(colour, (px - wide, 0.62), (px, py), (px + wide, 0.62))
        drawing.shape(0.72 * colour, (px, py), (px + wide, 0.62), (px + 0.08, 0.62))
    _rows(drawing, rng)
    for px, py, size in ((0.16, 0.93, 0.15), (0.60, 0.97, 0.19), (0.42, 0.87, 0.09)):
        drawing.shape(SAIL, (px, py), (px, py - size), (px + 0.5 * size, py))
        mast = px - 0.01
        drawing.shape(JIB, (mast, py), (mast, py - 0.8 * size), (px - 0.3 * size, py))
    return np.asarray(drawing.image, np.float32) / np.float32(255)


def _rows(drawing: Drawing, rng: Rng) -> None:
    """Rows of houses down to the sea, and one tower among them."""
    for row in range(5):
        foot = 0.50 + 0.075 * row
        if row == 1:
            drawing.box(WALLS[0], 0.30, 0.26, 0.37, foot)
            drawing.box(0.72 * WALLS[1], 0.335, 0.26, 0.37, foot)
            drawing.shape(ROOFS[0], (0.285, 0.265), (0.335, 0.12), (0.385, 0.265))
        x = -0.05 + 0.04 * rng.random()
        while x < 0.8:
            wide = rng.uniform(0.075, 0.125)
            _house(drawing, (x, foot), (wide, rng.uniform(0.07, 0.13)), rng)
            x += wide * rng.uniform(0.8, 1.05)


def _house(drawing: Drawing, at: tuple[float, float], size: tuple[float, float], rng: Rng) -> None:
    """A gabled house, lit on its front, with two windows."""
    (x, foot), (wide, tall) = at, size
    wall, roof = WALLS[rng.integers(len(WALLS))], ROOFS[rng.integers(len(ROOFS))]
    top, edge, right = foot - tall, x + 0.55 * wide, x + wide
    ridge = top - rng.uniform(0.04, 0.07)
    drawing.box(wall, x, top, edge, foot + STREET)
    drawing.box(0.66 * wall, edge, top, right, foot + STREET)
    gable = x + 0.275 * wide
    drawing.shape(0.9 * wall, (x - 0.006, top), (gable, ridge), (edge + 0.004, top))
    drawing.shape(roof, (gable, ridge), (x + 0.75 * wide, ridge), (right, top), (edge, top))
    for place in (0.14, 0.34):
        left, low = x + place * wide, top + 0.3 * tall
        drawing.box(WINDOW, left, low, left + 0.11 * wide, low + 0.028)
