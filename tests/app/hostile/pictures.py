"""Picture files that were tampered with: flipped bits, sizes that lie, ends that are missing."""

import struct
import zlib
from collections.abc import Callable, Iterator

from PIL import Image

from tests.app.hostile.case import (
    MARK,
    REFUSED_PICTURE,
    TAKEN,
    Case,
    Part,
    parts,
    post,
    seeded,
)
from tests.model.picture_files import chunk, saved
from tests.pictures import halves, photograph

FORMATS = ("jpeg", "png", "webp", "tiff")

#: What has been tampered with may still be a picture: many bits of a JPEG mean a colour.
EITHER = TAKEN | REFUSED_PICTURE

_FLIPS_IN_HEADER, _FLIPS_ANYWHERE, _RUNS = 14, 8, 6
_HEADER_BYTES = 80
_CUTS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
_SIZES = ((0, 0), (1, 1), (0, 72), (96, 0), (95, 72), (97, 72), (96, 7200), (16383, 16383))


def cases() -> list[Case]:
    """Each kind of damage to each kind of file, as a photograph; and masks that do not fit."""
    return [*_tampered(), *_undecodable(), *_masks()]


def _tampered() -> Iterator[Case]:
    for kind in FORMATS:
        whole = photograph(96, 72, kind.upper())
        for damage, data, statuses in _damaged(kind, whole):
            yield Case(f"a {kind} {damage}", post(parts(content=data)), statuses)


