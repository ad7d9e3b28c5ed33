"""Pictures of 16 bits per sample keep all of them, whatever they are stored as."""

import random
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageCms

from model import icc
from model.errors import AtelierError, BrokenPictureError, UnsupportedPictureError
from model.images import decode, inspect
from tests.model.picture_files import (
    ADOBE_RGB,
    ADOBE_TO_SRGB,
    DISPLAY_P3,
    P3_TO_SRGB,
    SRGB,
    SRGB_CURVE,
    Samples,
    chunk,
    curv,
    exif,
    grey_profile,
    lzw_tiff16,
    para,
    png16,
    rgb_profile,
    saved,
    table_profile,
    tiff16,
)

Floats = npt.NDArray[np.float32]


def noise(channels: int, width: int = 48, height: int = 32) -> Samples:
    """Return every kind of sample: all bits of the high and of the low byte matter."""
    rng = np.random.default_rng(3)
    return rng.integers(0, 65536, (height, width, channels), dtype=np.uint16)


def levels(samples: Floats) -> npt.NDArray[np.int64]:
    """Return floats in [0, 1] as whole levels of 0 to 65535."""
    return np.rint(samples.astype(np.float64) * 65535).astype(np.int64)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_opaque_png_of_16_bits_keeps_all_of_them(channels: int, *, interlaced: bool) -> None:
    samples = noise(channels)
    picture = decode(png16(samples, interlaced=interlaced))
    assert picture.alpha is None
    assert np.array_equal(levels(picture.rgb), np.repeat(samples, 3 // channels, axis=2))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [2, 4])
def test_a_png_of_16_bits_with_alpha_keeps_all_of_them(channels: int, *, interlaced: bool) -> None:
    samples = noise(channels)
    samples[:16, :, -1] = 65535  # where nothing is composited
    samples[16:, :, -1] |= 1
    picture = decode(png16(samples, interlaced=interlaced))
    assert picture.alpha is not None
    assert np.array_equal(levels(picture.alpha), samples[..., -1])
    expected = np.repeat(samples[:16, :, :-1], 3 if channels == 2 else 1, axis=2)
    assert abs(levels(picture.rgb[:16]) - expected).max() <= 1  # compositing rounds


def test_one_transparent_colour_of_16_bits_becomes_alpha() -> None:
    samples = np.full((32, 32, 3), (30_000, 20_001, 10_000), np.uint16)
    samples[:8] = (30_000, 20_002, 10_000)  # the same in 8 bits
    key = chunk(b"tRNS", samples[0, 0].astype(">u2").tobytes())
    picture = decode(png16(samples, extra=key))
    assert picture.alpha is not None
    assert picture.alpha[:8].max() == 0
    assert picture.alpha[8:].min() == 1
    assert np.array_equal(levels(picture.rgb[8:]), samples[8:])


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    "coding",
    [{}, {"compression": "zlib"}, {"compression": "zlib", "predictor": 2}, {"tile": (16, 16)}],
    ids=["plain", "deflate", "predicted", "tiles"],
)
def test_a_tiff_of_16_bits_keeps_all_of_them(
    coding: dict[str, Any], byteorder: str, channels: int
) -> None:
    samples = noise(channels)
    samples[..., 3:] = 65535
    picture = decode(
        tiff16(samples, byteorder=byteorder, extrasamples=[2] * (channels - 3), **coding)
    )
    assert np.array_equal(levels(picture.rgb), samples[..., :3])
    assert picture.alpha is None


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_grey_tiff_of_16_bits_keeps_all_of_them(compression: str | None, byteorder: str) -> None:
    grey = noise(1)
    data = tiff16(
        grey[..., 0], photometric="minisblack", compression=compression, byteorder=byteorder
    )
    assert np.array_equal(levels(decode(data).rgb), np.repeat(grey, 3, axis=2))


@pytest.mark.parametrize("predictor", [1, 2])
def test_a_tiff_of_16_bits_in_lzw_keeps_all_of_them(predictor: int) -> None:
    samples = noise(3)
    assert np.array_equal(levels(decode(lzw_tiff16(samples, predictor=predictor)).rgb), samples)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_fourth_channel_of_no_meaning_is_left_out(compression: str | None) -> None:
    samples = noise(4)
    picture = decode(tiff16(samples, extrasamples=[0], compression=compression))
    assert np.array_equal(levels(picture.rgb), samples[..., :3])
    assert picture.alpha is None


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_colours_stored_multiplied_by_alpha_are_divided_by_it(compression: str | None) -> None:
    straight, alpha = noise(3) // 2 + 20_000, noise(1)
    alpha[:4], alpha[4:16] = 65535, 40_000
    stored = np.rint(straight * (alpha / 65535)).astype(np.uint16)
    data = tiff16(np.dstack((stored, alpha)), extrasamples=[1], compression=compression)
    picture = decode(data)
    assert picture.alpha is not None
    assert np.array_equal(levels(picture.alpha), alpha[..., 0])
    mean = np.average(straight / 65535, axis=(0, 1), weights=alpha[..., 0])
    expected = mean + (straight / 65535 - mean) * (alpha / 65535)
    assert abs(picture.rgb - expected).max() < 2e-4


UPRIGHT: dict[int, Callable[[Samples], Samples]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("kind", ["png", "png of grey and alpha", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_of_16_bits_is_turned_upright(kind: str, orientation: int) -> None:
    samples = noise(2 if "alpha" in kind else 3)
    if "alpha" in kind:
        samples[..., 1] = 65535
    if kind == "tiff":
        data = tiff16(samples, extratags=[(274, 3, 1, orientation, True)])
    else:
        data = png16(samples, extra=chunk(b"eXIf", exif(orientation)))
    expected = UPRIGHT[orientation](samples)
    assert (inspect(data).height, inspect(data).width) == expected.shape[:2]
    expected = np.repeat(expected[..., :1], 3, axis=2) if "alpha" in kind else expected
    assert np.array_equal(levels(decode(data).rgb), expected)


def profile_chunk(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"p\0\0" + zlib.compress(profile))


def ramps() -> Samples:
    """Return smooth colours of 16 bits inside sRGB, also when they are taken for wider ones."""
    y, x = np.mgrid[0:64, 0:256] / np.array([64, 256]).reshape(2, 1, 1)
    colours = np.stack([0.4 + 0.3 * x, 0.6 - 0.1 * y, 0.35 + 0.2 * x * y], axis=-1)
    return np.asarray(np.rint(65535 * colours), np.uint16)


@pytest.mark.parametrize("kind", ["png", "tiff"])
@pytest.mark.parametrize(
    ("primaries", "gamma", "matrix"),
    [(DISPLAY_P3, 2.2, P3_TO_SRGB), (ADOBE_RGB, 2.19921875, ADOBE_TO_SRGB)],
    ids=["Display P3", "Adobe RGB"],
)
def test_a_wide_profile_brings_all_16_bits_to_srgb(
    kind: str, primaries: Any, gamma: float, matrix: list[list[float]]
) -> None:
    samples, profile = ramps(), rgb_profile(primaries, para(0, gamma))
    if kind == "png":
        data = png16(samples, extra=profile_chunk(profile))
    else:
        data = tiff16(samples, iccprofile=profile)
    linear = (samples / 65535.0) ** gamma @ np.array(matrix).T
    expected = 1.055 * linear ** (1 / 2.4) - 0.055
    rgb = decode(data).rgb
    assert abs(rgb - samples / 65535.0).max() > 0.01
    assert abs(rgb - expected).max() < 5e-4
    assert abs(rgb - expected).mean() < 1e-4


SRGB_TABLE = [
    x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in np.linspace(0, 1, 1024)
]
CURVES = {
    "straight": curv(),
    "exponent": curv(1.8),
    "table": curv(*SRGB_TABLE),
    "type 0": para(0, 2.2),
    "type 1": para(1, 2.4, 1 / 1.055, 0.055 / 1.055),
    "type 1 with an offset": para(1, 2.0, 1.25, -0.25),
    "type 2": para(2, 2.0, 0.95**0.5 + 0.1, -0.1, 0.05),
    "type 3": para(*SRGB_CURVE),
    "type 4": para(4, 2.4, 0.98 ** (1 / 2.4) - 0.05, 0.05, 1 / 12.92, 0.04045, 0.02, 0.01),
}


@pytest.mark.parametrize("name", CURVES)
def test_profiles_of_curves_agree_with_littlecms(name: str) -> None:
    y, x = np.mgrid[0:32, 0:256]
    eight = np.stack([x, 255 - x, 8 * y], axis=-1).astype(np.uint8)
    profile = rgb_profile(SRGB, CURVES[name])
    assert icc.shaper(profile, 3) is not None
    converted = decode(saved(Image.fromarray(eight), "png", icc_profile=profile)).rgb
    deep = decode(png16(eight * np.uint16(257), extra=profile_chunk(profile))).rgb
    assert abs(deep - converted).max() < 2 / 255
    grey = grey_profile(CURVES[name])
    converted = decode(saved(Image.fromarray(eight[..., 0]), "png", icc_profile=grey)).rgb
    deep = decode(png16(eight[..., :1] * np.uint16(257), extra=profile_chunk(grey))).rgb
    near_black = 32  # where littlecms interpolates greys too coarsely to be a witness
    assert abs(deep - converted)[:, near_black:].max() < 2 / 255


def test_an_srgb_profile_changes_next_to_nothing() -> None:
    samples = noise(3)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = png16(samples, extra=profile_chunk(profile))
    assert abs(levels(decode(data).rgb) - samples).max() <= 4


def test_a_profile_of_grey_keeps_all_16_bits() -> None:
    grey = np.arange(20_000, 20_000 + 32 * 64, dtype=np.uint16).reshape(32, 64, 1)
    rgb = decode(png16(grey, extra=profile_chunk(grey_profile(curv(1.8))))).rgb
    assert len(np.unique(rgb)) > 2000
    linear = (grey / 65535.0) ** 1.8
    assert abs(rgb - (1.055 * linear ** (1 / 2.4) - 0.055)).max() < 1e-3


def test_a_profile_of_tables_is_obeyed_in_8_bits() -> None:
    samples = np.full((32, 32, 3), (32_768, 60_000, 5_000), np.uint16)
    rgb = decode(png16(samples, extra=profile_chunk(table_profile(b"RGB ")))).rgb
    assert abs(rgb * 255 - 119).max() < 2  # L* = 50


@pytest.mark.parametrize(
    "profile",
    [
        b"broken",
        rgb_profile(SRGB, b"cur?" + bytes(12)),
        rgb_profile(SRGB, para(7)),
        rgb_profile(SRGB, curv(0.5, 0.6)[:8] + b"\xff\xff\xff\xff"),
        rgb_profile(SRGB, para(0, 2.2))[:200],
        grey_profile(curv(2.2)),
        table_profile(b"CMYK"),
    ],
    ids=["text", "curve", "kind", "count", "cut off", "of grey", "of CMYK"],
)
def test_a_profile_that_makes_no_sense_costs_no_bits(profile: bytes) -> None:
    samples = noise(3)
    picture = decode(png16(samples, extra=profile_chunk(profile)))
    assert np.array_equal(levels(picture.rgb), samples)


def test_a_profile_of_colour_in_a_grey_picture_costs_no_bits() -> None:
    grey = noise(1)
    picture = decode(png16(grey, extra=profile_chunk(rgb_profile(SRGB, para(0, 2.2)))))
    assert np.array_equal(levels(picture.rgb), np.repeat(grey, 3, axis=2))


def test_only_curves_that_light_can_follow_are_taken() -> None:
    assert icc.shaper(rgb_profile(SRGB, para(0, 2.0)), 3) is not None
    assert icc.shaper(rgb_profile(SRGB, curv(1.0, 0.0)), 3) is None  # a negative
    assert icc.shaper(rgb_profile(SRGB, para(3, -2.0, 1, -0.5, 1, 0.3)), 3) is None  # infinite


def test_tables_count_more_than_curves() -> None:
    both = rgb_profile(SRGB, para(0, 2.0), {b"A2B0": b"mft2" + bytes(48)})
    assert icc.shaper(both, 3) is None


def test_cmyk_of_16_bits_comes_in_as_8() -> None:
    stored = np.zeros((32, 32, 4), np.uint16)
    stored[..., 1] = 0x8123
    rgb = decode(tiff16(stored, photometric="separated")).rgb
    assert np.array_equal(np.rint(rgb[0, 0] * 255), [255, 255 - 0x81, 255])


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_16_bits_in_separate_planes_are_refused_by_name(compression: str | None) -> None:
    planes = np.moveaxis(noise(3), -1, 0)
    data = tiff16(planes, planarconfig="separate", compression=compression)
    with pytest.raises(UnsupportedPictureError, match="samples of 16 bits in separate planes"):
        inspect(data)


def test_a_deep_picture_cut_off_inside_its_pixels_is_called_broken() -> None:
    data = png16(noise(3))
    with pytest.raises(BrokenPictureError):
        decode(data[: len(data) // 2])


def test_damaged_deep_files_raise_our_errors_and_no_others() -> None:
    rng = random.Random(7)
    sources = [png16(noise(channels, 24, 20)) for channels in (1, 2, 3, 4)]
    profile = rgb_profile(DISPLAY_P3, para(0, 2.2))
    sources += [png16(noise(3, 24, 20), extra=profile_chunk(profile))]
    sources += [tiff16(noise(3, 24, 20), iccprofile=profile, compression=c) for c in (None, "zlib")]
    sources += [
        tiff16(noise(4, 24, 20), extrasamples=[1]),
        lzw_tiff16(noise(3, 24, 20), predictor=2),
    ]
    refused: list[str] = []
    for _ in range(600):
        damaged = bytearray(rng.choice(sources))
        for _ in range(rng.randint(1, 4)):
            region = rng.choice((64, 400, len(damaged)))
            at = rng.randrange(min(region, len(damaged))) * rng.choice((1, -1))
            damaged[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        try:
            picture = decode(bytes(damaged))
        except AtelierError as error:
            refused.append(str(error))
        else:
            assert np.isfinite(picture.pixels).all()
    assert len(refused) > 50
    assert all("Received: " in sentence for sentence in refused)
