"""Pictures of every kind come in with the right colours, and go out clean."""

import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image, ImageCms

from model.images import (
    MEDIA_TYPES,
    PictureFormat,
    decode,
    encode,
    encode_preview,
    fit,
    inspect,
)
from tests.model.picture_files import (
    ADOBE_RGB,
    ADOBE_TO_SRGB,
    DISPLAY_P3,
    P3_TO_SRGB,
    SRGB,
    chunk,
    curv,
    exif,
    grey_profile,
    para,
    rgb_profile,
    saved,
    table_profile,
)

FORMATS: tuple[PictureFormat, ...] = ("jpeg", "png", "webp", "tiff")
Floats = npt.NDArray[np.float32]


def colours(width: int = 48, height: int = 32) -> npt.NDArray[np.uint8]:
    """Return smooth colours, no two corners alike: bytes [height, width, 3]."""
    y, x = np.mgrid[0:height, 0:width]
    ramps = [40 + 180 * x / width, 30 + 200 * y / height, 200 - 150 * x * y / (width * height)]
    return np.stack(ramps, axis=-1).astype(np.uint8)


def levels(samples: Floats) -> npt.NDArray[np.int64]:
    """Return floats in [0, 1] as whole levels of 0 to 255."""
    return np.rint(samples * 255).astype(np.int64)


def floats(width: int = 48, height: int = 32) -> Floats:
    return colours(width, height).astype(np.float32) / np.float32(255)


@pytest.mark.parametrize("kind", FORMATS)
def test_decoded_colours_are_floats_in_the_unit_range(kind: PictureFormat) -> None:
    picture = decode(saved(Image.fromarray(colours()), kind, quality=95))
    assert picture.rgb.dtype == np.float32
    assert picture.rgb.shape == (32, 48, 3)
    assert picture.alpha is None
    assert abs(levels(picture.rgb) - colours()).max() <= (0 if kind in ("png", "tiff") else 12)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "YCbCr", "LAB", "CMYK"])
def test_every_opaque_mode_of_a_tiff_keeps_its_colours(mode: str) -> None:
    original = Image.fromarray(colours())
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        stored = ImageCms.profileToProfile(original, srgb, lab, outputMode="LAB")
        assert stored is not None
    else:
        stored = original.convert(mode)
    expected = original if mode in ("LAB", "YCbCr", "CMYK") else stored.convert("RGB")
    tolerance = {"LAB": 20, "YCbCr": 3}.get(mode, 0)  # saturated blue is coarse in 8-bit L*a*b*
    actual = levels(decode(saved(stored, "tiff")).rgb)
    assert abs(actual - np.asarray(expected, np.int64)).max() <= tolerance


def test_cmyk_of_a_jpeg_is_inverted_back() -> None:
    original = Image.fromarray(colours())
    picture = decode(saved(original.convert("CMYK"), "jpeg", quality=100))
    assert abs(levels(picture.rgb) - colours()).max() <= 6


def test_cmyk_of_a_jpeg_in_luma_and_chroma_is_inverted_back_too() -> None:
    inks = Image.fromarray(255 - colours()).convert("YCbCr")
    stored = np.dstack((255 - np.asarray(inks), np.zeros((32, 48), np.uint8)))
    data = bytearray(saved(Image.fromarray(stored, "CMYK"), "jpeg", quality=100))
    data[data.index(b"Adobe") + 11] = 2  # of four components: YCCK
    assert abs(levels(decode(bytes(data)).rgb) - colours()).max() <= 6


@pytest.mark.parametrize("kind", ["jpeg", "tiff"])
def test_cmyk_is_converted_by_its_profile(kind: PictureFormat) -> None:
    inks = np.zeros((32, 48, 4), np.uint8)
    inks[..., 1] = 200
    inks[:, 24:, 0] = 255
    stored = Image.fromarray(inks, "CMYK")
    picture = decode(saved(stored, kind, quality=100, icc_profile=table_profile(b"CMYK")))
    assert picture.rgb[:, :20].min() > 0.98  # to this profile magenta is white, and cyan black
    assert picture.rgb[:, 28:].max() < 0.02
    assert decode(saved(stored, kind, quality=100)).rgb[:, :20, 1].max() < 0.3