def _damaged(kind: str, whole: bytes) -> Iterator[tuple[str, bytes, frozenset[int]]]:
    draw = seeded(kind)
    bits = draw.sample(range(8 * _HEADER_BYTES), _FLIPS_IN_HEADER)
    bits += draw.sample(range(8 * _HEADER_BYTES, 8 * len(whole)), _FLIPS_ANYWHERE)
    for bit in bits:
        yield f"with bit {bit} flipped", _flipped(whole, bit), EITHER
    for fill in (b"\0", b"\xff", b"\x7f") * (_RUNS // 3):
        at, length = draw.randrange(12, len(whole) - 64), draw.randrange(2, 64)
        run = whole[:at] + fill * length + whole[at + length :]
        yield f"with {length} bytes {fill!r} from {at} on", run, EITHER
    for part in _CUTS:
        yield f"cut off after {part:.0%}", whole[: int(len(whole) * part)], REFUSED_PICTURE
    yield "without its last byte", whole[:-1], EITHER
    yield "with its last byte twice", whole + whole[-1:], EITHER
    yield "with zeros after it", whole + bytes(5000), EITHER
    yield "with rubbish after it", whole + draw.randbytes(5000), EITHER
    yield "twice", whole * 2, EITHER
    for size in _SIZES:
        yield f"that says {size[0]} x {size[1]}", _RESIZED[kind](whole, *size), EITHER


def _flipped(data: bytes, bit: int) -> bytes:
    at = bit // 8
    return data[:at] + bytes([data[at] ^ 1 << bit % 8]) + data[at + 1 :]


def _resized_jpeg(data: bytes, width: int, height: int) -> bytes:
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def _resized_png(data: bytes, width: int, height: int) -> bytes:
    """With a right checksum, or nobody would look at the size."""
    return data[:8] + chunk(b"IHDR", struct.pack(">II", width, height) + data[24:29]) + data[33:]


def _resized_webp(data: bytes, width: int, height: int) -> bytes:
    at = data.index(b"\x9d\x01\x2a") + 3
    return data[:at] + struct.pack("<HH", width, height) + data[at + 4 :]


def _resized_tiff(data: bytes, width: int, height: int) -> bytes:
    (at,) = struct.unpack_from("<I", data, 4)
    entries = [data[entry : entry + 12] for entry in range(at + 2, len(data) - 12, 12)]
    for tag, value in ((256, width), (257, height)):
        old = next(entry for entry in entries if entry[:2] == struct.pack("<H", tag))
        data = data.replace(old, struct.pack("<HHII", tag, 4, 1, value))
    return data


_RESIZED: dict[str, Callable[[bytes, int, int], bytes]] = {
    "jpeg": _resized_jpeg,
    "png": _resized_png,
    "webp": _resized_webp,
    "tiff": _resized_tiff,
}


def _undecodable() -> list[Case]:
    """Files whose container is whole and whose pixels are not: only decoding finds that out."""
    jpeg = photograph(96, 72)
    packed = zlib.compress(bytes(72 * 289))
    broken = {
        "a PNG with rubbish for pixels": _png_with(seeded("idat").randbytes(len(packed) + 20)),
        "a PNG with a wrong checksum inside": _png_with(packed[:-1] + b"\x55"),
        "a PNG with a row too few": _png_with(zlib.compress(bytes(71 * 289))),
        "a PNG with a filter that is not there": _png_with(zlib.compress(b"\x09" * 72 * 289)),
        "a JPEG without its tables": jpeg.replace(b"\xff\xc4", b"\xff\xec"),
        "a JPEG whose tables are not there": jpeg.replace(b"\xff\xdb", b"\xff\xe4"),
        "a TIFF with rubbish for LZW": _tiff_with_rubbish("tiff_lzw"),
        "a TIFF with rubbish for Deflate": _tiff_with_rubbish("tiff_adobe_deflate"),
        "a TIFF with rubbish for a JPEG": _tiff_with_rubbish("jpeg"),
        "a WebP with rubbish for pixels": _webp_with_rubbish(lossless=False),
        "a lossless WebP with rubbish for pixels": _webp_with_rubbish(lossless=True),
    }
    return [Case(name, post(parts(content=data)), EITHER) for name, data in broken.items()]


def _png_with(packed: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", 96, 72, 8, 2, 0, 0, 0)
    chunks = (chunk(b"IHDR", header), chunk(b"IDAT", packed), chunk(b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _tiff_with_rubbish(compression: str) -> bytes:
    whole = saved(Image.new("RGB", (96, 72), "red"), "TIFF", compression=compression)
    image = photograph(96, 72, "PNG")
    rubbish = seeded(compression).randbytes(len(image))
    (directory,) = struct.unpack_from("<I", whole, 4)
    begin, end = (8, directory) if directory > 8 else (directory + 200, len(whole))
    return whole[:begin] + rubbish[: end - begin] + whole[end:]


def _webp_with_rubbish(*, lossless: bool) -> bytes:
    whole = saved(Image.new("RGB", (96, 72), "red"), "WEBP", lossless=lossless)
    return whole[:30] + seeded("webp").randbytes(len(whole) - 30)


def _masks() -> Iterator[Case]:
    """Masks that are missing, too many, of other proportions, or no pictures."""
    red_blue, square = halves(48, 36, "#f00", "#00f"), halves(40, 40, "#f00", "#00f")
    sets = {
        "only for the content": [("content_mask", red_blue)],
        "only for the style": [("style_mask", square)],
        "swapped": [("content_mask", square), ("style_mask", red_blue)],
        "twice for one style": [("content_mask", red_blue), *[("style_mask", square)] * 2],
        "twice for the content": [*[("content_mask", red_blue)] * 2, ("style_mask", square)],
        "nine for one style": [("content_mask", red_blue), *[("style_mask", square)] * 9],
        "of one pixel": [("content_mask", halves(1, 1, "red", "red")), ("style_mask", square)],
        "that are texts": [("content_mask", b"left, right"), ("style_mask", b"all")],
        "that are empty files": [("content_mask", b""), ("style_mask", b"")],
        "cut off": [("content_mask", red_blue[:-9]), ("style_mask", square)],
        "turned": [("content_mask", halves(36, 48, "red", "blue")), ("style_mask", square)],
    }
    for name, masks in sets.items():
        sent = post(parts(*(Part(field, data, MARK) for field, data in masks)))
        yield Case(f"masks {name}", sent, REFUSED_PICTURE)
    named = [Part("content_mask", b"left"), Part("style_mask", b"right")]
    yield Case("masks that are fields", post(parts(*named)), REFUSED_PICTURE)
    gray = [Part("content_mask", halves(96, 72, "#010101", "#010102"), MARK)]
    sent = post(parts(*gray, Part("style_mask", square, MARK)))
    yield Case("masks without a common colour", sent, EITHER)
