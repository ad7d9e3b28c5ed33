"""The result of a batch as it goes out: an archive that is made while it is read.

Of its paintings one at a time is in memory, and none of it on a disk.
"""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from app.batch.entries import painted_names
from worker import tfrecords
from worker.batches.batches import Painted

#: Where in a zip it is said what could not be painted.
FAILURES = "failures.json"

#: Gives the painting of a job, or None where it is not kept any more.
Fetch = Callable[[str], bytes | None]


def zipped(
    pictures: Iterable[Painted], fetch: Fetch, ending: str, moment: datetime
) -> Iterator[bytes]:
    """A zip of the paintings, their names those of the pictures with another ending.

    They are stored as they are: their formats are compressed already. Those that are missing are
    told of in ``failures.json``.

    Args:
        pictures: of the batch.
        fetch: gives their paintings.
        ending: of the paintings.
        moment: that is written as the time of all of them, so that the bytes are always the same.
    """
    found = list(pictures)
    names = painted_names((picture.name for picture in found), ending)
    missing: list[dict[str, Any]] = []
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:

        def put(name: str, data: bytes | str) -> bytes:
            archive.writestr(zipfile.ZipInfo(name, moment.timetuple()[:6]), data)
            return sink.taken()

        for picture, name in zip(found, names, strict=True):
            painting = None if picture.problem else fetch(picture.job_id)
            if painting is None:
                missing.append(_told(picture))
            else:
                yield put(name, painting)
        if missing:
            yield put(FAILURES, json.dumps(missing, indent=1))
    yield sink.taken()


def recorded(pictures: Iterable[Painted], fetch: Fetch) -> Iterator[bytes]:
    """A TFRecord file: each record with its painting in the place of its picture.

    Records without a painting are left out.
    """
    for picture in pictures:
        painting = None if picture.problem else fetch(picture.job_id)
        if painting is not None:
            yield tfrecords.framed(tfrecords.with_picture(picture.leaf or b"", painting))


def _told(picture: Painted) -> dict[str, Any]:
    problem = None if picture.problem is None else picture.problem.model_dump()
    return {"name": picture.name, "job_id": picture.job_id or None, "problem": problem}


class _Sink:
    """What is written, until it is taken; a file that cannot be sought in, as ``zipfile`` sees."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes, /) -> int:
        """Takes it in."""
        self._data += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """There is nothing to close."""

    def taken(self) -> bytes:
        """All that has been written since the last time."""
        data = bytes(self._data)
        self._data.clear()
        return data
