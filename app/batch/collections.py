"""Many pictures in one place, to be read in their order and to be made again from paintings."""

import os
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.batch.entries import is_picture, painted_names, unpacked
from model.errors import BrokenPictureError, InputError, ParameterError, PictureSizeError
from worker import tfrecords


@dataclass(frozen=True)
class Item:
    """A picture of a collection.

    Attributes:
        name: where it is in the collection, for people.
        key: a relative path, the item's own, under which its painting is kept.
        read: gives its file; raises ``InputError`` where it cannot be read.
    """

    name: str
    key: str
    read: Callable[[], bytes]


class Collection(ABC):
    """Pictures in their order.

    Attributes:
        path: where it is.
        ending: of paintings, such as ``.png``.
    """

    def __init__(self, path: Path, ending: str) -> None:
        self.path = path
        self.ending = ending

    @abstractmethod
    def __len__(self) -> int:
        """Number of pictures."""

    @abstractmethod
    def __iter__(self) -> Iterator[Item]:
        """The pictures, each read only when it is asked for."""

    @abstractmethod
    def workplace(self, output: Path) -> Path:
        """The folder in which paintings lie while they are made."""

    @abstractmethod
    def assemble(self, paintings: Path, output: Path) -> None:
        """Makes the result of the paintings that lie in a folder under the keys of their items.

        Items without a painting are left out.
        """


class Folder(Collection):
    """A folder and all below it, in the order of the paths; the result has the same places."""

    def __init__(self, path: Path, ending: str) -> None:
        super().__init__(path, ending)
        below = (Path(place) / name for place, _, names in os.walk(path) for name in names)
        self._names = sorted(found.relative_to(path).as_posix() for found in below)
        self._names = [name for name in self._names if is_picture(name)]

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Item]:
        for name, key in zip(self._names, painted_names(self._names, self.ending), strict=True):
            yield Item(name, key, partial(_read_file, self.path / name))

    def workplace(self, output: Path) -> Path:
        """The result itself: it grows."""
        return output

    def assemble(self, paintings: Path, output: Path) -> None:
        """They are where they should be."""


class SingleFile(Collection):
    """A collection in one file, whose result is put together when all is painted."""

    def workplace(self, output: Path) -> Path:
        """A folder beside the result."""
        return output.with_name(f"{output.name}.parts")

    def _key(self, number: int) -> str:
        """Not the name: names in an archive may lead anywhere."""
        return f"{number:08}{self.ending}"


class Zip(SingleFile):
    """A ``.zip``; the result has the same names in the same order."""

    def __init__(self, path: Path, ending: str, max_bytes: int) -> None:
        super().__init__(path, ending)
        self._max_bytes = max_bytes
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} cannot be read: {error}.") from None
        self._members = [m for m in self._zip.infolist() if is_picture(m.filename)]

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Item]:
        for number, member in enumerate(self._members):
            yield Item(member.filename, self._key(number), partial(self._read, member))

    def assemble(self, paintings: Path, output: Path) -> None:
        """Paintings are stored as they are: their formats are compressed already."""
        names = painted_names((member.filename for member in self._members), self.ending)
        with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as result:
            for item, name in zip(self, names, strict=True):
                if (painting := paintings / item.key).exists():
                    result.write(painting, name)

    def _read(self, member: zipfile.ZipInfo) -> bytes:
        if member.file_size > self._max_bytes:
            raise PictureSizeError(
                f"A picture may have up to {self._max_bytes:,} bytes. "
                f"Received: {member.file_size:,} bytes."
            )
        try:
            return unpacked(self._zip, member)
        except Exception as error:  # noqa: BLE001 - zlib's, struct's, of encryption: all say the same
            raise BrokenPictureError(f"It cannot be unpacked: {error}.") from None


class Records(SingleFile):
    """A ``.tfrecord`` of ``tf.train.Example``; the result has all their other features."""

    def __init__(self, path: Path, ending: str) -> None:
        super().__init__(path, ending)
        self._length = sum(1 for _ in tfrecords.read(path))

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Item]:
        for number, record in enumerate(tfrecords.read(self.path)):
            yield Item(f"record {number}", self._key(number), partial(tfrecords.picture, record))

    def assemble(self, paintings: Path, output: Path) -> None:
        """Each record with its painting in the place of its picture."""

        def painted() -> Iterator[bytes]:
            for number, record in enumerate(tfrecords.read(self.path)):
                if (painting := paintings / self._key(number)).exists():
                    yield tfrecords.with_picture(record, painting.read_bytes())

        tfrecords.write(output, painted(), compressed_as=self.path)


def opened(path: Path, ending: str, max_bytes: int) -> Collection:
    """The collection at a path.

    Args:
        path: a folder, a ``.zip`` or a ``.tfrecord``.
        ending: of the paintings.
        max_bytes: of one picture that an archive holds.

    Raises:
        InputError: it cannot be read, or holds no picture.
        ParameterError: it is none of these.
    """
    if not path.exists():
        raise InputError(f"{path} is not there.")
    kind = kind_of(path)
    if kind == "folder":
        found: Collection = Folder(path, ending)
    elif kind == "zip":
        found = Zip(path, ending, max_bytes)
    else:
        found = Records(path, ending)
    if not len(found):
        raise InputError(f"There is no picture in {path}.")
    return found


def kind_of(path: Path) -> str:
    """``folder``, ``zip`` or ``tfrecord``, by the ending, which need not be there.

    Raises:
        ParameterError: it is a file with another ending.
    """
    endings = [ending.lower() for ending in path.suffixes]
    if endings[-1:] == [".zip"]:
        return "zip"
    if any(ending in {".tfrecord", ".tfrecords"} for ending in endings[-2:]):
        return "tfrecord"
    if path.is_file():
        raise ParameterError(
            f"A batch is a folder, a .zip or a .tfrecord. Received: {path.name!r}."
        )
    return "folder"


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"It cannot be read: {error.strerror}.") from None
