"""What a picture file says about itself, read from its bytes without decoding a pixel.

A JPEG, PNG, WebP or TIFF is a container: pieces with names and lengths around the coded pixels.
Walking over the pieces tells the size, the frames and the orientation, and whether the file is
whole, in time that depends on the number of pieces and never on the number of pixels. A file
that was cut off, by far the most frequent damage, always misses a piece, or the end of one;
decoding would find that too, but only after filling the memory with 50 megapixels.

The walk also collects the pieces that make up the picture. Pillow gets to see only these
(`Container.bare`), since most holes of image libraries, and most harmless failures too, have
been in the handling of metadata: text, EXIF, XMP, previews, further frames.

`model.jpeg`, `model.png`, `model.webp` and `model.tiff` hold the four walks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from model.errors import UnsupportedPictureError

PictureFormat = Literal["jpeg", "png", "webp", "tiff"]

MEDIA_TYPES: Final[dict[str, str]] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "tiff": "image/tiff",
}

# More pieces than these no camera or program writes, and a walk over millions would take seconds.
# A PNG of 40 MiB in pieces of 4 KiB has 10,240.
_MAX_PIECES = 16_384


@dataclass(slots=True)
class Container:
    """What the walk over a file has found, as far as the file goes.

    Attributes:
        format: kind of file.
        width: as stored, before orientation, in pixels; 0 when the file ends before saying it.
        height: likewise.
        frames: number of frames or pages, not counted beyond 2.
        orientation: EXIF orientation, 1 to 8.
        whole: False when the file ends before its container does.
        bare: the same picture as a file without metadata; of use only when `whole`.
    """

    format: PictureFormat
    width: int = 0
    height: int = 0
    frames: int = 1
    orientation: int = 1
    whole: bool = False
    bare: bytes = b""


def pieces(name: str) -> Iterator[int]:
    """Count the pieces of a walk, and end it when there are more than any program writes."""
    yield from range(_MAX_PIECES)
    raise unsupported(f"a {name} in more than {_MAX_PIECES} pieces")


def unsupported(received: str) -> UnsupportedPictureError:
    """Return the error for a kind of file that is not taken, with the kinds that are."""
    return UnsupportedPictureError(
        f"Pictures are taken as JPEG, PNG, WebP or TIFF. Received: {received}."
    )
