"""A file that is still arriving, as it lies on the disk. Free of TensorFlow.

Beside the target ``NAME`` lie, while they are needed:

    NAME.part            what has arrived so far; it becomes NAME only when it is whole and right
    NAME.part.version    the server's own mark of that version (RFC 9110, section 8.8)
    NAME.lock            keeps a second process from writing the same part; it stays, because
                         deleting a lock file opens a gap between its opening and its locking
"""

import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from model.errors import FeaturesFormatError, FeaturesUnavailableError

#: What says that there is no room.
_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Expected:
    """What is known of a file before it is here; None where nothing is.

    Attributes:
        size: in bytes.
        sha256: in hex.
        md5: in hex, for publishers who give nothing better.
    """

    size: int | None = None
    sha256: str | None = None
    md5: str | None = None

    def fault(self, path: Path) -> str | None:
        """What is wrong with the file, as a sentence without its full stop, or None."""
        here = path.stat().st_size
        if self.size not in (None, here):
            return f"{path.name} should have {self.size} bytes. Received: {here}"
        for name, digest in (("sha256", self.sha256), ("md5", self.md5)):
            if digest is None:
                continue
            with path.open("rb") as file:
                received = hashlib.file_digest(file, name).hexdigest()
            if received != digest.lower():
                return f"{path.name} should have the {name} {digest}. Received: {received}"
        return None

    def met_by(self, path: Path) -> bool:
        """Whether the file is there and without fault."""
        return path.is_file() and self.fault(path) is None


class Part:
    """The piece that has arrived so far, and the server's mark of its version."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(target.name + ".part")
        self._version = target.with_name(target.name + ".part.version")

    def size(self) -> int:
        """Bytes that are here."""
        return self._path.stat().st_size if self._path.exists() else 0

    def version(self) -> str:
        """The server's mark of what is here; empty if it gave none or nothing is here."""
        if not (self.size() and self._version.exists()):
            return ""
        mark = self._version.read_text("ascii", errors="ignore")
        return mark if mark.isprintable() else ""  # a power cut may leave zeros

    def restart(self, version: str) -> None:
        """Begin anew with a body of this version."""
        # Emptied before it is marked: an old piece must never stand under a new mark.
        self._path.write_bytes(b"")
        self._version.write_text(version, "ascii", errors="ignore")

    def append(self) -> BinaryIO:
        """Open the part for the rest of the body."""
        return self._path.open("ab")

    def become_target(self, expected: Expected) -> None:
        """Check the part and put it in the target's place, safe against a power cut.

        Raises:
            FeaturesFormatError: it is not what was expected; it is deleted.
        """
        fault = expected.fault(self._path)
        if fault is not None:
            self.clear()
            raise FeaturesFormatError(fault.replace(self._path.name, self._target.name))
        _sync(self._path)
        self._path.replace(self._target)
        _sync(self._target.parent)
        self.clear()

    @contextlib.contextmanager
    def cleared_if_full(self) -> Iterator[None]:
        """On a full disk others need the room more than we need the piece.

        While the lock is held: it may be the piece of whoever gets it next.
        """
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                with contextlib.suppress(OSError):
                    self.clear()
            raise

    def clear(self) -> None:
        """Delete the piece and its mark."""
        self._path.unlink(missing_ok=True)
        self._version.unlink(missing_ok=True)


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait until no other process or thread holds the lock of ``path``, then hold it.

    Raises:
        OSError: the folder cannot be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Closing the file gives the lock back, and so does the death of the process.
    with path.with_name(path.name + ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def disk_errors(target: Path) -> Iterator[None]:
    """Turn what the disk refuses into one sentence.

    Raises:
        FeaturesUnavailableError: instead of any OSError raised inside.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            msg = f"the disk refused {target.name}: {error.strerror}"
            raise FeaturesUnavailableError(msg) from error
        msg = f"the disk is full: there is no room for {target.name}"
        raise FeaturesUnavailableError(msg) from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