def test_a_jpeg_stored_as_rgb_is_not_taken_for_ycbcr() -> None:
    picture = decode(saved(Image.fromarray(colours()), "jpeg", quality=100, keep_rgb=True))
    assert abs(levels(picture.rgb) - colours()).max() <= 3


def test_the_adobe_marker_of_a_jpeg_says_how_its_colours_are_coded() -> None:
    original = Image.fromarray(colours())
    adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0"  # the last byte: not transformed to YCbCr
    data = saved(original, "jpeg", quality=100, subsampling=0)
    picture = decode(data[:2] + adobe + data[20:])  # in place of the JFIF marker
    expected = np.asarray(original.convert("YCbCr"), np.int64)
    assert abs(levels(picture.rgb) - expected).max() <= 3


def test_cmyk_with_a_broken_profile_is_converted_without_it() -> None:
    stored = Image.fromarray(colours()).convert("CMYK")
    plain = decode(saved(stored, "jpeg"))
    assert np.array_equal(decode(saved(stored, "jpeg", icc_profile=b"broken")).rgb, plain.rgb)


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_grey_of_16_bits_keeps_all_of_them(kind: PictureFormat) -> None:
    grey = np.linspace(0, 65535, 64 * 32).astype(np.uint16).reshape(32, 64)
    picture = decode(saved(Image.fromarray(grey), kind))
    expected = np.repeat(grey[..., np.newaxis] / 65535, 3, axis=2)
    assert abs(picture.rgb - expected).max() < 1e-6


def test_big_endian_grey_of_16_bits_is_not_garbled() -> None:
    grey = np.linspace(0, 65535, 64 * 32).astype(np.uint16).reshape(32, 64)
    image = Image.frombytes("I;16B", (64, 32), grey.astype(">u2").tobytes())
    assert abs(decode(saved(image, "tiff")).rgb[..., 1] - grey / 65535).max() < 1e-6


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(kind: PictureFormat, orientation: int) -> None:
    upright = colours()
    turn_back = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }
    stored = Image.fromarray(np.ascontiguousarray(turn_back[orientation](upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(stored, kind, exif=exif, quality=100)
    info = inspect(data)
    assert (info.width, info.height) == (48, 32)
    assert abs(levels(decode(data).rgb) - upright).max() <= 12


def with_exif(*blocks: bytes) -> bytes:
    """A JPEG of 64x32."""
    data = saved(Image.new("RGB", (64, 32)), "jpeg")
    bodies = [b"Exif\0\0" + block for block in blocks]
    segments = [b"\xff\xe1" + struct.pack(">H", 2 + len(body)) + body for body in bodies]
    return data[:2] + b"".join(segments) + data[2:]


def test_the_orientation_of_a_block_that_ends_with_its_entries_is_seen() -> None:
    assert inspect(with_exif(exif(6)[:-4])).height == 64


def test_of_two_blocks_the_first_says_the_orientation() -> None:
    without = b"II*\0" + struct.pack("<IHI", 8, 0, 0)
    assert inspect(with_exif(exif(6), without)).height == 64
    assert inspect(with_exif(without, exif(6))).height == 32


def test_an_orientation_outside_1_to_8_is_ignored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 9
    data = saved(Image.fromarray(colours()), "png", exif=exif)
    assert inspect(data).width == 48
    assert decode(data).rgb.shape == (32, 48, 3)


LINEAR = rgb_profile(SRGB, curv())


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("primaries", "gamma", "matrix"),
    [(DISPLAY_P3, 2.2, P3_TO_SRGB), (ADOBE_RGB, 2.19921875, ADOBE_TO_SRGB)],
    ids=["Display P3", "Adobe RGB"],
)
def test_colours_of_a_wide_profile_come_in_as_vivid_as_they_are(
    kind: PictureFormat, primaries: Any, gamma: float, matrix: list[list[float]]
) -> None:
    stored = (200, 140, 100)
    linear = np.array(matrix) @ (np.array(stored) / 255) ** gamma
    expected = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    assert expected[0] > 210
    profile = rgb_profile(primaries, para(0, gamma))
    data = saved(Image.new("RGB", (32, 32), stored), kind, quality=100, icc_profile=profile)
    assert abs(levels(decode(data).rgb) - expected).max() < 2.5


@pytest.mark.parametrize("kind", FORMATS)
def test_an_embedded_profile_brings_the_colours_to_srgb(kind: PictureFormat) -> None:
    encoded = floats().astype(np.float64)
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    stored = Image.fromarray(np.rint(linear * 255).astype(np.uint8))
    without = decode(saved(stored, kind, quality=100))
    assert abs(levels(without.rgb) - colours()).mean() > 20
    picture = decode(saved(stored, kind, quality=100, icc_profile=LINEAR))
    assert abs(levels(picture.rgb) - colours()).mean() < 3


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_a_profile_of_grey_applies_to_every_kind_of_grey(mode: str) -> None:
    linear = np.full((32, 32), 55 * 257, np.uint16)
    image = Image.fromarray(linear) if mode == "I;16" else Image.new(mode, (32, 32), 55)
    if mode == "LA":
        image.putalpha(Image.fromarray(np.tile(np.arange(100, 132, dtype=np.uint8), (32, 1))))
    picture = decode(saved(image, "png", icc_profile=grey_profile(curv(1.0))))
    assert abs(levels(picture.rgb) - 128).max() <= 1  # (128 / 255) ** 2.2 is about 55 / 255


def test_the_profile_of_a_picture_with_alpha_leaves_the_alpha_alone() -> None:
    stored = Image.fromarray(colours())
    alpha = Image.fromarray(colours()[..., 0])
    opaque = decode(saved(stored, "png", icc_profile=LINEAR))
    stored.putalpha(alpha)
    picture = decode(saved(stored, "png", icc_profile=LINEAR))
    assert picture.alpha is not None
    assert np.array_equal(levels(picture.alpha), colours()[..., 0])
    mean = np.average(opaque.rgb, axis=(0, 1), weights=picture.alpha)
    expected = mean + (opaque.rgb - mean) * picture.alpha[..., np.newaxis]
    assert abs(picture.rgb - expected).max() < 1e-5


@pytest.mark.parametrize("profile", [b"", b"broken", LINEAR[:300]])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_broken_profile_is_ignored(kind: PictureFormat, profile: bytes) -> None:
    plain = decode(saved(Image.fromarray(colours()), kind)).rgb
    odd = decode(saved(Image.fromarray(colours()), kind, icc_profile=profile)).rgb
    assert np.array_equal(odd, plain)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "tiff"])
