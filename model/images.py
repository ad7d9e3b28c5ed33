"""Pillow in and out: pictures that strangers send, arrays of floats, pictures to send back.

Every picture is float32 [height, width, 3], sRGB-encoded, in [0, 1], or [height, width, 4] with
straight alpha last, in [0, 1]. All functions may run in many threads at once.
"""

import io
import struct
from functools import partial
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile

from model import deep
from model.container import MEDIA_TYPES, PictureFormat
from model.door import (
    DEFAULT_LIMITS,
    PictureInfo,
    PictureLimits,
    admit,
    inspect,
    only_our_errors,
    open_bare,
)
from model.resizing import resize
from model.sizes import fit
from model.srgb import Floats, Picture, deep_to_picture, to_picture

__all__ = [
    "MEDIA_TYPES",
    "Picture",
    "PictureFormat",
    "PictureInfo",
    "PictureLimits",
    "decode",
    "encode",
    "encode_preview",
    "fit",
    "inspect",
    "resize",
]

Level = TypeVar("Level", np.uint8, np.uint16)

# What puts a picture upright that was stored with this EXIF orientation.
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(data: bytes, limits: PictureLimits = DEFAULT_LIMITS) -> Picture:
    """Decode a picture as it is meant to be seen: upright and in sRGB.

    Samples of 16 bits are kept, except those of CMYK and those whose colour profile is made of
    tables: they come in as 8 bits.

    Raises:
        InputError: as `inspect`, and BrokenPictureError when the pixels turn out damaged.
    """
    container, image = admit(data, limits)
    upright = partial(_upright, orientation=container.orientation)
    with only_our_errors(container):
        if deep.is_deep(image):
            return deep_to_picture(deep.read(image, open_bare(container), upright), image.info)
        return to_picture(upright(image))


def _upright(image: ImageFile, orientation: int) -> Image.Image:
    image.load()
    turn = _TRANSPOSE.get(orientation)
    return image if turn is None else image.transpose(turn)


def _srgb_profile() -> bytes:
    """Return the sRGB profile without the time at which it was made: same input, same bytes."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # bytes 24 to 35 of the header (ICC.1, 7.2.8)
    return profile[:24] + made + profile[36:]


_SRGB_PROFILE: Final = _srgb_profile()
_SAVE_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "png": {},
    "jpeg": {"quality": 95, "subsampling": "4:4:4"},
    "webp": {"quality": 95, "method": 4},
}


def encode(
    pixels: Floats,
    format: PictureFormat,  # noqa: A002 - what Pillow, the API and its users call it
) -> bytes:
    """Encode a picture with an sRGB profile and no other metadata.

    TIFF has 16 bits per sample, the others 8. JPEG has no alpha: there the picture is
    composited over white.

    Args:
        pixels: [height, width, 3], or 4 with alpha last; what is outside [0, 1] is clipped.
        format: kind of file.

    Returns:
        The file; for the same input always the same bytes.
    """
    if format == "tiff":
        return _tiff(_levels(pixels, np.uint16))
    image = Image.fromarray(_levels(_over_white(pixels) if format == "jpeg" else pixels, np.uint8))
    return _saved(image, format, icc_profile=_SRGB_PROFILE, **_SAVE_OPTIONS[format])


def encode_preview(pixels: Floats, long_side: int = 512) -> bytes:
    """Encode a small JPEG for the page, at most `long_side` pixels long; never enlarges.

    Args:
        pixels: as for `encode`.
        long_side: in pixels.
    """
    rgb, (height, width) = _over_white(pixels), pixels.shape[:2]
    if max(width, height) > long_side:
        rgb = resize(rgb, *fit(width, height, long_side))
    return _saved(Image.fromarray(_levels(rgb, np.uint8)), "jpeg", quality=85)


def _over_white(pixels: Floats) -> Floats:
    if pixels.shape[2] == 3:  # noqa: PLR2004 - opaque
        return pixels
    return 1 + (pixels[..., :3] - 1) * pixels[..., 3:]


def _levels(pixels: Floats, kind: type[Level]) -> npt.NDArray[Level]:
    """Return samples as whole numbers from 0 to the most that the kind of number holds."""
    levels = np.clip(pixels, 0, 1)
    levels *= np.iinfo(kind).max
    return np.rint(levels, out=levels).astype(kind)


def _tiff(levels: npt.NDArray[np.uint16]) -> bytes:
    """Write a TIFF of 16 bits, which Pillow cannot."""
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        levels,
        byteorder="<",
        photometric="rgb",
        extrasamples=["unassalpha"] * (levels.shape[2] - 3),
        compression="zlib",
        predictor=2,  # horizontal differences, TIFF 6.0, section 14
        maxworkers=1,
        software=False,
        metadata=None,
        iccprofile=_SRGB_PROFILE,
    )
    return buffer.getvalue()


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()
