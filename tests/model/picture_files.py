"""Picture files and colour profiles that no library here writes, made byte by byte."""

import io
import itertools
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

Samples = npt.NDArray[np.uint16]

#: Red, green and blue in CIE XYZ under D50, from the profiles of these names.
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
DISPLAY_P3 = (
    (0.51512, 0.24120, -0.00105),
    (0.29198, 0.69225, 0.04189),
    (0.15710, 0.06657, 0.78407),
)

#: Linear light to linear sRGB, from CSS Color 4, section 18, and from B. Lindbloom's tables.
P3_TO_SRGB = [[1.224940, -0.224940, 0], [-0.042057, 1.042057, 0], [-0.019638, -0.078636, 1.098274]]
ADOBE_TO_SRGB = [[1.398284, -0.398284, 0], [0, 1, 0], [0, -0.042941, 1.042941]]

#: sRGB's own tone curve.
SRGB_CURVE = (3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the file that Pillow writes."""
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    """Return one PNG chunk."""
    crc = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + crc


def exif(orientation: int) -> bytes:
    """Return an EXIF block of one tag."""
    return b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x112, 3, 1, orientation, 0)


def png16(samples: Samples, *, extra: bytes = b"", interlaced: bool = False) -> bytes:
    """Return a PNG of 16 bits: [height, width, channels], 1 to 4 of them."""
    height, width, channels = samples.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = [samples]
    if interlaced:  # Adam7
        header = header[:-1] + b"\1"
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4)]
        passes += [(2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
        rows = [samples[y::down, x::right] for y, x, down, right in passes]
    pixels = b"".join(b"\0" + row.astype(">u2").tobytes() for passed in rows for row in passed)
    pieces = (chunk(b"IHDR", header), extra, chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(pieces)


def tiff16(samples: Samples, **options: Any) -> bytes:
    """Return a TIFF of 16 bits; options are those of `tifffile.imwrite`."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, **{"photometric": "rgb", "metadata": None, **options})
    return buffer.getvalue()


def lzw_tiff16(samples: Samples, *, predictor: int) -> bytes:
    """Return a little-endian TIFF of RGB in 16 bits, in one strip of LZW."""
    height, width, _ = samples.shape
    if predictor == 2:
        samples = np.diff(samples, axis=1, prepend=np.zeros((height, 1, 3), np.uint16))
    strip = _lzw(samples.astype("<u2").tobytes())
    strip += bytes(len(strip) % 2)
    bits_at = 8 + len(strip)
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, bits_at), (259, 3, 1, 5)]
    tags += [(262, 3, 1, 2), (273, 4, 1, 8), (277, 3, 1, 3), (278, 4, 1, height)]
    tags += [(279, 4, 1, len(strip)), (317, 3, 1, predictor)]
    directory = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    header = b"II*\0" + struct.pack("<I", bits_at + 6)
    bits = struct.pack("<3H", 16, 16, 16)
    return header + strip + bits + struct.pack("<H", len(tags)) + directory + bytes(4)


def _lzw(data: bytes) -> bytes:
    """Code bytes as LZW that never learns: codes of 9 bits, with a clear before a tenth."""
    blocks = (data[at : at + 200] for at in range(0, len(data), 200))
    codes = [*itertools.chain.from_iterable((256, *block) for block in blocks), 257]
    bits = "".join(f"{code:09b}" for code in codes)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def curv(*table: float) -> bytes:
    """Return a tone curve: none is straight, one is an exponent, more are a table of [0, 1]."""
    if len(table) == 1:
        return b"curv" + struct.pack(">IIH", 0, 1, round(table[0] * 256)) + bytes(2)
    values = [round(value * 65535) for value in table]
    packed = b"curv" + struct.pack(f">II{len(values)}H", 0, len(values), *values)
    return packed + bytes(-len(packed) % 4)


def para(kind: int, *numbers: float) -> bytes:
    """Return a parametric tone curve."""
    fixed = [round(number * 65536) for number in numbers]
    return b"para" + struct.pack(f">IHH{len(fixed)}i", 0, kind, 0, *fixed)


def rgb_profile(
    primaries: Sequence[Sequence[float]], curve: bytes, extra: dict[bytes, bytes] | None = None
) -> bytes:
    """Return a profile of RGB in three equal tone curves and a matrix, and any extra elements."""
    tags = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    names = (b"rXYZ", b"gXYZ", b"bXYZ")
    tags |= {name: _xyz(primary) for name, primary in zip(names, primaries, strict=True)}
    return _profile(b"mntrRGB XYZ ", tags | (extra or {}))


def grey_profile(curve: bytes) -> bytes:
    """Return a profile of grey."""
    return _profile(b"mntrGRAYXYZ ", {b"kTRC": curve})


def table_profile(colours: bytes) -> bytes:
    """Return a profile of tables by which the first channel alone tells the lightness.

    Args:
        colours: `b"RGB "`, where 0 is L* = 0, or `b"CMYK"`, where 0 is L* = 100.
    """
    inputs, lightness = (4, (0xFF00, 0)) if colours == b"CMYK" else (3, (0, 0xFF00))
    # lut16Type: channels in and out, grid points, unit matrix, straight curves, two grid points
    matrix = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    table = b"mft2" + bytes(4) + bytes((inputs, 3, 2, 0)) + matrix + struct.pack(">HH", 2, 2)
    table += struct.pack(">HH", 0, 65535) * inputs
    for first in lightness:
        table += struct.pack(">3H", first, 0x8000, 0x8000) * 2 ** (inputs - 1)
    table += struct.pack(">HH", 0, 65535) * 3
    return _profile(b"prtr" + colours + b"Lab ", {b"A2B0": table + bytes(-len(table) % 4)})


def _xyz(numbers: Sequence[float]) -> bytes:
    return b"XYZ " + struct.pack(">4i", 0, *(round(number * 65536) for number in numbers))


def _profile(kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    white = _xyz((0.9642, 1.0, 0.8249))
    tags = {**tags, b"wtpt": white}
    at, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, element in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(element))
        body += element
    header = struct.pack(">II", at + len(body), 0) + b"\x02\x40\0\0" + kind + bytes(12) + b"acsp"
    return (header.ljust(68, b"\0") + white[8:]).ljust(128, b"\0") + table + body
