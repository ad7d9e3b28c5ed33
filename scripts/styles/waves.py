"""Breaking waves as a colour woodblock print: outlines, shaded stripes, claws of foam."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy import interpolate, ndimage

from scripts.styles.colour import Ramp, over, rgb
from scripts.styles.paper import fibres, grain
from scripts.styles.plane import Colour, Field, Noise, Rng, grid, smoothstep
from scripts.styles.shapes import reduced

ASPECT = 4 / 3
FINER = 2  # samples a pixel has along each side
INK = rgb("14233f")
SKY = Ramp("3d5a80 8fa9b5 e3d3b0 f2dcae f0b98d", (0, 0.2, 0.5, 0.75, 1))
PEAK = Ramp("f7f0dc dcd8c6 7d93a3 47617f", (0, 0.3, 0.45, 1))
STRIPES = (
    Ramp("0f2a57 1c4a86 2f6fa8"),
    Ramp("3f7fae 79b0c4 bfd9cf"),
    Ramp("16386e 2a629f 5d9bc0"),
    Ramp("9cc5c9 d9e6d3 f3efd9"),
)
FOAM, FOAM_SHADE, FOAM_LINE, SUN = rgb("fbf6e6"), rgb("c9dedb"), rgb("86b4c4"), rgb("d4472f")

#: Where stripes meet, from the back of a wave (0) to its face (1).
EDGES = (0.0, 0.05, 0.11, 0.15, 0.22, 0.27, 0.34, 0.385, 0.46, 0.51, 0.585, 0.63, 0.70, 0.75, 0.83,
         0.88, 0.94, 1.0)  # fmt: skip

Points = npt.NDArray[np.float64]

# One wave that breaks to the right, y upwards: its back and its face, both towards the tip.
BACK = np.array(
    [(-2.9, -1.7), (-1.5, -0.25), (-1.02, 0.18), (-0.66, 0.58), (-0.3, 0.88), (0.06, 1.02),
     (0.38, 0.99), (0.62, 0.83), (0.72, 0.60)]
)  # fmt: skip
FACE = np.array(
    [(2.6, -1.7), (1.1, -0.42), (0.55, -0.22), (0.2, -0.02), (0.02, 0.25), (0.03, 0.5),
     (0.18, 0.69), (0.40, 0.75), (0.58, 0.70), (0.72, 0.60)]
)  # fmt: skip


@dataclass(frozen=True)
class Wave:
    """Where a wave stands: its foot, its size, its stretch, and which way it breaks."""

    x: float
    y: float
    size: float
    wide: float = 1.0
    hand: int = 1

    def place(self, points: Points) -> Points:
        """Points of the pattern, in units of the long side."""
        return points * (self.hand * self.size * self.wide, -self.size) + (self.x, self.y)


FAR = (Wave(0.62, 0.60, 0.085, 1.2, -1), Wave(0.93, 0.61, 0.10, 1.1, -1), Wave(0.76, 0.63, 0.075))
NEAR = (
    Wave(0.88, 0.66, 0.20, 1.0, -1),
    Wave(0.31, 0.60, 0.44, 0.92),
    Wave(0.60, 0.77, 0.15, 1.3, -1),
    Wave(0.90, 0.82, 0.17, 1.35, -1),
    Wave(0.12, 0.82, 0.20, 1.3),
    Wave(0.47, 0.86, 0.14, 1.5),
)


def paint(side: int, rng: Rng) -> Colour:
    """A print 4:3, sRGB in [0, 1]."""
    x, y = grid(side * FINER, ASPECT)
    picture = _distance(x, y, Noise(rng, 3.0, 4))
    for wave in (*FAR, *NEAR):
        picture = _striped(picture, wave, side)
        picture = _foamed(picture, wave, side, rng)
    return _printed(reduced(picture, FINER), side, rng)


def _distance(x: Field, y: Field, wander: Noise) -> Colour:
    """The sky shaded from the top, a sun, bands of mist and a far mountain."""
    picture = SKY(y / 0.62 + 0.03 * wander(x * 0.5, y * 3))
    away = np.hypot(x - 0.735, y - 0.235) - 0.105
    picture = over(picture, SUN, smoothstep(away, 0.0008, -0.0008))
    ridge = 0.40 + 0.62 * np.abs(x - 0.80) ** 1.25 + 0.008 * wander(x * 7, 0 * y)
    snow = ridge + 0.055 + 0.030 * wander(x * 9, 0.6 * y)
    tone = 0.1 + 0.35 * smoothstep(y - snow, -0.0015, 0.0015) + 1.6 * np.maximum(y - snow, 0)
    picture = over(picture, PEAK(tone), smoothstep(y - ridge, -0.0008, 0.0008))
    line = smoothstep(np.abs(y - ridge), 0.0022, 0.0012)
    picture = over(picture, INK, line)
    swell = 0.57 + 0.006 * np.sin(40 * x) + 0.01 * wander(x * 3, 0 * y)
    sea = STRIPES[0](0.9 - 5.0 * (y - 0.57) + 0.35 * np.sin(220 * y + 8 * wander(x * 2, y * 4)))
    picture = over(picture, sea, smoothstep(y - swell, -0.0008, 0.0008))
    for at, tall in ((0.13, 0.018), (0.30, 0.013), (0.47, 0.02)):
        drift = y - at - 0.025 * wander(x * 0.8, 0 * y + 9 * at)
        mist = np.abs(drift) - tall * (wander(x * 1.1, 0 * y + 5 + 7 * at) + 0.1)
        picture = over(picture, SKY(0.66 + 0 * x), 0.8 * smoothstep(mist, 0.0008, -0.0008))
    return picture


def _curve(points: Points, count: int = 90) -> Points:
    """A smooth curve through points, [count, 2]."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    at = np.concatenate([[0.0], np.cumsum(steps)]) / steps.sum()
    return np.asarray(interpolate.PchipInterpolator(at, points)(np.linspace(0.0, 1.0, count)))


