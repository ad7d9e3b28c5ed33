"""Where the paintings of a batch lie, so that it goes on where it was broken off."""

import json
import os
import shutil
from pathlib import Path

from model.errors import InputError

_NOTE = ".atelier-batch.json"


class Workplace:
    """A folder of paintings, each written whole or not at all.

    Args:
        folder: made if it is not there.
        fingerprint: of the styles and parameters; the folder may only hold paintings of the same.

    Raises:
        InputError: it holds something else, or cannot be written.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        self._note = folder / _NOTE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._check(fingerprint)
            self._note.write_text(json.dumps({"fingerprint": fingerprint}))
        except OSError as error:
            raise InputError(f"{folder} cannot be written: {error.strerror}.") from None

    def _check(self, fingerprint: str) -> None:
        if self._note.exists():
            begun = json.loads(self._note.read_text())["fingerprint"]
            if begun != fingerprint:
                raise InputError(
                    f"{self.folder} has paintings in another style or with other options. "
                    "Name another output, or remove it."
                )
        elif any(self.folder.iterdir()):
            raise InputError(
                f"{self.folder} is not empty. Name an output that is not there yet, or one of a "
                "batch that was broken off."
            )

    def __contains__(self, key: str) -> bool:
        """Whether there is a painting under this key."""
        return (self.folder / key).exists()

    def put(self, key: str, painting: bytes) -> None:
        """Keeps a painting.

        Raises:
            InputError: it cannot be written.
        """
        place = self.folder / key
        beside = place.with_name(f".{place.name}.new")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(painting)
            os.replace(beside, place)  # noqa: PTH105 - the name says what matters here
        except OSError as error:
            raise InputError(f"{place} cannot be written: {error.strerror}.") from None

    def remove(self) -> None:
        """Drops it with all that is in it."""
        shutil.rmtree(self.folder)
