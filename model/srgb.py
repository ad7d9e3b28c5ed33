"""From any kind of decoded picture to sRGB colours and an alpha channel, as arrays of floats."""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

Floats = npt.NDArray[np.float32]

_GREYS = frozenset({"1", "L", "LA", "La"})


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes:
        rgb: float32 [height, width, 3], sRGB-encoded, in [0, 1].
        alpha: float32 [height, width] in [0, 1], or None when the picture is fully opaque.
    """

    rgb: Floats
    alpha: Floats | None


def to_picture(image: Image.Image) -> Picture:
    """Convert an image, in a mode the door lets in, to sRGB over its mean visible colour."""
    colours, alpha = _deep_grey(image) if image.mode.startswith("I;16") else _shallow(image)
    if alpha is None or alpha.min() == 1:
        return Picture(colours, None)
    return Picture(_composited(colours, alpha), alpha)


def _shallow(image: Image.Image) -> tuple[Floats, Floats | None]:
    """Convert an image of up to 8 bits per sample."""
    profile, alpha = image.info.get("icc_profile"), None
    if image.has_transparency_data:
        image = image.convert("LA" if image.mode in _GREYS else "RGBA")
        alpha = _unit(image.getchannel("A"))
        image = image.convert(image.mode.removesuffix("A"))
    return _unit(_to_srgb(image, profile)), alpha


def _deep_grey(image: Image.Image) -> tuple[Floats, Floats | None]:
    """Convert 16-bit grey, which Pillow itself would clip at 255 when asked for 8 bits.

    The colour profile applies to 8 bits only. It is a smooth curve, so the 256 colours that it
    makes of the 8-bit greys are interpolated.
    """
    samples = np.asarray(image)
    key = image.info.get("transparency")  # of a PNG: the one grey that is transparent
    alpha = None if key is None else (samples != key).astype(np.float32)
    greys = np.arange(256, dtype=np.uint8)
    curve = _unit(_to_srgb(Image.fromarray(greys[np.newaxis]), image.info.get("icc_profile")))[0]
    position = samples / 257.0
    colours = np.empty((*samples.shape, 3), np.float32)
    for channel in range(3):
        colours[..., channel] = np.interp(position, greys, curve[:, channel])
    return colours, alpha


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an opaque image to RGB by its colour profile, or the usual way if that is broken.

    Relative colorimetric with black point compensation: colours that sRGB has stay as they are,
    and shadows stay distinct.
    """
    if image.mode in ("1", "P", "YCbCr"):  # a profile describes what these stand for
        image = image.convert("L" if image.mode == "1" else "RGB")
    try:
        if profile:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
            assert converted is not None  # only in place it returns nothing
            return converted
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        pass  # unreadable, or of other colours than the picture: RGB in a grey JPEG is common
    return image.convert("RGB")


def _unit(image: Image.Image) -> Floats:
    """Return the 8-bit samples of an image as floats in [0, 1]."""
    samples = np.asarray(image).astype(np.float32)
    samples /= 255
    return samples


def _composited(colours: Floats, alpha: Floats) -> Floats:
    """Composite over the mean visible colour, in place.

    What lies under transparent pixels is whatever a program left there, and must not reach the
    Gram matrices. A white ground would, where there is much of it, make white a part of the
    style, and would draw an edge around every cut-out; the mean does neither. A picture that
    is transparent everywhere has no mean and becomes white.
    """
    weight = alpha.sum(dtype=np.float64)
    mean = np.ones(3, np.float32)
    if weight:
        mean[:] = [(colours[..., c] * alpha).sum(dtype=np.float64) / weight for c in range(3)]
    colours -= mean
    colours *= alpha[..., np.newaxis]
    colours += mean
    return np.clip(colours, 0, 1, out=colours)
