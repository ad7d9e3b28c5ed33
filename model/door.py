"""The door: what a stranger's file must be before anyone decodes it."""

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageFile, PngImagePlugin, UnidentifiedImageError

from model.container import Container, PictureFormat, unsupported
from model.errors import (
    BrokenPictureError,
    InputError,
    PictureSizeError,
    UnsupportedPictureError,
)
from model.jpeg import read_jpeg
from model.png import read_png
from model.tiff import read_tiff
from model.webp import read_webp

# Global and once, since none of these is safe to change while another thread decodes. Pillow warns
# of oddities in files that nobody here can mend, and logs some as errors, which are a stranger's
# and not ours; a bomb, though, is to be an error.
Image.init()
ImageFile.LOAD_TRUNCATED_IMAGES = False
# Of all that is packed in a PNG beside its pixels only the colour profile gets here, and those of
# printers and scanners are larger than the megabyte that Pillow lets through.
PngImagePlugin.MAX_TEXT_CHUNK = 2**24
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

# "I;16" is 16-bit grey. Not among these: 32-bit integers and floats, whose range nobody knows.
MODES = frozenset(
    {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I;16B"}
)


@dataclass(frozen=True)
class PictureLimits:
    """What is taken at the door.

    Attributes:
        max_bytes: size of the file.
        max_pixels: width times height. Above Pillow's own limit, 89 million, it has no effect.
        min_side: short side in pixels; VGG-19 halves a picture four times.
        max_aspect: long side by short side.
    """

    max_bytes: int = 40 * 2**20
    max_pixels: int = 50_000_000
    min_side: int = 16
    max_aspect: float = 8.0

    def check_bytes(self, size: int, *, field: str | None = None) -> None:
        """Make sure that a file is not too large, which can be asked before it is read.

        Raises:
            PictureSizeError: it is.
        """
        if size > self.max_bytes:
            raise PictureSizeError(
                f"A picture may have up to {self.max_bytes:,} bytes. Received: {size:,} bytes.",
                field=field,
            )


@dataclass(frozen=True)
class PictureInfo:
    """What the door learned without decoding.

    Attributes:
        format: kind of file.
        width: as displayed, that is after EXIF orientation, in pixels.
        height: likewise.
    """

    format: PictureFormat
    width: int
    height: int


DEFAULT_LIMITS: Final = PictureLimits()


def inspect(
    data: bytes, limits: PictureLimits = DEFAULT_LIMITS, *, field: str | None = None
) -> PictureInfo:
    """Check a picture at the door, without decoding it.

    Args:
        data: the file.
        limits: what is taken.
        field: name of the form field it came in, for the error.

    Raises:
        UnsupportedPictureError: not a picture, or a kind that is not taken.
        PictureSizeError: outside the limits.
        BrokenPictureError: cut off, or damaged.
    """
    try:
        container, _ = admit(data, limits)
    except InputError as error:
        error.field = field
        raise
    sides = (container.width, container.height)
    width, height = reversed(sides) if container.orientation > 4 else sides  # noqa: PLR2004
    return PictureInfo(container.format, width, height)


def admit(data: bytes, limits: PictureLimits) -> tuple[Container, ImageFile.ImageFile]:
    """Check a file in the order of what each check costs, and open it, pixels still packed."""
    limits.check_bytes(len(data))
    container = _read_container(data)
    if container.width and container.height:
        _check_size(container, limits)
    if container.frames > 1:
        raise UnsupportedPictureError(
            "A picture must be a single one, without animation or further pages. "
            f"Received: a {_name(container)} of several."
        )
    if not (container.whole and container.width and container.height):
        raise BrokenPictureError(
            "This picture is cut off or damaged. "
            f"Received: the beginning of a {_name(container)}, {len(data):,} bytes."
        )
    return container, open_bare(container)


def _check_size(container: Container, limits: PictureLimits) -> None:
    width, height = container.width, container.height
    received = f"Received: {width} x {height} pixels."
    most = min(limits.max_pixels, Image.MAX_IMAGE_PIXELS or limits.max_pixels)
    if width * height > most:
        raise PictureSizeError(f"A picture may have up to {most:,} pixels. {received}")
    if min(width, height) < limits.min_side:
        raise PictureSizeError(
            f"Each side of a picture needs at least {limits.min_side} pixels. {received}"
        )
    if max(width, height) > limits.max_aspect * min(width, height):
        raise PictureSizeError(
            f"A picture may be up to {limits.max_aspect:g} times as long as wide. {received}"
        )


def open_bare(container: Container) -> ImageFile.ImageFile:
    """Let Pillow read the header, for kinds within the format that only it knows."""
    with only_our_errors(container):
        image = Image.open(io.BytesIO(container.bare), formats=(container.format.upper(),))
        if image.mode not in MODES:
            raise UnsupportedPictureError(
                "Samples of a picture must be whole numbers of up to 16 bits. "
                f"Received: a {_name(container)} with others."
            )
        # Two readers that see different sizes are the mark of a file made to get past one of them.
        if image.size != (container.width, container.height):
            raise BrokenPictureError(
                "This picture is damaged. "
                f"Received: a {_name(container)} that names two different sizes."
            )
    return image


@contextmanager
def only_our_errors(container: Container) -> Iterator[None]:
    """Turn whatever Pillow raises on hostile bytes, which may be anything, into our errors.

    Its messages name objects and addresses, so they stay behind, in the chain for the log.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if container.format == "tiff" and isinstance(error, UnidentifiedImageError):
            raise UnsupportedPictureError(
                "TIFF pictures are taken in grey, palette, RGB, CMYK and L*a*b* colours. "
                "Received: a TIFF of another kind."
            ) from error
        raise BrokenPictureError(
            "This picture cannot be decoded to its end. "
            f"Received: a damaged {_name(container)} of "
            f"{container.width} x {container.height} pixels."
        ) from error


def _name(container: Container) -> str:
    return "WebP" if container.format == "webp" else container.format.upper()


def _read_container(data: bytes) -> Container:
    """Walk over a picture file; its first bytes tell the kind, as a name may say anything."""
    if data.startswith(b"\xff\xd8\xff"):
        return read_jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return read_png(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return read_webp(data)
    if data.startswith((b"II*\0", b"MM\0*")):
        return read_tiff(data)
    raise unsupported(_name_of(data))


_OTHER_KINDS = (
    (re.compile(rb"\Z"), "an empty file"),
    (re.compile(rb"GIF8"), "a GIF"),
    (re.compile(rb"BM.{4}\0\0\0\0", re.DOTALL), "a BMP"),
    (re.compile(rb"II\+\0|MM\0\+"), "a BigTIFF"),
    (re.compile(rb".{4}ftyp(?:hei|hev|mif1|msf1)", re.DOTALL), "a HEIC"),
    (re.compile(rb".{4}ftypavi[fs]", re.DOTALL), "an AVIF"),
    (re.compile(rb".{4}ftyp", re.DOTALL), "a video"),
    (re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"), "a JPEG 2000"),
    (re.compile(rb"\0\0\0\x0cJXL |\xff\x0a"), "a JPEG XL"),
    (re.compile(rb"\0\0\x01\0"), "an icon"),
    (re.compile(rb"8BPS"), "a Photoshop document"),
    (re.compile(rb"%PDF"), "a PDF"),
    (re.compile(rb"PK\x03\x04"), "a ZIP archive"),
    (re.compile(rb"[^\0]*<svg", re.IGNORECASE), "an SVG"),
    (re.compile(rb"[\t\n\f\r\x20-\x7e\x80-\xff]+\Z"), "a text"),
)


def _name_of(data: bytes) -> str:
    """Name a kind of file that is not taken."""
    head = data[:512]
    return next(
        (name for magic, name in _OTHER_KINDS if magic.match(head)), "a file of an unknown kind"
    )
