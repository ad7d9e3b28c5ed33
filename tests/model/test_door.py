"""What the door lets in, what it refuses, and what refusing costs."""

import io
import random
import struct
import subprocess
import sys
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from model.container import Container
from model.door import only_our_errors, open_bare
from model.errors import (
    AtelierError,
    BrokenPictureError,
    PictureSizeError,
    UnsupportedPictureError,
)
from model.images import PictureFormat, PictureInfo, PictureLimits, decode, inspect
from tests.model.picture_files import chunk, saved

FORMATS = ("jpeg", "png", "webp", "tiff")

TagEntry = tuple[int, int, int, int]


def photograph(width: int = 96, height: int = 64) -> Image.Image:
    """Return smooth colours with some noise: compressible, but not to nothing."""
    y, x = np.mgrid[0:height, 0:width]
    ramps = np.stack([x * 255 / width, y * 255 / height, (x + y) % 256], axis=-1)
    noise = np.random.default_rng(7).normal(0, 8, ramps.shape)
    return Image.fromarray(np.clip(ramps + noise, 0, 255).astype(np.uint8))


def png_of(width: int, height: int, packed: bytes, extra: bytes = b"") -> bytes:
    """Return a PNG of RGB in 8 bits, whatever its packed pixels say."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    magic = b"\x89PNG\r\n\x1a\n"
    return magic + chunk(b"IHDR", header) + extra + chunk(b"IDAT", packed) + chunk(b"IEND")


def tiff_of(tags: list[TagEntry], pixels: bytes = b"") -> bytes:
    """Return a little-endian TIFF; `tags` are (tag, type, count, value or offset)."""
    directory = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    header = b"II*\0" + struct.pack("<I", 8 + len(pixels))
    return header + pixels + struct.pack("<H", len(tags)) + directory + bytes(4)


def grey_tiff(
    *extra: TagEntry,
    offsets: TagEntry = (273, 4, 1, 8),
    counts: TagEntry = (279, 4, 1, 4096),
    bits: int = 8,
    white: int = 1,
) -> bytes:
    """Return a black picture of 64 x 64 in one strip, with further or other tags."""
    tags = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, bits), (262, 3, 1, white)]
    tags += [offsets, counts]
    return tiff_of([*tags, *extra], bytes(4096))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_is_recognised_by_its_bytes(kind: PictureFormat) -> None:
    assert inspect(saved(photograph(), kind)) == PictureInfo(kind, 96, 64)


def test_every_coding_that_programs_write_is_taken() -> None:
    image = photograph()
    files = [
        saved(image, "jpeg", progressive=True, quality=90),
        saved(image, "jpeg", restart_marker_rows=1),
        saved(image, "webp", lossless=True),
        saved(image, "webp", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"),
        saved(image.convert("RGBA"), "webp"),
        *(saved(image, "tiff", compression=f"tiff_{c}") for c in ("lzw", "adobe_deflate", "jpeg")),
        saved(image, "tiff", compression="packbits"),
        saved(image, "tiff", tiffinfo={278: 3}, compression="tiff_lzw"),
    ]
    for data in files:
        assert (inspect(data).width, inspect(data).height) == (96, 64)
        assert decode(data).rgb.shape == (64, 96, 3)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.9, 0.99])
def test_a_truncated_picture_is_refused_at_the_door(kind: PictureFormat, part: float) -> None:
    data = saved(photograph(), kind)
    with pytest.raises(BrokenPictureError, match=r"Received: "):
        inspect(data[: int(len(data) * part)])


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_without_its_last_two_bytes_is_refused_at_the_door(kind: PictureFormat) -> None:
    with pytest.raises(BrokenPictureError):
        inspect(saved(photograph(), kind)[:-2])


@pytest.mark.parametrize("kind", FORMATS)
def test_no_beginning_of_a_picture_passes_for_the_whole(kind: PictureFormat) -> None:
    data = saved(photograph(32, 32), kind)
    padding = 1 if kind == "webp" else 0  # the last byte of an odd WebP says nothing
    for length in range(len(data) - padding):
        with pytest.raises((BrokenPictureError, UnsupportedPictureError)):
            inspect(data[:length])


def test_a_webp_cut_off_in_the_metadata_after_its_pixels_is_refused() -> None:
    data = saved(photograph(), "webp", exif=b"II*\0\x08\0\0\0" + bytes(50))
    assert inspect(data).width == 96
    with pytest.raises(BrokenPictureError):
        inspect(data[:-20])


def test_the_end_of_an_embedded_preview_does_not_pass_for_the_end_of_the_jpeg() -> None:
    preview = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + saved(photograph(16, 16), "jpeg")
    data = saved(photograph(), "jpeg", exif=preview)
    assert inspect(data).width == 96
    with pytest.raises(BrokenPictureError):
        inspect(data[: len(data) - 2])


def test_a_progressive_jpeg_cut_between_its_scans_is_refused() -> None:
    data = saved(photograph(), "jpeg", progressive=True)
    second_scan = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    with pytest.raises(BrokenPictureError):
        inspect(data[:second_scan])


def test_a_jpeg_of_fewer_bytes_than_its_pixels_could_take_is_refused_at_the_door() -> None:
    flat = saved(Image.new("L", (4000, 4000)), "jpeg", quality=1, optimize=True)
    assert inspect(flat).width == 4000  # the fewest bytes there can be
    data = saved(photograph(), "jpeg")
    size = data.index(b"\xff\xc0") + 5
    with pytest.raises(BrokenPictureError):
        inspect(data[:size] + struct.pack(">HH", 7000, 7000) + data[size + 4 :])


def test_a_png_with_one_wrong_bit_in_its_pixels_is_refused() -> None:
    data = bytearray(saved(photograph(), "png"))
    data[len(data) // 2] ^= 1
    with pytest.raises(BrokenPictureError):
        inspect(bytes(data))


def test_a_png_whose_pixels_cannot_fill_it_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(BrokenPictureError):
        inspect(png_of(4000, 4000, zlib.compress(bytes(1000))))


def test_what_follows_the_end_of_a_picture_does_not_matter() -> None:
    for kind in FORMATS:
        data = saved(photograph(), kind)
        trailer = b"PK\x03\x04<script>alert(1)</script>"
        assert inspect(data + trailer) == inspect(data)
        assert np.array_equal(decode(data + trailer).rgb, decode(data).rgb)


def test_a_huge_png_is_refused_from_its_header_without_time_or_memory() -> None:
    bomb = png_of(20_000, 20_000, zlib.compress(bytes(1_200_000), 9))
    inspect(saved(photograph(), "png"))
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(PictureSizeError, match=r"Received: 20000 x 20000 pixels\.$"):
        inspect(bomb)
    took = time.process_time() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took < 0.1
    assert peak < 2**20


@pytest.mark.parametrize(
    "data",
    [
        saved(photograph(), "jpeg").replace(struct.pack(">HH", 64, 96), b"\xff\xdc\xff\xdc", 1),
        b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X\x0a\0\0\0" + bytes(4) + b"\xff" * 6,
        tiff_of([(256, 4, 1, 60_000), (257, 4, 1, 60_000), (273, 4, 1, 8), (279, 4, 1, 1)]),
    ],
    ids=["jpeg", "webp", "tiff"],
)
def test_huge_pictures_of_the_other_kinds_are_refused_from_their_headers(data: bytes) -> None:
    with pytest.raises(PictureSizeError, match=r"may have up to 50,000,000 pixels"):
        inspect(data)


def test_a_second_header_cannot_smuggle_another_size_past_the_door() -> None:
    big = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0))
    with pytest.raises(BrokenPictureError):
        inspect(png_of(64, 64, zlib.compress(bytes(64 * 193)), extra=big))
    data = saved(photograph(), "jpeg")
    frame = data.index(b"\xff\xc0")
    with pytest.raises(BrokenPictureError):
        inspect(data[:frame] + data[frame : frame + 19] + data[frame:])


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        ((1, 1), r"at least 16 pixels\. Received: 1 x 1 pixels\.$"),
        ((200, 15), r"at least 16 pixels\. Received: 200 x 15 pixels\.$"),
        ((200, 20), r"8 times as long as wide\. Received: 200 x 20 pixels\.$"),
        ((20, 200), r"8 times as long as wide\. Received: 20 x 200 pixels\.$"),
    ],
)
def test_a_picture_too_small_or_too_thin_is_refused(size: tuple[int, int], sentence: str) -> None:
    with pytest.raises(PictureSizeError, match=sentence):
        inspect(saved(Image.new("RGB", size), "png"))


def test_the_limits_are_the_callers() -> None:
    data = saved(photograph(), "png")
    with pytest.raises(PictureSizeError, match=r"up to 6,143 pixels"):
        inspect(data, PictureLimits(max_pixels=96 * 64 - 1))
    with pytest.raises(PictureSizeError, match=rf"Received: {len(data):,} bytes\.$"):
        inspect(data, PictureLimits(max_bytes=len(data) - 1))
    limits = PictureLimits(max_bytes=len(data), max_pixels=96 * 64, min_side=64, max_aspect=1.5)
    assert inspect(data, limits).width == 96
    with pytest.raises(PictureSizeError):
        decode(data, PictureLimits(min_side=65))


@pytest.mark.parametrize(
    ("data", "received"),
    [
        (saved(photograph(), "gif"), "a GIF"),
        (saved(photograph(), "bmp"), "a BMP"),
        (saved(photograph(), "tiff", big_tiff=True), "a BigTIFF"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "an AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "a video"),
        (b"\0\0\1\0\1\0", "an icon"),
        (b"%PDF-1.7\n", "a PDF"),
        ("Schöne Grüße, ".encode() * 200, "a text"),
        (b"", "an empty file"),
        (b"\0\1\2\3" * 100, "a file of an unknown kind"),
        (b"GIF89a" + saved(photograph(), "jpeg"), "a GIF"),
    ],
)
def test_other_kinds_of_file_are_named(data: bytes, received: str) -> None:
    expected = f"Pictures are taken as JPEG, PNG, WebP or TIFF. Received: {received}."
    with pytest.raises(UnsupportedPictureError) as caught:
        inspect(data)
    assert str(caught.value) == expected


@pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
def test_a_picture_of_several_is_refused(kind: PictureFormat) -> None:
    frames = [photograph(), photograph().rotate(180)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedPictureError, match=r"single one.*Received: a .* of several"):
        inspect(data)


def test_of_a_phones_jpeg_with_several_pictures_the_first_is_taken() -> None:
    frames = [photograph(), photograph(32, 32)]
    data = saved(frames[0], "mpo", save_all=True, append_images=frames[1:])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    assert inspect(data) == PictureInfo("jpeg", 96, 64)
    assert decode(data).rgb.shape == (64, 96, 3)


@pytest.mark.parametrize(
    ("data", "received"),
    [
        (saved(Image.new("F", (64, 64)), "tiff"), "a TIFF with samples of 32 bits"),
        (grey_tiff((259, 3, 1, 50_000)), "a TIFF with compression 50000"),
        (saved(photograph(), "jpeg").replace(b"\xff\xc0", b"\xff\xc9", 1), "arithmetic-coded"),
        (grey_tiff(bits=16, white=0), "a TIFF with samples of 16 bits where 0 is white"),
        (grey_tiff((339, 3, 1, 2), bits=16), "a TIFF with others"),
        (grey_tiff(white=9), "a TIFF of another kind"),
    ],
)
def test_rare_codings_are_refused_by_name(data: bytes, received: str) -> None:
    with pytest.raises(UnsupportedPictureError, match=received):
        inspect(data)


def test_grey_of_16_bits_is_one_plane_whatever_the_tiff_says_of_planes() -> None:
    assert inspect(grey_tiff((284, 3, 1, 2), bits=16)).format == "tiff"


def test_a_hostile_tiff_cannot_make_a_reader_unpack_millions_of_values() -> None:
    assert inspect(grey_tiff()).format == "tiff"
    ten_million = 10_000_000
    padding = bytes(4 * ten_million)
    for data in (
        grey_tiff(offsets=(273, 4, ten_million, 8), counts=(279, 4, ten_million, 8)) + padding,
        grey_tiff((338, 3, ten_million, 8)) + padding,
    ):
        tracemalloc.start()
        with pytest.raises(BrokenPictureError):
            inspect(data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**20


@pytest.mark.parametrize(
    "data",
    [
        saved(photograph(), "jpeg")[:2]
        + b"\xff\xfe\0\2" * 1_000_000
        + saved(photograph(), "jpeg")[2:],
        png_of(64, 64, zlib.compress(bytes(64 * 193)), extra=chunk(b"teXt") * 1_000_000),
    ],
    ids=["jpeg", "png"],
)
def test_a_picture_in_millions_of_pieces_is_refused_quickly(data: bytes) -> None:
    began = time.process_time()
    with pytest.raises(UnsupportedPictureError, match=r"in more than 16384 pieces\.$"):
        inspect(data)
    assert time.process_time() - began < 1


def test_a_tiff_without_pixels_or_with_thousands_of_tags_is_refused() -> None:
    with pytest.raises(BrokenPictureError):
        inspect(tiff_of([(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (262, 3, 1, 1)]))
    with pytest.raises(BrokenPictureError, match=r"Received: 2006 tags\.$"):
        inspect(grey_tiff(*((40_000 + i, 3, 1, 0) for i in range(2000))))


def test_the_most_strips_that_are_taken_take_no_long_time() -> None:
    strips = 20_480
    tags = [(256, 4, 1, 64), (257, 4, 1, strips // 40), (258, 3, 1, 8), (262, 3, 1, 1)]
    tags += [(278, 4, 1, 1), (273, 4, strips, 8), (279, 4, strips, 8 + 4 * strips)]
    data = tiff_of(tags, struct.pack("<I", 8) * (2 * strips))
    began = time.process_time()
    assert inspect(data).width == 64
    assert time.process_time() - began < 1


def test_a_jpeg_that_pillow_cannot_identify_is_called_broken() -> None:
    data = bytearray(saved(photograph(), "jpeg"))
    data[data.index(b"\xff\xdb") + 4] = 0xFF
    with pytest.raises(BrokenPictureError, match=r"a damaged JPEG of 96 x 64 pixels\.$"):
        inspect(bytes(data))


def test_two_readers_that_see_different_sizes_do_not_pass() -> None:
    with pytest.raises(BrokenPictureError, match="two different sizes"):
        open_bare(Container("png", 95, 64, whole=True, bare=saved(photograph(), "png")))


@pytest.mark.parametrize(
    "error",
    [
        struct.error(),
        SyntaxError(),
        OSError(),
        ValueError(),
        EOFError(),
        OverflowError(),
        MemoryError(),
        IndexError(),
        Image.DecompressionBombError(),
        Image.DecompressionBombWarning(),
    ],
)
def test_whatever_pillow_raises_becomes_an_error_of_ours(error: Exception) -> None:
    with pytest.raises(BrokenPictureError), only_our_errors(Container("png", 8, 8)):
        raise error


def test_a_jpeg_in_hundreds_of_scans_is_refused() -> None:
    data = saved(photograph(), "jpeg", progressive=True)
    scan = data.index(b"\xff\xda")
    with pytest.raises(UnsupportedPictureError, match=r"a JPEG in \d+ scans"):
        inspect(data[:scan] + data[scan : scan + 10] * 200 + data[scan:])


def test_text_in_a_png_is_never_unpacked() -> None:
    text = b"key\0\0" + zlib.compress(bytes(2_000_000))
    data = png_of(64, 64, zlib.compress(bytes(64 * 193)), extra=chunk(b"zTXt", text))
    assert inspect(data).width == 64
    assert decode(data).rgb.shape == (64, 64, 3)


def test_the_error_names_the_field_it_was_told() -> None:
    with pytest.raises(UnsupportedPictureError) as caught:
        inspect(b"", field="style")
    assert caught.value.field == "style"


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Damage a few bytes, mostly of the header, or cut, double or drop a stretch."""
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        damaged[rng.randrange(min(len(damaged), rng.choice((64, 700, 10**9))))] = rng.choice(
            (0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256))
        )
    start, length = rng.randrange(len(damaged)), rng.randrange(1, 40)
    if rng.random() < 0.2:
        del damaged[start : start + length]
    elif rng.random() < 0.2:
        damaged[start:start] = damaged[start : start + length]
    return bytes(damaged)


