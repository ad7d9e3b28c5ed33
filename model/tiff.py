"""The walk over a TIFF: the directory of tags that TIFF files, and EXIF blocks too, begin with.

Only tags of whole numbers are read, only from the first directory, and every count is bounded
before anything is unpacked: in a hostile file all of them may be lies.
"""

import struct
from collections.abc import Collection
from enum import IntEnum

from model.container import Container, unsupported
from model.errors import BrokenPictureError

# Strips or tiles of a picture: 50 megapixels in tiles of 64 x 64 are 12,208, and in strips of one
# row, as far as the aspect goes, 20,000. Pillow reads these in 30 milliseconds.
_MAX_PARTS = 20_480
# Values of any other tag; a palette has 768.
_MAX_VALUES = 1024
_MAX_ENTRIES = 1024

# TIFF types of unsigned whole numbers, and their codes for `struct`: BYTE, SHORT, LONG.
_CODES = {1: "B", 3: "H", 4: "I"}
# Types whose values Pillow hands on as bytes, so that a long one costs no more than its bytes:
# BYTE, ASCII, UNDEFINED.
_BYTE_TYPES = frozenset({1, 2, 7})

# None, LZW, JPEG, Deflate under both of its numbers, PackBits. Others are rare, and each is one
# more decoder that strangers could reach.
_TIFF_COMPRESSIONS = frozenset({1, 5, 7, 8, 32946, 32773})
_TIFF_BITS = frozenset({1, 2, 4, 8, 16})


class Tag(IntEnum):
    """Tags by their names in TIFF 6.0."""

    WIDTH = 256
    LENGTH = 257
    BITS_PER_SAMPLE = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    FILL_ORDER = 266
    STRIP_OFFSETS = 273
    ORIENTATION = 274
    SAMPLES_PER_PIXEL = 277
    ROWS_PER_STRIP = 278
    STRIP_BYTE_COUNTS = 279
    PLANAR_CONFIGURATION = 284
    PREDICTOR = 317
    COLOR_MAP = 320
    TILE_WIDTH = 322
    TILE_LENGTH = 323
    TILE_OFFSETS = 324
    TILE_BYTE_COUNTS = 325
    EXTRA_SAMPLES = 338
    SAMPLE_FORMAT = 339
    JPEG_TABLES = 347
    YCBCR_COEFFICIENTS = 529
    YCBCR_SUBSAMPLING = 530
    YCBCR_POSITIONING = 531
    REFERENCE_BLACK_WHITE = 532
    ICC_PROFILE = 34675


_PARTS = frozenset(
    {Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS, Tag.TILE_OFFSETS, Tag.TILE_BYTE_COUNTS}
)