def test_a_profile_of_some_megabytes_is_taken(kind: PictureFormat) -> None:
    noise = np.random.default_rng(0).bytes(2_000_000)
    profile = LINEAR + noise
    profile = struct.pack(">I", len(profile)) + profile[4:]
    with_it = decode(saved(Image.fromarray(colours()), kind, icc_profile=profile, quality=100))
    short = decode(saved(Image.fromarray(colours()), kind, icc_profile=LINEAR, quality=100))
    assert np.array_equal(with_it.rgb, short.rgb)


def test_a_colour_profile_in_a_grey_picture_is_ignored() -> None:
    grey = Image.fromarray(colours()[..., 0])
    picture = decode(saved(grey, "jpeg", quality=100, icc_profile=LINEAR))
    assert abs(levels(picture.rgb)[..., 2] - colours()[..., 0]).max() <= 2


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "PA"])
def test_alpha_is_kept_in_every_mode_that_has_it(mode: str) -> None:
    visible = np.full((32, 48), 255, np.uint8)
    visible[:, :16] = 0
    image = Image.new("RGBA", (48, 32), (90, 90, 90))
    image.putalpha(Image.fromarray(visible))
    kind = "tiff" if mode == "PA" else "png"
    stored = image.quantize(8) if mode == "P" else image.convert(mode)
    picture = decode(saved(stored, kind))
    assert picture.alpha is not None
    assert np.array_equal(levels(picture.alpha), visible)
    assert abs(levels(picture.rgb) - 90).max() <= 1


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_one_transparent_colour_becomes_alpha(mode: str) -> None:
    image = Image.new(mode, (32, 32), 90 if mode == "L" else (90, 90, 90))
    key = 7 if mode == "L" else (7, 90, 90)
    image.paste(key, (0, 0, 32, 8))
    picture = decode(saved(image, "png", transparency=key))
    assert picture.alpha is not None
    assert picture.alpha[:8].max() == 0
    assert picture.alpha[8:].min() == 1
    assert abs(levels(picture.rgb) - 90).max() == 0


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_one_transparent_grey_of_few_bits_becomes_alpha(bits: int) -> None:
    most = 2**bits - 1
    for key in range(most + 1):
        other = 0 if key else most
        rows = [key] * 8 + [other] * 24
        packed = b"".join(b"\0" + _packed(row, bits) for row in rows)
        header = struct.pack(">IIBBBBB", 32, 32, bits, 0, 0, 0, 0)
        pieces = [(b"IHDR", header), (b"tRNS", struct.pack(">H", key))]
        pieces += [(b"IDAT", zlib.compress(packed)), (b"IEND", b"")]
        picture = decode(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*piece) for piece in pieces))
        assert picture.alpha is not None, key
        assert picture.alpha[:8].max() == 0
        assert picture.alpha[8:].min() == 1
        assert abs(picture.rgb - other / most).max() < 1e-6


