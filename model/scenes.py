"""Pictures to learn features from: photographs that anyone may use, paintings, rendered scenes.

The photographs come inside the installed packages, so nothing is downloaded. Their terms, as
scikit-image's and scikit-learn's documentation state them:

- public domain: ``astronaut`` and ``hubble_deep_field`` (NASA), ``rocket`` (SpaceX);
- CC0: ``camera`` (Lav Varshney), ``chelsea`` (Stéfan van der Walt), ``coffee`` (Rachel Michetti),
  ``brick``, ``grass`` and ``gravel`` (CC0 Textures);
- no known copyright restrictions: ``coins``, ``immunohistochemistry``;
- CC BY 2.0: ``china.jpg`` (danielbuechele), ``flower.jpg`` (vultilion), both on Flickr.

A network that is to see brushwork must have met brushwork, hence the paintings of
``app/presets``, which the project renders itself, and the rendered scenes: each of these has
one property of natural pictures or paintings and nothing else.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage import data
from skimage.color import gray2rgb
from skimage.util import img_as_float32
from sklearn import datasets

from model.images import decode, fit, resize

Array = npt.NDArray[np.float32]
Field = npt.NDArray[np.float64]

SCIKIT_IMAGE = (
    "astronaut",
    "brick",
    "camera",
    "chelsea",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "rocket",
)
SCIKIT_LEARN = ("china.jpg", "flower.jpg")

#: Of ``app/presets`` those that `benchmarks/pictures.py` does not judge by: what it measures is
#: to hold for styles that nothing was learned from.
PAINTINGS = ("aurora", "facets", "glass", "ink", "marbling", "pointillism", "weave", "woodcut")
_PRESETS = Path(__file__).parents[1] / "app" / "presets"

COLOUR = 3  # dimensions of a colour picture
SIDE = 320  # of a rendered scene, in pixels
LONG_SIDE = 360  # of a painting, in pixels: about as large as those that are painted after it
SUPERSAMPLING = 2  # scenes are drawn this much larger, and averaged: Pillow draws hard edges


def pictures(seed: int, scenes_per_kind: int = 9) -> list[Array]:
    """Everything to learn from, float32 RGB in [0, 1], each of shape [height, width, 3]."""
    rng = np.random.default_rng(seed)
    kinds: tuple[Callable[[np.random.Generator], Array], ...] = (
        coloured_noise,
        dead_leaves,
        brush_strokes,
        ripples,
    )
    rendered = [kind(rng) for kind in kinds for _ in range(scenes_per_kind)]
    painted = list(paintings())
    # Twice: they are few, and they are what the features are for.
    return [*photographs(), *rendered, *painted, *painted]


def photographs() -> Iterator[Array]:
    """The photographs, from the files of the installed packages."""
    for name in SCIKIT_IMAGE:
        pixels = img_as_float32(getattr(data, name)())
        yield pixels if pixels.ndim == COLOUR else gray2rgb(pixels)
    for name in SCIKIT_LEARN:
        yield img_as_float32(datasets.load_sample_image(name))


def paintings() -> Iterator[Array]:
    """The project's own paintings, from the checkout."""
    for name in PAINTINGS:
        whole = decode((_PRESETS / f"{name}.jpg").read_bytes()).rgb
        height, width = whole.shape[:2]
        yield resize(whole, *fit(width, height, LONG_SIDE))


def coloured_noise(
    rng: np.random.Generator, side: int = SIDE, exponent: float | None = None
) -> Array:
    """Noise whose amplitude falls with frequency, as in natural pictures (Field 1987).

    Args:
        rng: the source of all randomness.
        side: height and width in pixels.
        exponent: amplitude is frequency to the power of minus this; None draws it from [0.7, 1.8].
    """
    fall = rng.uniform(0.7, 1.8) if exponent is None else exponent
    channels = np.stack([_fractal(rng, side, fall) for _ in range(3)], axis=-1)
    # Lightness varies more than colour does: a shared part, and a mixed one.
    mixed = channels @ rng.normal(0.0, 0.5, (3, 3)) + channels[..., :1]
    mixed *= 0.2 / mixed.std()
    return np.clip(rng.uniform(0.3, 0.7, 3) + mixed, 0.0, 1.0).astype(np.float32)


def dead_leaves(rng: np.random.Generator) -> Array:
    """Opaque leaves fallen on each other (Lee, Mumford & Huang 2001): edges and occlusion.

    Radii follow the cubic law that makes the scene look the same at every scale.
    """
    canvas, draw = _drawing(rng.uniform(0.0, 1.0, (1, 1, 3)))
    smallest, largest = 4.0 * SUPERSAMPLING, 90.0 * SUPERSAMPLING
    leaves = 3000
    quantiles = rng.uniform(0.0, 1.0, leaves)
    radii = (smallest**-2 + quantiles * (largest**-2 - smallest**-2)) ** -0.5
    centres = rng.uniform(0.0, canvas.width, (leaves, 2))
    corners = int(rng.choice([3, 4, 6, 24]))
    elongation = rng.uniform(1.0, 3.0)
    for centre, radius, colour in zip(centres, radii, _palette(rng, leaves), strict=True):
        outline = centre + radius * _leaf(rng, corners, elongation)
        draw.polygon(outline.ravel().tolist(), fill=_ink(colour))
    return _finished(canvas)


