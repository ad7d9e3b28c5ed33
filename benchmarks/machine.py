"""What the numbers were measured on, in a line."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

#: What makes the difference for bfloat16.
_FLAGS = ("avx512f", "avx512_bf16", "amx_bf16")


def description() -> str:
    """Cores, instruction sets, memory and versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = (
        f"{os.cpu_count()} cores ({', '.join(_found_flags()) or platform.machine()})",
        f"{memory:.0f} GiB",
        f"Python {platform.python_version()}",
        f"TensorFlow {version('tensorflow')}",
    )
    return ", ".join(parts)


def _found_flags() -> list[str]:
    """Of Linux's list; none elsewhere."""
    listed = Path("/proc/cpuinfo")
    words = set(listed.read_text(encoding="utf-8").split()) if listed.exists() else set()
    return [flag for flag in _FLAGS if flag in words]
