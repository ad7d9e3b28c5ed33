"""Pillow in and out: pictures that strangers send, arrays of floats, pictures to send back.

Every array of colours is float32 [height, width, 3], sRGB-encoded, in [0, 1]; every alpha
channel float32 [height, width] in [0, 1]. All functions may run in many threads at once.
"""

import io
import struct
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, TiffImagePlugin

from model.container import MEDIA_TYPES, PictureFormat
from model.door import DEFAULT_LIMITS, PictureInfo, PictureLimits, admit, inspect, only_our_errors
from model.sizes import fit
from model.srgb import Floats, Picture, to_picture

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

    Samples of 16 bits are kept in grey pictures; Pillow reads those of coloured ones as 8 bits.

    Raises:
        InputError: as `inspect`, and BrokenPictureError when the pixels turn out damaged.
    """
    container, image = admit(data, limits)
    with only_our_errors(container):
        image.load()
        turn = _TRANSPOSE.get(container.orientation)
        return to_picture(image if turn is None else image.transpose(turn))


def resize(rgb: Floats, width: int, height: int) -> Floats:
    """Resample to another size with Lanczos, against aliasing when it gets smaller.

    Args:
        rgb: colours [height, width, 3] or one channel [height, width], in [0, 1].
        width: of the result, in pixels.
        height: likewise.

    Returns:
        float32 of the same number of dimensions. Clipped to [0, 1], as Lanczos overshoots.
    """
    if rgb.ndim == 3:  # noqa: PLR2004 - Pillow resamples floats one channel at a time
        return np.stack([resize(rgb[..., c], width, height) for c in range(rgb.shape[2])], axis=-1)
    channel = Image.fromarray(np.ascontiguousarray(rgb, np.float32))
    resampled = channel.resize((width, height), Image.Resampling.LANCZOS)
    return np.clip(np.asarray(resampled, np.float32), 0, 1)


def _srgb_profile() -> bytes:
    """Return the sRGB profile without the time at which it was made: same input, same bytes."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # bytes 24 to 35 of the header (ICC.1, 7.2.8)
    return profile[:24] + made + profile[36:]


_PREDICT_HORIZONTALLY: Final = {TiffImagePlugin.PREDICTOR: 2}
_SAVE_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "png": {},
    "jpeg": {"quality": 95, "subsampling": "4:4:4"},
    "webp": {"quality": 95, "method": 4},
    "tiff": {"compression": "tiff_adobe_deflate", "tiffinfo": _PREDICT_HORIZONTALLY},
}
_SRGB_PROFILE: Final = _srgb_profile()


def encode(
    rgb: Floats,
    format: PictureFormat,  # noqa: A002 - what Pillow, the API and its users call it
    alpha: Floats | None = None,
) -> bytes:
    """Encode a picture with 8 bits per sample, an sRGB profile and no other metadata.

    Args:
        rgb: colours [height, width, 3] in [0, 1]; what lies outside is clipped.
        format: kind of file. JPEG has no alpha: there the picture is composited over white.
        alpha: [height, width] in [0, 1], or None for fully opaque.

    Returns:
        The file; for the same input always the same bytes.
    """
    if alpha is not None and format == "jpeg":
        rgb, alpha = 1 + (rgb - 1) * alpha[..., np.newaxis], None
    image = Image.fromarray(_eight_bits(rgb))
    if alpha is not None:
        image.putalpha(Image.fromarray(_eight_bits(alpha)))
    return _saved(image, format, icc_profile=_SRGB_PROFILE, **_SAVE_OPTIONS[format])


def encode_preview(rgb: Floats, long_side: int = 512) -> bytes:
    """Encode a small JPEG for the page, at most `long_side` pixels long; never enlarges."""
    height, width = rgb.shape[:2]
    if max(width, height) > long_side:
        rgb = resize(rgb, *fit(width, height, long_side))
    return _saved(Image.fromarray(_eight_bits(rgb)), "jpeg", quality=85)


def _eight_bits(samples: Floats) -> npt.NDArray[np.uint8]:
    levels: npt.NDArray[np.uint8] = np.rint(np.clip(samples, 0, 1) * 255).astype(np.uint8)
    return levels


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()
