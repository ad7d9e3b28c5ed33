"""Painting a whole scene with strokes that follow a flow, pass after pass."""

from dataclasses import dataclass

import numpy as np

from scripts.styles.brush import Brush, Canvas, Strokes
from scripts.styles.colour import shifted
from scripts.styles.plane import Colour, Field, Rng, jittered, sample

PROBE = 0.006  # how far to look for the turn of a flow, in units of the long side
TURN = 1.7  # radians that a stroke may turn: it is a parabola, which is no circle


def along_flow(angles: Field, x: Field, y: Field, length: Field) -> tuple[Field, Field, Field]:
    """Angle, bend and length of strokes that follow a flow.

    Args:
        angles: of the flow, in radians, [height, width].
        x: of the middles of the strokes.
        y: likewise.
        length: of the strokes where the flow is straight; they are shorter where it turns.
    """
    middle = sample(angles, x, y)
    probe = np.float32(PROBE)
    dx, dy = np.cos(middle) * probe, np.sin(middle) * probe
    turn = sample(angles, x + dx, y + dy) - sample(angles, x - dx, y - dy)
    turn = (turn + np.pi / 2) % np.pi - np.pi / 2  # strokes have no heads
    bend = turn / (2 * probe)
    return middle, bend, np.minimum(length, TURN / (np.abs(bend) + 1e-3))


@dataclass(frozen=True)
class Pass:
    """One pass of a brush over the whole picture.

    Args:
        width: of a stroke, in units of the long side.
        length: of a stroke, in widths.
        spacing: between strokes, in widths.
        light: deviation of the lightness of the colours, in Oklab.
        chroma: likewise of both other channels.
        body: how thick the paint is.
        where: how likely a stroke is at each pixel, [height, width]; None is everywhere.
    """

    width: float
    length: float = 5.0
    spacing: float = 1.2
    light: float = 0.03
    chroma: float = 0.012
    body: float = 0.12
    where: Field | None = None


def cover(
    canvas: Canvas, scene: Colour, angles: Field, step: Pass, *, brush: Brush, rng: Rng
) -> None:
    """Paints a scene once over with strokes along a flow.

    Args:
        canvas: to paint on, of the scene's size.
        scene: the colours to take, sRGB in [0, 1], [height, width, 3].
        angles: of the flow, in radians, [height, width].
        step: how to paint.
        brush: with which to paint.
        rng: the source of chance.
    """
    height, width = angles.shape
    x, y = jittered(rng, max(height, width), width / height, step.spacing * step.width)
    if step.where is not None:
        chosen = rng.random(len(x)) < sample(step.where, x, y)
        x, y = x[chosen], y[chosen]
    size = (step.width * np.exp(rng.normal(0.0, 0.2, len(x)))).astype(np.float32)
    length = (step.length * size * rng.uniform(0.7, 1.3, len(x))).astype(np.float32)
    angle, bend, length = along_flow(angles, x, y, length)
    angle = angle + rng.normal(0.0, 0.06, len(x)).astype(np.float32)
    colours = shifted(sample(scene, x, y), rng, step.light, step.chroma)
    canvas.paint(Strokes(x, y, angle, bend, length, size, colours), brush, rng, step.body)
