"""The walk over a JPEG: segments with lengths, and coded pixels that end at the next marker."""

import re
import struct
from collections.abc import Iterator

from model.container import Container, pieces, unsupported
from model.errors import BrokenPictureError
from model.tiff import orientation

# Decoders go over all of the picture for each scan, even an empty one. Programs write about ten.
_MAX_SCANS = 64

# Each block of 8 x 8 pixels costs at least a bit, the code of its mean (ITU-T T.81, section F.1.2),
# which makes 512 pixels a byte. Doubled twice: in odd samplings no component has all the blocks.
_PIXELS_PER_BYTE = 2048

# The next marker: not a stuffed 0xFF of the coded pixels (FF 00), not a restart within them
# (FF D0 to FF D7), and not a fill byte (FF FF).
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_DHT, _DQT, _DRI = 0xC4, 0xDB, 0xDD
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE  # JFIF; EXIF; colour profile; Adobe
# Every start of a frame; of these Pillow reads baseline, extended and progressive Huffman coding.
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOF_TAKEN = frozenset({0xC0, 0xC1, 0xC2})
_PICTURE = _SOF_TAKEN | {_DHT, _DQT, _DRI, _SOS, _EOI, _APP0, _APP14}


def read_jpeg(data: bytes) -> Container:
    """Walk over a JPEG, whose first bytes have told that it is one.

    A file that is merely cut off is returned, with `whole` False, so that the caller can look
    at its size first.

    Raises:
        UnsupportedPictureError: a kind of JPEG that is not taken.
        BrokenPictureError: the container contradicts itself.
    """
    found, view, scans, coded = Container("jpeg"), memoryview(data), 0, 0
    kept: list[memoryview] = [view[:2]]
    exif = b""
    for marker, start, end in _jpeg_segments(data):
        if marker in _SOF:
            _read_frame(found, marker, data[start + 4 : end])
        elif marker == _APP1 and data.startswith(b"Exif\0\0", start + 4):
            exif = exif or data[start + 10 : end]  # what further blocks say is not asked
        scans += marker == _SOS
        coded += end - start if marker == _SOS else 0
        profile = marker == _APP2 and data.startswith(b"ICC_PROFILE\0", start + 4)
        if marker in _PICTURE or profile:
            kept.append(view[start:end])
        enough = coded * _PIXELS_PER_BYTE >= found.width * found.height
        found.whole = marker == _EOI and scans > 0 and enough
    if scans > _MAX_SCANS:
        raise unsupported(f"a JPEG in {scans} scans")
    found.orientation = orientation(exif)
    found.bare = b"".join(kept)
    return found


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end) of each complete segment up to the end of the image.

    A scan ends where the next marker begins, so its coded pixels belong to it. Lengths are
    obeyed: the preview inside an EXIF segment has an end-of-image marker of its own, which
    would make every cut-off photograph look whole.
    """
    at = _next_marker(data, 2)
    for _ in pieces("JPEG"):
        marker = data[at + 1] if at < len(data) else _EOI
        body = at + 2
        if marker in (_SOI, _TEM, _EOI):
            end = body
        else:
            end = body + max(2, int.from_bytes(data[body : body + 2], "big"))
        if end > len(data):
            return
        following = _next_marker(data, end)
        yield marker, at, following if marker == _SOS else end
        if marker == _EOI:
            return
        at = following


def _next_marker(data: bytes, at: int) -> int:
    match = _MARKER.search(data, at)
    return match.start() if match else len(data)


def _read_frame(found: Container, marker: int, body: bytes) -> None:
    """Take the size from a start of frame: precision, height, width, number of components."""
    if found.width or len(body) < 6:  # noqa: PLR2004 - 1 + 2 + 2 + 1 bytes, see above
        raise BrokenPictureError("This JPEG has no one size. Received: a second start of frame.")
    bits, found.height, found.width, components = struct.unpack_from(">BHHB", body)
    if marker not in _SOF_TAKEN:
        raise unsupported("a lossless, hierarchical or arithmetic-coded JPEG")
    if bits != 8 or components not in (1, 3, 4):  # noqa: PLR2004 - grey, YCbCr, CMYK in bytes
        raise unsupported(f"a JPEG with {components} components of {bits} bits")