def _striped(picture: Colour, wave: Wave, side: int) -> Colour:
    """The body of a wave: stripes that rise from its foot into its lip, each shaded along."""
    scale = side * FINER
    back, face = wave.place(_curve(BACK)) * scale, wave.place(_curve(FACE)) * scale
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for number, (low, high) in enumerate(pairwise(EDGES)):
        inks = STRIPES[number % len(STRIPES)](np.linspace(1.0, 0.0, len(back)) ** 0.8)
        one, two = back + (face - back) * low, back + (face - back) * high
        for k in range(len(back) - 1):
            quad = np.concatenate([one[k : k + 2], two[k : k + 2][::-1]])
            draw.polygon(quad.ravel().tolist(), fill=_ink(inks[k]))
    width = max(1, round(wave.size**0.5 * 0.0042 * scale))
    for edge in EDGES:
        line = back + (face - back) * edge
        thick = width if edge in (0.0, 1.0) else max(1, width // 2)
        draw.line(line.ravel().tolist(), fill=_ink(INK), width=thick, joint="curve")
    return np.array(image, np.float32) / np.float32(255)


def _ink(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = (np.clip(colour, 0, 1) * 255).astype(int).tolist()
    return red, green, blue


def _foamed(picture: Colour, wave: Wave, side: int, rng: Rng) -> Colour:
    """Foam on the crest with claws that reach down from the lip, and spray before them."""
    scale = side * FINER
    parts = (*_crest(wave, rng), *_lip(wave, rng), *_spray(wave, rng))
    places = np.concatenate(parts) * scale
    margin = 0.01 * scale
    left, top = np.maximum(places.min(axis=0) - margin, 0).astype(int)
    right, foot = np.maximum(places.max(axis=0) + margin, 1).astype(int)
    part = (slice(top, foot), slice(left, right))
    # Only the part that the foam is in: distances over all of the picture would take long.
    picture[part] = _foam([one * scale - (left, top) for one in parts], picture[part], wave, scale)
    return picture


def _foam(shapes: list[Points], below: Colour, wave: Wave, scale: int) -> Colour:
    """Foam in these shapes over what is below."""
    mask = Image.new("L", below.shape[1::-1])
    draw = ImageDraw.Draw(mask)
    for outline in shapes:
        draw.polygon(outline.ravel().tolist(), fill=255)
    foam = np.asarray(mask) > 127
    inside = ndimage.distance_transform_edt(foam).astype(np.float32) / scale
    outside = ndimage.distance_transform_edt(~foam).astype(np.float32) / scale
    thick, half = 0.0036 * wave.size**0.5, 0.5 / scale
    outlined = over(below, INK, smoothstep(outside, thick + half, thick - half))
    fill = _modelled(shapes, inside / (thick + 1e-6), thick * scale)
    return over(outlined, fill, smoothstep(inside, 0.0, 2 * half))


def _modelled(shapes: list[Points], inside: Field, thick: float) -> Colour:
    """White foam, its lumps and fingers drawn in pale blue, echoes of its edge within."""
    drawn = Image.new("L", inside.shape[::-1])
    draw = ImageDraw.Draw(drawn)
    for outline in shapes:
        # Each is cleared before it is drawn, so that it hides what lies behind it.
        draw.polygon(outline.ravel().tolist(), fill=0)
        closed = [*outline.ravel().tolist(), *outline[0].tolist()]
        draw.line(closed, fill=255, width=max(1, round(1.1 * thick)), joint="curve")
    lines = np.asarray(drawn, np.float32) / np.float32(255)
    echo = smoothstep(np.abs(inside - 3.2), 1.2, 0.6)
    shade = np.maximum(0.8 * lines, echo)
    white = over(FOAM, FOAM_SHADE, 0.35 * smoothstep(inside, 5.0, 22.0))
    return over(white, FOAM_LINE, shade)


def _claw(at: Points, angle: float, length: float, rng: Rng, forks: int) -> list[Points]:
    """A finger of foam that curls, and smaller fingers on its outer side."""
    s = np.linspace(0.0, 1.0, 14)
    turns = angle - 2.1 * s**1.5
    steps = np.stack([np.cos(turns), np.sin(turns)], -1) * length / len(s)
    spine = at + np.cumsum(steps, axis=0)
    across = np.stack([-np.sin(turns), np.cos(turns)], -1)
    half = (0.24 * length * (1.0 - s) ** 0.75 * (0.8 + 0.5 * np.sin(np.pi * s)))[:, None]
    fingers = [np.concatenate([spine + across * half, (spine - across * half)[::-1]])]
    if forks:
        for k in (2, 5, 8):
            turn = turns[k] + rng.uniform(0.5, 1.0)
            fingers += _claw(spine[k], turn, length * rng.uniform(0.42, 0.6), rng, forks - 1)
    return fingers


def _crest(wave: Wave, rng: Rng) -> list[Points]:
    """Lumps of foam along the back of the crest, larger towards the tip."""
    back, face = _curve(BACK), _curve(FACE)
    turn = np.linspace(0, 2 * np.pi, 18)
    circle = np.stack([np.cos(turn), np.sin(turn)], -1)
    lumps = []
    for row in (1.3, 0.8, 0.25):
        for s in np.linspace(0.59, 0.985, 28):
            k = int(s * (len(back) - 1))
            grown = np.clip((s - 0.59) / 0.33, 0.0, 1.0)
            size = (0.022 + 0.050 * grown) * rng.uniform(0.7, 1.3)
            centre = back[k] + 0.10 * (face[k] - back[k]) * (row + rng.normal(0.0, 0.15))
            lumps.append(wave.place(centre + size * circle * (1.15, 1.0)))
    return lumps


def _lip(wave: Wave, rng: Rng) -> list[Points]:
    """Claws along the lip, that grow towards the tip."""
    back, face = _curve(BACK), _curve(FACE)
    claws: list[Points] = []
    for s in np.linspace(0.65, 1.0, 13):
        k = int(s * (len(back) - 1))
        root = back[k] + (face[k] - back[k]) * 0.16
        heading = np.interp(s, [0.65, 0.87, 1.0], [0.15, -0.5, -1.0])
        length = np.interp(s, [0.65, 1.0], [0.16, 0.30]) * rng.uniform(0.8, 1.15)
        claws += _claw(root, heading, length, rng, 2)
    return [wave.place(claw) for claw in claws]


def _spray(wave: Wave, rng: Rng) -> list[Points]:
    """Drops before the crest and over it, small ones many."""
    turn = np.linspace(0, 2 * np.pi, 12)
    circle = np.stack([np.cos(turn), np.sin(turn)], -1)
    count = int(150 * wave.size + 12)
    places = np.array([0.55, 0.92]) + rng.normal(0.0, 1.0, (count, 2)) * (0.42, 0.22)
    sizes = 0.005 + 0.022 * rng.random(count) ** 4
    return [wave.place(p + s * circle) for p, s in zip(places, sizes, strict=True)]


def _printed(picture: Colour, side: int, rng: Rng) -> Colour:
    """Ink on soft paper: fibres, the pressure of the rubbing, and grain of the block."""
    shape = picture.shape[:2]
    unit = side / 1024
    rough = grain(shape, rng, max(0.7, 0.9 * unit))
    wood = ndimage.gaussian_filter(rng.normal(size=shape), (0.9 * unit, 45 * unit))
    tone = 1.0 + 0.012 * rough + 0.018 * wood / wood.std() + 0.01 * fibres(shape, rng, 6 * unit)
    warm = over(picture, rgb("efdfb8"), np.full(shape, 0.07))
    return np.asarray(np.clip(warm * tone[..., None], 0.0, 1.0), np.float32)
