"""API keys: who has one, and whose jobs it opens.

A key is 256 random bits. Only its SHA-256 is configured, so that a settings file or an environment
that leaks opens nothing. A slow password hash with a salt would add nothing: it defends what is in
a dictionary, and of 2^256 keys none is (OWASP, Password Storage Cheat Sheet, is about passwords).
For the same reason a key is found by looking its hash up: what a clock could tell of that is about
the hash of a guess, which leads to no better guess.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from pydantic import SecretStr

from model.errors import ParameterError
from worker.settings import Settings, SettingsError

#: So that a key is recognised where it does not belong: in a log, in a repository.
PREFIX = "atl_"

_KEY_BYTES = 32

_OWNER = "[a-z0-9][a-z0-9._-]{0,63}"
_ENTRY = re.compile(rf"({_OWNER})(\+admin)?:([0-9a-f]{{64}})")


@dataclass(frozen=True)
class Grant:
    """What a key opens.

    Attributes:
        owner: whose jobs.
        admin: whether those of all others too.
        digest: the key's SHA-256 in hex.
    """

    owner: str
    admin: bool
    digest: str

    @property
    def entry(self) -> str:
        """The grant as it is configured."""
        return f"{self.owner}{'+admin' if self.admin else ''}:{self.digest}"


class Keyring:
    """All keys that open something; an empty one is false, and then nothing is locked."""

    def __init__(self, grants: Iterable[Grant] = ()) -> None:
        self._grants = {grant.digest: grant for grant in grants}

    def __bool__(self) -> bool:
        return bool(self._grants)

    def find(self, key: str) -> Grant | None:
        """What a key opens, or None."""
        return self.find_digest(digest(key))

    def find_digest(self, digest: str) -> Grant | None:
        """What the key of this hash opens, or None."""
        return self._grants.get(digest)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The keys of ``ATELIER_API_KEYS`` and ``ATELIER_API_KEYS_FILE`` together.

        Raises:
            SettingsError: an entry is malformed, or a key is two owners'; the message shows
                nothing of it.
        """
        grants = set(_grants(settings))
        if len({grant.digest for grant in grants}) < len(grants):
            raise SettingsError("ATELIER_API_KEYS: one key is there twice, with different owners.")
        return cls(grants)


def digest(key: str) -> str:
    """The hash under which a key is configured."""
    return hashlib.sha256(key.encode()).hexdigest()


def new(owner: str, *, admin: bool = False) -> tuple[str, Grant]:
    """A new key, and what to configure for it.

    Raises:
        ParameterError: the owner's name is not one.
    """
    if not re.fullmatch(_OWNER, owner):
        raise ParameterError(
            "An owner's name is up to 64 of a-z, 0-9, '.', '_' and '-', and begins with a letter "
            f"or digit. Received: {owner!r}.",
            field="owner",
        )
    key = PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    return key, Grant(owner, admin, digest(key))


def _grants(settings: Settings) -> Iterator[Grant]:
    variable = "ATELIER_API_KEYS"
    if settings.api_keys is not None:
        yield from _parsed(variable, _entries(settings.api_keys))
    if settings.api_keys_file is not None:
        try:
            text = settings.api_keys_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = type(error).__name__
            raise SettingsError(f"{variable}_FILE cannot be read ({reason}).") from None
        yield from _parsed(f"{variable}_FILE", _lines(text))


def _entries(setting: SecretStr) -> list[str]:
    return re.split(r"[\s,]+", setting.get_secret_value().strip(" \t\r\n,"))


def _lines(text: str) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def _parsed(variable: str, entries: list[str]) -> Iterator[Grant]:
    # Set but empty, a variable was meant to lock: better no service than an open one.
    if not any(entries):
        raise SettingsError(
            f"{variable} is set but holds no entry; `atelier keys new OWNER` makes one."
        )
    for number, entry in enumerate(entries, 1):
        found = _ENTRY.fullmatch(entry)
        if found is None:
            held = "holds a key where its hash belongs" if PREFIX in entry else "is malformed"
            raise SettingsError(
                f"{variable}: entry {number} {held}; it is OWNER:SHA256 or OWNER+admin:SHA256, as "
                "`atelier keys new OWNER` prints it."
            )
        yield Grant(found[1], bool(found[2]), found[3])
