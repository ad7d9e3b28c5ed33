"""What is painted: content pictures, style pictures, and the grid of their pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from skimage import data
from skimage.util import img_as_float32
from sklearn import datasets

from model import images
from model.container import MEDIA_TYPES

Array = npt.NDArray[np.float32]

#: Contents and styles, at most: a grid of 6 x 6.
SIDE = 6

#: Six ways to paint of `app/presets`, as different as they are there. Named, so that a style
#: added there does not change what is measured.
STYLES = ("impasto", "mosaic", "papercut", "starlight", "watercolour", "waves")

_SAMPLES = Path(__file__).parents[1] / "app" / "presets"

_SUFFIXES = {".jpg", ".tif", *(f".{name}" for name in MEDIA_TYPES)}


@dataclass(frozen=True)
class Subject:
    """A picture with a name: float32 RGB in [0, 1], shape [height, width, 3]."""

    name: str
    rgb: Array


@dataclass(frozen=True)
class Pair:
    """A content picture to be painted in the style of another picture."""

    content: Subject
    style: Subject


def contents(folder: Path | None) -> list[Subject]:
    """The content pictures: those of a folder, or six photographs that anyone may use.

    They come with scikit-image and scikit-learn: a face, an animal, a still life, a launch, a
    building and a flower.

    Raises:
        ValueError: the folder has no picture.
    """
    if folder is not None:
        return pictures_of(folder)
    photographs = {name: getattr(data, name) for name in ("astronaut", "chelsea", "coffee")}
    named = {name: take() for name, take in photographs.items()} | {"rocket": data.rocket()}
    named |= {name: datasets.load_sample_image(f"{name}.jpg") for name in ("china", "flower")}
    return [Subject(name, img_as_float32(pixels)) for name, pixels in named.items()]


def styles(folder: Path | None) -> list[Subject]:
    """The style pictures: those of a folder, or six of ours.

    Raises:
        ValueError: the folder has no picture.
    """
    if folder is not None:
        return pictures_of(folder)
    return [_subject(_SAMPLES / f"{name}.jpg") for name in STYLES]


def pictures_of(folder: Path) -> list[Subject]:
    """The first pictures of a folder by name, ``SIDE`` at most.

    Raises:
        ValueError: it has none.
    """
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise ValueError(f"there are no pictures in this folder. Received: {folder}")
    return [_subject(file) for file in files[:SIDE]]


def _subject(file: Path) -> Subject:
    return Subject(file.stem, images.decode(file.read_bytes()).rgb)


def pairs(contents: Sequence[Subject], styles: Sequence[Subject], count: int | None) -> list[Pair]:
    """The grid, or a part of it that is spread over rows and columns.

    Diagonal by diagonal: as many pairs as there are rows have every content picture once.
    """
    return list(islice(_diagonals(contents, styles), count))


def _diagonals(contents: Sequence[Subject], styles: Sequence[Subject]) -> Iterator[Pair]:
    for shift in range(len(styles)):
        for row, content in enumerate(contents):
            yield Pair(content, styles[(row + shift) % len(styles)])
