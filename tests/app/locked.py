"""What the tests of keys and sessions share: owners, and an API that knows their keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from app import keys
from tests.app.api import serving


def _known(owner: str, letter: str, *, admin: bool = False) -> tuple[str, keys.Grant]:
    """A key in the form of those that are made, but the same in each run, as names of tests are."""
    key = keys.PREFIX + letter * 43
    return key, keys.Grant(owner, admin, keys.digest(key))


ANNA, _ANNA = _known("anna", "a")
ANNAS_SECOND, _ANNAS_SECOND = _known("anna", "b")
BERT, _BERT = _known("bert", "c")
ADMIN, _ADMIN = _known("root", "d", admin=True)
STRANGER, _ = _known("anna", "e")  # nowhere configured

GRANTS = (_ANNA, _ANNAS_SECOND, _BERT, _ADMIN)
ENTRIES = ", ".join(grant.entry for grant in GRANTS)


@contextmanager
def locked_api(redis_url: str, folder: Path, **settings: str) -> Iterator[httpx.Client]:
    """A client without a key of an API that asks for one."""
    with serving(redis_url, folder, **({"ATELIER_API_KEYS": ENTRIES} | settings)) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"Authorization": f"Bearer {key}"}


def holding(client: httpx.Client, key: str | None) -> httpx.Client:
    """Another client of the same API, with a key."""
    headers = {} if key is None else bearer(key)
    return httpx.Client(base_url=client.base_url, headers=headers, timeout=30.0)