@pytest.mark.filterwarnings("ignore")  # as the module itself arranges it
@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_raise_our_errors_and_no_others(kind: PictureFormat) -> None:
    rng = random.Random(42)
    image = photograph(48, 40)
    options = {"exif": b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"}
    sources = [saved(image, kind, **options), saved(image.convert("L"), kind)]
    sources.append(saved(image.convert("CMYK" if kind in ("jpeg", "tiff") else "RGBA"), kind))
    if kind == "tiff":
        sources.append(saved(image, kind, compression="tiff_lzw"))
    refused: list[str] = []
    for _ in range(400):
        try:
            picture = decode(mutated(rng.choice(sources), rng))
        except AtelierError as error:
            refused.append(str(error))
        else:
            assert np.isfinite(picture.rgb).all()
    assert len(refused) > 50
    assert all("Received: " in sentence and "0x" not in sentence for sentence in refused)


def test_a_picture_that_is_refused_does_not_make_pillow_write_to_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(AtelierError):
        inspect(grey_tiff((277, 3, 1, 12_035)))
    assert caplog.records == []


def test_odd_files_make_no_noise_and_need_no_tensorflow() -> None:
    program = """
import sys
from model.images import decode
decode(sys.stdin.buffer.read())
print("tensorflow" in sys.modules)
"""
    odd = grey_tiff((277, 3, 2, 0x0001_0001))  # Pillow warns that one value was expected
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", program], input=odd, capture_output=True, check=True
    )
    assert (done.stdout.split(), done.stderr) == ([b"False"], b"")
