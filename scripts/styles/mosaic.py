"""A floor of small stones: a sun in flames over hills and a sea in scallops."""

import numpy as np
import numpy.typing as npt

from scripts.styles.colour import Ramp, over, rgb, shifted
from scripts.styles.light import lit
from scripts.styles.plane import Colour, Field, Noise, Rng, grid, smoothstep
from scripts.styles.tesserae import Stones, joints, mean_colour, settle

ASPECT = 4 / 3
SPACING = 0.0108
JOINT = 0.0010  # half the width of the joints
SUN, DISC, FLAMES = (0.60, 0.265), 0.098, 0.135
MORTAR = rgb("4a423c")
FIRE = Ramp("fffbe0 ffe27a ffb733 f4822a dc4a2a b02a34")
SKY = Ramp("fff0bc fbd488 f6b98a b9d6c4 5fb4be 2a7fae 1c4488", (0, 0.1, 0.2, 0.33, 0.5, 0.75, 1))
HILLS = (Ramp("e9c46a c98a3a 8a4f2f"), Ramp("cfd06a 7f9a3a 3c5f33"), Ramp("7fb27a 2f7a5f 16444a"))
SEA = Ramp("fffdf2 e6f3e4 7cd0c8 2b9bb8 19609b 143a75 0f2454", (0, 0.1, 0.2, 0.38, 0.58, 0.8, 1))

#: The design so far: colours, angle of the rows of stones, and a number for each shape.
Design = tuple[Colour, Field, Field]


def paint(side: int, rng: Rng) -> Colour:
    """A floor 4:3, sRGB in [0, 1]."""
    x, y = grid(side, ASPECT)
    scene, flow, shape = design(x, y, Noise(rng, 3.0, 3))
    stones = settle(flow, _edges(shape), SPACING, rng)
    colours = mean_colour(scene, stones.owner, len(stones.x))
    colours = shifted(colours, rng, 0.035, 0.014)[stones.owner]
    return _laid(colours, stones, side, rng)


def _edges(shape: Field) -> Field:
    down, right = np.gradient(shape)
    return np.asarray(np.abs(down) + np.abs(right), np.float32)


def _laid(colours: Colour, stones: Stones, side: int, rng: Rng) -> Colour:
    """Stones in mortar, each a little domed and tilted on its own, in a low light."""
    inside = joints(stones.owner) / side
    dome = smoothstep(inside, JOINT * 0.6, JOINT * 2.6)
    tilt = rng.normal(0.0, 0.20, (2, len(stones.x))).astype(np.float32)[:, stones.owner]
    height = dome * (1.5 + tilt[0] * stones.across + tilt[1] * stones.along) * side / 1024
    grain = Noise(rng, 40.0, 2)(*grid(side, ASPECT))[..., None]
    mortar = MORTAR * (1.0 + 0.15 * grain)
    stone = smoothstep(inside, JOINT * 0.45, JOINT * 1.0)
    picture = over(mortar, colours * (1.0 + 0.03 * grain), stone)
    return lit(np.clip(picture, 0.0, 1.0), height, relief=0.7, gloss=0.3)


def design(x: Field, y: Field, wander: Noise) -> Design:
    """Sky, sun, three hills, and the sea before them."""
    made = _sky(x, y, wander)
    made = _sun(made, x, y)
    for number, ramp in enumerate(HILLS):
        phase, top = 2.0 + 2.4 * number, 0.44 + 0.035 * number
        crest = top - 0.05 * np.sin((4.2 + number) * x + phase) - 0.02 * np.sin(11 * x + phase)
        slope = -0.05 * (4.2 + number) * np.cos((4.2 + number) * x + phase)
        below = y - crest
        rows = np.floor(below / 0.0216)
        colours = ramp(0.12 + 5.0 * below + 0.16 * (rows % 2) + 0.15 * wander(x, y))
        made = _part(made, below > 0, (colours, np.arctan(slope), 100 + 20 * number + rows))
    return _sea(made, x, y, wander)


def _sky(x: Field, y: Field, wander: Noise) -> Design:
    """Arcs round the sun, every second one lighter, that drift into wind."""
    dx, dy = x - SUN[0], y - SUN[1]
    radius, turn = np.hypot(dx, dy), np.arctan2(dy, dx)
    arcs = radius + 0.022 * wander(x, y) + 0.010 * np.sin(6.0 * turn)
    band = np.floor(arcs / 0.0324)
    colours = SKY(1.35 * (arcs - 0.12) + 0.13 * (band % 2) - 0.05)
    return colours, turn + np.pi / 2 - 0.35 * np.cos(6.0 * turn) * 0.2 / (radius + 0.1), band


def _sun(below: Design, x: Field, y: Field) -> Design:
    """A disc with flames that lean, long and short in turn."""
    dx, dy = x - SUN[0], y - SUN[1]
    radius = np.hypot(dx, dy)
    turn = np.arctan2(dy, dx) + 0.35 * np.sin(16.0 * (radius - DISC))
    for count, reach, phase, tone in ((12, FLAMES, np.pi, 0.72), (12, 0.100, 0.0, 0.45)):
        away = (radius - DISC) / reach
        wave = 0.5 + 0.5 * np.cos(count * turn + phase)
        flame = (away > 0) & (wave > 0.04 + 0.8 * away)
        below = _part(below, flame, (FIRE(tone + 0.2 * away), turn, np.full_like(x, 40 + tone)))
    ring = np.floor(radius / DISC * 4.5)
    disc = radius < DISC
    return _part(below, disc, (FIRE(0.16 * ring / 1.6), np.arctan2(dx, -dy), 60 + ring))


def _sea(below: Design, x: Field, y: Field, wander: Noise) -> Design:
    """Rows of scallops, each of which is foam at its rim and deep within."""
    for row in range(6):
        size = 0.105 + 0.018 * row
        middle = 0.585 + 0.040 * row * (1.0 + 0.05 * row)
        place = x / size + 0.5 * row + 0.12 * wander(x * 0.5, y * 0 + row)
        local = (place - np.floor(place) - 0.5) * size
        drop = y - middle - 0.02 * np.sin(4.0 * x + 1.3 * row)
        radius = np.hypot(local, 1.25 * np.minimum(drop, 0.0) + 0.0)
        inward = np.where(drop < 0, 0.56 * size - radius, 0.56 * size - np.abs(local) + 0.2 * drop)
        shell = (inward > 0) | (drop > 0)
        ring = np.floor(inward / 0.0125)
        colours = SEA(0.04 + 11.0 * inward + 0.05 * row - 0.05 * (ring % 2) * (ring > 1))
        angle = np.where(drop < 0, np.arctan2(local, -1.25 * drop), np.pi / 2)
        mark = 200 + 30 * row + ring + 10 * (np.floor(place) % 2)
        below = _part(below, shell, (colours, angle, mark))
    return below


def _part(below: Design, where: npt.NDArray[np.bool_], part: Design) -> Design:
    """A part of the design laid over what is below it."""
    return (
        np.where(where[..., None], part[0], below[0]).astype(np.float32),
        np.where(where, part[1], below[1]).astype(np.float32),
        np.where(where, part[2], below[2]).astype(np.float32),
    )