class Directory:
    """The first directory of a classic (32-bit) TIFF.

    Attributes:
        another: True when a second directory follows, that is a second page.

    Raises:
        BrokenPictureError: there is no complete directory in these bytes.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._order = "<" if data[:2] == b"II" else ">"
        try:
            (at,) = self._unpack("I", 4)
            (count,) = self._unpack("H", at)
            (following,) = self._unpack("I", at + 2 + 12 * count)
        except struct.error as error:
            raise BrokenPictureError(
                f"This TIFF ends before its directory does. Received: {len(data)} bytes."
            ) from error
        if count > _MAX_ENTRIES:
            raise BrokenPictureError(
                f"A TIFF may have up to {_MAX_ENTRIES} tags. Received: {count} tags."
            )
        self.another = following != 0
        # tag -> where its entry of 12 bytes begins; of repeated tags the last counts, as for Pillow
        self._entries = {
            self._unpack("H", entry)[0]: entry for entry in range(at + 2, at + 2 + 12 * count, 12)
        }

    def values(self, tag: Tag) -> tuple[int, ...]:
        """Return the values of a tag; none when it is absent, not numeric, or out of the file."""
        if tag not in self._entries:
            return ()
        kind, count = self._kind_and_count(tag)
        if kind not in _CODES or count > _most(tag):
            return ()
        code = f"{count}{_CODES[kind]}"
        at = self._entries[tag] + 8
        if struct.calcsize(code) > struct.calcsize("I"):
            (at,) = self._unpack("I", at)
        try:
            return self._unpack(code, at)
        except struct.error:
            return ()

    def first(self, tag: Tag, default: int = 0) -> int:
        """Return the first value of a tag, or the default where it has none."""
        return next(iter(self.values(tag)), default)

    def rewrite(self, tags: Collection[Tag]) -> bytes:
        """Return the same file with a directory that holds only these tags, and with no other.

        The new directory goes to the end, so that every offset in the file stays right.

        Raises:
            BrokenPictureError: one of the tags claims more values than a picture can need.
        """
        entries = [self._entry(tag) for tag in sorted(tags) if tag in self._entries]
        padding = bytes(len(self._data) % 2)  # directories begin at even offsets
        directory_at = struct.pack(self._order + "I", len(self._data) + len(padding))
        count = struct.pack(self._order + "H", len(entries))
        return b"".join(
            [self._data[:4], directory_at, self._data[8:], padding, count, *entries, bytes(4)]
        )

    def _entry(self, tag: Tag) -> bytes:
        kind, count = self._kind_and_count(tag)
        if count > _most(tag) and kind not in _BYTE_TYPES:
            raise BrokenPictureError(
                f"A tag of this TIFF may hold up to {_most(tag)} values. Received: {count} values."
            )
        at = self._entries[tag]
        return self._data[at : at + 12]

    def _kind_and_count(self, tag: Tag) -> tuple[int, int]:
        kind, count = self._unpack("HI", self._entries[tag] + 2)
        return kind, count

    def _unpack(self, code: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + code, self._data, at)


def _most(tag: Tag) -> int:
    return _MAX_PARTS if tag in _PARTS else _MAX_VALUES


def orientation(exif: bytes) -> int:
    """Return the orientation (1 to 8) that an EXIF block names; 1, upright, when it names none."""
    try:
        # Some end with their first directory, without the word that no other follows.
        return _orientation_in(Directory(exif + bytes(4)))
    except BrokenPictureError:
        return 1


def _orientation_in(directory: Directory) -> int:
    turned = directory.first(Tag.ORIENTATION, 1)
    return turned if turned in range(1, 9) else 1


def read_tiff(data: bytes) -> Container:
    """Walk over a TIFF, whose first bytes have told that it is one.

    A file that is merely cut off is returned, with `whole` False, so that the caller can look
    at its size first.

    Raises:
        UnsupportedPictureError: a kind of TIFF that is not taken.
        BrokenPictureError: the container contradicts itself.
    """
    directory = Directory(data)
    found = Container("tiff", directory.first(Tag.WIDTH), directory.first(Tag.LENGTH))
    found.frames = 2 if directory.another else 1
    found.orientation = _orientation_in(directory)
    _check_tiff_coding(directory)
    offsets = directory.values(Tag.STRIP_OFFSETS) or directory.values(Tag.TILE_OFFSETS)
    counts = directory.values(Tag.STRIP_BYTE_COUNTS) or directory.values(Tag.TILE_BYTE_COUNTS)
    found.whole = 0 < len(offsets) == len(counts) and all(
        offset + count <= len(data) for offset, count in zip(offsets, counts, strict=True)
    )
    # Without its orientation, so that it is applied in one place for all four formats.
    found.bare = directory.rewrite(set(Tag) - {Tag.ORIENTATION})
    return found


def _check_tiff_coding(directory: Directory) -> None:
    compression = directory.first(Tag.COMPRESSION, 1)
    if compression not in _TIFF_COMPRESSIONS:
        raise unsupported(f"a TIFF with compression {compression}")
    bits = directory.first(Tag.BITS_PER_SAMPLE, 1)
    if bits not in _TIFF_BITS:
        raise unsupported(f"a TIFF with samples of {bits} bits")
    if bits == 16 and directory.first(Tag.PHOTOMETRIC) == 0:  # noqa: PLR2004 - Pillow: a negative
        raise unsupported("a TIFF with samples of 16 bits where 0 is white")
    planar = directory.first(Tag.PLANAR_CONFIGURATION, 1) == 2  # noqa: PLR2004 - TIFF 6.0: separate
    if bits == 16 and planar and directory.first(Tag.SAMPLES_PER_PIXEL, 1) > 1:  # noqa: PLR2004
        raise unsupported("a TIFF with samples of 16 bits in separate planes")  # Pillow: garbage
