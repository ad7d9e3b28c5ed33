"""The walk over a WebP: RIFF chunks with lengths, padded to even ones."""

import struct
from collections.abc import Iterator

from model.container import Container, pieces
from model.tiff import orientation


def read_webp(data: bytes) -> Container:
    """Walk over a WebP, whose first bytes have told that it is one.

    A file that is merely cut off is returned, with `whole` False, so that the caller can look
    at its size first.

    Raises:
        UnsupportedPictureError: a kind of WebP that is not taken.
        BrokenPictureError: the container contradicts itself.
    """
    found, images, frames = Container("webp"), 0, 0
    end = 8 + int.from_bytes(data[4:8], "little")
    for kind, start, stop in _webp_chunks(data[:end]):
        body = data[start : min(stop, start + 10)]
        if not found.width:
            found.width, found.height = _webp_size(kind, body)
        images += kind in (b"VP8 ", b"VP8L")
        frames += kind == b"ANMF"
        if kind == b"EXIF":
            found.orientation = orientation(data[start:stop].removeprefix(b"Exif\0\0"))
    found.frames = min(2, max(1, frames))
    found.whole = images + frames > 0 and end <= len(data)
    found.bare = data[:end]
    return found


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start, end) of the body of each complete chunk."""
    at = 12
    for _ in pieces("WebP"):
        start = at + 8
        end = start + int.from_bytes(data[at + 4 : start], "little")
        if end > len(data) or start > len(data):
            return
        yield data[at : at + 4], start, end
        at = end + end % 2


def _webp_size(kind: bytes, body: bytes) -> tuple[int, int]:
    """Return the width and height that the first chunk of a WebP names, or (0, 0)."""
    if kind == b"VP8X" and len(body) == 10:  # noqa: PLR2004 - flags, then twice 24 bits, minus one
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L" and body[:1] == b"\x2f":  # twice 14 bits, minus one
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":  # twice 14 bits, with two of scaling
        width, height = struct.unpack_from("<HH", body.ljust(10, b"\0"), 6)
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0
