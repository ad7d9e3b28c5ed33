"""An uploaded archive, to be gone through at the door; of its pictures one at a time is in memory.

It lies in a temporary file, and is never unpacked to a disk. What could be made to get the better
of whoever unpacks it is refused as a whole: entries that are larger than a picture may be, that are
encrypted or damaged, or whose names lead out of the archive.
"""

import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Any, cast

from app.batch.entries import is_picture, unpacked
from model.errors import InputError, PictureSizeError, UnsupportedPictureError
from worker import tfrecords
from worker.batches.order import Archive, Arrival
from worker.batches.records import ArchiveFormat, BatchSizeError, BrokenArchiveError
from worker.settings import Settings

#: Where errors say that the fault is.
FIELD = "pictures"

#: Room for what else is in a record: a twentieth of what it may take unpacked.
_FURTHER_BYTES = 2**20

#: Of a zip's table of contents, for each picture that a batch may have: a long name, and what
#: operating systems put beside it. ``zipfile`` makes objects of all of it at once.
_TABLE_BYTES = 512
_TABLE_ENTRIES = 4

#: Room for the end of a zip, in which there may be a comment of 64 KiB.
_END_BYTES = 2**17

#: What each entry of the table begins with.
_ENTRY = b"PK\x01\x02"

#: Of an entry's name, in UTF-8. The painting's is longer, and goes into a zip as well.
_MAX_NAME_BYTES = 1024

_ENCRYPTED = 1


def archive_in(file: IO[bytes], settings: Settings) -> Archive:
    """The archive in a file; its first bytes tell the kind, as a name may say anything.

    Raises:
        InputError: it is none, is damaged, or has more in it than is taken.
    """
    file.seek(0)
    head = file.read(tfrecords.HEAD_BYTES)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _UploadedZip(file, settings)
    if tfrecords.is_head(head):
        return _UploadedRecords(file, settings)
    raise UnsupportedPictureError(
        "Pictures come in a .zip or in a .tfrecord that is not compressed. "
        f"Received: {'an empty file' if not head else 'another kind of file'}.",
        field=FIELD,
    )


class _UploadedZip:
    """The pictures of a zip, in the order of its table of contents."""

    format: ArchiveFormat = "zip"

    def __init__(self, file: IO[bytes], settings: Settings) -> None:
        sips = _Sips(file, settings.max_batch_pictures)
        try:
            self._zip = zipfile.ZipFile(cast("IO[bytes]", sips))
        except Exception as error:  # noqa: BLE001 - struct's and others' as well, on hostile bytes
            raise _broken(f"The zip cannot be read: {error}.") from None
        sips.is_table = False
        self._members = [m for m in self._zip.infolist() if is_picture(m.filename)]
        self._check(settings)

    def __iter__(self) -> Iterator[Arrival]:
        for member in self._members:
            yield Arrival(member.filename, self._read(member))

    def _check(self, settings: Settings) -> None:
        """What the table of contents says; no more than that is ever unpacked."""
        if len(self._members) > settings.max_batch_pictures:
            raise BatchSizeError(
                f"A batch may have up to {settings.max_batch_pictures:,} pictures. "
                f"Received: {len(self._members):,}.",
                field=FIELD,
            )
        unpacked = sum(member.file_size for member in self._members)
        if unpacked > settings.max_batch_bytes:
            raise BatchSizeError(
                f"The pictures of a batch may have up to {settings.max_batch_bytes:,} bytes "
                f"together. Received: {unpacked:,} bytes, unpacked.",
                field=FIELD,
            )
        for member in self._members:
            _check_member(member, settings.max_upload_bytes)

    def _read(self, member: zipfile.ZipInfo) -> bytes:
        try:
            return unpacked(self._zip, member)
        except Exception as error:  # noqa: BLE001 - zlib's, struct's and others' all say the same
            raise _broken(f"{member.filename!r} cannot be unpacked: {error}.") from None


class _UploadedRecords:
    """The pictures of a TFRecord file, with what else is in its records."""

    format: ArchiveFormat = "tfrecord"

    def __init__(self, file: IO[bytes], settings: Settings) -> None:
        self._file = file
        self._max_bytes = settings.max_upload_bytes + _FURTHER_BYTES

    def __iter__(self) -> Iterator[Arrival]:
        self._file.seek(0)
        for number, record in enumerate(tfrecords.records(self._file, self._max_bytes)):
            name = f"record {number}"
            try:
                yield Arrival(name, *tfrecords.taken_out(record, _FURTHER_BYTES))
            except InputError as fault:  # of this record alone
                yield Arrival(name, b"", b"", fault)


class _Sips:
    """A zip that gives no more of its table of contents than so many pictures need.

    ``zipfile`` reads that in one piece, however long it is said to be. What is read afterwards is
    of a picture, whose size has been looked at.

    Attributes:
        is_table: whether what is read may still be of the table.
    """

    def __init__(self, file: IO[bytes], pictures: int) -> None:
        self._file = file
        self._most = _TABLE_BYTES * pictures + _END_BYTES
        self._most_entries = _TABLE_ENTRIES * pictures
        self.is_table = True

    def read(self, size: int = -1) -> bytes:
        """So many bytes, or all that are left."""
        if not self.is_table:
            return self._file.read(size)
        data = self._file.read(self._most + 1 if size < 0 else min(size, self._most + 1))
        if len(data) > self._most or data.count(_ENTRY) > self._most_entries:
            raise zipfile.BadZipFile("its table of contents is too long")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _check_member(member: zipfile.ZipInfo, max_bytes: int) -> None:
    name = member.filename
    if len(name.encode()) > _MAX_NAME_BYTES:
        raise _broken(
            f"Names may have up to {_MAX_NAME_BYTES:,} bytes. Received: {name[:80]!r} and more."
        )
    if member.file_size > max_bytes:
        raise PictureSizeError(
            f"A picture may have up to {max_bytes:,} bytes. "
            f"Received: {name!r} with {member.file_size:,} bytes, unpacked.",
            field=FIELD,
        )
    if member.flag_bits & _ENCRYPTED:
        raise _broken(f"Pictures are taken without encryption. Received: {name!r} with it.")
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or path.parts[0].endswith(":"):
        raise _broken(f"Names must stay within the archive. Received: {name!r}.")


def _broken(message: str) -> BrokenArchiveError:
    return BrokenArchiveError(message, field=FIELD)
