"""Names for what was handed in: the same for the same bytes, and for nothing else."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def digest_of(data: bytes) -> str:
    """A SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def fingerprint_of(content: Mapping[str, Any]) -> str:
    """The SHA-256 of JSON in one fixed spelling."""
    return digest_of(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