def _packed(level: int, bits: int) -> bytes:
    """A row of 32 pixels."""
    byte = sum(level << shift for shift in range(0, 8, bits))
    return bytes([byte]) * (32 * bits // 8)


def test_one_transparent_grey_of_16_bits_becomes_alpha() -> None:
    grey = np.full((32, 32), 30_000, np.uint16)
    grey[:8] = 5_000
    picture = decode(saved(Image.fromarray(grey), "png", transparency=5_000))
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha, (grey != 5_000).astype(np.float32))
    assert abs(picture.rgb - 30_000 / 65535).max() < 1e-5


def test_what_lies_under_transparent_pixels_does_not_matter() -> None:
    alpha = np.zeros((32, 48), np.uint8)
    alpha[8:24, 8:40] = 255
    pictures = []
    for garbage in (0, 255):
        hidden = np.where(alpha[..., np.newaxis] == 0, np.uint8(garbage), colours())
        image = Image.fromarray(hidden)
        image.putalpha(Image.fromarray(alpha))
        pictures.append(decode(saved(image, "png")).rgb)
    assert np.array_equal(pictures[0], pictures[1])
    mean = pictures[0][8:24, 8:40].mean(axis=(0, 1))
    assert abs(pictures[0][0, 0] - mean).max() < 1e-5
    assert np.array_equal(levels(pictures[0][8:24, 8:40]), colours()[8:24, 8:40])


def test_a_picture_that_is_transparent_everywhere_is_white() -> None:
    picture = decode(saved(Image.new("RGBA", (32, 32), (9, 9, 9, 0)), "png"))
    assert picture.rgb.min() == 1
    assert picture.alpha is not None
    assert picture.alpha.max() == 0


def test_an_alpha_channel_that_hides_nothing_is_none() -> None:
    assert decode(saved(Image.new("RGBA", (32, 32), (9, 9, 9, 255)), "webp")).alpha is None


def test_many_threads_decode_as_one_does() -> None:
    files = [encode(floats(), kind) for kind in FORMATS] * 8
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(decode, files))
    for data, picture in zip(files, together, strict=True):
        assert np.array_equal(picture.rgb, decode(data).rgb)


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_encoded_can_be_decoded_and_is_always_the_same(kind: PictureFormat) -> None:
    data = encode(floats(), kind)
    assert data == encode(floats(), kind)
    assert inspect(data).format == kind
    difference = abs(levels(decode(data).rgb) - colours()).max()
    assert difference <= (0 if kind in ("png", "tiff") else 10)


@pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
def test_alpha_goes_out_as_it_came_in(kind: PictureFormat) -> None:
    alpha = floats()[..., 0]
    picture = decode(encode(np.dstack((floats(), alpha)), kind))
    assert picture.alpha is not None
    assert np.array_equal(levels(picture.alpha), levels(alpha))
    assert picture.pixels.shape == (32, 48, 4)


