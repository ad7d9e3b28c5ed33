"""A bristle brush that lays down colour and body."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from scripts.styles.colour import from_oklab, to_oklab
from scripts.styles.light import lit
from scripts.styles.plane import Colour, Field, Rng

LONG, ACROSS = 96, 32  # samples of a print along and across the stroke
PRINTS = 16  # different prints of a brush: no two neighbours should look alike


@dataclass(frozen=True)
class Strokes:
    """Strokes to be made, one after another; every array has one row for each.

    Args:
        x: of the middle, in units of the long side.
        y: likewise.
        angle: of the stroke in its middle, in radians.
        bend: curvature, radians per unit of length.
        length: in units of the long side.
        width: likewise.
        colours: sRGB in [0, 1], [strokes, 3].
    """

    x: Field
    y: Field
    angle: Field
    bend: Field
    length: Field
    width: Field
    colours: Colour


class Brush:
    """The prints of a brush: how opaque, how high and how light its stroke is at each bristle.

    Args:
        rng: the source of chance.
        dryness: how soon bristles run out of paint, 0 (never) to 1.
        streaks: deviation of the bristles' lightness, in Oklab.
    """

    def __init__(self, rng: Rng, dryness: float = 0.4, streaks: float = 0.05) -> None:
        self.opacity, self.body, self.tint = (
            np.stack(prints)
            for prints in zip(*(_print(rng, dryness, streaks) for _ in range(PRINTS)), strict=True)
        )


def _print(rng: Rng, dryness: float, streaks: float) -> tuple[Field, Field, Field]:
    """One print: opacity in [0, 1], height and lightness, each [LONG, ACROSS]."""
    along = np.linspace(-1.0, 1.0, LONG)[:, None]
    across = np.linspace(-1.0, 1.0, ACROSS)[None, :]
    bristles = ndimage.gaussian_filter(rng.normal(size=(LONG, ACROSS)), (14.0, 0.8))
    bristles /= bristles.std()
    ragged = 0.16 * ndimage.gaussian_filter1d(rng.normal(size=(1, ACROSS)), 1.2, axis=1)
    reach = 1.0 - np.abs(along + ragged) + 0.25 * dryness * np.minimum(bristles, 0.0)
    edge = 1.0 - np.abs(across) ** 3
    opacity = np.clip(reach * 9.0, 0.0, 1.0) * np.clip(edge * 3.0, 0.0, 1.0)
    opacity *= np.clip(1.6 + dryness * (bristles - 1.4 * along), 0.0, 1.0)
    ridge = np.exp(-(((np.abs(across) - 0.78) / 0.16) ** 2)) + 0.8 * np.exp(
        -(((along - 0.8) / 0.12) ** 2)
    )
    body = (0.55 + 0.28 * bristles + 0.5 * ridge) * np.clip(reach * 4.0, 0.0, 1.0)
    return (
        opacity.astype(np.float32),
        body.astype(np.float32),
        (streaks * bristles).astype(np.float32),
    )


def dabber(rng: Rng) -> Brush:
    """A brush for round dots, thick in the middle."""
    brush = Brush(rng, dryness=0.0, streaks=0.015)
    along = np.linspace(-1.0, 1.0, LONG)[:, None]
    radius = np.hypot(along, np.linspace(-1.0, 1.0, ACROSS)[None, :]).astype(np.float32)
    brush.opacity = np.repeat(np.clip(4.0 * (1.0 - radius), 0.0, 1.0)[None], PRINTS, axis=0)
    brush.body = brush.body * np.sqrt(np.clip(1.0 - radius**2, 0.0, 1.0))
    return brush


class Canvas:
    """Paint on a canvas: its colour in Oklab, and how high it stands.

    Args:
        ground: what is on the canvas before, sRGB in [0, 1], [height, width, 3].
    """

    def __init__(self, ground: Colour) -> None:
        self.lab = to_oklab(ground)
        self.height: Field = np.zeros(ground.shape[:2], np.float32)
        self.side = max(ground.shape[:2])

    def paint(self, strokes: Strokes, brush: Brush, rng: Rng, body: float = 1.0) -> None:
        """Makes the strokes in their order; body is how thick the paint is."""
        labs = to_oklab(strokes.colours)
        prints = rng.integers(0, PRINTS, len(labs))
        rows = np.stack(
            [strokes.x, strokes.y, strokes.angle, strokes.bend, strokes.length, strokes.width], -1
        )
        for row, lab, chosen in zip(rows.tolist(), labs, prints.tolist(), strict=True):
            self._stroke(row, lab, chosen, brush, body)

    def _stroke(
        self, stroke: list[float], lab: Colour, chosen: int, brush: Brush, body: float
    ) -> None:
        window, across, along = self._window(stroke)
        if across.size == 0:
            return
        inside = (np.abs(along) < 1.0) & (np.abs(across) < 1.0)
        u = ((along[inside] + 1.0) * (LONG / 2)).astype(int)
        v = ((across[inside] + 1.0) * (ACROSS / 2)).astype(int)
        alpha = brush.opacity[chosen, u, v][:, None]
        paint = np.repeat(lab[None], len(u), axis=0)
        paint[:, 0] += brush.tint[chosen, u, v]
        colour, height = self.lab[window], self.height[window]
        colour[inside] += alpha * (paint - colour[inside])
        thick = body * stroke[-1] * self.side * brush.body[chosen, u, v]
        height[inside] += alpha[:, 0] * (thick - 0.65 * height[inside])

    def _window(self, stroke: list[float]) -> tuple[tuple[slice, slice], Field, Field]:
        """The part of the canvas a stroke may touch, and each pixel's place across and along it."""
        x, y, angle, bend, length, width = stroke
        half, reach = max(length * self.side / 2, 1.0), max(width * self.side / 2, 0.8)
        column, row = x * self.side, y * self.side
        bow = 0.5 * bend / self.side
        cos, sin = np.cos(angle), np.sin(angle)
        sag = abs(bow) * half * half + reach
        wide, high = half * abs(cos) + sag * abs(sin), half * abs(sin) + sag * abs(cos)
        height, span = self.height.shape
        rows = slice(max(int(row - high), 0), max(min(int(row + high) + 2, height), 0))
        columns = slice(max(int(column - wide), 0), max(min(int(column + wide) + 2, span), 0))
        dy = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + np.float32(0.5 - row)
        dx = np.arange(columns.start, columns.stop, dtype=np.float32) + np.float32(0.5 - column)
        along = cos * dx + sin * dy
        across = (cos * dy - sin * dx - bow * along**2) / reach
        return (rows, columns), across, along / half

    def lit(self, relief: float = 0.5, gloss: float = 0.15) -> Colour:
        """The painting in a light from above on the left, sRGB in [0, 1]."""
        return lit(from_oklab(self.lab), self.height, relief, gloss)