def brush_strokes(rng: np.random.Generator) -> Array:
    """Strokes of several bristles along a smooth flow, coarse to fine, coloured by a soft scene."""
    scene = coloured_noise(rng, SIDE * SUPERSAMPLING, exponent=1.8)
    canvas, draw = _drawing(scene)
    angles = rng.uniform(1.5, 4.5) * _fractal(rng, canvas.width, 2.4) + rng.uniform(0.0, 2 * np.pi)
    jitter = rng.uniform(0.03, 0.12)
    for width, strokes in ((20, 500), (10, 900), (5, 900)):
        starts = rng.uniform(0.0, canvas.width - 1.0, (strokes, 2))
        colours = _at(scene, starts) + rng.normal(0.0, jitter, (strokes, 3))
        bristles = np.linspace(-0.5, 0.5, 5) * width * SUPERSAMPLING
        paths = _traced(angles, starts, bristles, length=4 * width * SUPERSAMPLING)
        for stroke, colour in zip(paths, colours, strict=True):
            for bristle in stroke:
                ink = _ink(colour + rng.normal(0.0, jitter / 2))
                thickness = int(rng.uniform(0.2, 0.5) * width * SUPERSAMPLING)
                draw.line(bristle.ravel().tolist(), fill=ink, width=thickness)
    return _finished(canvas)


def ripples(rng: np.random.Generator) -> Array:
    """Bent stripes in a run of colours: every orientation, curvature and wavelength."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    angle = rng.uniform(0.0, np.pi)
    phase = (np.cos(angle) * x + np.sin(angle) * y) * np.exp(rng.uniform(1.0, 3.5))
    phase += rng.uniform(0.3, 1.5) * _fractal(rng, SIDE, 2.6)
    colours = _palette(rng, 8)
    stops = (phase - np.floor(phase)) * len(colours)
    # Wrapped, so that the run of colours has no seam.
    channels = [
        ndimage.map_coordinates(channel, [stops], order=1, mode="grid-wrap")
        for channel in colours.T
    ]
    return np.stack(channels, axis=-1).astype(np.float32)


def _fractal(rng: np.random.Generator, side: int, exponent: float) -> Field:
    """One channel of noise with zero mean and unit deviation, [side, side]."""
    frequencies = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    frequencies[0, 0] = np.inf  # no mean
    spectrum = np.fft.rfft2(rng.normal(size=(side, side))) * frequencies**-exponent
    noise = np.fft.irfft2(spectrum, s=(side, side))
    return np.asarray(noise / noise.std())


def _palette(rng: np.random.Generator, colours: int) -> Field:
    """Colours around the grey axis, RGB in [0, 1], shape [colours, 3]."""
    lightness = rng.uniform(0.0, 1.0, (colours, 1))
    chroma = rng.normal(0.0, rng.uniform(0.05, 0.3), (colours, 3))
    return np.clip(lightness + chroma, 0.0, 1.0)


def _leaf(rng: np.random.Generator, corners: int, elongation: float) -> Field:
    """The outline of a leaf of about unit radius around the origin, turned at random."""
    turns = 2 * np.pi * np.arange(corners) / corners
    outline = np.stack([elongation**0.5 * np.cos(turns), elongation**-0.5 * np.sin(turns)], -1)
    angle = rng.uniform(0.0, 2 * np.pi)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(outline @ rotation)


def _traced(angles: Field, starts: Field, bristles: Field, length: float, steps: int = 8) -> Field:
    """Paths of bristles along the flow, [strokes, bristles, steps, 2] in (x, y).

    Args:
        angles: of the flow, in radians, [side, side].
        starts: of the strokes, [strokes, 2].
        bristles: their offsets from the start, across the flow, in pixels.
        length: of a path, in pixels.
        steps: points on a path.
    """
    across = _at(angles, starts)[:, None] + np.pi / 2
    offsets = np.stack([np.cos(across), np.sin(across)], axis=-1) * bristles[:, None]
    path = [starts[:, None, :] + offsets]
    for _ in range(steps - 1):
        along = _at(angles, path[-1])
        path.append(path[-1] + np.stack([np.cos(along), np.sin(along)], axis=-1) * length / steps)
    return np.stack(path, axis=2)


def _at(field: Field | Array, points: Field) -> Field:
    """The field at the pixels nearest to points (x, y), those outside clamped to the border."""
    pixels = np.clip(points.astype(int), 0, len(field) - 1)
    return np.asarray(field[pixels[..., 1], pixels[..., 0]], np.float64)


def _drawing(ground: Field | Array) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A canvas SUPERSAMPLING times too large, painted with the ground (broadcast to its shape)."""
    side = SIDE * SUPERSAMPLING
    pixels = np.broadcast_to(ground * 255, (side, side, 3)).astype(np.uint8)
    canvas = Image.fromarray(pixels)
    return canvas, ImageDraw.Draw(canvas)


def _ink(colour: Field) -> tuple[int, int, int]:
    red, green, blue = np.clip(colour * 255, 0, 255).astype(int).tolist()
    return red, green, blue


def _finished(canvas: Image.Image) -> Array:
    return np.asarray(canvas.reduce(SUPERSAMPLING), np.float32) / np.float32(255)