def test_a_jpeg_of_a_picture_with_alpha_is_composited_over_white() -> None:
    black = np.zeros((32, 48, 4), np.float32)
    black[:, 24:, 3] = 1
    for data in (encode(black, "jpeg"), encode_preview(black)):
        picture = decode(data)
        assert picture.rgb[:, :16].min() > 0.98
        assert picture.rgb[:, 32:].max() < 0.02


@pytest.mark.parametrize("channels", [3, 4])
def test_a_tiff_goes_out_with_16_bits_per_sample(channels: int) -> None:
    pixels = np.random.default_rng(5).random((32, 48, channels), np.float32)
    data = encode(pixels, "tiff")
    expected = np.rint(pixels * np.float32(65535)).astype(np.uint16)
    assert np.array_equal(tifffile.imread(io.BytesIO(data)), expected)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), expected >> 8)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = file.pages.first.tags
        assert (tags["Compression"].value, tags["Predictor"].value) == (8, 2)
        extra = [tag.value for tag in tags.values() if tag.name == "ExtraSamples"]
        assert extra == ([] if channels == 3 else [(2,)])  # alpha that is not multiplied in
    picture = decode(data)
    if channels == 3:
        assert abs(picture.rgb - pixels).max() < 4 / 65535


def test_pixels_are_the_colours_and_alpha_if_there_is_one() -> None:
    opaque = decode(encode(floats(), "png"))
    assert opaque.pixels is opaque.rgb
    cut = decode(encode(np.dstack((floats(), floats()[..., 1])), "png"))
    assert cut.alpha is not None
    assert np.array_equal(cut.pixels, np.dstack((cut.rgb, cut.alpha)))
    assert cut.pixels.dtype == np.float32


def test_colours_outside_the_unit_range_are_clipped_when_encoded() -> None:
    rgb = np.full((32, 32, 3), 1.7, np.float32)
    rgb[..., 2] = -0.3
    assert levels(decode(encode(rgb, "png")).rgb)[0, 0].tolist() == [255, 255, 0]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_result_carries_the_srgb_profile_and_no_other_metadata(kind: PictureFormat) -> None:
    data = encode(floats(), kind)
    image = Image.open(io.BytesIO(data))
    profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert profile.profile.creation_date is not None
    assert profile.profile.creation_date.year == 2000
    known = {"icc_profile", "jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"}
    known |= {"loop", "background", "compression", "resolution", "timestamp", "duration"}
    assert set(image.info) <= known
    assert not {"software", "artist", "datetime"} & {str(key).lower() for key in image.info}
    if kind == "tiff":
        baseline = {*range(256, 260), 262, 273, 277, 278, 279, 282, 283, 284, 296, 317, 34675}
        assert set(dict(image.getexif())) <= baseline


def test_every_format_has_its_media_type() -> None:
    assert {kind: f"image/{kind}" for kind in FORMATS} == MEDIA_TYPES


def test_a_jpeg_has_full_colour_resolution() -> None:
    image = Image.open(io.BytesIO(encode(floats(), "jpeg")))
    assert [component[1:3] for component in getattr(image, "layer", [])] == [(1, 1)] * 3


def test_a_preview_is_small_and_keeps_its_aspect() -> None:
    large = inspect(encode_preview(floats(1024, 512)))
    assert (large.format, large.width, large.height) == ("jpeg", 512, 256)
    small = inspect(encode_preview(floats()))
    assert (small.width, small.height) == (48, 32)
    assert inspect(encode_preview(floats(200, 100), long_side=100)).width == 100


@pytest.mark.parametrize(
    ("size", "long_side", "expected"),
    [
        ((6000, 4000), 512, (512, 341)),
        ((4000, 6000), 512, (341, 512)),
        ((100, 100), 4096, (4096, 4096)),
        ((800, 100), 64, (64, 16)),
        ((100, 800), 64, (16, 64)),
        ((3, 2), 4096, (4096, 2731)),
    ],
)
def test_a_size_is_fitted_to_its_long_side(
    size: tuple[int, int], long_side: int, expected: tuple[int, int]
) -> None:
    assert fit(*size, long_side) == expected
