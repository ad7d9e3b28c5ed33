"""The style pictures that come with Atelier: their names, what they show, and their files.

The project renders them itself (``python -m scripts.styles``), so they are under its licence, as
its code is, and show no one else's work.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PIL import Image

_FOLDER = Path(__file__).parent

#: Long side of a thumbnail in pixels: sharp at half that width on a screen of two dots a pixel.
_THUMBNAIL_SIDE = 320


@dataclass(frozen=True)
class Preset:
    """A style picture, 1024 pixels on its long side.

    Attributes:
        name: what it is asked for by.
        description: what it shows, and how.
    """

    name: str
    description: str

    @cached_property
    def picture(self) -> bytes:
        """The file, a JPEG."""
        return (_FOLDER / f"{self.name}.jpg").read_bytes()

    @cached_property
    def thumbnail(self) -> bytes:
        """The picture in small, a JPEG."""
        with Image.open(io.BytesIO(self.picture)) as image:
            image.draft("RGB", (_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
            image.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
            file = io.BytesIO()
            image.save(file, "JPEG", quality=80, optimize=True)
        return file.getvalue()

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        with Image.open(io.BytesIO(self.picture)) as image:
            return image.size


_WORDS = {
    "aurora": "Northern lights over a lake, in gouache: upright strokes for the light, flat ones "
    "for the water.",
    "facets": "A town by the sea broken into angular planes, each with its own light and view.",
    "glass": "A tree in autumn, as a window of coloured glass in lead.",
    "impasto": "An evening over rows of lavender, in oil put on thickly with short strokes.",
    "ink": "Peaks in mist and a branch in blossom: washes and dry strokes of ink on silk.",
    "marbling": "Ebru: drops of ink on water, combed and whirled.",
    "mosaic": "A sun in flames over hills and a sea in scallops, in small stones.",
    "papercut": "Contours of a landscape as sheets of coloured paper that shade each other.",
    "pointillism": "A river in summer, in dots of pure colour that mix in the eye.",
    "starlight": "Night over a lake in thick paint: the wind in whirls, the lights in rings.",
    "watercolour": "Hills in morning mist: washes that pool at their edges and bleed while wet.",
    "waves": "Breaking waves as a colour woodblock print: outlines, shaded stripes, claws of foam.",
    "weave": "A cloth of dyed threads, an ikat of nested diamonds.",
    "woodcut": "Moonrise over a lake: a black key block over coloured ones.",
}

#: All that there are, by name.
PRESETS: Mapping[str, Preset] = {name: Preset(name, words) for name, words in _WORDS.items()}
