"""The walk over a PNG: chunks with lengths and checksums, from IHDR to IEND."""

import struct
import zlib
from collections.abc import Iterator

from model.container import Container, pieces
from model.errors import BrokenPictureError
from model.tiff import orientation

_PNG_PICTURE = frozenset({b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"IDAT", b"IEND"})
# colour type -> channels, and the bit depths it may have
_PNG_COLOURS = {
    0: (1, (1, 2, 4, 8, 16)),
    2: (3, (8, 16)),
    3: (1, (1, 2, 4, 8)),
    4: (2, (8, 16)),
    6: (4, (8, 16)),
}
# Deflate codes at best 258 bytes in two bits, so nothing grows more than 1032-fold.
_DEFLATE_RATIO = 1032

# Pillow makes grey of 2 and 4 bits brighter, so that white is 255, but not the transparent one.
_BRIGHTER = {2: 85, 4: 17}


def read_png(data: bytes) -> Container:
    """Walk over a PNG, whose first bytes have told that it is one.

    A file that is merely cut off is returned, with `whole` False, so that the caller can look
    at its size first.

    Raises:
        UnsupportedPictureError: a kind of PNG that is not taken.
        BrokenPictureError: the container contradicts itself.
    """
    found, view, packed, unpacked = Container("png"), memoryview(data), 0, 0
    kept: list[memoryview] = [view[:8]]
    grey_bits = 0
    for kind, start, end in _png_chunks(data):
        body = view[start + 8 : end - 4]
        if kind == b"IHDR":
            unpacked = _read_ihdr(found, bytes(body))
            grey_bits = body[8] if body[9] == 0 else 0
        elif kind == b"acTL" and len(body) >= 4:  # noqa: PLR2004 - a count of 32 bits
            found.frames = min(2, int.from_bytes(body[:4], "big"))
        elif kind == b"eXIf":
            found.orientation = orientation(bytes(body))
        if kind in _PNG_PICTURE:
            if zlib.crc32(view[start + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
                break
            if kind == b"tRNS" and grey_bits in _BRIGHTER:
                kept.append(_brighter(body, _BRIGHTER[grey_bits]))
            else:
                kept.append(view[start:end])
        packed += len(body) if kind == b"IDAT" else 0
        found.whole = kind == b"IEND" and packed * _DEFLATE_RATIO >= unpacked
    found.bare = b"".join(kept)
    return found


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start, end) of each complete chunk up to IEND."""
    at = 8
    for _ in pieces("PNG"):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            return
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end


def _read_ihdr(found: Container, body: bytes) -> int:
    """Take the size from the header, and return the bytes that the unpacked pixels have at least.

    A second header is refused: Pillow would believe it rather than the one that was checked.
    """
    if found.width or len(body) != 13:  # noqa: PLR2004 - the length that the standard demands
        raise BrokenPictureError("A PNG has one header of 13 bytes. Received: another one.")
    found.width, found.height, bits, colour = struct.unpack_from(">IIBB", body)
    channels, depths = _PNG_COLOURS.get(colour, (0, ()))
    if bits not in depths:
        raise BrokenPictureError(
            f"This PNG has a wrong header. Received: colour type {colour} of {bits} bits."
        )
    pixels: int = found.width * found.height
    return pixels * channels * int(bits) // 8


def _brighter(body: memoryview, factor: int) -> memoryview:
    """The chunk with the grey that is transparent, in the brightness that Pillow gives it."""
    grey = min(255, factor * int.from_bytes(body[:2], "big"))
    chunk = b"tRNS" + struct.pack(">H", grey)
    return memoryview(struct.pack(">I", 2) + chunk + struct.pack(">I", zlib.crc32(chunk)))
