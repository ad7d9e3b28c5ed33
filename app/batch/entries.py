"""What a folder or an archive has in it: what is a picture, and what its painting is called."""

import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, count
from pathlib import PurePosixPath

from app.endings import FORMATS

#: Of a longer name the last so many: a zip has room for 65,535, the ending and a number included.
_MAX_NAME_BYTES = 65_000


def unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A file of a zip, and never more than its size says, whatever it would unpack to.

    Raises:
        zipfile.BadZipFile: it is packed in another way than by deflate, whose output alone can be
            bounded, or is damaged. Of hostile bytes other exceptions come as well.
    """
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise zipfile.BadZipFile("it is packed in another way than by deflate")
    with archive.open(member) as file:  # `ZipFile.read` would unpack all of it first
        data = file.read(member.file_size)
    if len(data) != member.file_size:
        raise zipfile.BadZipFile("it is cut off")
    return data


def painted_names(names: Iterable[str], ending: str) -> list[str]:
    """Names of paintings: with another ending, and the old one or a number where two are alike.

    None of them leads out of the place where it is unpacked, as those of an archive may.
    """
    found: list[str] = []
    taken: set[str] = set()
    numbers: defaultdict[str, Iterator[int]] = defaultdict(partial(count, 2))
    for name in names:
        inside = _inside(_cut(str(_inside(name))))
        own = (str(inside.with_suffix(ending)), f"{inside}{ending}")
        numbered = (f"{inside} ({n}){ending}" for n in numbers[str(inside).lower()])
        found.append(next(n for n in chain(own, numbered) if n.lower() not in taken))
        taken.add(found[-1].lower())
    return found


def _inside(name: str) -> PurePosixPath:
    """The name as a path from the place where it is unpacked, and never out of it."""
    return PurePosixPath(*(part for part in PurePosixPath(name).parts if part.strip("./")))


def _cut(name: str) -> str:
    """The name, or its end: in UTF-8 it may be longer than the zip that it comes from had it."""
    if len(name) * 4 <= _MAX_NAME_BYTES:
        return name
    return name.encode(errors="surrogateescape")[-_MAX_NAME_BYTES:].decode(errors="ignore")


def is_picture(name: str) -> bool:
    """Whether to paint it; what operating systems put beside pictures is hidden.

    The name of a folder in a zip ends in a slash.
    """
    path = PurePosixPath(name)
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return path.suffix.lower() in FORMATS and not hidden and not name.endswith("/")
