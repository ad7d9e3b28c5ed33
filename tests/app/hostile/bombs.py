"""Files that would fill the memory, never end, or are several things at once."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

from PIL import Image

from tests.app.hostile.case import (
    CONTENT,
    REFUSED_PICTURE,
    STYLE,
    TAKEN,
    Case,
    parts,
    post,
    seeded,
)
from tests.model.picture_files import chunk, saved
from tests.pictures import photograph

_PNG = b"\x89PNG\r\n\x1a\n"
_SMALL = 10_000
_EITHER = TAKEN | REFUSED_PICTURE


def cases() -> list[Case]:
    """All of them, each as a photograph and, where it is small, as a style too."""
    found = []
    for name, data, statuses in (*_bombs(), *_polyglots(), *_other_kinds()):
        found.append(Case(name, post(parts(content=data)), statuses))
        if len(data) < _SMALL:
            found.append(Case(f"{name}, as a style", post(parts(style=data)), statuses))
    return found


def _bombs() -> Iterator[tuple[str, bytes, frozenset[int]]]:
    yield "a PNG of 400 megapixels", _flat_png(20_000, 20_000), REFUSED_PICTURE
    yield "a PNG of 2^31 by 2^31", _png(2**31 - 1, 2**31 - 1, b"x"), REFUSED_PICTURE
    yield "a PNG of 49 megapixels of nothing", _flat_png(7000, 7000), _EITHER
    yield "a PNG of 7000 x 7000 in few bytes", _png(7000, 7000, zlib.compress(b"")), REFUSED_PICTURE
    flood = zlib.compress(bytes(20_000_000), 9)
    for kind in (b"iCCP", b"zTXt", b"iTXt"):
        head = b"x\0\1\0\0\0" if kind == b"iTXt" else b"x\0\0"
        extra = chunk(kind, head + flood)
        yield f"a PNG with 20 MB in {kind.decode()}", _png_with(extra), _EITHER
    yield "a PNG of pixels without end", _png(96, 72, flood), _EITHER
    yield "a PNG of 20,000 chunks", _png_with(chunk(b"tEXt", b"x\0y") * 20_000), REFUSED_PICTURE
    yield "a PNG with two headers", _png_with(_ihdr(9000, 9000)), REFUSED_PICTURE
    yield "an APNG of 2^32 frames", _png_with(chunk(b"acTL", b"\xff" * 8)), REFUSED_PICTURE
    yield "a PNG chunk of 2^32 bytes", STYLE[:33] + b"\xff\xff\xff\xffIDAT", REFUSED_PICTURE
    yield from _jpeg_bombs()
    yield from _tiff_bombs()
    yield from _webp_bombs()


def _jpeg_bombs() -> Iterator[tuple[str, bytes, frozenset[int]]]:
    progressive = saved(Image.open(io.BytesIO(CONTENT)), "JPEG", progressive=True)
    at = progressive.index(b"\xff\xda")
    scan = progressive[at : progressive.index(b"\xff\xc4", at)]
    for scans in (40, 100, 5000):
        data = progressive[:at] + scan * scans + progressive[at:]
        yield f"a JPEG of {scans} scans", data, _EITHER if scans < 64 else REFUSED_PICTURE
    size = CONTENT.index(b"\xff\xc0") + 5
    huge = CONTENT[:size] + b"\xff" * 4 + CONTENT[size + 4 :]
    yield "a JPEG of 65535 x 65535", huge, REFUSED_PICTURE
    wide = CONTENT[:size] + struct.pack(">HH", 7000, 7000) + CONTENT[size + 4 :]
    yield "a JPEG of 7000 x 7000 in few bytes", wide, REFUSED_PICTURE
    segments = CONTENT[:2] + b"\xff\xfe\0\x02" * 30_000 + CONTENT[2:]
    yield "a JPEG of 30,000 comments", segments, REFUSED_PICTURE
    yield "a JPEG of fill bytes", CONTENT[:2] + b"\xff" * 1_000_000, REFUSED_PICTURE
    yield "a JPEG in a JPEG in a JPEG", CONTENT[:2] * 5000 + CONTENT, _EITHER
    pages = saved(
        Image.new("RGB", (96, 72)), "MPO", save_all=True, append_images=[Image.new("RGB", (96, 72))]
    )
    yield "a JPEG of several pictures", pages, _EITHER


def _tiff_bombs() -> Iterator[tuple[str, bytes, frozenset[int]]]:
    whole = photograph(96, 72, "TIFF")
    (at,) = struct.unpack_from("<I", whole, 4)
    (count,) = struct.unpack_from("<H", whole, at)
    end = at + 2 + 12 * count
    for name, following in (("itself", at), ("nowhere", 2**32 - 1), ("its header", 4)):
        looped = whole[:end] + struct.pack("<I", following) + whole[end + 4 :]
        yield f"a TIFF whose directory is followed by {name}", looped, REFUSED_PICTURE
    yield "a TIFF whose directory is its header", b"II*\0" + bytes(4), REFUSED_PICTURE
    yield "a TIFF of 65535 tags", whole[:at] + b"\xff\xff" + bytes(12 * 65_535 + 4), REFUSED_PICTURE
    for entry in range(count):
        place = at + 2 + 12 * entry + 4
        lying = whole[:place] + b"\xff\xff\xff\x7f" + whole[place + 4 :]
        yield f"a TIFF whose tag {entry} has 2^31 values", lying, _EITHER
    samples = whole.index(struct.pack("<HHI", 277, 3, 1)) + 8
    many = whole[:samples] + struct.pack("<H", 12_035) + whole[samples + 2 :]
    yield "a TIFF of 12,035 channels", many, REFUSED_PICTURE
    frames = [Image.new("L", (96, 72), shade) for shade in (0, 128)]
    pages = saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    yield "a TIFF of two pages", pages, REFUSED_PICTURE


def _webp_bombs() -> Iterator[tuple[str, bytes, frozenset[int]]]:
    whole = photograph(96, 72, "WEBP")
    for size in (0, 1, len(whole) - 9, len(whole), 2**31, 2**32 - 1):
        told = struct.pack("<I", size)
        statuses = _EITHER if size == len(whole) - 9 else REFUSED_PICTURE
        yield f"a WebP that says {size} bytes", whole[:4] + told + whole[8:], statuses
        yield f"a WebP chunk of {size} bytes", whole[:16] + told + whole[20:], _EITHER
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in (0, 100, 200)]
    moving = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    yield "an animated WebP", moving, REFUSED_PICTURE
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff" * 6
    lying = b"RIFF" + struct.pack("<I", len(whole) + 10) + b"WEBP" + canvas + whole[12:]
    yield "a WebP on a canvas of 2^24", lying, REFUSED_PICTURE


def _polyglots() -> Iterator[tuple[str, bytes, frozenset[int]]]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("../../evil.sh", "#!/bin/sh\n")
    script = b"<script>alert(1)</script>"
    comment = b"\xff\xfe" + struct.pack(">H", len(script) + 2) + script
    yield "a JPEG with HTML in a comment", CONTENT[:2] + comment + CONTENT[2:], TAKEN
    yield "a JPEG with a ZIP after it", CONTENT + archive.getvalue(), TAKEN
    yield "a PNG with a ZIP after it", STYLE + archive.getvalue(), TAKEN
    yield "a PNG with PHP in it", _png_with(chunk(b"tEXt", b"x\0<?php system(0);")), TAKEN
    yield "a ZIP with a PNG after it", archive.getvalue() + STYLE, REFUSED_PICTURE
    yield "a GIF with a JPEG after it", b"GIF89a" + bytes(20) + CONTENT, REFUSED_PICTURE
    yield "a PDF with a PNG in it", b"%PDF-1.7\n" + STYLE + b"%%EOF", REFUSED_PICTURE
    yield "a PNG that a script begins", b"#!/bin/sh\n" + STYLE, REFUSED_PICTURE
    yield "a JPEG that ends as a PNG", CONTENT[:-2] + STYLE, _EITHER
    yield "a TIFF's magic before a JPEG", b"II*\0" + CONTENT, REFUSED_PICTURE
    yield "a WebP's magic before a PNG", b"RIFF\xff\0\0\0WEBP" + STYLE, REFUSED_PICTURE


def _other_kinds() -> Iterator[tuple[str, bytes, frozenset[int]]]:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    entities = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>'
    others = {
        "an SVG with a script": svg,
        "an SVG with an entity": entities,
        "HTML": b"<!doctype html><script>alert(1)</script>",
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(%pipe%id) file\n",
        "a program": b"\x7fELF" + bytes(500),
        "a pickle": b"cos\nsystem\n(S'id'\ntR.",
        "a netpbm": b"P6 96 72 255\n" + bytes(96 * 72 * 3),
        "a TGA": bytes([0, 0, 2, *bytes(9), 96, 0, 72, 0, 24, 0]) + bytes(96 * 72 * 3),
        "a BMP": saved(Image.new("RGB", (96, 72)), "BMP"),
        "an icon": saved(Image.new("RGB", (32, 32)), "ICO"),
        "an animated GIF": saved(Image.new("L", (64, 64)), "GIF"),
        "a HEIC": b"\0\0\0\x18ftypheic" + bytes(200),
        "an AVIF": b"\0\0\0\x18ftypavif" + bytes(200),
        "a film": b"\0\0\0\x18ftypmp42" + bytes(200),
        "a gzip": b"\x1f\x8b\x08" + bytes(100),
        "an empty file": b"",
        "one byte": b"\xff",
        "null bytes": bytes(4096),
        "rubbish": seeded("rubbish").randbytes(4096),
        "a text in UTF-16": "photograph".encode("utf-16"),
        "the magic of a PNG alone": _PNG,
        "the magic of a JPEG alone": b"\xff\xd8\xff",
        "the magic of a TIFF alone": b"MM\0*",
        "the magic of a WebP alone": b"RIFF\0\0\0\0WEBP",
        "a BigTIFF": b"II+\0\x08\0\0\0" + bytes(100),
    }
    for name, data in others.items():
        yield name, data, REFUSED_PICTURE


def _ihdr(width: int, height: int, bits: int = 8, colour: int = 2) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))


def _png(width: int, height: int, packed: bytes) -> bytes:
    return _PNG + _ihdr(width, height) + chunk(b"IDAT", packed) + chunk(b"IEND")


def _png_with(extra: bytes) -> bytes:
    """A good PNG with further chunks after its header."""
    return STYLE[:33] + extra + STYLE[33:]


def _flat_png(width: int, height: int) -> bytes:
    """A whole PNG of one bit for each pixel, all black."""
    packer, row = zlib.compressobj(1), bytes(1 + (width + 7) // 8)
    packed = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    return _PNG + _ihdr(width, height, 1, 0) + chunk(b"IDAT", packed) + chunk(b"IEND")
